"""Send every request to a cloud, and read every answer.

A vendor's SDK finds the credentials, builds the request and signs it; then it hands it to an adapter
(`carrier`), which sends it and keeps the reply: status, headers, bytes. The SDK never sees
that reply: its call ends there. So no answer, however odd, meets a parser that is not ours; no redirect is
followed and no request repeated behind our back; and an exception of an SDK means that nothing was sent.
See docs/decisions.md.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from digitrec.errors import BadAnswer, DigitrecError, NotConfigured, ProviderError, Unreachable
from digitrec.providers.addresses import (
    PLAIN_HTTP,
    check_proxies,
    in_the_clear,
    is_metadata_server,
    origin,
)
from digitrec.providers.document import decoded
from digitrec.providers.masking import Secrets
from digitrec.providers.translate import Problem, Service, problem_of

MOST_BYTES = 8_000_000
"""Largest answer that is read, in bytes; the annotations of sixteen pictures take a tenth of it."""
PREPARE_S = 10.0
"""Seconds that opening a client may wait for credentials; most clients fetch them with the first question."""
LATE_S = 60.0
"""Seconds for which an answer is still read after its caller gave up, to record it: it is paid for."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it stood on the wire."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """Its headers, by their names in lower case."""
    body: bytes
    """Its body, decompressed, of at most `MOST_BYTES`."""
    secrets: Secrets | None = field(default=None, repr=False)
    """The secrets to redact in it; None: those of the wire."""

    @property
    def text(self) -> str:
        """The beginning of its body as text, for a message."""
        return self.body[:2000].decode("utf-8", "replace")


class Ended(Exception):
    """Ends an SDK's call once the outcome of its exchange is known; only `Wire.ask` sees it."""


class Attempt:
    """What one call of a provider has sent so far, and whether its caller still waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given_up = False
        self.sent: bool | None = None
        """Whether a request may have been sent; None: the provider does not use a `Wire`."""

    def ask(self) -> None:
        """Note that a request is being prepared."""
        with self._lock:
            self.sent = bool(self.sent)

    def send(self) -> bool:
        """Note that the first byte of a request is about to be written; False: do not, nobody waits."""
        with self._lock:
            if self._given_up:
                return False
            self.sent = True
            return True

    def give_up(self) -> bool | None:
        """Stop waiting; from now on no request is sent. Return `sent`."""
        with self._lock:
            self._given_up = True
            return self.sent


_ATTEMPT: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


@contextmanager
def attempting(attempt: Attempt) -> Iterator[None]:
    """Within the block, let this thread's exchanges belong to an attempt that may outlast its caller."""
    token = _ATTEMPT.set(attempt)
    try:
        yield
    finally:
        _ATTEMPT.reset(token)


@dataclass
class Exchange:
    """One question to a vendor, from the SDK's call to the reply."""

    wire: Wire
    """The way to the vendor."""
    deadline: float
    """When the caller stops waiting, in seconds of `time.monotonic`."""
    attempt: Attempt | None = None
    """The engine's attempt that this exchange belongs to."""
    connecting: bool = False
    """Whether a connection for the request was begun."""
    sent: bool = False
    """Whether the first byte of the request was written, after any TLS handshake."""
    outcome: Reply | Problem | None = None
    """The outcome; None: nothing was sent yet."""
    errand_problem: Problem | None = None
    """Why the last request for credentials failed, where another attempt may succeed."""
    secrets: Secrets = field(init=False)
    """The secrets of the wire, and those of this one request (a signature)."""

    def __post_init__(self) -> None:
        self.secrets = Secrets(beside=self.wire.secrets)
        if self.attempt is not None:
            self.attempt.ask()

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, > 0."""
        return max(0.01, self.deadline - time.monotonic())

    @property
    def read_deadline(self) -> float:
        """When an answer is not read any more: an attempt's answer is recorded even when it is late."""
        return self.deadline + (LATE_S if self.attempt is not None else 0.0)

    def begin_sending(self) -> None:
        """Note that the first byte is about to be written.

        Raises:
            Ended: the caller gave up; nothing may be sent any more.
        """
        if self.attempt is not None and not self.attempt.send():
            raise self.end(Problem(Unreachable, "it was given up before anything was sent"))

    def end(self, outcome: Reply | Problem) -> Ended:
        """Keep the first outcome; return the exception that ends the SDK's call."""
        self.outcome = self.outcome or outcome
        return Ended()


_CURRENT: ContextVar[Exchange] = ContextVar("exchange")


def current() -> Exchange:
    """Return the exchange that this thread is in; a LookupError outside of `Wire.ask`."""
    return _CURRENT.get()


