"""Find and load Google credentials: a file, or Application Default Credentials; and sign requests."""

from __future__ import annotations

import json
import os
import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitrec.errors import NotConfigured
from digitrec.providers.masking import secrets_in
from digitrec.providers.wire import Wire

if TYPE_CHECKING:
    from requests import PreparedRequest

SCOPE = "https://www.googleapis.com/auth/cloud-vision"
ADVICE = "set GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_API_KEY, or `gcloud auth application-default login`"
"""What to do without credentials."""
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
"""The loader of each type of file. Google's loader for all types warns of files from strangers, and a warning
can only be suppressed for all threads at once."""
FROM_AWS = "urn:ietf:params:aws:token-type:aws4_request"
"""AWS's name for the token of an external account there."""
UNSCOPED = ("external_account_authorized_user", "gdch_service_account")
"""Types that already have a scope."""


def signer(file: str | Path | None, wire: Wire) -> tuple[Any, Any]:
    """Return what signs a request of the wire, and what discards a refused token."""
    from google.auth.transport.requests import Request

    credentials = load(file, wire.endpoint)
    wire.secrets.learn(*secrets(file, credentials))
    errands = Request(wire.errands)

    def sign(request: PreparedRequest) -> PreparedRequest:
        credentials.before_request(errands, request.method, request.url, request.headers)
        return request

    return sign, lambda: setattr(credentials, "token", None)


def load(file: str | Path | None, endpoint: str) -> Any:
    """Load the credentials; without a file as Google's libraries find them.

    For a plain http endpoint they are anonymous: a real token must not travel unencrypted.

    Raises:
        NotConfigured: the file cannot be read, is not JSON, or holds no usable credentials.
    """
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    if endpoint.startswith("http://"):
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    if not file:
        return _signs_itself(google.auth.default(scopes=[SCOPE])[0])
    info = _read(Path(file))
    kind = _kind(info)
    if kind not in LOADERS:
        raise _unusable(file, "it holds no credentials of a type that Google knows")
    try:
        make = pkgutil.resolve_name(LOADERS[kind])
        credentials = make(info) if kind in UNSCOPED else make(info, scopes=[SCOPE])
        paid = credentials.with_quota_project_from_environment() if _has_quota(credentials) else credentials
        return _signs_itself(paid)
    except Exception:  # a missing or wrong value: KeyError, TypeError, ValueError, ...
        why = f"something in it is missing or wrong for the type {kind.split()[0]}"
    raise _unusable(file, why)  # outside: the foreign exception may hold a key


def _signs_itself(credentials: Any) -> Any:
    """Return the credentials; a service account's own key signs its tokens, without a request."""
    own = getattr(credentials, "with_always_use_jwt_access", None)
    return credentials if own is None else own(True)


def _kind(info: dict[str, Any]) -> str:
    """Return the key in `LOADERS`; the type alone does not say where an external account comes from."""
    kind, source = info.get("type"), info.get("credential_source")
    if kind == "external_account" and info.get("subject_token_type") == FROM_AWS:
        return "external_account from AWS"
    if kind == "external_account" and isinstance(source, dict) and source.get("executable") is not None:
        return "external_account from a program"
    return str(kind)


def _has_quota(credentials: Any) -> bool:
    """Return whether the credentials accept the paying project of GOOGLE_CLOUD_QUOTA_PROJECT."""
    from google.auth.credentials import CredentialsWithQuotaProject

    return isinstance(credentials, CredentialsWithQuotaProject)


def secrets(file: str | Path | None, credentials: Any) -> Iterator[str]:
    """Yield what to redact: secrets in the credentials file and in the credentials."""
    named = [Path(file)] if file else [Path(name) for name in found(os.environ) if os.path.sep in name]
    for path in named:
        with suppress(OSError):
            yield from secrets_in(path.read_bytes())
    for name in ("token", "refresh_token", "client_secret"):
        value = getattr(credentials, name, None)
        if isinstance(value, str):
            yield value


def _read(file: Path) -> dict[str, Any]:
    """Return the JSON object in the file; google-auth would quote invalid content, keys included."""
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
    """Return what makes the credentials unusable; the file that the variable names takes precedence."""
    named = env.get("GOOGLE_APPLICATION_CREDENTIALS")
    return ["GOOGLE_APPLICATION_CREDENTIALS names no file"] if named and not Path(named).is_file() else []


def found(env: Mapping[str, str]) -> list[str]:
    """Return the names of the variables and files that hold credentials, in the order of use.

    The metadata server of Google's own machines is left out: asking it takes seconds.
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
