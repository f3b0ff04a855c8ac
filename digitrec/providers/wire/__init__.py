"""Send every request to a cloud, and receive every reply.

A vendor's SDK finds the credentials and builds the request; `Wire` sends it through `transport` and keeps the
reply: status, headers, bytes. So only our own parsers see a reply, redirects are not followed, and requests
are never repeated. See docs/decisions.md.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

from digitrec.errors import AuthFailed, BadAnswer, DigitrecError, NotConfigured, ProviderError
from digitrec.providers.addresses import allows_plain_http, check_proxies
from digitrec.providers.base import BaseProvider, not_installed, requires
from digitrec.providers.masking import Secrets
from digitrec.providers.translate import Problem, Service, decoded, from_http, problem_of

if TYPE_CHECKING:
    from requests import PreparedRequest

MOST_BYTES = 8_000_000
"""Maximum size of a reply; the annotations of sixteen pictures take a tenth of this."""
LATE_S = 60.0
"""Seconds for which a reply is still awaited after the caller gave up; it is paid for, so it is recorded."""
PREPARE_S = 10.0
"""Seconds that opening a client may take to get credentials; most are fetched with the first request."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as received."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """The headers, with names in lower case."""
    body: bytes
    """The body, decompressed, of at most `MOST_BYTES`."""

    @property
    def text(self) -> str:
        """The beginning of the body as text, for a message."""
        return self.body[:2000].decode("utf-8", "replace")

    def problem(self, said: str, raw: Any) -> Problem:
        """Return the problem that a status of 4xx or 5xx means; ``said`` is the vendor's message."""
        return from_http(self.status, said, self.headers, raw)


class GivenUp(Exception):
    """Ends a request, or a search for credentials; its `Exchange` holds the reason."""


class Attempt:
    """One call of a provider: what it has sent so far, and whether its caller still waits."""

    def __init__(self, late_s: float = 0.0) -> None:
        self.late_s = late_s
        """Seconds after the deadline in which a reply is still received and recorded."""
        self._lock = threading.Lock()
        self._given_up = False
        self.sent: bool | None = None
        """Whether a request may have been sent; None: the provider does not use a `Wire`."""

    def send(self) -> bool:
        """Record that the first byte of a request is about to be written; False: the caller gave up."""
        with self._lock:
            self.sent = self.sent or not self._given_up
            return not self._given_up

    def give_up(self) -> bool | None:
        """Stop waiting; from now on no request is sent. Return `sent`."""
        with self._lock:
            self._given_up = True
            return self.sent


ATTEMPT: ContextVar[Attempt | None] = ContextVar("attempt", default=None)
"""The attempt that this thread's exchanges belong to; it may outlast its caller."""
EXCHANGE: ContextVar[Exchange] = ContextVar("exchange")
"""The exchange that this thread's connections belong to."""


