"""One connection of a client: its requests, the vendor's answers, and the faults in between."""

from __future__ import annotations

import io
import logging
import socket
import struct
import traceback
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from digitrec.emulator import control, http
from digitrec.emulator.faults import DOCUMENTS, REFUSALS, Fault
from digitrec.emulator.mutations import mutated
from digitrec.emulator.vendors.base import Request, Response
from digitrec.engine.detect import CONTROL_PATH
from digitrec.errors import DigitrecError, TimedOut, Unavailable

if TYPE_CHECKING:
    from digitrec.emulator.server import VendorServer

log = logging.getLogger("digitrec.emulator")

HEADER = "X-Digitrec-Emulator"
"""The header that marks every answer."""
IDLE_S = 60
"""A connection on which nothing comes for so long is closed."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for 0 s; closing then sends a reset instead of a goodbye."""
HANG_POLL_S = 0.05
"""How often a request that hangs looks whether its client is still there."""
TLS_HANDSHAKE = b"\x16"
"""The first byte of TLS (RFC 8446, 5.1: the content type "handshake")."""


class Connection(BaseHTTPRequestHandler):
    """One connection."""

    server: VendorServer
    protocol_version = "HTTP/1.1"
    server_version = "digitrec-emulator"
    sys_version = ""
    timeout = IDLE_S
    wbufsize = -1  # a whole answer in one packet
    disable_nagle_algorithm = True
    raw_requestline: bytes
    command = path = ""  # until a request line is read: an error before that is logged too

    def handle(self) -> None:
        """Answer requests until one side has enough; say so to a client that speaks TLS."""
        if self.rfile.peek(1)[:1] == TLS_HANDSHAKE:  # type: ignore[attr-defined]  # a BufferedReader
            self.server.warn_once(
                "tls", http.advice("TLS (https)", self.server.vendor.name, self.server.endpoint)
            )
            self.wfile.write(
                b"HTTP/1.0 400 Bad Request\r\n\r\nThis is plain HTTP; write http://, not https://.\n"
            )
        else:
            super().handle()

    def parse_request(self) -> bool:
        """Read the request's head; refuse HTTP/2, which gRPC speaks, in its own form."""
        if self.raw_requestline.rstrip() != http.HTTP2_PREFACE:
            return super().parse_request()
        line = http.advice("HTTP/2", self.server.vendor.name, self.server.endpoint)
        self.server.warn_once("http/2", line)
        self.close_connection = True
        http.refuse_http2(self.rfile, self.wfile, line)
        return False

    def exchange(self) -> None:
        """Read one request and answer it."""
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = http.read_body(self.rfile, headers)
        except http.TooLarge:
            self._send(self.server.vendor.failure("413"))
            return
        except ValueError:
            self._send(self.server.vendor.failure("400"), last=True)
            return
        request = Request(self.command, path, query, headers, body)
        if path == CONTROL_PATH or path.startswith(f"{CONTROL_PATH}/"):
            own = self.server
            self._send(control.answer(request, own.vendor, own.faults, asdict(own.counts())))
        else:
            self._answer(request)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = exchange  # noqa: N815 (http.server's names)

    def handle_expect_100(self) -> bool:
        """Say "continue" at once: the client waits for it before it sends the body."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _answer(self, request: Request) -> None:
        """The vendor's answer, or the fault whose turn it is."""
        server = self.server.route(request.path)
        if server.vendor.is_poll(request):
            server.count(polls=1)
        else:
            server.count(calls=1)
        fault = server.faults.next()
        kind = "" if fault is None else fault.kind
        response = _read(server, request) if fault is None else _faulty(server, fault, request)
        if kind == "hang":
            self._hang()
        elif kind == "reset":
            self._reset()
        elif fault is not None and kind == "drip":
            self._drip(response, fault.pause)
        else:
            self._send(response, cut=kind == "cut-off")

    def _send(self, response: Response, *, cut: bool = False, last: bool = False) -> None:
        """Send a response; ``cut`` stops in its middle, ``last`` closes the connection after it."""
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, _header_safe(value))
        self.send_header("Content-Length", str(len(response.body)))
        if last:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: len(response.body) // 2] if cut else response.body)
        self.close_connection = self.close_connection or cut or last

    def send_response(self, code: int, message: str | None = None) -> None:
        """The status line and the headers that every answer has."""
        super().send_response(code, message)
        for name, value in {HEADER: "1", **self.server.vendor.common_headers()}.items():
            self.send_header(name, value)

    def _drip(self, response: Response, pause_s: float) -> None:
        """Send a response byte by byte, from its status line on."""
        whole, out = io.BytesIO(), self.wfile
        self.wfile = whole
        self._send(response)
        self.wfile = out
        for byte in whole.getvalue():
            out.write(bytes([byte]))
            out.flush()
            if self.server.stopping.wait(pause_s):
                return

    def _hang(self) -> None:
        """Say nothing until the client goes away or the emulator stops."""
        self.close_connection = True
        self.connection.settimeout(HANG_POLL_S)
        while not self.server.stopping.is_set():
            try:
                if not self.connection.recv(1, socket.MSG_PEEK):
                    return
                self.server.stopping.wait(HANG_POLL_S)  # it has sent its next request: wait with it
            except TimeoutError:
                continue

    def _reset(self) -> None:
        """Drop the connection so that the client sees it reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        socket.close(self.connection.detach())
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say what was asked and answered, without the query: it may hold a key."""
        log.debug("%s %s %s", self.server.vendor.name, self.command, self.path.partition("?")[0])


def _header_safe(value: str) -> str:
    """Without what cannot stand in a header: a client's own words may be in it (its Host)."""
    return "".join(char for char in value if char.isprintable() and ord(char) < 256)


def _faulty(server: VendorServer, fault: Fault, request: Request) -> Response:
    """The answer of a request that met a fault, before it is lost on its way."""
    vendor, kind = server.vendor, fault.kind
    if kind == "limit":
        return vendor.throttled(fault.after or 1)
    if kind == "html":
        return Response.of_html(200, "Sign in to the network")
    if kind == "redirect":
        return Response(fault.status, headers={"Location": fault.to})
    if kind == "endless-poll" and vendor.is_poll(request):
        return vendor.unfinished(request)
    if kind in REFUSALS:
        answer = vendor.failure(kind)
        return answer if fault.after is None else answer.with_headers(Retry_After=str(fault.after))
    if kind == "slow":
        server.stopping.wait(fault.pause)
    done = _read(server, request)  # from here on the vendor has done the work, whatever becomes of its answer
    if kind == "empty":
        return Response(200)
    if kind == "no-field":
        return vendor.without_field(request)
    return mutated(done, fault, request) if kind in DOCUMENTS else done


def _read(server: VendorServer, request: Request) -> Response:
    try:
        response = server.vendor.answer(request)
    except Exception as error:  # whatever happened to the engine: to a client, it happened to the vendor
        log.error("%s: the engine failed: %s", server.vendor.name, _one_line(error))
        return server.vendor.failure("503" if isinstance(error, Unavailable | TimedOut) else "500")
    server.count(billed=response.billed)
    return response


def _one_line(error: Exception) -> str:
    """What went wrong, without anything of the picture: a foreign error's own words may hold some."""
    name = type(error).__name__
    if isinstance(error, DigitrecError):
        return f"{name}: {error}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{name} at {place.filename}:{place.lineno}, in {place.name}"
