"""Where Google's users keep their credentials: Application Default Credentials, found without asking."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCOPE = "https://www.googleapis.com/auth/cloud-vision"
ADVICE = "set GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_API_KEY, or `gcloud auth application-default login`"
"""What to do where none are found."""


def load(file: str | Path | None, endpoint: str) -> Any:
    """The credentials to ask with; None leaves the search to Google's SDK.

    A plain http endpoint is asked anonymously: a real token must not travel unencrypted.

    Raises:
        google.auth.exceptions.DefaultCredentialsError: the file is missing or no credentials file.
    """
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    if endpoint.startswith("http://"):
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    if not file:
        return None
    from_file: Any = google.auth.load_credentials_from_file
    with warnings.catch_warnings():  # it warns of files from strangers; this one is the user's own
        warnings.simplefilter("ignore", DeprecationWarning)
        credentials, _ = from_file(str(file), scopes=[SCOPE])
    return credentials


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
