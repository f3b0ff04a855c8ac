"""Where Google's users keep their credentials: Application Default Credentials, found without asking."""

from __future__ import annotations

import json
import os
import pkgutil
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
LOADERS = {
    "authorized_user": "google.oauth2.credentials:Credentials.from_authorized_user_info",
    "service_account": "google.oauth2.service_account:Credentials.from_service_account_info",
    "impersonated_service_account":
        "google.auth.impersonated_credentials:Credentials.from_impersonated_service_account_info",
    "external_account_authorized_user": "google.auth.external_account_authorized_user:Credentials.from_info",
    "external_account": "google.auth.identity_pool:Credentials.from_info",
    "external_account from AWS": "google.auth.aws:Credentials.from_info",
    "external_account from a program": "google.auth.pluggable:Credentials.from_info",
    "gdch_service_account":
        "google.oauth2.gdch_credentials:ServiceAccountCredentials.from_service_account_info",
}  # fmt: skip
"""What makes credentials of each type of file, as Google wants it: by the type, not by one that takes all (it
warns of files from strangers, and a warning can only be held back for all threads at once)."""
FROM_AWS = "urn:ietf:params:aws:token-type:aws4_request"
"""What AWS calls the token that an external account there is known by."""
UNSCOPED = ("external_account_authorized_user", "gdch_service_account")
"""Types whose scope was chosen where they were made."""


def load(file: str | Path | None, endpoint: str) -> Any:
    """The credentials to ask with; None leaves the search to Google's SDK.

    A plain http endpoint is asked anonymously: a real token must not travel unencrypted.

    Raises:
        NotConfigured: the file cannot be read, is no JSON, or holds no credentials that can be used.
    """
    from google.auth.credentials import AnonymousCredentials

    if endpoint.startswith("http://"):
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    if not file:
        return None
    info = _read(Path(file))
    kind = _kind(info)
    if kind not in LOADERS:
        raise _unusable(file, "it holds no credentials of a type that Google knows")
    try:
        make = pkgutil.resolve_name(LOADERS[kind])
        credentials = make(info) if kind in UNSCOPED else make(info, scopes=[SCOPE])
        return credentials.with_quota_project_from_environment() if _has_quota(credentials) else credentials
    except Exception:  # of a value that is missing or of the wrong kind: KeyError, TypeError, ValueError, ...
        why = f"something in it is missing or wrong for the type {kind.split()[0]}"
    raise _unusable(file, why)  # outside: the foreign exception may hold a key


def _kind(info: dict[str, Any]) -> str:
    """Which of `LOADERS` it is for; the type alone does not tell where an external account comes from."""
    kind, source = info.get("type"), info.get("credential_source")
    if kind == "external_account" and info.get("subject_token_type") == FROM_AWS:
        return "external_account from AWS"
    if kind == "external_account" and isinstance(source, dict) and source.get("executable") is not None:
        return "external_account from a program"
    return str(kind)


def _has_quota(credentials: Any) -> bool:
    """Whether they can name the project that pays, as GOOGLE_CLOUD_QUOTA_PROJECT may."""
    from google.auth.credentials import CredentialsWithQuotaProject

    return isinstance(credentials, CredentialsWithQuotaProject)


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


def _read(file: Path) -> dict[str, Any]:
    """The JSON object in the file; of what is none Google's SDK would quote the content, keys included."""
    try:
        info = json.loads(file.read_text("utf-8"))
        why = "it holds no credentials"
    except OSError as error:
        info, why = None, (error.strerror or str(error)).lower()
    except (ValueError, RecursionError):  # the latter: lists in lists in lists
        info, why = None, "it is not JSON"
    if not isinstance(info, dict):
        raise _unusable(file, why)
    return info


def _unusable(file: str | Path, why: str) -> NotConfigured:
    return NotConfigured(f"the credentials file {file} cannot be used ({why}); {ADVICE}")


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
