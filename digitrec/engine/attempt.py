"""Calls of a provider that can outlast their caller: each in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from digitrec.engine import call
from digitrec.engine.threads import SLICE_S, in_thread
from digitrec.errors import DigitrecError, TimedOut, Unreachable
from digitrec.providers import wire
from digitrec.providers.base import Provider

GRACE_S = 0.25
"""Seconds after its timeout in which the outcome of a call is still waited for."""
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A call that was given up after its request may have been sent; its outcome may still come."""

    error: TimedOut
    """What to tell the caller."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """The calls of one request, one after the other; one that was given up may still bring the answer."""

    provider: Provider
    """The provider that is called."""
    wanted: Callable[[], bool]
    """Whether an outcome is still wanted; False once an earlier call has brought the answer."""

    def make(
        self, ask: Callable[[], Given], seconds: float, late: Callable[[Given | DigitrecError], None]
    ) -> Given | DigitrecError | Unanswered:
        """Return what ``ask`` returns, or the error it raises; give it up after ``seconds``.

        A call that is given up sends nothing more. The answer to what it sent before may still come: then
        ``late`` is called with the outcome, in the thread of the call.

        Raises:
            KeyboardInterrupt, SystemExit: as raised by ``ask``.
        """
        attempt = wire.Attempt()

        def run() -> Given | DigitrecError:
            with wire.attempting(attempt):
                return call.caught(self.provider, ask)

        def ended(future: Future[Given | DigitrecError]) -> None:
            if future.exception() is None:
                late(future.result())

        running = in_thread(run)
        until = time.monotonic() + seconds + GRACE_S
        while self.wanted() and (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                return running.result(min(left, SLICE_S))
        sent = attempt.give_up()
        running.add_done_callback(ended)
        return self._given_up(sent, seconds)

    def _given_up(self, sent: bool | None, seconds: float) -> DigitrecError | Unanswered:
        name = self.provider.name
        if sent is False:
            error = Unreachable(
                f"{name} was not asked: no credentials or no connection within {seconds:.3g} s; check the "
                "network, and what gives the credentials, or allow more with --timeout",
                provider=name,
            )
            error.sent = False
            return error
        said = f"{name} gave no answer within {seconds:.3g} s"
        todo = "try again, or allow more with --timeout and --attempt-timeout"
        return Unanswered(TimedOut(f"{said}; {todo}", provider=name))
