"""boto3 at work for us: it finds the credentials, builds each request and signs it; our wire sends it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Self

from digitrec.answer import Answer
from digitrec.errors import NotConfigured
from digitrec.image import PreparedImage
from digitrec.providers import aws_files
from digitrec.providers.addresses import allows_plain_http
from digitrec.providers.aws_errors import KEYS, REGION, refused
from digitrec.providers.base import (
    BaseProvider,
    Status,
    checked_endpoint,
    checked_key,
    is_installed,
    not_installed,
)
from digitrec.providers.masking import Secrets, secrets_in
from digitrec.providers.translate import Service
from digitrec.providers.wire import Wire, carrier
from digitrec.version import install_hint


class AwsProvider(BaseProvider):
    """A service of AWS that is asked one question for each image."""

    sdk_name: ClassVar[str]
    """What boto3 calls the service, and how its addresses begin: "rekognition"."""
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
            endpoint: where to ask instead of the region's own address.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: what to call this engine in a Prediction; None: as it is registered.

        Raises:
            NotInstalled: the extra "aws" is missing.
            NotConfigured: no credentials or no region were found.
        """
        if bool(access_key) != bool(secret_key):
            raise NotConfigured(f"AWS has one half of a pair of keys; {KEYS}")
        if endpoint:
            endpoint = checked_endpoint(endpoint, "AWS_ENDPOINT_URL", allow_plain_http=allow_plain_http)
        self.name = name or self.name
        keys = {
            "aws_access_key_id": checked_key(access_key or "", "AWS_ACCESS_KEY_ID") or None,
            "aws_secret_access_key": checked_key(secret_key or "", "AWS_SECRET_ACCESS_KEY") or None,
            "aws_session_token": checked_key(session_token or "", "AWS_SESSION_TOKEN") or None,
        }
        address = endpoint or f"https://{self.sdk_name}.amazonaws.com"  # until the region is known
        self._wire = Wire(self.service, address, refused, Secrets(*keys.values()), allow_plain_http)
        self._session = self._wire.prepare(lambda: _Session(self._wire, self.sdk_name, profile, region, keys))
        self._client = self._wire.prepare(lambda: self._session.client(endpoint))
        self.endpoint = self._wire.endpoint = checked_endpoint(
            str(self._client.meta.endpoint_url), "the profile", allow_plain_http=allow_plain_http
        )

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """The environment's keys, else AWS_PROFILE, else boto3's own search; AWS_REGION counts too.

        ``options`` override the variables; a profile or key among them replaces all of the environment's
        credentials, because a key and a session token belong together.
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
        """Which variables and files are there; no profile's program is run, no metadata service asked."""
        installed = is_installed("boto3")
        credentials, region = aws_files.credentials(env), aws_files.region(env)
        missing = [] if installed else [install_hint("aws")]
        missing += [] if credentials else [KEYS]
        missing += [] if region else [REGION]
        found = tuple(dict.fromkeys(credentials + region))
        return Status(installed, bool(credentials and region), tuple(missing), found)

    @staticmethod
    def _ask(client: Any, data: bytes) -> Any:
        """Send an image's question by boto3's client."""
        raise NotImplementedError

    @staticmethod
    def _parse(raw: Any) -> Answer:
        """What the answer's body says."""
        raise NotImplementedError

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once."""

        def call() -> None:
            self._session.find_credentials()
            self._ask(self._client, image.data)

        reply = self._wire.ask(call, timeout=timeout)
        return self._parse(self._wire.document(reply))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._client.close()


class _Session:
    """A boto3 session whose requests go out by the wire: botocore signs them, and does not send them."""

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
        """Search for credentials, as botocore calls it when it makes a session.

        A profile may name a program that gives them: it is run with the first question, in its time.
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
            raise NotConfigured(f"AWS has no credentials; {KEYS}")
        return credentials

    def find_credentials(self) -> None:
        """Find the credentials if that was put off, and learn what to redact."""
        self._wire.secrets.learn(*self._credentials.get_frozen_credentials())

    def client(self, endpoint: str | None) -> Any:
        from botocore.config import Config

        once = Config(retries={"total_max_attempts": 1})
        return self._boto3.client(self._sdk_name, endpoint_url=endpoint, config=once)

    def _send(self, request: Any, event_name: str, **_: Any) -> Any:
        """Send a request that botocore has signed: the question, which ends its call, or an errand.

        botocore calls it when a request is ready, also those to other services on its way to credentials.
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
