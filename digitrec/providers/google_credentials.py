"""Where Google's users keep their credentials: Application Default Credentials, found without asking."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from digitrec.errors import NotConfigured

SCOPE = "https://www.googleapis.com/auth/cloud-vision"
SECRET = ("private_key", "private_key_id", "client_secret", "refresh_token", "token", "access_token")
"""What a credentials file holds that may show nowhere."""
ADVICE = "set GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_API_KEY, or `gcloud auth application-default login`"
"""What to do where none are found."""


def load(file: str | Path | None, endpoint: str) -> Any:
    """The credentials to ask with; None leaves the search to Google's SDK.

    A plain http endpoint is asked anonymously: a real token must not travel unencrypted.

    Raises:
        NotConfigured: the file cannot be read, or is no JSON.
        google.auth.exceptions.DefaultCredentialsError: it holds no credentials.
    """
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    if endpoint.startswith("http://"):
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    if not file:
        return None
    _check(Path(file))
    from_file: Any = google.auth.load_credentials_from_file
    with warnings.catch_warnings():  # it warns of files from strangers; this one is the user's own
        warnings.simplefilter("ignore", DeprecationWarning)
        credentials, _ = from_file(str(file), scopes=[SCOPE])
    return credentials


def secrets(file: str | Path | None, credentials: Any) -> Iterator[str]:
    """What may show nowhere, of the credentials: from their file, and from the SDK's object."""
    named = [Path(file)] if file else [Path(name) for name in found(os.environ) if os.path.sep in name]
    for path in named:
        with suppress(OSError, ValueError, RecursionError):
            yield from _secret_texts(json.loads(path.read_text("utf-8")))
    for name in ("token", "refresh_token", "client_secret"):
        value = getattr(credentials, name, None)
        if isinstance(value, str):
            yield value


def _secret_texts(value: Any) -> Iterator[str]:
    """The texts in a credentials file that stand under a secret's name."""
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and name in SECRET:
                yield item
            yield from _secret_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secret_texts(item)


def _check(file: Path) -> None:
    """Whether the file is JSON at all: of one that is not, Google's SDK quotes the content, keys included."""
    try:
        why = "" if isinstance(json.loads(file.read_text("utf-8")), dict) else "it holds no credentials"
    except OSError as error:
        why = (error.strerror or str(error)).lower()
    except (ValueError, RecursionError):  # the latter: lists in lists in lists
        why = "it is not JSON"
    if why:
        raise NotConfigured(f"the credentials file {file} cannot be used ({why}); {ADVICE}")


def wrong(env: Mapping[str, str]) -> list[str]:
    """What keeps the credentials from being used: the file that a variable names comes before all others."""
    named = env.get("GOOGLE_APPLICATION_CREDENTIALS")
    return ["GOOGLE_APPLICATION_CREDENTIALS names no file"] if named and not Path(named).is_file() else []


def found(env: Mapping[str, str]) -> list[str]:
    """Names of the variables and files that hold credentials, in the order they are used.

    The metadata server of Google's own machines is not among them: asking for it takes seconds.
    """
    names = [name for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_API_KEY") if env.get(name)]
    file = _gcloud_folder(env) / "application_default_credentials.json"
    return [*names, str(file)] if file.is_file() else names


def _gcloud_folder(env: Mapping[str, str]) -> Path:
    if env.get("CLOUDSDK_CONFIG"):
        return Path(env["CLOUDSDK_CONFIG"])
    if env.get("APPDATA"):
        return Path(env["APPDATA"]) / "gcloud"
    return Path(env.get("HOME") or "~").expanduser() / ".config" / "gcloud"
