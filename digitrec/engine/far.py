"""Ledger and queue that another process keeps (`digitrec.engine.owner`), used like a process's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from typing import Any, cast

from digitrec.engine.ledger import Ledger
from digitrec.engine.rate import Limiter
from digitrec.errors import DigitrecError, LedgerError


@dataclass(frozen=True, slots=True)
class Owner:
    """Where the process listens that keeps the books; it can be sent to any other process."""

    address: tuple[str, int]
    """Host and port."""
    key: bytes = field(repr=False)
    """What both sides must know."""
    remembers: bool
    """Whether its ledger finds answers again."""


def far_books(owner: Owner) -> tuple[Ledger, Limiter]:
    """Return the owner's ledger and queue; every call of a method is passed on to the owner."""
    far = _Far(owner)
    return cast("Ledger", far), cast("Limiter", far)


class _Far:
    """The connection of a process to the owner: one question after the other."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.remembers = owner.remembers
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._ask, name)

    def _ask(self, name: str, *given: Any, **named: Any) -> Any:
        """Return what the owner's method returns, over a new connection if the old one broke.

        The owner may be asked the same twice where the connection breaks in between: each such question
        leaves the books as they are, or counts more as spent, never less.

        Raises:
            LedgerError: the owner's ledger fails, or the owner is out of reach.
        """
        with self._lock:
            for is_last in (False, True):
                try:
                    reply = self._exchange((name, given, named))
                    break
                except (OSError, EOFError) as error:
                    self._hang_up()
                    if is_last:
                        host, port = self._owner.address
                        raise LedgerError(
                            f"the process that keeps ledger and budget cannot be reached at {host}:{port}; "
                            "see whether it still runs and this machine may connect to it"
                        ) from error
        if isinstance(reply, DigitrecError):
            raise reply
        return reply

    def _exchange(self, question: tuple[Any, ...]) -> Any:
        if self._connection is None:
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
        """Close the connection; may be called twice."""
        with self._lock:
            self._hang_up()
