"""The one server of this package: its port, its connections, the fault whose turn it is, and its counters."""

from __future__ import annotations

import io
import logging
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from digitrec.emulator.faults import BREAKS, FaultQueue, Meeting, pieces
from digitrec.emulator.vendors.base import Request, Response, Vendor
from digitrec.engine.detect import CONTROL_PATH, MARK
from digitrec.errors import DigitrecError, TimedOut, Unavailable

log = logging.getLogger("digitrec.emulator")

HEADER = "X-Digitrec-Emulator"
"""The header that marks every answer."""
IDLE_S = 60
"""A connection without traffic is closed after this time."""
LINGER_S = 1.0
"""Seconds a client has to close a connection that the server has closed."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for 0 s; closing then sends a reset instead of a FIN."""
TLS_HANDSHAKE = b"\x16"
"""The first byte of TLS (RFC 8446, 5.1: the content type "handshake")."""
MAX_BODY_BYTES = 32_000_000
"""More than any vendor takes in one request; the rest is read and thrown away."""
PIECE = 1 << 16


class TooLarge(Exception):
    """The body is larger than `MAX_BODY_BYTES`; it has been read to its end."""


@dataclass(slots=True)
class Counts:
    """What a vendor's emulator was asked so far."""

    calls: int = 0
    """Requests to the vendor, without polls, with faulty ones."""
    polls: int = 0
    """Requests that only asked whether an answer was ready."""
    billed: int = 0
    """Units the vendor would bill: images it read, for Google images times features.

    An image counts once it is read, whether or not the answer then arrives; a refused image does not."""


