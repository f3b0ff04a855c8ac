"""What the services of AWS share: credentials, client and errors.

boto3 finds the credentials, builds each request and signs it; `Wire` sends it.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from msgspec import Meta

from digitrec.errors import (
    AuthFailed,
    DigitrecError,
    NotConfigured,
    QuotaExceeded,
    RateLimited,
    Rejected,
    Unavailable,
    Unreachable,
    install_hint,
)
from digitrec.providers.addresses import allows_plain_http
from digitrec.providers.base import (
    BaseProvider,
    Status,
    checked_endpoint,
    checked_key,
    is_installed,
    not_installed,
)
from digitrec.providers.masking import Secrets, secrets_in
from digitrec.providers.translate import Problem, Rule, Service, dig, from_http, retry_after
from digitrec.providers.wire import Reply, Wire, carrier

Percent = Annotated[float, Meta(ge=0, le=100)]
"""A confidence as AWS gives it."""


class AwsProvider(BaseProvider):
    """A service of AWS that reads one image per request."""

    sdk_name: ClassVar[str]
    """boto3's name of the service, which its addresses begin with: "rekognition"."""
    service: ClassVar[Service]
    """The service's name in messages."""

    def __init__(
        self,
        *,
        region: str | None = None,
        profile: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        session_token: str | None = None,
        endpoint: str | None = None,
        allow_plain_http: bool = False,
        name: str | None = None,
    ) -> None:
        """Find the credentials, as boto3 does; nothing is sent yet.

        Args:
            region: such as "us-east-1"; None: the profile's.
            profile: a profile of ~/.aws; beats keys in the environment.
            access_key, secret_key, session_token: keys; None: where boto3 finds them.
            endpoint: address to ask instead of the region's own address.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: name of this engine in a Prediction; None: its registered name.

        Raises:
            NotInstalled: the extra "aws" is missing.
            NotConfigured: no credentials or no region were found.
        """
        if bool(access_key) != bool(secret_key):
            raise NotConfigured(f"AWS has one half of a pair of keys; {SET_KEYS}")
        if endpoint:
            endpoint = checked_endpoint(endpoint, "AWS_ENDPOINT_URL", allow_plain_http=allow_plain_http)
        self.name = name or self.name
        keys = {
            "aws_access_key_id": checked_key(access_key or "", "AWS_ACCESS_KEY_ID") or None,
            "aws_secret_access_key": checked_key(secret_key or "", "AWS_SECRET_ACCESS_KEY") or None,
            "aws_session_token": checked_key(session_token or "", "AWS_SESSION_TOKEN") or None,
        }
        address = endpoint or f"https://{self.sdk_name}.amazonaws.com"  # until the region is known
        self._wire = Wire(self.service, address, _refused, Secrets(*keys.values()), allow_plain_http)
        self._session = self._wire.prepare(lambda: _Session(self._wire, self.sdk_name, profile, region, keys))
        self._client = self._wire.prepare(lambda: self._session.client(endpoint))
        self.endpoint = self._wire.endpoint = checked_endpoint(
            str(self._client.meta.endpoint_url), "the profile", allow_plain_http=allow_plain_http
        )

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Build from the environment's keys, else AWS_PROFILE, else boto3's own search.

        AWS_REGION and the endpoint's variables count too. ``options`` override the variables; a profile or
        key among them replaces all credentials of the environment, because a key and a session token belong
        together.
        """
        of_service = env.get(f"AWS_ENDPOINT_URL_{cls.sdk_name.upper()}")
        found: dict[str, Any] = {
            "region": env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or None,
            "endpoint": of_service or env.get("AWS_ENDPOINT_URL") or None,
            "allow_plain_http": allows_plain_http(env),
        }
        if not options.keys() & {"profile", "access_key", "secret_key", "session_token"}:
            if env.get("AWS_ACCESS_KEY_ID"):
                found["access_key"] = env["AWS_ACCESS_KEY_ID"]
                found["secret_key"] = env.get("AWS_SECRET_ACCESS_KEY") or None
                found["session_token"] = env.get("AWS_SESSION_TOKEN") or None
            else:
                found["profile"] = env.get("AWS_PROFILE") or None
        return cls(**{**found, **options})

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return which variables and files were found; runs no program and asks no metadata service."""
        installed = is_installed("boto3")
        credentials, region = found_credentials(env), found_region(env)
        missing = [] if installed else [install_hint("aws")]
        missing += [] if credentials else [SET_KEYS]
        missing += [] if region else [SET_REGION]
        found = tuple(dict.fromkeys(credentials + region))
        return Status(installed, bool(credentials and region), tuple(missing), found)

    def _ask(self, call: Callable[[], Any], timeout: float) -> Any:
        """Return the JSON value that answers the one request that ``call`` makes with boto3's client."""

        def signed() -> None:
            self._session.find_credentials()
            call()

        return self._wire.document(self._wire.ask(signed, timeout=timeout))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._client.close()


