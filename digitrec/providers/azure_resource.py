"""What Azure's services share: their resource with its endpoint and key, their price, their client."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from digitrec.errors import AuthFailed, NotConfigured
from digitrec.providers.base import (
    BaseProvider,
    Price,
    Status,
    checked_endpoint,
    checked_key,
    is_installed,
)
from digitrec.version import install_hint
from digitrec.wire import Reply, Wire, carrier
from digitrec.wire.addresses import allows_plain_http
from digitrec.wire.body import dig
from digitrec.wire.masking import Secrets
from digitrec.wire.translate import Problem, Service, from_http

VISION_ENDPOINTS = ("VISION_ENDPOINT", "AZURE_COMPUTER_VISION_ENDPOINT", "COMPUTER_VISION_ENDPOINT")
"""Variables that may hold the endpoint, in the order they are looked for; Azure's own samples' first."""
VISION_KEYS = ("VISION_KEY", "AZURE_COMPUTER_VISION_KEY", "COMPUTER_VISION_SUBSCRIPTION_KEY")
"""Variables that may hold the key, in the order they are looked for."""


def service(name: str, key: str = VISION_KEYS[0], endpoint: str = VISION_ENDPOINTS[0]) -> Service:
    """A service of Azure, by its name in messages and the variables that its users set."""
    return Service(name, {}, {AuthFailed: f"check {key}, and that it belongs to the resource at {endpoint}"})


class AzureProvider(BaseProvider):
    """A service of an Azure resource, asked through an SDK of its own."""

    package: ClassVar[str]
    """The SDK's module."""
    service: ClassVar[Service]
    """The service's name in messages."""
    endpoints: ClassVar[Sequence[str]] = VISION_ENDPOINTS
    """Variables that may hold the endpoint, in the order they are looked for."""
    keys: ClassVar[Sequence[str]] = VISION_KEYS
    """Variables that may hold the key, in the order they are looked for."""

    def __init__(
        self,
        *,
        endpoint: str,
        key: str,
        price_usd: float | None = None,
        allow_plain_http: bool = False,
        name: str | None = None,
    ) -> None:
        """Open a client; nothing is sent yet.

        Args:
            endpoint: the resource's address, such as https://NAME.cognitiveservices.azure.com.
            key: one of the resource's two keys.
            price_usd: what one image costs you, >= 0; Azure's price depends on the contract.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: what to call this engine in a Prediction; None: as it is registered.

        Raises:
            NotInstalled: the extra "azure" is missing.
            NotConfigured: the endpoint or the key is empty (one SDK takes an empty key, and asks with it),
                or is none.
        """
        self.name = name or self.name
        if not endpoint.strip():
            raise NotConfigured(f"Azure has no endpoint; set {self.endpoints[0]} to the resource's address")
        if not key.strip():
            raise NotConfigured(f"Azure has no key; set {self.keys[0]} to one of the resource's two keys")
        self.endpoint = checked_endpoint(endpoint, self.endpoints[0], allow_plain_http=allow_plain_http)
        key = checked_key(key, self.keys[0])
        if price_usd is not None:
            self.price = Price(price_usd, "set by the user")
        self._wire = Wire(self.service, self.endpoint, _refused, Secrets(key), allow_plain_http)
        self._client = self._wire.prepare(lambda: self._open(self._wire.endpoint, key))

    @staticmethod
    def _open(endpoint: str, key: str) -> Any:
        """The SDK's client, which sends by a carrier; the only import of the SDK."""
        raise NotImplementedError

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The variables of its endpoint and key, or their older names; DIGITREC_ALLOW_PLAIN_HTTP."""
        allowed = allows_plain_http(env)
        return cls(endpoint=_value(env, cls.endpoints), key=_value(env, cls.keys), allow_plain_http=allowed)

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Whether the SDK and the two variables are there."""
        installed = is_installed(cls.package) and is_installed("msgspec")
        endpoint, key = _name(env, cls.endpoints), _name(env, cls.keys)
        missing = [] if installed else [install_hint("azure")]
        missing += [] if endpoint else [f"set {cls.endpoints[0]}"]
        missing += [] if key else [f"set {cls.keys[0]}"]
        found = tuple(name for name in (endpoint, key) if name)
        return Status(installed, len(found) == 2, tuple(missing), found)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def transport() -> Any:
    """The transport of azure-core that sends by a carrier."""
    from azure.core.pipeline.transport import RequestsTransport
    from requests import Session

    logging.getLogger("azure").addHandler(logging.NullHandler())  # or its warnings reach the terminal
    session = Session()
    carrier.mount(session, carrier.questions())
    return RequestsTransport(session=session)


def _refused(reply: Reply, raw: Any) -> Problem:
    """A refused request: by HTTP status; the service's own words are in one of two places."""
    said = dig(raw, "error", "message") or dig(raw, "message") or reply.text
    return from_http(reply.status, said, reply.headers, raw)


def _name(env: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((name for name in names if env.get(name)), None)


def _value(env: Mapping[str, str], names: Sequence[str]) -> str:
    return env.get(_name(env, names) or "", "")