@dataclass
class Exchange:
    """One request to a vendor, from the search for credentials to the reply."""

    wire: Wire
    """Holds the secrets, which it learns from the request, and the certificates to trust."""
    deadline: float
    """When the caller stops waiting, in seconds of `time.monotonic`."""
    sent: bool = False
    """Whether the first byte of the request was written, after any TLS handshake."""
    outcome: Reply | Problem | None = None
    """The reply or the error; once set, nothing more is sent."""
    errand_problem: Problem | None = None
    """Why the last request for credentials failed, if another attempt may succeed."""

    def __post_init__(self) -> None:
        self.attempt = ATTEMPT.get() or Attempt()
        self.attempt.sent = bool(self.attempt.sent)

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, > 0."""
        return max(0.01, self.deadline - time.monotonic())

    def end(self, outcome: Reply | Problem) -> GivenUp:
        """Record the first outcome; return the exception that ends the call."""
        self.outcome = self.outcome or outcome
        return GivenUp()


@dataclass
class Wire:
    """A provider's connection to its vendor; threads may share it."""

    service: Service
    """The vendor's name in messages, and the meaning of its library's exceptions."""
    endpoint: str
    """The only address that receives requests."""
    extra: str
    """The extra of digitrec that installs the vendor's library."""
    refused: Callable[[Reply, Any], Problem]
    """Returns the problem that a status of 4xx or 5xx means, from the reply and its JSON body or None."""
    secrets: Secrets = field(default_factory=Secrets)
    """The secrets to redact in every reply."""
    bundle: str | None = None
    """File of the certificates to trust; None: as set in the environment."""
    sign: Callable[[PreparedRequest], PreparedRequest] = lambda request: request
    """Adds the credentials to the headers of a request; may fetch them first."""
    forget: Callable[[], None] | None = None
    """Discards a token that was refused with status 401; None: there is no other."""

    def __post_init__(self) -> None:
        with requires(self.service.name, self.extra):
            from digitrec.providers.wire import transport
        self.secrets.learn(*check_proxies(self.endpoint))
        self.questions = transport.Questions()
        """The adapter of `requests` that sends the one request of a `call`; an SDK mounts it."""
        self.errands = transport.errands()
        """The session of `requests` that fetches credentials."""

    def sign_with(self, header: str, key: str, scheme: str = "") -> None:
        """Send a key in a header of every request, and redact it in every reply."""

        def sign(request: PreparedRequest) -> PreparedRequest:
            request.headers[header] = scheme + key
            return request

        self.secrets.learn(key)
        self.sign = sign

    def prepare(self, make: Callable[[], T]) -> T:
        """Return the result of ``make``, such as credentials; only requests for credentials may be sent.

        Raises:
            NotConfigured: ``make`` failed.
            NotInstalled: the vendor's library is missing.
            DigitrecError: the service's table has another class for the exception.
        """
        made = self._run(Exchange(self, time.monotonic() + PREPARE_S), make)
        if isinstance(made, Problem):
            raise self.error(made)
        return made

    def ask(
        self, path: str, body: bytes | None, media_type: str = "", *, timeout: float, expected: int = 200
    ) -> Reply:
        """Send one request, a POST or (without a body) a GET; return its reply of status ``expected``.

        Raises:
            DigitrecError: as for `call`.
        """
        from requests import Request

        headers = {"User-Agent": "digitrec"}  # gateways refuse some libraries by name
        if media_type:
            headers["Content-Type"] = media_type
        method = "GET" if body is None else "POST"
        request = Request(method, self.endpoint + path, headers, data=body, auth=self.sign)
        return self.call(lambda: self.questions.send(request.prepare()), timeout=timeout, expected=expected)

    def call(self, send: Callable[[], Any], *, timeout: float, expected: int = 200) -> Reply:
        """Return the reply of status ``expected`` to the request that ``send`` makes.

        If a token is refused, which costs nothing, send the request once more with another.

        Args:
            send: sends a request through `questions`; it may be an SDK's call, whose own result is ignored.

        Raises:
            NotConfigured: the request could not be built or signed; nothing was sent.
            ProviderError: there is no such reply; ``sent`` says whether the request was sent.
        """
        deadline = time.monotonic() + timeout
        try:
            return self._called(send, deadline, expected)
        except AuthFailed as error:
            if error.status != 401 or self.forget is None:
                raise
        self.forget()
        return self._called(send, deadline, expected)

    def _called(self, send: Callable[[], Any], deadline: float, expected: int) -> Reply:
        """Send one request as `call` does."""
        self.secrets.learn(*check_proxies(self.endpoint))
        exchange = Exchange(self, deadline)
        made = self._run(exchange, send)
        unsent = made if isinstance(made, Problem) else Problem(NotConfigured, "its SDK sent nothing")
        outcome = exchange.outcome or unsent
        if isinstance(outcome, Reply):
            if outcome.status == expected:
                return outcome
            outcome = self._judged(outcome)
        error = self.error(outcome)
        if isinstance(error, ProviderError):
            error.sent = exchange.sent
        raise error

    def error(self, problem: Problem) -> DigitrecError:
        """Return the exception for a problem, without secrets."""
        return self.service.error(problem, self.secrets)

    def _run(self, exchange: Exchange, call: Callable[[], T]) -> T | Problem:
        """Return the result of ``call`` in the exchange, or the problem if it failed before sending.

        Only our own exceptions are raised, because others may hold a key.
        """
        context = copy_context()
        context.run(EXCHANGE.set, exchange)
        try:
            return context.run(call)
        except DigitrecError:
            raise
        except ImportError as error:
            raise not_installed(self.service.name, self.extra) from error
        except Exception as error:
            return exchange.errand_problem or self._unsent(error)

    def document(self, reply: Reply) -> Any:
        """Parse the reply's JSON and redact its secrets; the provider's schema checks the structure.

        Raises:
            BadAnswer: the body is not JSON, or is nested too deeply.
        """
        try:
            return self.secrets.masked(decoded(reply.body))
        except ValueError as error:
            said = "a web page" if reply.body.lstrip()[:1] == b"<" else str(error)
        raise self.error(Problem(BadAnswer, said))

    def _judged(self, reply: Reply) -> Problem:
        if not 400 <= reply.status < 600:
            moved = 300 <= reply.status < 400
            said = "a redirect, which digitrec does not follow" if moved else f"status {reply.status}"
            return Problem(BadAnswer, said, reply.status if reply.status >= 300 else None)
        try:
            raw = decoded(reply.body)
        except ValueError:
            raw = None
        return self.refused(reply, raw)

    def _unsent(self, error: Exception) -> Problem:
        """Return the problem that an exception means if it was raised before a request was sent.

        The text of an exception that is not in the table is not shown: it may quote a key.
        """
        problem = problem_of(error, self.service.errors)
        if problem is not None:
            return problem
        if isinstance(error, OSError) and error.filename:
            name = str(error.filename)
            variable = next((it for it, value in os.environ.items() if value == name), "")
            todo = f"correct {variable or 'the setting that names it'}"
            return Problem(NotConfigured, f"{name}: {(error.strerror or '').lower()}", todo=todo)
        todo = "check the endpoint, and the variables and files of the vendor"
        return Problem(NotConfigured, f"{type(error).__name__} before anything was sent", todo=todo)

    def close(self) -> None:
        """Close the connections."""
        self.questions.close()
        self.errands.close()


class Cloud(BaseProvider):
    """A provider that sends its requests through a `Wire`."""

    _wire: Wire

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Build the provider from `variables` and DIGITREC_ALLOW_PLAIN_HTTP; ``options`` override them."""
        return super().from_env(env, **{"allow_plain_http": allows_plain_http(env), **options})

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()
