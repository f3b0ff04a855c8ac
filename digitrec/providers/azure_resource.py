"""What the services of Azure share: resource, endpoint, key, price, errors and polled operations."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import urlsplit

from msgspec import UNSET, Meta, Struct, UnsetType

from digitrec.answer import Answer
from digitrec.errors import AuthFailed, BadAnswer, NotConfigured, Rejected, TimedOut
from digitrec.image import PreparedImage
from digitrec.providers import azure_identity
from digitrec.providers.addresses import allows_plain_http, in_the_clear
from digitrec.providers.azure_identity import Identity
from digitrec.providers.base import BaseProvider, Price, Status, checked_endpoint, checked_key, looked
from digitrec.providers.document import Box, box_around, document, refuse
from digitrec.providers.translate import Problem, Service, dig, from_http, retry_after
from digitrec.providers.wire import Wire
from digitrec.providers.wire.exchange import Reply

VISION_ENDPOINTS = ("VISION_ENDPOINT", "AZURE_COMPUTER_VISION_ENDPOINT", "COMPUTER_VISION_ENDPOINT")
"""Variables that may hold the endpoint, in order of precedence; the first is that of Azure's samples."""
VISION_KEYS = ("VISION_KEY", "AZURE_COMPUTER_VISION_KEY", "COMPUTER_VISION_SUBSCRIPTION_KEY")
"""Variables that may hold the key, in order of precedence."""
KEY_HEADER = "Ocp-Apim-Subscription-Key"
BINARY = {"Content-Type": "application/octet-stream"}

DEEPEST_ERROR = 5
"""Maximum number of nested errors in a message."""
OPERATION = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""The id of an operation: a UUID."""
PENDING = ("notStarted", "running")
"""Statuses of an unfinished operation."""
FAILED = ("failed", "canceled")
"""Statuses of an operation that has no result; only Document Intelligence has the second."""
Corners = Annotated[tuple[float, ...], Meta(min_length=8, max_length=8)]
"""Four corners: x and y of each in turn, in pixels."""
Result = TypeVar("Result")


def service(name: str, key: str = VISION_KEYS[0], endpoint: str = VISION_ENDPOINTS[0]) -> Service:
    """Describe a service of Azure by its name in messages and the variables that its users set."""
    return Service(name, {}, {AuthFailed: f"check {key}, and that it belongs to the resource at {endpoint}"})


class AzureProvider(BaseProvider):
    """A service of an Azure resource that answers the POST of an image."""

    service: Service
    """The service's name in messages."""
    endpoints: ClassVar[Sequence[str]] = VISION_ENDPOINTS
    """Variables that may hold the endpoint, in order of precedence."""
    keys: ClassVar[Sequence[str]] = VISION_KEYS
    """Variables that may hold the key, in order of precedence."""
    package: ClassVar[str] = "requests"
    """The module that the provider needs."""
    path: ClassVar[str]
    """Where an image is posted, below the endpoint."""
    parse: ClassVar[staticmethod[[Any], Answer]]
    """Makes an Answer of the document that answers."""

    def __init__(
        self,
        *,
        endpoint: str,
        key: str | None = None,
        price_usd: float | None = None,
        allow_plain_http: bool = False,
        name: str | None = None,
    ) -> None:
        """Check the settings; nothing is sent yet.

        Args:
            endpoint: the resource's address, such as https://NAME.cognitiveservices.azure.com.
            key: one of the resource's two keys; None: an identity of Entra ID that azure-identity finds.
            price_usd: what one image costs you, >= 0; Azure's price depends on the contract.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: name of this engine in a Prediction; None: its registered name.

        Raises:
            NotInstalled: the extra "azure" is missing.
            NotConfigured: the endpoint or the key is empty or invalid, or a token would travel unencrypted.
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
            self.service = replace(self.service, advice={AuthFailed: self._advice()})
        self._wire = Wire(self.service, self.endpoint, "azure", _refused)
        if key is None:
            self._sign_with_identity(self.endpoint)
        else:
            self._wire.sign_with(KEY_HEADER, checked_key(key, self.keys[0]))

    def _sign_with_identity(self, endpoint: str) -> None:
        if in_the_clear(endpoint):  # a token opens more than this one resource
            raise NotConfigured(
                f"{self.endpoints[0]} holds an http:// address, and {self.keys[0]} no key: a token of "
                "Entra ID never travels unencrypted; use https://, or set the key"
            )
        identity = self._wire.prepare(lambda: Identity(self._wire, self.keys[0]))
        self._wire.sign, self._wire.forget = identity.sign, identity.forget

    def _advice(self) -> str:
        return (
            "give the identity the role Cognitive Services User on the resource, and let "
            f"{self.endpoints[0]} be the resource's own address (https://NAME.cognitiveservices.azure.com)"
        )

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Build from the variables of endpoint and key, or their older names; DIGITREC_ALLOW_PLAIN_HTTP.

        Without a key azure-identity finds an identity. ``options`` override the variables.
        """
        found = {
            "endpoint": _value(env, cls.endpoints),
            "key": _value(env, cls.keys) or None,
            "allow_plain_http": allows_plain_http(env),
        }
        return cls(**{**found, **options})

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return whether the endpoint, and a key or an identity with its library, are there."""
        endpoint, key = _name(env, cls.endpoints), _name(env, cls.keys)
        who = (key,) if key else azure_identity.found(env)
        package = "azure.identity" if who and not key else cls.package
        missing = [] if endpoint else [f"set {cls.endpoints[0]}"]
        missing += [] if who else [f"set {cls.keys[0]}, or sign in with Entra ID (`az login`)"]
        return looked("azure", package, (*([endpoint] if endpoint else []), *who), missing)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once."""
        reply = self._wire.ask(self.path, image.data, BINARY, timeout=timeout)
        return self.parse(self._wire.document(reply))

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()


