"""One process keeps ledger, budget and rate limit for many, on whatever machines they run (ADR 13).

The owner listens; a process that reads pictures elsewhere asks it before each call, as it would ask its own
ledger. Each side proves that it knows the key, which travels with the work (to a Dask cluster: through its
scheduler). Questions, answers and turns pass between them; no picture, no credential.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any, cast

from digitrec.engine import config
from digitrec.engine.asking import Options
from digitrec.engine.ledger import Claim, Ledger
from digitrec.engine.rate import Limiter
from digitrec.engine.remote import open_books
from digitrec.errors import DigitrecError, LedgerError, NotConfigured

OF_LEDGER = ("find", "claim", "extend", "ordered", "answered", "failed")
"""Methods of the owner's ledger that may be called; of its queue only ``book``."""
SILENT_S = 30.0
"""Seconds within which a connection must prove that it knows the key, or it is closed."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Where the process listens that keeps the books; it can be sent to any other process."""

    address: tuple[str, int]
    """Host and port."""
    key: bytes = field(repr=False)
    """What both sides must know."""
    remembers: bool
    """Whether its ledger finds answers again."""


@contextmanager
def kept(options: Options, host: str = "127.0.0.1", *, emulated: bool = False) -> Iterator[Options]:
    """Keep the books of these options here; yield the options for the other processes.

    At the end no new call is granted, and calls under way are waited for, each as long as its lease: they are
    paid for, and a stopped run has no hold on its workers.

    Args:
        options: how engines are asked; ledger, budget, prices and rates are those of this machine.
        host: the address of this machine at which the others reach it, and the only one it listens at.
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
    settings = options._config or config.load()
    ledger, limiter = open_books(options, settings, emulated=emulated)
    with closing(ledger), closing(limiter):
        try:
            server = _Server(host, ledger, limiter)
        except OSError as error:
            why = f"{host} is not an address of this machine ({error.strerror}); give one"
            raise NotConfigured(why) from error
        with server:
            thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
            thread.start()
            try:
                yield replace(options, _config=settings, _owner=server.owner)
            finally:
                server.finish()
                server.shutdown()


class _Server(ThreadingTCPServer):
    """Answers each connection in a thread of its own, and knows which calls are under way."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, ledger: Ledger, limiter: Limiter) -> None:
        super().__init__((host, 0), _Handler)
        self.owner = Owner((host, self.server_address[1]), os.urandom(32), ledger.remembers)
        self._methods = {name: getattr(ledger, name) for name in OF_LEDGER} | {"book": limiter.book}
        self._until: dict[int, float] = {}  # by claim: when its lease ends, in seconds of `time.monotonic`
        self._changed = threading.Condition()
        self._is_over = False

    def answer(self, name: str, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Call a method of the ledger or the queue; return its result, or the error of ours it raises."""
        method = self._methods[name]
        try:
            with self._changed:
                if self._is_over and name in ("find", "claim", "book"):
                    raise LedgerError("nothing more is asked: the run was stopped; go on with --resume")
                done = method(*given, **named)
                claims, lease_s = given if name == "extend" else (done or (), named.get("lease_s", 0.0))
                if name in ("claim", "extend"):
                    until = time.monotonic() + lease_s
                    self._until.update({claim.id: until for claim in claims if isinstance(claim, Claim)})
                return done
        except DigitrecError as error:
            return error

    def replied(self, name: str, given: Sequence[Any]) -> None:
        """Note that the caller has heard that its outcome is recorded: the call is not under way any more."""
        if name in ("answered", "failed"):
            with self._changed:
                self._until.pop(given[0].id, None)
                self._changed.notify_all()

    def finish(self) -> None:
        """Let nothing more begin, and wait for the calls under way."""
        with self._changed:
            self._is_over = True
            while (left := max(self._until.values(), default=0.0) - time.monotonic()) > 0:
                self._changed.wait(left)


class _Handler(BaseRequestHandler):
    """One connection: the key is proved on both sides, then questions are answered until it closes."""

    server: _Server

    def handle(self) -> None:
        sock: socket.socket = self.request
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        slow = threading.Timer(SILENT_S, sock.shutdown, (socket.SHUT_RDWR,))
        slow.daemon = True
        slow.start()
        # Nothing that a stranger sends may end the others.
        with suppress(Exception), Connection(sock.dup().detach()) as connection:
            try:
                deliver_challenge(connection, self.server.owner.key)
                answer_challenge(connection, self.server.owner.key)
            finally:
                slow.cancel()
            while True:
                name, given, named = connection.recv()
                connection.send(self.server.answer(name, given, named))
                self.server.replied(name, given)


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
