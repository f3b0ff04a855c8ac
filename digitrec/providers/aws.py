"""AWS Rekognition DetectText, through boto3.

Which candidate and which confidence: Rekognition reports every text twice, as a LINE and as its WORDs;
only the WORDs are candidates. Its confidence of 0-100 is divided by 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from digitrec.errors import NotConfigured
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers import aws_files
from digitrec.providers.answer import Answer
from digitrec.providers.aws_errors import KEYS, REGION, SERVICE, refused
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
from digitrec.wire import Wire, carrier, current, may_give_credentials
from digitrec.wire.addresses import allows_plain_http
from digitrec.wire.masking import Secrets

ANY = "https://rekognition.amazonaws.com"
"""Where it would ask until the region is known."""


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
        allow_plain_http: bool = False,
        name: str = "aws",
    ) -> None:
        """Find the credentials, as boto3 does; nothing is sent yet.

        Args:
            region: such as "us-east-1"; None: the profile's.
            profile: a profile of ~/.aws; beats keys in the environment.
            access_key, secret_key, session_token: keys; None: where boto3 finds them.
            endpoint: where to ask instead of the region's own address.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: what to call this engine in a Prediction.

        Raises:
            NotInstalled: the extra "aws" is missing.
            NotConfigured: no credentials or no region were found.
        """
        if bool(access_key) != bool(secret_key):
            raise NotConfigured(f"AWS has one half of a pair of keys; {KEYS}")
        if endpoint:
            endpoint = checked_endpoint(endpoint, "AWS_ENDPOINT_URL", allow_plain_http=allow_plain_http)
        self.name = name
        keys = {
            "aws_access_key_id": checked_key(access_key or "", "AWS_ACCESS_KEY_ID") or None,
            "aws_secret_access_key": checked_key(secret_key or "", "AWS_SECRET_ACCESS_KEY") or None,
            "aws_session_token": checked_key(session_token or "", "AWS_SESSION_TOKEN") or None,
        }
        self._wire = Wire(SERVICE, endpoint or ANY, refused, Secrets(*keys.values()), allow_plain_http)
        self._carrier = self._wire.prepare(lambda: _Carrier(self._wire, profile, region, keys))
        if self._carrier.credentials is None:
            raise NotConfigured(f"AWS has no credentials; {KEYS}")
        self._client = self._wire.prepare(lambda: self._carrier.client(endpoint))
        self.endpoint = self._wire.endpoint = checked_endpoint(
            str(self._client.meta.endpoint_url), "the profile", allow_plain_http=allow_plain_http
        )

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
            allow_plain_http=allows_plain_http(env),
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

        def call() -> None:
            self._wire.secrets.learn(*self._carrier.credentials.get_frozen_credentials())
            self._client.detect_text(Image={"Bytes": image.data})

        reply = self._wire.ask(call, timeout=timeout)
        return parse(self._wire.document(reply))

    def close(self) -> None:
        """Close the connections."""
        self._carrier.close()
        self._client.close()


def parse(raw: Any) -> Answer:
    """The body of a DetectText answer: any JSON value.

    Raises:
        BadAnswer: it is none.
    """
    from digitrec.providers import aws_answer

    return aws_answer.parse(raw, SERVICE)


class _Carrier:
    """A boto3 session whose requests go out by the wire: botocore signs them, and does not send them."""

    def __init__(
        self, wire: Wire, profile: str | None, region: str | None, keys: Mapping[str, str | None]
    ) -> None:
        try:
            import boto3
            from botocore.session import Session
            from requests import Session as Connections

            from digitrec.providers import aws_answer  # noqa: F401 (missed here, before a question is paid for)
        except ImportError as error:
            raise not_installed("AWS Rekognition", "aws") from error
        self._wire = wire
        self._botocore = Session(profile=profile)
        handler: Any = self._send
        self._botocore.register("before-send", handler)
        settings: Any = {"botocore_session": self._botocore, "region_name": region, **keys}
        self._session = boto3.Session(**settings)
        self._connections = Connections()
        carrier.mount(self._connections, carrier.questions())
        self.credentials: Any = self._session.get_credentials()

    def client(self, endpoint: str | None) -> Any:
        from botocore.config import Config

        once = Config(retries={"total_max_attempts": 1})
        return self._session.client("rekognition", endpoint_url=endpoint, config=once)

    def _send(self, request: Any, event_name: str, **_: Any) -> None:
        """What botocore calls when a request is ready; the question is sent from here, and ends its call.

        What it asks of other services on its way to credentials it sends itself; it follows no redirect.
        """
        if not event_name.startswith("before-send.rekognition."):
            if problem := may_give_credentials(request.url):
                raise self._wire.service.error(problem, self._wire.secrets)
            return
        from requests import PreparedRequest
        from requests.structures import CaseInsensitiveDict

        signed = PreparedRequest()  # filled in and not prepared: what is signed must go out as it is
        signed.method, signed.url, signed.body = request.method, request.url, request.body
        signed.headers = CaseInsensitiveDict(
            {name: it.decode() if isinstance(it, bytes) else it for name, it in request.headers.items()}
        )
        bundle = self._botocore.get_config_variable("ca_bundle")
        around: Any = self._connections.merge_environment_settings(request.url, {}, True, bundle, None)
        self._connections.get_adapter(request.url).send(signed, timeout=current().left_s, **around)

    def close(self) -> None:
        self._connections.close()
