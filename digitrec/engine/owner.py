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
from dataclasses import replace
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from typing import Any

from digitrec.answer import Answer
from digitrec.engine import config
from digitrec.engine.asking import Options
from digitrec.engine.books import books
from digitrec.engine.far import Owner
from digitrec.engine.ledger import Claim, Ledger, Question, Verdict
from digitrec.errors import DigitrecError, LedgerError, NotConfigured

OF_LEDGER = ("find", "claim", "extend", "ordered", "answered", "failed")
"""What may be asked of the owner's ledger; of its queue only a turn."""
REPLIED_S = 5.0
"""At the end nobody waits longer than this for replies that are on their way."""
SILENT_S = 30.0
"""A connection that does not prove within this time that it knows the key is closed."""


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
        self._lock = threading.Condition()
        self._replying = 0
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
            # The last answer is in the ledger before whoever gave it has heard so.
            self._lock.wait_for(lambda: not self._replying, REPLIED_S)
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
                with self._reply():
                    connection.send(_done(self._doing[name], given, named))
        except Exception:  # gone, or none of ours: nothing that such a one sends may end the others
            return
        finally:
            slow.cancel()
            with self._lock:
                self._connections.discard(connection)
                connection.close()

    @contextmanager
    def _reply(self) -> Iterator[None]:
        """Counted as long as it lasts."""
        with self._lock:
            self._replying += 1
        try:
            yield
        finally:
            with self._lock:
                self._replying -= 1
                self._lock.notify_all()


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
