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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

from digitrec.engine import config
from digitrec.engine.asking import Options
from digitrec.engine.books import Books, open_books
from digitrec.engine.far import Owner
from digitrec.engine.ledger import Claim
from digitrec.errors import DigitrecError, LedgerError, NotConfigured

OF_LEDGER = ("find", "claim", "extend", "ordered", "answered", "failed")
"""Methods of the owner's ledger that may be called; of its queue only ``book``."""
SILENT_S = 30.0
"""Seconds within which a connection must prove that it knows the key, or it is closed."""


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
    with closing(open_books(options, settings, emulated=emulated)) as books:
        try:
            server = _Server(host, books)
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

    def __init__(self, host: str, books: Books) -> None:
        super().__init__((host, 0), _Handler)
        self.owner = Owner((host, self.server_address[1]), os.urandom(32), books.ledger.remembers)
        self._books = books
        self._until: dict[int, float] = {}  # by claim: when its lease ends, in seconds of `time.monotonic`
        self._changed = threading.Condition()
        self._is_over = False

    def answer(self, name: str, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Call a method of the ledger or the queue; return its result, or the error of ours it raises."""
        if name not in (*OF_LEDGER, "book"):
            raise ValueError(name)
        try:
            with self._changed:
                if self._is_over and name in ("find", "claim", "book"):
                    raise LedgerError("nothing more is asked: the run was stopped; go on with --resume")
                books = self._books
                done = getattr(books.limiter if name == "book" else books.ledger, name)(*given, **named)
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
