"""Ledger and queue that another process keeps (`digitrec.engine.owner`), as one's own are used."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection
from typing import Any

from digitrec.answer import Answer
from digitrec.engine.ledger import Budget, Claim, Entry, Question, Verdict
from digitrec.errors import DigitrecError, LedgerError


@dataclass(frozen=True, slots=True)
class Owner:
    """Where the process listens that keeps the books; it can be sent to any other."""

    address: tuple[str, int]
    """Host and port."""
    key: bytes = field(repr=False)
    """What both sides must know."""
    remembers: bool
    """Whether its ledger finds answers again."""


class _Line:
    """The line of a process to the owner: one question after the other, and one new line if it breaks."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def ask(self, name: str, *given: Any, **named: Any) -> Any:
        """What the owner says.

        It may be asked the same twice where the line breaks in between: each such question leaves the books
        as they are, or counts more as spent, never less.

        Raises:
            LedgerError: the owner's ledger fails, or the owner is out of reach.
        """
        with self._lock:
            try:
                reply = self._exchange((name, given, named))
            except (OSError, EOFError):
                self._hang_up()
                try:
                    reply = self._exchange((name, given, named))
                except (OSError, EOFError) as error:
                    self._hang_up()
                    host, port = self._owner.address
                    raise LedgerError(
                        f"the process that keeps ledger and budget cannot be reached at {host}:{port}; see "
                        "whether it still runs and this machine may connect to it"
                    ) from error
        if isinstance(reply, DigitrecError):
            raise reply
        return reply

    def _exchange(self, question: tuple[Any, ...]) -> Any:
        if self._connection is None:
            from multiprocessing import AuthenticationError

            try:
                self._connection = Client(self._owner.address, authkey=self._owner.key)
            except AuthenticationError as error:
                raise LedgerError(
                    "somebody else listens where ledger and budget were kept; go on with --resume"
                ) from error
        self._connection.send(question)
        return self._connection.recv()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def close(self) -> None:
        """End it; may be called twice."""
        with self._lock:
            self._hang_up()


class FarLedger:
    """The owner's ledger, as `digitrec.engine.ledger.Ledger` is used while asking."""

    def __init__(self, owner: Owner) -> None:
        self._line = _Line(owner)
        self.remembers = owner.remembers
        """Whether an answer is found again."""

    def find(self, questions: Sequence[Question]) -> list[Entry | None]:
        """For each question its answer, where it was already answered."""
        found: list[Entry | None] = self._line.ask("find", questions)
        return found

    def claim(
        self, questions: Sequence[Question], *, price: float | None, budget: Budget, lease_s: float
    ) -> list[Verdict]:
        """For each question the right to ask it, or why not."""
        verdicts: list[Verdict] = self._line.ask(
            "claim", questions, price=price, budget=budget, lease_s=lease_s
        )
        return verdicts

    def extend(self, claims: Sequence[Claim], lease_s: float) -> None:
        """Keep others from asking for so many seconds more."""
        self._line.ask("extend", claims, lease_s)

    def ordered(self, claim: Claim, token: str) -> None:
        """Write down that the answer was ordered."""
        self._line.ask("ordered", claim, token)

    def answered(self, claim: Claim, answer: Answer, *, cost_usd: float | None = None) -> None:
        """Write down the answer."""
        self._line.ask("answered", claim, answer, cost_usd=cost_usd)

    def failed(
        self, claim: Claim, error: str, *, unknown: bool, charged: bool, cost_usd: float | None = None
    ) -> None:
        """Write down that there was no answer."""
        self._line.ask("failed", claim, error, unknown=unknown, charged=charged, cost_usd=cost_usd)

    def close(self) -> None:
        """End the line to the owner."""
        self._line.close()


class FarLimiter:
    """The owner's queue, as `digitrec.engine.rate.Limiter` is used while asking."""

    def __init__(self, owner: Owner) -> None:
        self._line = _Line(owner)

    def book(self, name: str, rate: float) -> float:
        """Book the next turn; seconds to wait before asking."""
        wait: float = self._line.ask("book", name, rate)
        return wait

    def close(self) -> None:
        """End the line to the owner."""
        self._line.close()