class _Session:
    """A boto3 session that signs requests with botocore and sends them through carriers."""

    def __init__(
        self, wire: Wire, sdk_name: str, profile: str | None, region: str | None,
        keys: Mapping[str, str | None],
    ) -> None:  # fmt: skip
        try:
            import boto3
            from botocore.session import Session
            from requests import Session as Connections
        except ImportError as error:
            raise not_installed(wire.service.name, "aws") from error
        self._wire, self._sdk_name = wire, sdk_name
        self._botocore = Session(profile=profile)
        given = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        wire.secrets.learn(*secrets_in(given), *secrets_in(self._botocore.full_config))
        handler: Any = self._send
        self._botocore.register("before-send", handler)
        self._resolver = self._botocore.get_component("credential_provider")
        self._botocore.register_component("credential_provider", self)
        settings: Any = {"botocore_session": self._botocore, "region_name": region, **keys}
        self._boto3: Any = boto3.Session(**settings)
        self._questions, self._errands = Connections(), Connections()
        carrier.mount(self._questions, carrier.questions())
        carrier.mount(self._errands, carrier.errands())
        self._credentials: Any = self._boto3.get_credentials()

    def load_credentials(self) -> Any:
        """Search for credentials; botocore calls it when it makes a session.

        A profile may name a program that prints them: it runs with the first question, within its timeout.
        """
        profiles = self._botocore.full_config.get("profiles", {}).values()
        if not any("credential_process" in profile for profile in profiles):
            return self._found(self._resolver.load_credentials())
        from botocore.credentials import Credentials

        searched = cache(lambda: self._found(self._resolver.load_credentials()))

        class Later(Credentials):
            def get_frozen_credentials(self) -> Any:
                return searched().get_frozen_credentials()

        return Later("", "")

    def _found(self, credentials: Any) -> Any:
        if credentials is None:
            raise NotConfigured(f"AWS has no credentials; {SET_KEYS}")
        return credentials

    def find_credentials(self) -> None:
        """Find the credentials if that was deferred, and redact them from now on."""
        self._wire.secrets.learn(*self._credentials.get_frozen_credentials())

    def client(self, endpoint: str | None) -> Any:
        from botocore.config import Config

        once = Config(retries={"total_max_attempts": 1})
        return self._boto3.client(self._sdk_name, endpoint_url=endpoint, config=once)

    def _send(self, request: Any, event_name: str, **_: Any) -> Any:
        """Send a request that botocore has signed: a question, which ends the call, or an errand.

        botocore calls it for every request, also for those to other services that give credentials.
        """
        is_question = event_name.startswith(f"before-send.{self._sdk_name}.")
        sent = {name: it.decode() if isinstance(it, bytes) else it for name, it in request.headers.items()}
        response = carrier.forward(
            self._questions if is_question else self._errands,
            request.method,
            request.url,
            sent,
            request.body,
            bundle=self._botocore.get_config_variable("ca_bundle"),
        )
        from botocore.awsrequest import AWSResponse

        headers: Any = response.headers
        return AWSResponse(request.url, response.status_code, headers, response.raw)

    def close(self) -> None:
        self._questions.close()
        self._errands.close()


# Credentials, found without boto3: variables, and the two files of ~/.aws.

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
ROLES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables that AWS's own machines set where a role gives the keys."""
SOURCES = {
    "aws_access_key_id", "credential_process", "login_session", "role_arn", "sso_session", "sso_start_url",
}  # fmt: skip
"""Settings of a profile from which boto3 obtains keys."""


