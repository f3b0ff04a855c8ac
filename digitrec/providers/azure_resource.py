"""What Azure's services share: their resource with its endpoint and key, their price, their client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from digitrec.errors import AuthFailed, NotConfigured
from digitrec.providers import azure_identity
from digitrec.providers.addresses import allows_plain_http, in_the_clear
from digitrec.providers.azure_identity import Identity
from digitrec.providers.base import (
    BaseProvider,
    Price,
    Status,
    checked_endpoint,
    checked_key,
    is_installed,
)
from digitrec.providers.masking import Secrets
from digitrec.providers.translate import Problem, Service, dig, from_http
from digitrec.providers.wire import Reply, Wire, carrier
from digitrec.version import install_hint

VISION_ENDPOINTS = ("VISION_ENDPOINT", "AZURE_COMPUTER_VISION_ENDPOINT", "COMPUTER_VISION_ENDPOINT")
"""Variables that may hold the endpoint, in the order they are looked for; Azure's own samples' first."""
VISION_KEYS = ("VISION_KEY", "AZURE_COMPUTER_VISION_KEY", "COMPUTER_VISION_SUBSCRIPTION_KEY")
"""Variables that may hold the key, in the order they are looked for."""

DEEPEST_ERROR = 5
"""How many errors inside one another are shown at most."""


def service(name: str, key: str = VISION_KEYS[0], endpoint: str = VISION_ENDPOINTS[0]) -> Service:
    """A service of Azure, by its name in messages and the variables that its users set."""
    return Service(name, {}, {AuthFailed: f"check {key}, and that it belongs to the resource at {endpoint}"})


class AzureProvider(BaseProvider):
    """A service of an Azure resource, asked through an SDK of its own."""

    package: ClassVar[str]
    """The SDK's module."""
    service: Service
    """The service's name in messages."""
    endpoints: ClassVar[Sequence[str]] = VISION_ENDPOINTS
    """Variables that may hold the endpoint, in the order they are looked for."""
    keys: ClassVar[Sequence[str]] = VISION_KEYS
    """Variables that may hold the key, in the order they are looked for."""

    def __init__(
        self,
        *,
        endpoint: str,
        key: str | None = None,
        price_usd: float | None = None,
        allow_plain_http: bool = False,
        name: str | None = None,
    ) -> None:
        """Open a client; nothing is sent yet.

        Args:
            endpoint: the resource's address, such as https://NAME.cognitiveservices.azure.com.
            key: one of the resource's two keys; None: an identity of Entra ID, as azure-identity finds it.
            price_usd: what one image costs you, >= 0; Azure's price depends on the contract.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: what to call this engine in a Prediction; None: as it is registered.

        Raises:
            NotInstalled: the extra "azure" is missing.
            NotConfigured: the endpoint or the key is empty (one SDK takes an empty key, and asks with it),
                or is none; or a token would travel unencrypted.
        """
        self.name = name or self.name
        if not endpoint.strip():
            raise NotConfigured(f"Azure has no endpoint; set {self.endpoints[0]} to the resource's address")
        if key is not None and not key.strip():
            raise NotConfigured(f"Azure has no key; set {self.keys[0]} to one of the resource's two keys")
        self.endpoint = checked_endpoint(endpoint, self.endpoints[0], allow_plain_http=allow_plain_http)
        if price_usd is not None:
            self.price = Price(price_usd, "set by the user")
        if key is None:
            self._check_for_token(self.endpoint)
            self.service = replace(self.service, advice={AuthFailed: self._advice()})
        secrets = Secrets()
        self._wire = Wire(self.service, self.endpoint, _refused, secrets, allow_plain_http)
        self._who = self._wire.prepare(lambda: self._shown(key, secrets))
        self._client = self._wire.prepare(lambda: self._open(self._wire.endpoint, self._who))

    def _shown(self, key: str | None, secrets: Secrets) -> str | Identity:
        """What shows the service who asks."""
        if key is None:
            return Identity(secrets, self.keys[0])
        key = checked_key(key, self.keys[0])
        secrets.learn(key)
        return key

    def _check_for_token(self, endpoint: str) -> None:
        """A token opens more than one resource, so it never travels unencrypted, whatever is allowed."""
        if in_the_clear(endpoint):
            raise NotConfigured(
                f"{self.endpoints[0]} holds an http:// address, and {self.keys[0]} no key: a token of "
                "Entra ID never travels unencrypted; use https://, or set the key"
            )

    def _advice(self) -> str:
        return (
            "give the identity the role Cognitive Services User on the resource, and let "
            f"{self.endpoints[0]} be the resource's own address (https://NAME.cognitiveservices.azure.com)"
        )

    def _ask(self, call: Callable[[], Any], *, timeout: float, expected: int = 200) -> Reply:
        """The reply to the request that ``call`` makes; a token that is refused is not used again."""
        try:
            return self._wire.ask(call, timeout=timeout, expected=expected)
        except AuthFailed as error:
            if error.status == 401 and isinstance(self._who, Identity):
                self._who.forget()
            raise

    @staticmethod
    def _open(endpoint: str, who: str | Identity) -> Any:
        """The SDK's client, which shows a key or a token and sends by a carrier; the only import of it."""
        raise NotImplementedError

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """The variables of its endpoint and key, or their older names; DIGITREC_ALLOW_PLAIN_HTTP.

        Without a key: azure-identity's variables, or whatever else it finds. ``options`` override the
        variables.
        """
        found = {
            "endpoint": _value(env, cls.endpoints),
            "key": _value(env, cls.keys) or None,
            "allow_plain_http": allows_plain_http(env),
        }
        return cls(**{**found, **options})

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Whether the SDK, the endpoint, and a key or an identity are there."""
        installed = is_installed(cls.package)
        endpoint, key = _name(env, cls.endpoints), _name(env, cls.keys)
        missing = [] if installed else [install_hint("azure")]
        missing += [] if endpoint else [f"set {cls.endpoints[0]}"]
        who = (key,) if key else azure_identity.found(env)
        missing += [] if who else [f"set {cls.keys[0]}, or sign in with Entra ID (`az login`)"]
        if who and not key and not is_installed("azure.identity"):
            installed, missing = False, [install_hint("azure"), *missing]
        found = (*([endpoint] if endpoint else []), *who)
        return Status(installed, bool(endpoint and who), tuple(dict.fromkeys(missing)), found)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        if isinstance(self._who, Identity):
            self._who.close()


def settings(who: str | Identity) -> dict[str, Any]:
    """What the SDKs that are made with azure-core are opened with: who asks, and that a carrier sends."""
    from azure.core.credentials import AzureKeyCredential

    sends = {"transport": azure_identity.transport(carrier.questions())}
    if isinstance(who, str):
        return {"credential": AzureKeyCredential(who), **sends}
    return {"credential": who, "authentication_policy": azure_identity.policy(who), **sends}


def _refused(reply: Reply, raw: Any) -> Problem:
    """A refused request: by HTTP status; the service's own words are in one of two places."""
    return from_http(reply.status, error_text(raw) or reply.text, reply.headers, raw)


def error_text(raw: Any) -> str:
    """Return what an error of Azure's says: code and message, with those of the errors inside it."""
    error = raw.get("error", raw) if isinstance(raw, dict) else None
    said: list[str] = []
    while isinstance(error, dict) and len(said) < DEEPEST_ERROR:
        parts = [dig(error, "code"), dig(error, "message")]
        said.append(": ".join(part for part in parts if part))
        error = error.get("innererror") or error.get("innerError")
    return "; ".join(dict.fromkeys(part for part in said if part))


def _name(env: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((name for name in names if env.get(name)), None)


def _value(env: Mapping[str, str], names: Sequence[str]) -> str:
    return env.get(_name(env, names) or "", "")