@dataclass
class Wire:
    """A provider's way to its vendor; threads may share it."""

    service: Service
    """The vendor's name in messages, and what its SDK's exceptions mean."""
    endpoint: str
    """The only address that may be asked."""
    refused: Callable[[Reply, Any], Problem]
    """What a status of 4xx or 5xx means, with the body's JSON value or None."""
    secrets: Secrets = field(default_factory=Secrets)
    """The secrets to redact in every answer."""
    allow_plain_http: bool = False
    """Whether the endpoint may be on another machine without encryption."""

    def prepare(self, make: Callable[[], T]) -> T:
        """Return what ``make`` returns: the SDK's client or its credentials; it sends nothing.

        Raises:
            NotConfigured: it failed; or the endpoint or a proxy's address cannot be used.
            NotInstalled: the proxy needs a package that is missing.
            DigitrecError: what the service's table says of the exception.
        """
        self.secrets.learn(*check_proxies(self.endpoint))
        made = self._run(Exchange(self, time.monotonic() + PREPARE_S), make)
        if isinstance(made, Problem):
            raise self.service.error(made, self.secrets)
        return made

    def ask(self, call: Callable[[], Any], *, timeout: float, expected: int = 200) -> Reply:
        """Return the reply of status ``expected`` to the one request that ``call`` makes.

        Raises:
            NotConfigured: no request was built, or it may not be sent there; nothing was sent.
            ProviderError: there was no such reply; its ``sent`` says whether the request was sent.
        """
        self.secrets.learn(*check_proxies(self.endpoint))
        exchange = Exchange(self, time.monotonic() + timeout, _ATTEMPT.get())
        problem = self._run(exchange, call)
        if not isinstance(problem, Problem):
            problem = Problem(NotConfigured, "its SDK sent nothing")
        outcome = exchange.outcome or problem
        if isinstance(outcome, Reply) and outcome.status != expected:
            outcome = self._judged(outcome)
        if isinstance(outcome, Problem):
            told = self.service.error(outcome, exchange.secrets)
            if isinstance(told, ProviderError):
                told.sent = exchange.sent
            raise told
        return outcome

    def _run(self, exchange: Exchange, call: Callable[[], T]) -> T | Problem:
        """Return what ``call`` returns within the exchange, or why it failed before anything was sent.

        No exception leaves it that is not ours: a foreign one may hold a key.
        """
        token = _CURRENT.set(exchange)
        try:
            return call()
        except DigitrecError:
            raise
        except Exception as error:
            return exchange.errand_problem or self._unsent(error)
        finally:
            _CURRENT.reset(token)

    def document(self, reply: Reply) -> Any:
        """Return the reply's JSON value with its secrets redacted; the provider's schema checks its form.

        Raises:
            BadAnswer: the body is not JSON, or is nested too deeply.
        """
        secrets = reply.secrets or self.secrets
        try:
            return secrets.masked(decoded(reply.body))
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
            raw = decoded(reply.body)
        except ValueError:
            raw = None
        return self.refused(reply, raw)

    def _unsent(self, error: Exception) -> Problem:
        """Say what an exception means that was raised before anything was sent.

        The text of an exception that is not in the table is not shown: it may quote a key.
        """
        problem = problem_of(error, self.service.errors)
        if problem is not None:
            return problem
        if isinstance(error, OSError) and error.filename:
            return missing_file(str(error.filename), error.strerror or "")
        said = f"{type(error).__name__} in its SDK before anything was sent"
        return Problem(NotConfigured, said, todo="check the endpoint, and the SDK's variables and files")

    def may_be_asked(self, url: str) -> Problem | None:
        """Return why a question may not be sent there, or None."""
        if origin(url) != origin(self.endpoint):
            return Problem(NotConfigured, "its SDK would ask another address than the endpoint")
        if in_the_clear(url) and not self.allow_plain_http:
            return Problem(NotConfigured, "no encryption", todo=f"use https://, or set {PLAIN_HTTP}=1")
        return None


def may_give_credentials(url: str) -> Problem | None:
    """Return why credentials may not be fetched there, or None."""
    if in_the_clear(url) and not is_metadata_server(url):
        todo = "correct that address: it stands in the credentials file, the profile or a variable"
        return Problem(NotConfigured, "its token would come from an address without encryption", todo=todo)
    return None


def missing_file(name: str, why: str) -> Problem:
    """Return the problem of a file that a variable or a profile names and that cannot be read."""
    variable = next((it for it, value in os.environ.items() if value == name), "")
    todo = f"correct {variable}" if variable else "correct the setting that names it"
    return Problem(NotConfigured, f"{name}: {why.lower()}", todo=todo)
