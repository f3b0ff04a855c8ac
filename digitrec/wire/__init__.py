"""The one place through which every request to a cloud goes out, and by which every answer comes back.

A vendor's SDK finds the credentials, builds the request and signs it; then it hands it to a `Carrier`
(`digitrec.wire.carrier`), which sends it and keeps what came back: status, headers, bytes. The SDK
itself never sees that: its call ends there. So no answer, however odd, meets a parser that is not ours;
nothing is redirected or asked again behind our back; and what an SDK raises, it raised before anything
was sent. What all clouds share is decided here, once: docs/adr/0007-one-wire.md.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from digitrec.errors import BadAnswer, DigitrecError, NotConfigured
from digitrec.wire.addresses import PLAIN_HTTP, check_proxies, in_the_clear, is_metadata_server, origin
from digitrec.wire.body import document
from digitrec.wire.masking import Secrets
from digitrec.wire.translate import Problem, Service, problem_of

MOST_BYTES = 8_000_000
"""Bytes of an answer that are read at most; sixteen pictures' whole annotations take a tenth of it."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, as it stood on the wire."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """Its headers, by their names in small letters."""
    body: bytes
    """Its body, decompressed, of at most `MOST_BYTES`."""
    secrets: Secrets | None = field(default=None, repr=False)
    """What may not show of it; None: what the wire knows."""

    @property
    def text(self) -> str:
        """The beginning of its body as text, for a message."""
        return self.body[:2000].decode("utf-8", "replace")


class Over(BaseException):
    """The SDK has done its part; its call ends here. No `Exception`, or it would take it for a failure."""


@dataclass
class Exchange:
    """One question to a vendor, from the SDK's call to the reply."""

    wire: Wire
    """By whom, to whom, and on what terms."""
    deadline: float
    """When the whole reply must be here, in seconds of `time.monotonic`."""
    sending: bool = False
    """Whether some of it may have been sent."""
    outcome: Reply | Problem | None = None
    """What came of it; None: nothing was sent."""
    errand_failed: bool = False
    """Whether the last request for a credential failed in a way that passes: no answer, 429 or 5xx."""
    secrets: Secrets = field(init=False)
    """What may not show in it: the wire's secrets, and those of this one request (a signature)."""

    def __post_init__(self) -> None:
        self.secrets = Secrets(beside=self.wire.secrets)

    @property
    def left_s(self) -> float:
        """Seconds that are left, > 0."""
        return max(0.01, self.deadline - time.monotonic())

    def end(self, outcome: Reply | Problem) -> Over:
        """What to raise now that the outcome is known."""
        self.outcome = outcome
        return Over()


_CURRENT: ContextVar[Exchange] = ContextVar("exchange")


def current() -> Exchange:
    """The exchange that this thread is in; a LookupError outside of `Wire.ask`."""
    return _CURRENT.get()


@dataclass
class Wire:
    """A provider's way to its vendor; threads may share it."""

    service: Service
    """The vendor's name in messages, and what its SDK's exceptions mean."""
    endpoint: str
    """Where it may ask, and nowhere else."""
    refused: Callable[[Reply, Any], Problem]
    """What a status of 4xx or 5xx means, with the body's JSON value or None."""
    secrets: Secrets = field(default_factory=Secrets)
    """What may not show in anything that comes back."""
    allow_plain_http: bool = False
    """Whether the endpoint may be on another machine without encryption."""

    def prepare(self, make: Callable[[], T]) -> T:
        """What ``make`` gives, which sends nothing: the SDK's client, its credentials.

        Raises:
            NotConfigured: it failed; or the endpoint or a proxy's address cannot be used.
            DigitrecError: what the service's table says of the exception.
        """
        self.secrets.learn(*check_proxies(self.endpoint))
        try:
            return make()
        except DigitrecError:
            raise
        except Exception as error:
            problem = self._unsent(error)
        raise self.service.error(problem, self.secrets)  # outside: the foreign exception may hold a key

    def ask(self, call: Callable[[], Any], *, timeout: float, expected: int = 200) -> Reply:
        """The reply of status ``expected`` to the one request that ``call`` makes.

        Raises:
            NotConfigured: no request came about, or it may not be sent there; nothing was sent.
            ProviderError: there was no such reply.
        """
        self.secrets.learn(*check_proxies(self.endpoint))
        exchange = Exchange(self, time.monotonic() + timeout)
        token, problem = _CURRENT.set(exchange), Problem(NotConfigured, "its SDK sent nothing")
        try:
            call()
        except Over:
            pass
        except DigitrecError:
            raise
        except Exception as error:
            problem = self._unsent(error)
        finally:
            _CURRENT.reset(token)
        outcome = exchange.outcome or problem
        if isinstance(outcome, Reply) and outcome.status != expected:
            outcome = self._judged(outcome)
        if isinstance(outcome, Problem):
            raise self.service.error(outcome, exchange.secrets)
        return outcome

    def document(self, reply: Reply) -> Any:
        """The reply's JSON value, without secrets; any kind of value: the provider's schema decides.

        Raises:
            BadAnswer: it is none, or it is nested too deeply.
        """
        secrets = reply.secrets or self.secrets
        try:
            return secrets.masked(document(reply.body))
        except ValueError as error:
            said = str(error)
        if reply.body.lstrip()[:1] == b"<":
            said = "a web page"
        raise self.service.error(Problem(BadAnswer, said), secrets)

    def _judged(self, reply: Reply) -> Problem:
        if not 400 <= reply.status < 600:
            moved = 300 <= reply.status < 400
            said = "a redirect, which is never followed" if moved else f"status {reply.status}"
            return Problem(BadAnswer, said, reply.status if reply.status >= 300 else None)
        try:
            raw = document(reply.body)
        except ValueError:
            raw = None
        return self.refused(reply, raw)

    def _unsent(self, error: Exception) -> Problem:
        """What an exception means that came before anything was sent.

        Where it is not in the table its text is not shown: an exception of any kind may quote a key.
        """
        problem = problem_of(error, self.service.errors)
        if problem is not None:
            return problem
        if isinstance(error, OSError) and error.filename:
            return missing_file(str(error.filename), error.strerror or "")
        said = f"{type(error).__name__} in its SDK before anything was sent"
        return Problem(NotConfigured, said, todo="check the endpoint, and the SDK's variables and files")

    def may_be_asked(self, url: str) -> Problem | None:
        """Why a question may not be sent there, or None."""
        if origin(url) != origin(self.endpoint):
            return Problem(NotConfigured, "its SDK would ask another address than the endpoint")
        if in_the_clear(url) and not self.allow_plain_http:
            return Problem(NotConfigured, "no encryption", todo=f"use https://, or set {PLAIN_HTTP}=1")
        return None


def may_give_credentials(url: str) -> Problem | None:
    """Why credentials may not be fetched there, or None."""
    if in_the_clear(url) and not is_metadata_server(url):
        todo = "correct that address: it stands in the credentials file, the profile or a variable"
        return Problem(NotConfigured, "its token would come from an address without encryption", todo=todo)
    return None


def missing_file(name: str, why: str) -> Problem:
    """The problem of a file that a variable or a profile names and that cannot be read."""
    variable = next((it for it, value in os.environ.items() if value == name), "")
    todo = f"correct {variable}" if variable else "correct the setting that names it"
    return Problem(NotConfigured, f"{name}: {why.lower()}", todo=todo)
