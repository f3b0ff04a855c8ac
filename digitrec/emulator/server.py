"""The emulator's HTTP server: a port, its connections, the faults and the counters."""

from __future__ import annotations

import html
import io
import logging
import socket
import struct
import sys
import threading
import traceback
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any
from urllib.parse import parse_qsl

from digitrec.emulator.faults import BREAKS, REFUSALS, UNUSABLE, Fault, turns
from digitrec.emulator.vendors.base import POLLS, Refused, Request, Response, Vendor
from digitrec.engine.detect import CONTROL_PATH, MARK
from digitrec.errors import DigitrecError, TimedOut, Unavailable

log = logging.getLogger("digitrec.emulator")

HEADER = "X-Digitrec-Emulator"
"""The header that marks every answer."""
IDLE_S = 60
"""Seconds after which a silent connection is closed."""
LINGER_S = 1.0
"""Seconds that a client has to close a connection after the server closed it."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for 0 s: closing then sends a reset instead of a FIN."""
TLS_HANDSHAKE = b"\x16"
"""The first byte of TLS (RFC 8446, 5.1: the content type "handshake")."""

MAX_BODY_BYTES = 64_000_000
"""Maximum size of a body; every vendor's own limit is lower."""

Pieces = Iterable[Response | bytes]
"""An answer, in responses and bytes."""


@dataclass(slots=True)
class Counts:
    """The requests to a vendor's emulator so far."""

    calls: int = 0
    """Number of requests without polls, including faulty ones."""
    polls: int = 0
    """Number of polls."""
    billed: int = 0
    """Units that the vendor would bill: images that it read; for Google images times features.

    An image counts once it is read, whether or not the answer arrives; a rejected image does not count."""


