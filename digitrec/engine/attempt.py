"""Calls of a provider that can outlast their caller: each in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from digitrec.engine import call
from digitrec.errors import DigitrecError, ProviderError, TimedOut, Unreachable
from digitrec.providers import wire
from digitrec.providers.base import Provider

GRACE_S = 0.25
"""Seconds after its time in which the outcome of a call is still waited for."""
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A call that was given up after its request may have been sent; its outcome may still come."""

    error: TimedOut
    """What to tell the caller."""


class Attempts:
    """The calls of one request, one after the other; one that was given up may still bring the answer."""

    def __init__(self, provider: Provider, wanted: Callable[[], bool]) -> None:
        """Make no call yet.

        Args:
            provider: the provider that is called, for messages.
            wanted: whether an outcome is still wanted; False once an earlier call has brought the answer.
        """
        self._provider = provider
        self._wanted = wanted
        self._ended: SimpleQueue[object] = SimpleQueue()

    def make(
        self, ask: Callable[[], Given], seconds: float, late: Callable[[Given | DigitrecError], None]
    ) -> Given | DigitrecError | Unanswered:
        """Return what ``ask`` returns, or the error it raises; give it up after ``seconds``.

        A call that is given up sends nothing any more. What it sent before may be answered: then ``late`` is
        called with the outcome, in the thread of the call.

        Raises:
            KeyboardInterrupt, SystemExit: as raised by ``ask``.
        """
        running = _Call(self._provider, ask, late, self._ended)
        threading.Thread(target=running.run, daemon=True, name="digitrec-call").start()
        until = time.monotonic() + seconds + GRACE_S
        while self._wanted() and (left := until - time.monotonic()) > 0:
            try:
                if self._ended.get(timeout=left) is running:
                    break
            except Empty:
                break
        if running.give_up():
            return self._given_up(running.attempt.give_up(), seconds)
        if running.stop is not None:
            raise running.stop
        return running.outcome

    def _given_up(self, sent: bool | None, seconds: float) -> DigitrecError | Unanswered:
        name = self._provider.name
        if sent is False:
            error: ProviderError = Unreachable(
                f"{name} was not asked: no credentials or no connection within {seconds:.3g} s; check the "
                "network, and what gives the credentials, or allow more with --timeout",
                provider=name,
            )
            error.sent = False
            return error
        said = f"{name} gave no answer within {seconds:.3g} s"
        todo = "try again, or allow more with --timeout and --attempt-timeout"
        return Unanswered(TimedOut(f"{said}; {todo}", provider=name))


class _Call(Generic[Given]):
    """One call and its outcome, which goes to its caller, or to ``late`` once the caller gave it up."""

    def __init__(
        self,
        provider: Provider,
        ask: Callable[[], Given],
        late: Callable[[Given | DigitrecError], None],
        ended: SimpleQueue[object],
    ) -> None:
        self.attempt = wire.Attempt()
        self.outcome: Given | DigitrecError
        self.stop: BaseException | None = None
        self._provider, self._ask, self._late, self._tell = provider, ask, late, ended
        self._lock = threading.Lock()
        self._is_over = self._is_given_up = False

    def run(self) -> None:
        try:
            with wire.attempting(self.attempt):
                self.outcome = call.caught(self._provider, self._ask)
        except BaseException as error:  # KeyboardInterrupt or SystemExit: for the caller's thread
            self.stop = error
        with self._lock:
            self._is_over = True
            is_late = self._is_given_up
        if is_late and self.stop is None:
            self._late(self.outcome)
        self._tell.put(self)

    def give_up(self) -> bool:
        """Return whether it is given up: False where it is over."""
        with self._lock:
            self._is_given_up = not self._is_over
            return self._is_given_up
