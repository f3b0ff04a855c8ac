"""Record how far one request to a vendor came."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from digitrec.errors import Unreachable
from digitrec.providers.masking import Secrets
from digitrec.providers.translate import Problem

MOST_BYTES = 8_000_000
"""Largest answer that is read, in bytes; the annotations of sixteen pictures take a tenth of it."""
LATE_S = 60.0
"""Seconds for which an answer is still read after its caller gave up, to record it: it is paid for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it stood on the wire."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """Its headers, by their names in lower case."""
    body: bytes
    """Its body, decompressed, of at most `MOST_BYTES`."""
    secrets: Secrets = field(repr=False)
    """The secrets to redact in it."""

    @property
    def text(self) -> str:
        """The beginning of its body as text, for a message."""
        return self.body[:2000].decode("utf-8", "replace")


class GivenUp(Exception):
    """Ends a request, or a search for credentials, whose `Exchange` knows why."""


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


ATTEMPT: ContextVar[Attempt | None] = ContextVar("attempt", default=None)
"""The attempt that this thread's exchanges belong to; it may outlast its caller."""
EXCHANGE: ContextVar[Exchange] = ContextVar("exchange")
"""The exchange that this thread's connections belong to."""


@dataclass
class Exchange:
    """One question to a vendor, from the search for credentials to the reply."""

    known: Secrets
    """The secrets of the wire, which learns those of the credentials."""
    timeout: float
    """Seconds for which the caller waits."""
    bundle: str | None = None
    """File of the certificates to trust; None: as the environment says."""
    sent: bool = False
    """Whether the first byte of the request was written, after any TLS handshake."""
    outcome: Reply | Problem | None = None
    """The reply, or why there is none; once it is known nothing more is sent."""
    errand_problem: Problem | None = None
    """Why the last request for credentials failed, where another attempt may succeed."""

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.timeout
        self.secrets = Secrets(beside=self.known)  # and the signature of this one request
        self._attempt = ATTEMPT.get()
        if self._attempt is not None:
            self._attempt.ask()

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, > 0."""
        return max(0.01, self.deadline - time.monotonic())

    @property
    def late_s(self) -> float:
        """Seconds after the deadline in which an answer is still read: that of an attempt is recorded."""
        return LATE_S if self._attempt is not None else 0.0

    def begin_sending(self) -> None:
        """Note that the first byte is about to be written.

        Raises:
            GivenUp: the caller gave up; nothing may be sent any more.
        """
        if self._attempt is not None and not self._attempt.send():
            raise self.end(Problem(Unreachable, "it was given up before anything was sent"))

    def end(self, outcome: Reply | Problem) -> GivenUp:
        """Keep the first outcome; return the exception that ends the call."""
        self.outcome = self.outcome or outcome
        return GivenUp()