def _refused(reply: Reply, raw: Any) -> Problem:
    """Translate a refused request by its HTTP status; Azure's message is in one of two places."""
    return from_http(reply.status, error_text(raw) or reply.text, reply.headers, raw)


def error_text(raw: Any) -> str:
    """Return code and message of an error of Azure, with those of the errors nested in it."""
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


# Operations: an image is posted, and its operation polled.


class PolledProvider(AzureProvider):
    """A service of Azure that reads in two steps: one request posts an image, later ones poll its operation.

    Only posting costs, so the steps can be called separately (`digitrec.providers.base.Resumable`).
    """

    results: ClassVar[str]
    """Where an operation is polled, below the endpoint; its id replaces ``{}``."""

    def __init__(self, *, poll_s: float = 1.0, **settings: Any) -> None:
        """Check the settings; nothing is sent yet.

        Args:
            poll_s: seconds before each poll, > 0; Azure asks for 1 to 2.
            settings: as in `AzureProvider`.
        """
        super().__init__(**settings)
        self.poll_s = poll_s

    def _post(self, data: bytes, timeout: float) -> Reply:
        return self._wire.ask(self.path, data, BINARY, timeout=timeout, expected=202)

    def _look(self, token: str, timeout: float) -> Reply:
        return self._wire.ask(self.results.format(token), None, {}, timeout=timeout)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Post the image and wait for its answer, for ``timeout`` seconds in all."""
        deadline = time.monotonic() + timeout
        token = self.start(image, timeout=timeout)
        wait = self.poll_s
        while (left := deadline - time.monotonic()) > wait:
            time.sleep(wait)
            answer = self.poll(token, timeout=left - wait)
            if isinstance(answer, Answer):
                return answer
            wait = max(self.poll_s, answer or 0.0)
        raise self.service.error(Problem(TimedOut, f"operation {token} is still running"))

    def start(self, image: PreparedImage, *, timeout: float) -> str:
        """Post the image; return the id of the operation that reads it."""
        reply = self._post(image.data, timeout)
        token = _last_part(reply.headers.get("operation-location", ""))
        if not OPERATION.fullmatch(token) or self._wire.secrets.masked(token) != token:
            raise self.service.error(Problem(BadAnswer, "no Operation-Location"))
        return token

    def poll(self, token: str, *, timeout: float) -> Answer | float | None:
        """Poll the operation once; while it runs, return the seconds that Azure asks to wait, or None."""
        reply = self._look(token, timeout)
        raw = self._wire.document(reply)
        return retry_after(reply.headers) if is_pending(raw) else self.parse(raw)


class Operation(Struct, Generic[Result], rename="camel"):
    """An operation of Azure; it has a result once it has succeeded."""

    status: str
    analyze_result: Result | UnsetType = UNSET


def result_of(raw: Any, schema: type[Operation[Result]], service: Service) -> Result:
    """Return the result of a finished operation; ``raw`` is any JSON value.

    Raises:
        Rejected: the operation failed, or was cancelled.
        BadAnswer: the value is not such an operation.
    """
    operation = document(raw, schema, service)
    if operation.status in FAILED:
        said = f"the operation {operation.status}: {error_text(raw)}".removesuffix(": ")
        raise service.error(Problem(Rejected, said, raw=raw))
    if operation.status != "succeeded":
        refuse("status: neither succeeded nor failed", raw, service)
    if operation.analyze_result is UNSET:
        refuse("analyzeResult: missing from an operation that succeeded", raw, service)
    return operation.analyze_result


def box_of(corners: Corners | UnsetType) -> Box | None:
    """Return the upright rectangle around four corners, or None without corners."""
    flat = () if corners is UNSET else corners
    return box_around(list(zip(flat[::2], flat[1::2], strict=True)))


def is_pending(raw: Any) -> bool:
    """Return whether any JSON value is an unfinished operation."""
    return isinstance(raw, dict) and raw.get("status") in PENDING


def _last_part(address: str) -> str:
    """Return the last part of an address's path, or "" for an invalid address."""
    try:
        return urlsplit(address).path.rstrip("/").rpartition("/")[2]
    except ValueError:  # an unclosed bracket
        return ""
