"""The server under every vendor: its port, its connections and its counters."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

from digitrec.emulator.connection import Connection
from digitrec.emulator.faults import FaultQueue
from digitrec.emulator.vendors.base import Vendor

log = logging.getLogger("digitrec.emulator")

LINGER_S = 1.0
"""So long a client may take to close a connection that we have closed."""


@dataclass(slots=True)
class Counts:
    """What a vendor's emulator was asked so far."""

    calls: int = 0
    """Requests to the vendor, polls apart, faulty ones included."""
    polls: int = 0
    """Requests that only asked whether an answer was ready."""
    billed: int = 0
    """Units the vendor would bill: images it read, for Google images times features.

    An image counts once it is read, whether or not the answer then arrives; what was refused does not."""


class VendorServer(ThreadingHTTPServer):
    """One vendor on one port of 127.0.0.1, a thread for each connection."""

    daemon_threads = True  # a hanging answer must not keep the program from ending
    request_queue_size = 128

    def __init__(self, vendor: Vendor, port: int, faults: FaultQueue) -> None:
        self.vendor = vendor
        self.faults = faults
        self.resource: Sequence[VendorServer] = ()
        self.stopping = threading.Event()
        self._counts = Counts()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._warned: set[str] = set()
        super().__init__(("127.0.0.1", port), Connection)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.02,), name=f"emulated-{vendor.name}", daemon=True
        )

    @property
    def endpoint(self) -> str:
        """Its address, such as "http://127.0.0.1:8001"."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def route(self, path: str) -> VendorServer:
        """The server that answers at this path: one of the same resource, or this one."""
        return next((other for other in self.resource if path.startswith(other.vendor.prefix)), self)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Cut every connection, hanging ones too, and free the port."""
        self.stopping.set()
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has just ended by itself

    def counts(self) -> Counts:
        """A copy of the counters."""
        with self._lock:
            return Counts(self._counts.calls, self._counts.polls, self._counts.billed)

    def count(self, *, calls: int = 0, polls: int = 0, billed: int = 0) -> None:
        """Add to the counters."""
        with self._lock:
            self._counts.calls += calls
            self._counts.polls += polls
            self._counts.billed += billed

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, and remember it for `stop`."""
        connection, address = super().get_request()
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Say goodbye, read what the client still sends, close, and forget the connection.

        Closing with something unread would reset the connection, and the client could lose the answer
        (RFC 9112, 9.6).
        """
        try:
            request.shutdown(socket.SHUT_WR)
            request.settimeout(LINGER_S)
            until = time.monotonic() + LINGER_S
            while time.monotonic() < until and request.recv(1 << 16):
                pass
        except OSError:
            pass  # the client has gone, or has nothing more to say
        with self._lock:
            self._connections.discard(request)
        self.close_request(request)

    def warn_once(self, what: str, line: str) -> None:
        """Log a warning, the first time only that ``what`` happens."""
        with self._lock:
            if what in self._warned:
                return
            self._warned.add(what)
        log.warning("%s: %s", self.vendor.name, line)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of a programming error; a client that went away is none."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
