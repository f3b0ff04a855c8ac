"""One process keeps ledger, budget and rate limit for many, on whatever machines they run (ADR 13).

The owner listens; whoever reads pictures elsewhere asks it before each call, as it would ask its own ledger.
Each side proves that it knows the key, which goes the way that the work goes (to a Dask cluster: through its
scheduler). What passes between them are questions, answers and turns; no picture, no credential.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge
from typing import Any

from digitrec import config
from digitrec.answer import Answer
from digitrec.engine.asking import Options
from digitrec.engine.books import books
from digitrec.errors import DigitrecError, LedgerError, NotConfigured
from digitrec.ledger import Budget, Claim, Entry, Ledger, Question, Verdict

OF_LEDGER = ("find", "claim", "extend", "ordered", "answered", "failed")
"""What may be asked of the owner's ledger; of its queue only a turn."""
SILENT_S = 30.0
"""A connection that does not prove within this time that it knows the key is closed."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Where the process listens that keeps the books; it can be sent to any other."""

    address: tuple[str, int]
    """Host and port."""
    key: bytes = field(repr=False)
    """What both sides must know."""
    remembers: bool
    """Whether its ledger finds answers again."""


@contextmanager
def kept(options: Options, host: str = "127.0.0.1", *, emulated: bool = False) -> Iterator[Options]:
    """Keep the books of these options here, for as long as this lasts; gives the options for the others.

    Args:
        options: how engines are asked; ledger, budget, prices and rates are those of this machine.
        host: the address of this machine at which the others reach it; nobody is listened to at another.
        emulated: only emulators are asked, which cost nothing of a month's budget.

    Raises:
        NotConfigured: the configuration file is wrong, there is a monthly budget and no ledger, a
            recording is asked for (it is made by one process), or this machine has no such address.
        LedgerError: the ledger cannot be opened.
    """
    if options.record is not None:
        raise NotConfigured(
            "a recording is made by one process; leave it out, and take it from `digitrec ledger export`"
        )
    settings = options.config or config.load()
    ledger, limiter = books(options, settings, emulated=emulated)
    with closing(ledger), closing(limiter):
        try:
            listener = socket.create_server((host, 0))
        except OSError as error:
            raise NotConfigured(
                f"{host} is no address of this machine ({error.strerror}); give one"
            ) from error
        under_way = _UnderWay(ledger)
        doing = {name: getattr(ledger, name) for name in OF_LEDGER} | under_way.doing()
        with _Listening(listener, os.urandom(32), doing | {"book": limiter.book}) as listening:
            owner = Owner((host, listener.getsockname()[1]), listening.key, ledger.remembers)
            try:
                yield replace(options, config=settings, owner=owner)
            finally:
                under_way.finish()


class _UnderWay:
    """The calls that were claimed and of which nothing was told yet; at the end they are waited for.

    Whoever stops a run has no hold on a worker that is asking; its answer is paid for.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._until: dict[int, float] = {}
        self._changed = threading.Condition()
        self._over = False

    def doing(self) -> dict[str, Callable[..., Any]]:
        """What passes through here."""
        return {name: getattr(self, name) for name in ("claim", "extend", "answered", "failed")}

    def claim(self, questions: Sequence[Question], *, lease_s: float, **terms: Any) -> list[Verdict]:
        with self._changed:
            if self._over:
                raise LedgerError("nothing more is asked: the run was stopped; go on with --resume")
            verdicts = self._ledger.claim(questions, lease_s=lease_s, **terms)
            self._extend([verdict for verdict in verdicts if isinstance(verdict, Claim)], lease_s)
        return verdicts

    def extend(self, claims: Sequence[Claim], lease_s: float) -> None:
        self._ledger.extend(claims, lease_s)
        with self._changed:
            self._extend(claims, lease_s)

    def _extend(self, claims: Sequence[Claim], lease_s: float) -> None:
        self._until.update({claim.id: time.monotonic() + lease_s for claim in claims})

    def answered(self, claim: Claim, answer: Answer, **terms: Any) -> None:
        self._ledger.answered(claim, answer, **terms)
        self._told(claim)

    def failed(self, claim: Claim, error: str, **terms: Any) -> None:
        self._ledger.failed(claim, error, **terms)
        self._told(claim)

    def _told(self, claim: Claim) -> None:
        with self._changed:
            self._until.pop(claim.id, None)
            self._changed.notify_all()

    def finish(self) -> None:
        """Let nothing more begin, and wait for what is under way; for each as long as its lease."""
        with self._changed:
            self._over = True
            while (left := max(self._until.values(), default=0.0) - time.monotonic()) > 0:
                self._changed.wait(left)


class _Listening:
    """Answers every connection in a thread of its own."""

    def __init__(self, listener: socket.socket, key: bytes, doing: dict[str, Callable[..., Any]]) -> None:
        self.key = key
        self._listener = listener
        self._doing = doing
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()

    def __enter__(self) -> _Listening:
        threading.Thread(target=self._accept, name="digitrec-owner", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone does not end an `accept` that another thread waits in: it would take one more.
        self._over.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:  # not every system ends it so; closing does there
            pass
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                _hang_up(connection)

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:  # closed: it is over
                return
            if self._over.is_set():
                accepted.close()
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(accepted.detach())
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        slow = threading.Timer(SILENT_S, _hang_up, (connection,))
        slow.daemon = True
        slow.start()
        try:
            deliver_challenge(connection, self.key)
            answer_challenge(connection, self.key)
            slow.cancel()
            while True:
                name, given, named = connection.recv()
                connection.send(_done(self._doing[name], given, named))
        except Exception:  # gone, or none of ours: nothing that such a one sends may end the others
            return
        finally:
            slow.cancel()
            with self._lock:
                self._connections.discard(connection)
                connection.close()


def _hang_up(connection: Connection) -> None:
    """End a connection in which another thread may be waiting; that thread closes it."""
    try:
        with socket.socket(fileno=os.dup(connection.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)
    except OSError:  # closed already
        pass


def _done(what: Callable[..., Any], given: Sequence[Any], named: dict[str, Any]) -> Any:
    try:
        return what(*given, **named)
    except DigitrecError as error:
        return error


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
    """The owner's ledger, as `digitrec.ledger.Ledger` is used while asking."""

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

    def failed(self, claim: Claim, error: str, *, unknown: bool, charged: bool) -> None:
        """Write down that there was no answer."""
        self._line.ask("failed", claim, error, unknown=unknown, charged=charged)

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