class Connection(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "digitrec-emulator"
    sys_version = ""
    timeout = IDLE_S
    wbufsize = -1  # a whole answer in one packet
    disable_nagle_algorithm = True
    raw_requestline: bytes
    command = path = ""  # an error before the request line is read is logged too

    def handle(self) -> None:
        """Answer requests until one side closes; refuse TLS, which would wait for a handshake."""
        if self.rfile.peek(1)[:1] == TLS_HANDSHAKE:  # type: ignore[attr-defined]  # a BufferedReader
            log.warning("%s: a client spoke TLS; write %s", self.server.vendor.name, self.server.endpoint)
            self.wfile.write(
                b"HTTP/1.0 400 Bad Request\r\n\r\nThis is plain HTTP; write http://, not https://.\n"
            )
        else:
            super().handle()

    def exchange(self) -> None:
        """Read one request and answer it."""
        path, _, query = self.path.partition("?")
        fields = [f"{name}: {value}" for name, value in self.headers.items()]
        head = self.raw_requestline + "\r\n".join([*fields, "", ""]).encode("latin-1", "replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = read_body(self.rfile, headers)
        except TooLarge:
            self._send([self.server.vendor.failure("413")])
            return
        except ValueError:
            self.close_connection = True
            self._send([self.server.vendor.failure("400")])
            return
        request = Request(self.command, path, query, headers, body, head)
        try:
            self._send(self.server.answer(request, self))
        except ConnectionAbortedError:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            socket.close(self.connection.detach())
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_CONNECT = exchange  # noqa: N815 (http.server's names)

    def handle_expect_100(self) -> bool:
        """Say "continue" at once: the client waits for it before it sends the body."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def is_gone(self) -> bool:
        """Whether the client has closed the connection."""
        self.connection.settimeout(0.01)
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return False

    def send_response(self, code: int, message: str | None = None) -> None:
        """Begin an answer with the headers that every answer has."""
        super().send_response(code, message)
        for name, value in {HEADER: "1", **self.server.vendor.common_headers()}.items():
            self.send_header(name, value)

    def spelled(self, response: Response) -> bytes:
        """The bytes of a response."""
        whole = io.BytesIO()
        out, self.wfile = self.wfile, whole
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, _header_safe(value))
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile = out
        return whole.getvalue() + (b"" if self.command == "HEAD" else response.body)

    def _send(self, answer: Iterable[Response | bytes]) -> None:
        for piece in answer:
            self.wfile.write(self.spelled(piece) if isinstance(piece, Response) else piece)
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Log the method and path, without the query: it may hold a key."""
        log.debug("%s %s %s", self.server.vendor.name, self.command, self.path.partition("?")[0])


class Server(ThreadingHTTPServer):
    """One vendor on one port of this machine, a thread for each connection."""

    daemon_threads = True  # a hanging answer must not keep the program from ending
    request_queue_size = 128

    def __init__(
        self, vendor: Vendor, port: int = 0, faults: FaultQueue | None = None, host: str = "127.0.0.1"
    ) -> None:
        """Bind the port; nothing is answered before `start`.

        Args:
            vendor: who answers.
            port: 0: any free one.
            faults: what goes wrong.
            host: an address of this machine.
        """
        self.vendor = vendor
        self.faults = faults or FaultQueue()
        self.resource: Sequence[Server] = ()
        self.stopping = threading.Event()
        self._counts = Counts()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        super().__init__((host, port), Connection)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.02,), name=f"emulated-{vendor.name}", daemon=True
        )

    @property
    def endpoint(self) -> str:
        """Its address, such as "http://127.0.0.1:8001"."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def complete(self) -> int:
        """How many requests arrived whole, without those to the control endpoint."""
        counts = self.counts()
        return counts.calls + counts.polls

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

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def counts(self) -> Counts:
        """A copy of the counters."""
        with self._lock:
            return replace(self._counts)

    def answer(self, request: Request, connection: Connection) -> Iterable[Response | bytes]:
        """The answer of the control endpoint, the vendor, or the fault whose turn it is, in pieces.

        Raises:
            ConnectionAbortedError: the connection is to be reset.
        """
        if request.path == CONTROL_PATH or request.path.startswith(f"{CONTROL_PATH}/"):
            return [self._about(request.path.removeprefix(CONTROL_PATH).strip("/"))]
        owner = next((it for it in self.resource if request.path.startswith(it.vendor.prefix)), self)
        return owner._answered(request, connection)

    def _about(self, what: str) -> Response:
        """What this server is, or what it counted; 404 where it emulates nobody."""
        vendor = self.vendor
        about: Mapping[str, Any] = {"emulator": MARK, "vendor": vendor.name, "engine": vendor.engine}
        found = {"": about, "calls": asdict(self.counts())}.get(what) if self.vendor.name else None
        return Response.of_json(404 if found is None else 200, found)

    def _answered(self, request: Request, connection: Connection) -> Iterator[Response | bytes]:
        with self._lock:
            if self.vendor.is_poll(request):
                self._counts.polls += 1
            else:
                self._counts.calls += 1
        fault = self.faults.next()
        if fault is None:
            yield self._read(request)
            return
        connection.close_connection |= fault.kind in BREAKS
        met = Meeting(fault, request, self.vendor, self.stopping, connection.is_gone, connection.spelled)
        yield from pieces(met, lambda: self._read(request))

    def _read(self, request: Request) -> Response:
        """The vendor's answer; from here on the vendor has done the work, and bills it."""
        try:
            response = self.vendor.answer(request)
        except Exception as error:  # an engine's failure reaches the client as the vendor's
            log.error("%s: the engine failed: %s", self.vendor.name, _one_line(error))
            return self.vendor.failure("503" if isinstance(error, Unavailable | TimedOut) else "500")
        with self._lock:
            self._counts.billed += response.billed
        return response

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, and remember it for `stop`."""
        connection, address = super().get_request()
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Send a FIN, read what the client still sends, close, and forget the connection.

        Closing with unread data would reset the connection, and the client could lose the answer
        (RFC 9112, 9.6).
        """
        try:
            request.shutdown(socket.SHUT_WR)
            request.settimeout(LINGER_S)
            until = time.monotonic() + LINGER_S
            while time.monotonic() < until and request.recv(PIECE):
                pass
        except OSError:
            pass  # the client has gone
        with self._lock:
            self._connections.discard(request)
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of a programming error, but not of a client that went away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def read_body(stream: io.BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    """The body that follows the headers, any chunking undone.

    Args:
        stream: the connection, right after the headers.
        headers: their names in lower case.

    Raises:
        TooLarge: it was larger than `MAX_BODY_BYTES`; the connection can go on.
        ValueError: its length or a chunk's is not a number, or it ended too early; the connection cannot.
    """
    body = io.BytesIO()
    if "chunked" in headers.get("transfer-encoding", "").lower():
        size = 0
        while length := _length(stream.readline(PIECE).split(b";")[0].decode("latin-1"), 16):
            size += _take(stream, length, body)
            stream.readline(PIECE)  # the line end after a chunk
        while stream.readline(PIECE).strip():
            pass  # trailers
    else:
        size = _take(stream, _length(headers.get("content-length", "0"), 10), body)
    if size > MAX_BODY_BYTES:
        raise TooLarge
    return body.getvalue()


def _take(stream: io.BufferedIOBase, length: int, body: io.BytesIO) -> int:
    left = length
    while left > 0:
        piece = stream.read(min(left, PIECE))
        if not piece:
            raise ValueError("the body ended too early")
        left -= len(piece)
        if body.tell() <= MAX_BODY_BYTES:
            body.write(piece)
    return length


def _length(text: str, base: int) -> int:
    length = int(text.strip(), base)
    if length < 0:
        raise ValueError("a length below zero")
    return length


def _header_safe(value: str) -> str:
    """Without characters that cannot stand in a header: a client's own words may be in it (its Host)."""
    return "".join(char for char in value if char.isprintable() and ord(char) < 256)


def _one_line(error: Exception) -> str:
    """The class and place of an error, without its text: a foreign error may quote the picture."""
    name = type(error).__name__
    if isinstance(error, DigitrecError):
        return f"{name}: {error}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{name} at {place.filename}:{place.lineno}, in {place.name}"
