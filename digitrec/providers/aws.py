"""AWS Rekognition DetectText, through boto3.

Which candidate and which confidence: Rekognition reports every text twice, as a LINE and as its WORDs;
only the WORDs are candidates. Its confidence of 0-100 is divided by 100.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Self

from digitrec.answer import Answer
from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    DigitrecError,
    NotConfigured,
    QuotaExceeded,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
    Unreachable,
)
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers import aws_files
from digitrec.providers.base import (
    BaseProvider,
    Price,
    Status,
    checked_endpoint,
    checked_key,
    install_hint,
    is_installed,
    not_installed,
)
from digitrec.providers.translate import Problem, Rule, Service, from_http, retry_after

KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (`aws configure` makes one)"
REGION = "set AWS_REGION, or a region in the profile"


class Aws(BaseProvider):
    """Reads text with AWS Rekognition."""

    wants = InputSpec(encoding="png", min_side=200, max_side=4096, max_bytes=5_242_880, margin=0.1)
    price: Price | None = Price(
        0.001, "second-hand copy of aws.amazon.com/rekognition/pricing: $1.00 per 1,000; 2026-11"
    )
    rate = 5.0  # the lowest of the regions' defaults that AWS has published

    def __init__(
        self,
        *,
        region: str | None = None,
        profile: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        session_token: str | None = None,
        endpoint: str | None = None,
        name: str = "aws",
    ) -> None:
        """Find the credentials, as boto3 does; nothing is sent yet.

        Args:
            region: such as "us-east-1"; None: the profile's.
            profile: a profile of ~/.aws; beats keys in the environment.
            access_key, secret_key, session_token: keys; None: where boto3 finds them.
            endpoint: where to ask instead of the region's own address.
            name: what to call this engine in a Prediction.

        Raises:
            NotInstalled: the extra "aws" is missing.
            NotConfigured: no credentials or no region were found.
        """
        if bool(access_key) != bool(secret_key):
            raise NotConfigured(f"AWS has one half of a pair of keys; {KEYS}")
        if endpoint:
            endpoint = checked_endpoint(endpoint, "AWS_ENDPOINT_URL")
        self.name = name
        keys = {
            "aws_access_key_id": checked_key(access_key or "", "AWS_ACCESS_KEY_ID") or None,
            "aws_secret_access_key": checked_key(secret_key or "", "AWS_SECRET_ACCESS_KEY") or None,
            "aws_session_token": checked_key(session_token or "", "AWS_SESSION_TOKEN") or None,
        }
        self._secrets = tuple(key for key in keys.values() if key)
        with SERVICE.translated(self._secrets):
            self._session = _session(region_name=region, profile_name=profile, **keys)
            if self._session.get_credentials() is None:
                raise NotConfigured(f"AWS has no credentials; {KEYS}")
            self._client = lru_cache(maxsize=8)(lambda timeout: _client(self._session, endpoint, timeout))
            self.endpoint = str(self._client(60.0).meta.endpoint_url)
        self._making = threading.Lock()  # a boto3 session may make one client at a time

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The environment's keys, else AWS_PROFILE, else boto3's own search; AWS_REGION counts too."""
        keys = env.get("AWS_ACCESS_KEY_ID") or None
        return cls(
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or None,
            profile=None if keys else env.get("AWS_PROFILE") or None,
            access_key=keys,
            secret_key=env.get("AWS_SECRET_ACCESS_KEY") or None if keys else None,
            session_token=env.get("AWS_SESSION_TOKEN") or None if keys else None,
            endpoint=env.get("AWS_ENDPOINT_URL_REKOGNITION") or env.get("AWS_ENDPOINT_URL") or None,
        )

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Which variables and files are there; no profile's program is run, no metadata service asked."""
        installed = is_installed("boto3") and is_installed("msgspec")
        credentials, region = aws_files.credentials(env), aws_files.region(env)
        missing = [] if installed else [install_hint("aws")]
        missing += [] if credentials else [KEYS]
        missing += [] if region else [REGION]
        found = tuple(dict.fromkeys(credentials + region))
        return Status(installed, bool(credentials and region), tuple(missing), found)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once."""
        with SERVICE.translated(self._secrets):
            raw = self._ask(image.data, timeout)
        return parse(raw)

    def _ask(self, data: bytes, timeout: float) -> dict[str, Any]:
        """One request, one attempt; the answer as it stands on the wire."""
        with self._making:
            client = self._client(_rounded(timeout))
        answer = client.detect_text(Image={"Bytes": data})
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def close(self) -> None:
        """Forget the clients, and with them their connections."""
        self._client.cache_clear()


def parse(raw: Any) -> Answer:
    """The body of a DetectText answer: any JSON value.

    Raises:
        BadAnswer: it is none.
    """
    from digitrec.providers import aws_answer

    return aws_answer.parse(raw, SERVICE)


def _session(**settings: str | None) -> Any:
    try:
        import boto3

        from digitrec.providers import aws_answer  # noqa: F401 (missed here, before a question is paid for)
    except ImportError as error:
        raise not_installed("AWS Rekognition", "aws") from error
    return boto3.Session(**settings)  # type: ignore[arg-type]


def _client(session: Any, endpoint: str | None, timeout: float) -> Any:
    from botocore.config import Config

    once = Config(connect_timeout=timeout, read_timeout=timeout, retries={"total_max_attempts": 1})
    return session.client("rekognition", endpoint_url=endpoint, config=once)


def _rounded(timeout: float) -> float:
    """The timeout cut to two digits: boto3 fixes it per client, and so a few clients serve all calls."""
    step = 10.0 ** (math.floor(math.log10(timeout)) - 1)
    return math.floor(timeout / step) * step


CODES: Mapping[str, type[DigitrecError]] = {
    "AccessDeniedException": AuthFailed,
    "ExpiredTokenException": AuthFailed,
    "IncompleteSignatureException": AuthFailed,
    "InvalidSignatureException": AuthFailed,
    "MissingAuthenticationTokenException": AuthFailed,
    "UnrecognizedClientException": AuthFailed,
    "ImageTooLargeException": Rejected,
    "InvalidImageFormatException": Rejected,
    "InvalidParameterException": Rejected,
    "ValidationException": Rejected,
    "LimitExceededException": QuotaExceeded,
    "ServiceQuotaExceededException": QuotaExceeded,
    "ProvisionedThroughputExceededException": RateLimited,
    "ThrottlingException": RateLimited,
    "InternalServerError": Unavailable,
    "ServiceUnavailableException": Unavailable,
}
"""AWS tells its errors apart by code; the HTTP status is 400 for a bad image, a bad key and a flood."""


def _client_error(error: Any) -> Problem:
    said, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    code, status = str(said.get("Code", "")), meta.get("HTTPStatusCode", 500)
    headers = meta.get("HTTPHeaders", {})
    if code not in CODES:
        named = "" if code.isdecimal() else f"{code}: "
        return from_http(status, named + said.get("Message", ""), headers)
    return Problem(CODES[code], said.get("Message", ""), code, retry_after(headers))


ERRORS: Mapping[str, Rule] = {
    "botocore.exceptions.ClientError": _client_error,
    "botocore.exceptions.ConnectTimeoutError": Unreachable,
    "botocore.exceptions.EndpointConnectionError": Unreachable,
    "botocore.exceptions.ProxyConnectionError": Unreachable,
    "botocore.exceptions.SSLError": Unreachable,  # the handshake comes before the request
    "botocore.exceptions.ReadTimeoutError": TimedOut,
    "botocore.exceptions.ConnectionError": Unavailable,
    "botocore.exceptions.HTTPClientError": Unavailable,
    "botocore.exceptions.ResponseStreamingError": BadAnswer,
    "botocore.exceptions.IncompleteReadError": BadAnswer,
    "botocore.parsers.ResponseParserError": BadAnswer,
    "botocore.exceptions.BaseEndpointResolverError": NotConfigured,
    "botocore.exceptions.ConfigNotFound": NotConfigured,
    "botocore.exceptions.ConfigParseError": NotConfigured,
    "botocore.exceptions.CredentialRetrievalError": NotConfigured,
    "botocore.exceptions.EndpointProviderError": NotConfigured,
    "botocore.exceptions.InfiniteLoopConfigError": NotConfigured,
    "botocore.exceptions.InvalidConfigError": NotConfigured,
    "botocore.exceptions.InvalidProxiesConfigError": NotConfigured,
    "botocore.exceptions.InvalidRegionError": NotConfigured,
    "botocore.exceptions.MetadataRetrievalError": NotConfigured,
    "botocore.exceptions.MissingDependencyException": NotConfigured,
    "botocore.exceptions.NoAuthTokenError": NotConfigured,
    "botocore.exceptions.NoCredentialsError": NotConfigured,
    "botocore.exceptions.PartialCredentialsError": NotConfigured,
    "botocore.exceptions.ProfileNotFound": NotConfigured,
    "botocore.exceptions.RefreshWithMFAUnsupportedError": NotConfigured,
    "botocore.exceptions.UnknownCredentialError": NotConfigured,
    "botocore.exceptions.UnknownRegionError": NotConfigured,
    "botocore.exceptions.UnknownTokenProviderError": NotConfigured,
    "botocore.exceptions.LoginError": AuthFailed,
    "botocore.exceptions.SSOError": AuthFailed,
    "botocore.exceptions.TokenRetrievalError": AuthFailed,
}
"""What boto3 raises: the service's answers, the transport, and its search for credentials."""

SERVICE = Service(
    "AWS Rekognition",
    ERRORS,
    {
        AuthFailed: "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the profile, and its permission "
        "rekognition:DetectText",
        NotConfigured: f"{KEYS}; {REGION}",
    },
)
