"""The HTTP under every vendor: connections, bodies, faults and counters."""

from __future__ import annotations

import logging
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from digitrec.emulator import door
from digitrec.emulator.body import TooLarge, read_body
from digitrec.emulator.faults import Fault, FaultQueue
from digitrec.emulator.protocol import Request, Response, Vendor
from digitrec.engine.detect import DOOR
from digitrec.errors import DigitrecError, TimedOut, Unavailable

log = logging.getLogger("digitrec.emulator")

HEADER = "X-Digitrec-Emulator"
"""The header that marks every answer."""
IDLE_S = 60
"""A connection on which nothing comes for so long is closed."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for 0 s; closing then sends a reset instead of a goodbye."""


@dataclass(slots=True)
class Counts:
    """What a vendor's emulator was asked so far."""

    calls: int = 0
    """Requests to the vendor, polls apart, faulty ones included."""
    polls: int = 0
    """Requests that only asked whether an answer was ready."""
    billed: int = 0
    """Units the vendor would bill: images it read, for Google images times features."""


class VendorServer(ThreadingHTTPServer):
    """One vendor on one port of 127.0.0.1, a thread for each connection."""

    daemon_threads = True  # a hanging answer must not keep the program from ending
    request_queue_size = 128

    def __init__(self, vendor: Vendor, port: int, faults: FaultQueue) -> None:
        self.vendor = vendor
        self.faults = faults
        self.relatives: Sequence[VendorServer] = ()
        self.stopping = threading.Event()
        self._counts = Counts()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.02,), name=f"emulated-{vendor.name}", daemon=True
        )

    @property
    def endpoint(self) -> str:
        """Its address, such as "http://127.0.0.1:8001"."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def responsible(self, path: str) -> VendorServer:
        """Who answers at this path: a relative of the same resource, or this server."""
        return next((other for other in self.relatives if path.startswith(other.vendor.prefix)), self)

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
        """Forget a connection and close it."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of a programming error; a client that went away is none."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: VendorServer
    protocol_version = "HTTP/1.1"
    server_version = "digitrec-emulator"
    sys_version = ""
    timeout = IDLE_S
    wbufsize = -1  # a whole answer in one packet
    disable_nagle_algorithm = True

    def exchange(self) -> None:
        """Read one request and answer it."""
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = read_body(self.rfile, headers)
        except TooLarge:
            self._send(self.server.vendor.failure("413"))
            return
        except ValueError:
            self._send(self.server.vendor.failure("400"), last=True)
            return
        request = Request(self.command, path, query, headers, body)
        if path == DOOR or path.startswith(f"{DOOR}/"):
            own = self.server
            self._send(door.answer(request, own.vendor, own.faults, asdict(own.counts())))
        else:
            self._answer(request)

    do_GET = do_POST = do_PUT = do_DELETE = exchange  # noqa: N815 (http.server's names)

    def handle_expect_100(self) -> bool:
        """Say "continue" at once: the client waits for it before it sends the body."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _answer(self, request: Request) -> None:
        """The vendor's answer, or the fault whose turn it is."""
        server = self.server.responsible(request.path)
        if server.vendor.is_poll(request):
            server.count(polls=1)
        else:
            server.count(calls=1)
        fault = server.faults.next()
        if fault is None:
            self._send(_read(server, request))
        elif fault.kind == "hang":
            server.stopping.wait()
            self.close_connection = True
        elif fault.kind == "reset":
            self._reset()
        elif fault.kind == "cut-off":
            self._send(_read(server, request), cut=True)
        else:
            self._send(_faulty(server, fault, request))

    def _send(self, response: Response, *, cut: bool = False, last: bool = False) -> None:
        """Send a response; ``cut`` stops in its middle, ``last`` closes the connection after it."""
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header(HEADER, "1")
        self.send_header("Content-Length", str(len(response.body)))
        if last:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body[: len(response.body) // 2] if cut else response.body)
        self.close_connection = self.close_connection or cut or last

    def _reset(self) -> None:
        """Drop the connection so that the client sees it reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        socket.close(self.connection.detach())
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say what was asked and answered, without the query: it may hold a key."""
        log.debug("%s %s %s", self.server.vendor.name, self.command, self.path.partition("?")[0])


def _faulty(server: VendorServer, fault: Fault, request: Request) -> Response:
    """A whole answer that is not the one hoped for."""
    vendor = server.vendor
    if fault.kind == "slow":
        server.stopping.wait(fault.seconds)
        return _read(server, request)
    if fault.kind == "html":
        return Response.of_html(200, "Sign in to the network")
    if fault.kind == "empty":
        return Response(200)
    if fault.kind == "no-field":
        return vendor.without_field(request)
    if fault.kind == "endless-poll":
        return vendor.unfinished(request) if vendor.is_poll(request) else _read(server, request)
    answer = vendor.failure(fault.kind)
    retry = {} if fault.after is None else {"Retry-After": str(fault.after)}
    return Response(answer.status, answer.body, {**answer.headers, **retry})


def _read(server: VendorServer, request: Request) -> Response:
    try:
        response = server.vendor.answer(request)
    except Exception as error:  # whatever happened to the engine: to a client, it happened to the vendor
        log.error("%s: the engine failed: %s", server.vendor.name, _in_a_line(error))
        return server.vendor.failure("503" if isinstance(error, Unavailable | TimedOut) else "500")
    server.count(billed=response.billed)
    return response


def _in_a_line(error: Exception) -> str:
    """What went wrong, without anything of the picture: a foreign error's own words may hold some."""
    name = type(error).__name__
    if isinstance(error, DigitrecError):
        return f"{name}: {error}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{name} at {place.filename}:{place.lineno}, in {place.name}"