class Connection(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "digitrec-emulator"
    sys_version = ""
    timeout = IDLE_S
    disable_nagle_algorithm = True
    raw_requestline: bytes
    command = path = ""  # an error before the request line is read is also logged

    def handle(self) -> None:
        """Answer requests until one side closes; reject TLS, as a TLS client waits for a handshake."""
        if self.rfile.peek(1)[:1] == TLS_HANDSHAKE:  # type: ignore[attr-defined]  # a BufferedReader
            log.warning("%s: a client spoke TLS; write %s", self.server.vendor.name, self.server.endpoint)
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\nThis is plain HTTP; write http://.\n")
        else:
            super().handle()

    def exchange(self) -> None:
        """Read one request and answer it."""
        path, _, query = self.path.partition("?")
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        fields = [f"{name}: {value}" for name, value in self.headers.items()]
        head = self.raw_requestline + "\r\n".join([*fields, "", ""]).encode("latin-1", "replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = read_body(self.rfile, headers)
        except ValueError:
            self.close_connection = True
            self._send([self.server.vendor.failure("400")])
            return
        request = Request(self.command, path, parameters, headers, body, head)
        if self.server.stopping.is_set():
            self.close_connection = True
            return
        try:
            self._send(self.server.answer(request, self))
        except ConnectionAbortedError:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            socket.close(self.connection.detach())
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_CONNECT = exchange  # noqa: N815 (http.server's names)

    def is_gone(self) -> bool:
        """Return whether the client has closed the connection."""
        self.connection.settimeout(0.01)
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return False

    def send_response(self, code: int, message: str | None = None) -> None:
        """Begin an answer with the header that all answers have."""
        super().send_response(code, message)
        self.send_header(HEADER, "1")

    def spelled(self, response: Response) -> bytes:
        """Return the bytes of a response."""
        out, self.wfile = self.wfile, (whole := io.BytesIO())
        self.send_response(response.status)
        for name, value in response.headers.items():
            # A header may quote the client's Host header, and some characters are invalid in headers.
            self.send_header(name, "".join(c for c in value if c.isprintable() and ord(c) < 256))
        self.send_header("Content-Length", str(len(response.body)))
        if self.server.vendor.request_id:
            self.send_header(self.server.vendor.request_id, str(uuid.uuid4()))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile = out
        return whole.getvalue() + (b"" if self.command == "HEAD" else response.body)

    def _send(self, answer: Pieces) -> None:
        for piece in answer:
            self.wfile.write(self.spelled(piece) if isinstance(piece, Response) else piece)

    def log_message(self, format: str, *args: object) -> None:
        """Log the method and path, without the query: it may hold a key."""
        log.debug("%s %s %s", self.server.vendor.name, self.command, self.path.partition("?")[0])


class Server(ThreadingHTTPServer):
    """One vendor on one port of this machine, with a thread for each connection."""

    daemon_threads = True  # a hanging answer must not keep the program running
    request_queue_size = 128

    def __init__(
        self, vendor: Vendor, port: int = 0, faults: Iterable[Fault] = (), host: str = "127.0.0.1"
    ) -> None:
        """Bind the port; `start` starts the answers.

        Args:
            vendor: answers the requests.
            port: the port; 0: any free port.
            faults: the faults to apply.
            host: an address of this machine.
        """
        self.vendor = vendor
        self.resource: Sequence[Server] = ()
        """The servers of all services of an Azure resource."""
        self.stopping = threading.Event()
        self._counts = Counts()
        self._lock = threading.Lock()
        self._open: set[Any] = set()
        self.set_faults(faults)
        super().__init__((host, port), Connection)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.02,), name=f"emulated-{vendor.name}", daemon=True
        )

    @property
    def endpoint(self) -> str:
        """The address, such as "http://127.0.0.1:8001"."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def complete(self) -> int:
        """Number of requests that arrived completely, without those to the control endpoint."""
        counts = self.counts()
        return counts.calls + counts.polls

    def start(self) -> None:
        """Start to answer; do nothing if it was started before."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """End hanging requests, answer no more, and free the port."""
        self.stopping.set()
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        for one in (self.socket, *self._open):  # a forked child may hold them open
            with suppress(OSError):
                one.shutdown(socket.SHUT_RD)
        self.server_close()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def counts(self) -> Counts:
        """Return a copy of the counters."""
        with self._lock:
            return replace(self._counts)

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """Replace all faults."""
        with self._lock:
            self._faults = turns(faults)
            self._documents = cycle(UNUSABLE)

    def answer(self, request: Request, connection: Connection) -> Pieces:
        """Return the answer of the control endpoint, the vendor or the current fault, in pieces.

        Raises:
            ConnectionAbortedError: the connection must be reset.
        """
        if request.path == CONTROL_PATH:
            about = {"emulator": MARK, "vendor": self.vendor.name, "engine": self.vendor.engine}
            return [Response.of_json(200, about) if self.vendor.name else Response(404)]
        owner = next((it for it in self.resource if request.path.startswith(it.vendor.prefix)), self)
        return owner._answered(request, connection)

    def _answered(self, request: Request, connection: Connection) -> Pieces:
        with self._lock:
            if self.vendor.is_poll(request):
                self._counts.polls += 1
            else:
                self._counts.calls += 1
            fault = next(self._faults)
        if fault is None:
            return [self.read(request)]
        connection.close_connection |= fault.kind in BREAKS
        return self._faulty(fault, request, connection)

    def read(self, request: Request) -> Response:
        """Return the vendor's answer or error; from here on the vendor has done and billed the work."""
        try:
            response = self.vendor.read(request)
        except Refused as refused:
            return self.vendor.failure(str(refused))
        except Exception as error:  # the client gets an engine's failure in the vendor's form
            log.error("%s: the engine failed: %s", self.vendor.name, _one_line(error))
            return self.vendor.failure("503" if isinstance(error, Unavailable | TimedOut) else "500")
        with self._lock:
            self._counts.billed += response.billed
        return response

    def _faulty(self, fault: Fault, request: Request, connection: Connection) -> Pieces:
        """Carry out a fault; the vendor reads the picture unless `_instead` has an answer."""
        if fault.kind == "slow":
            self.stopping.wait(fault.seconds)
        answer = self._instead(fault, request) or self.read(request)
        match fault.kind:
            case "hang":
                while not connection.is_gone() and not self.stopping.wait(0.05):
                    yield b""
            case "reset":
                yield b""
                raise ConnectionAbortedError
            case "cut-off":
                whole = connection.spelled(answer)
                yield whole[: len(whole) - (len(answer.body or whole) + 1) // 2]
            case "drip":
                for byte in connection.spelled(answer):
                    yield bytes([byte])
                    if self.stopping.wait(fault.seconds):
                        return
            case "unusable":
                yield Response(200, next(self._documents), {"Content-Type": "application/json"})
            case _:
                yield answer

    def _instead(self, fault: Fault, request: Request) -> Response | None:
        """Return the answer of a fault that keeps a request from the vendor; None for other faults."""
        if fault.kind in REFUSALS:
            answer = self.vendor.failure(fault.kind)
            wait = {} if fault.after is None else {"Retry-After": str(fault.after)}
            return replace(answer, headers={**answer.headers, **wait})
        if fault.kind in POLLS and self.vendor.is_poll(request):
            return self.vendor.polled_as(fault.kind)
        if fault.kind == "redirect":
            return Response(fault.status, headers={"Location": fault.to})
        if fault.kind == "html":  # the page of a captive portal, which shows the request's headers
            page = Response.of_html(200, "Sign in to the network")
            shown = html.escape(request.head.decode("latin-1"))
            return replace(page, body=page.body + f"<pre>{shown}</pre>".encode())
        return None

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Send a FIN, read the rest of what the client sends, and close.

        Closing with unread data would reset the connection, and the client could lose the answer
        (RFC 9112, 9.6).
        """
        with suppress(OSError):  # the client has left
            request.shutdown(socket.SHUT_WR)
            request.settimeout(LINGER_S)
            while request.recv(1 << 16):
                pass
        self._open.discard(request)
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of a programming error, but not of a client that left."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def read_body(stream: io.BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    """Read the body that follows the headers, and undo any chunking.

    Args:
        stream: the connection, right after the headers.
        headers: the headers, with names in lower case.

    Raises:
        ValueError: the length of the body or of a chunk is not a number, or the body ended too early.
    """
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        return _exactly(stream, int(headers.get("content-length", "0")), MAX_BODY_BYTES)
    body = b""
    while length := int(stream.readline(1 << 10).partition(b";")[0], 16):
        body += _exactly(stream, length, MAX_BODY_BYTES - len(body))
        stream.readline(1 << 10)  # the line end after a chunk
    while stream.readline(1 << 16).strip():
        pass  # trailers
    return body


def _exactly(stream: io.BufferedIOBase, length: int, most: int) -> bytes:
    if not 0 <= length <= most:
        raise ValueError(f"{length} bytes; at most {most} are accepted")
    data = stream.read(length)
    if len(data) < length:
        raise ValueError("the body ended too early")
    return data


def _one_line(error: Exception) -> str:
    """Return the class and place of an error, without its text, which may quote the picture."""
    if isinstance(error, DigitrecError):
        return f"{type(error).__name__}: {error}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {place.filename}:{place.lineno}, in {place.name}"