def found_credentials(env: Mapping[str, str]) -> list[str]:
    """Return the names of the variables and files that give keys, never their contents."""
    if all(env.get(name) for name in KEYS):
        return list(KEYS)
    named = ["AWS_PROFILE"] if env.get("AWS_PROFILE") else []
    files = [str(file) for file, settings in _profile(env) if SOURCES & settings]
    return [*named, *files] if files else [name for name in ROLES if env.get(name)][:1]


def found_region(env: Mapping[str, str]) -> list[str]:
    """Return the name of the variable or file that gives the region, or an empty list."""
    named = [name for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if env.get(name)]
    return [*named, *(str(file) for file, settings in _profile(env) if "region" in settings)][:1]


def _profile(env: Mapping[str, str]) -> list[tuple[Path, set[str]]]:
    """Return both files of ~/.aws, each with the names of the profile's settings in it."""
    profile = env.get("AWS_PROFILE") or env.get("AWS_DEFAULT_PROFILE") or "default"
    keys = _file(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    config = _file(env, "AWS_CONFIG_FILE", "config")
    sections = {f"profile {profile}"} | ({profile} if profile == "default" else set())
    return [(keys, _settings(keys, {profile})), (config, _settings(config, sections))]


def _settings(file: Path, sections: set[str]) -> set[str]:
    """Return the names of the settings in these sections; empty for an unreadable file."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(file.read_text("utf-8"))
    except (OSError, ValueError, configparser.Error):
        return set()
    return {name for section in sections & set(parser.sections()) for name in parser.options(section)}


def _file(env: Mapping[str, str], variable: str, name: str) -> Path:
    home = Path(env.get("HOME") or env.get("USERPROFILE") or "~").expanduser()
    return Path(env[variable]).expanduser() if env.get(variable) else home / ".aws" / name


# Errors: codes in answers, and exceptions of boto3 while it searches for credentials.

SET_KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (`aws configure` makes one)"
SIGN_IN = "sign in again: `aws sso login`, with --profile where you use one"
SET_REGION = "set AWS_REGION, or a region in the profile"

CODES: Mapping[str, type[DigitrecError]] = {
    "AccessDenied": AuthFailed,
    "AuthFailure": AuthFailed,
    "ExpiredToken": AuthFailed,
    "IncompleteSignature": AuthFailed,
    "InvalidAccessKeyId": AuthFailed,
    "InvalidClientTokenId": AuthFailed,
    "InvalidSignature": AuthFailed,
    "InvalidToken": AuthFailed,
    "MissingAuthenticationToken": AuthFailed,
    "NotAuthorized": AuthFailed,
    "OptInRequired": AuthFailed,
    "RequestExpired": AuthFailed,
    "RequestInTheFuture": AuthFailed,
    "RequestTimeTooSkewed": AuthFailed,
    "SignatureDoesNotMatch": AuthFailed,
    "TokenRefreshRequired": AuthFailed,
    "UnauthorizedOperation": AuthFailed,
    "UnrecognizedClient": AuthFailed,
    "BadDocument": Rejected,
    "DocumentTooLarge": Rejected,
    "ImageTooLarge": Rejected,
    "InvalidImageFormat": Rejected,
    "InvalidParameter": Rejected,
    "UnsupportedDocument": Rejected,
    "Validation": Rejected,
    "LimitExceeded": QuotaExceeded,
    "ServiceQuotaExceeded": QuotaExceeded,
    "BandwidthLimitExceeded": RateLimited,
    "EC2Throttled": RateLimited,
    "PriorRequestNotComplete": RateLimited,
    "ProvisionedThroughputExceeded": RateLimited,
    "RequestLimitExceeded": RateLimited,
    "RequestThrottled": RateLimited,
    "SlowDown": RateLimited,
    "Throttled": RateLimited,
    "Throttling": RateLimited,
    "TooManyRequests": RateLimited,
    "TransactionInProgress": RateLimited,
    "InternalFailure": Unavailable,
    "InternalServer": Unavailable,
    "RequestTimeout": Unavailable,  # AWS waited for the request; no answer was late
    "ServiceUnavailable": Unavailable,
}
"""Error classes by AWS's code; the HTTP status is 400 for a bad image, a bad key and too many requests.

The codes are without the suffix "Exception" or "Error", which only some services write. They come from the
documentation of Rekognition, Textract and the common errors, and from ``botocore.retries.standard``.
"""
SKEWED = re.compile(
    r"RequestExpired|RequestInTheFuture|Skewed|not yet current|Signature expired", re.IGNORECASE
)
"""Words of AWS when the local clock is wrong by more than five minutes."""


def _refused(reply: Reply, raw: Any) -> Problem:
    """Translate a refused request by AWS's code, else by the HTTP status."""
    named = reply.headers.get("x-amzn-errortype") or dig(raw, "__type") or dig(raw, "code")
    code = named.rpartition("#")[2].partition(":")[0].strip()
    message = dig(raw, "message") or dig(raw, "Message") or ("" if isinstance(raw, dict) else reply.text)
    kind = CODES.get(code.removesuffix("Exception").removesuffix("Error"))
    if kind is None:
        said = f"{code}: {message}" if code and not code.isdecimal() else message
        return from_http(reply.status, said, reply.headers, raw)
    todo = "set the clock of this machine" if SKEWED.search(f"{code} {message}") else ""
    return Problem(kind, message, code, retry_after(reply.headers), raw, todo)


def _no_credentials(error: Any) -> Problem:
    """Translate a failure of the program or service that gives credentials; its text may hold some."""
    return Problem(NotConfigured, f"no credentials by {error.kwargs.get('provider', 'the profile')}")


def _client_error(error: Any) -> Problem:
    """Translate a refusal or a temporary failure of a service that gives credentials (STS, SSO)."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = CODES.get(code.removesuffix("Exception").removesuffix("Error"))
    passes = kind in (RateLimited, Unavailable) or status == 429 or status >= 500
    return Problem(Unreachable if passes else AuthFailed, str(error))


def _signed_out(error: Any) -> Problem:
    """Translate a missing or expired sign-in."""
    return Problem(AuthFailed, str(error), todo=SIGN_IN)


def _login(error: Any) -> Problem:
    """Translate a missing or expired sign-in by `aws login`."""
    return Problem(AuthFailed, str(error), todo="sign in again: `aws login`")


def _setting(error: Any) -> Problem:
    """Translate a setting that botocore refuses."""
    return Problem(NotConfigured, str(error), todo="correct it in the AWS_ variables or the profile")


def _unreadable(error: Any) -> Problem:
    """Translate an invalid configuration file without its lines, which may hold keys."""
    return Problem(NotConfigured, f"{error.kwargs.get('path', 'a file of ~/.aws')} cannot be read")


ERRORS: Mapping[str, Rule] = {
    "botocore.exceptions.BotoCoreError": _setting,
    "botocore.exceptions.ConfigNotFound": _unreadable,
    "botocore.exceptions.ConfigParseError": _unreadable,
    "botocore.exceptions.CredentialRetrievalError": _no_credentials,
    "botocore.exceptions.NoCredentialsError": NotConfigured,
    "botocore.exceptions.NoRegionError": NotConfigured,
    "botocore.exceptions.InvalidRegionError": NotConfigured,
    "botocore.exceptions.PartialCredentialsError": NotConfigured,
    "botocore.exceptions.ProfileNotFound": NotConfigured,
    "botocore.exceptions.LoginError": _login,
    "botocore.exceptions.SSOError": _signed_out,
    "botocore.exceptions.TokenRetrievalError": _signed_out,
    "botocore.exceptions.ClientError": _client_error,
    "botocore.exceptions.HTTPClientError": Unreachable,
    "botocore.exceptions.ConnectionError": Unreachable,
    "botocore.exceptions.MetadataRetrievalError": Unreachable,
}
"""Exceptions of boto3 before the image is sent, on its search for credentials; `Wire` handles the rest."""


def service(name: str, permission: str) -> Service:
    """Describe a service of AWS by its name in messages and the permission that its request needs."""
    keys = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the profile, and its permission"
    return Service(
        name, ERRORS, {AuthFailed: f"{keys} {permission}", NotConfigured: f"{SET_KEYS}; {SET_REGION}"}
    )
