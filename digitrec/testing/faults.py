"""A server on this machine that answers as no vendor should, and counts what reached it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from digitrec.engine.detect import CONTROL_PATH

RETRY_AFTER_S = 1
"""What the fault "429" asks for."""
DRIP_S = 0.05
"""Seconds between two bytes of an answer that drips; it never ends."""
UNUSABLE = (b"[]", b"null", b'"x"', b"7", b'{"surprise": [null, {"text": 7}]}', b'{"half": ', b"\xff\xfe\x00")
"""Documents that are no vendor's, sent one after the other with status 200."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request that arrived whole."""

    head: bytes
    """Its first line and its headers."""
    body: bytes
    """What came with it."""


class FaultyServer:
    """One fault at an address of this machine, for as long as a ``with`` lasts; every request meets it.

    with FaultyServer("503") as server:
        ...  # ask a provider at server.endpoint
        assert server.complete == 1
    """

    def __init__(self, fault: str, *, elsewhere: str = "") -> None:
        """Bind a port.

        Args:
            fault: one of `FAULTS`, or "refused": nobody listens.
            elsewhere: where "redirect" and "redirect-303" point to, an address of another origin.
        """
        self._fault = fault
        self._elsewhere = elsewhere
        self._lock = threading.Lock()
        self.arrived: list[Arrived] = []
        """Every request that arrived whole, the emulator's control endpoint apart."""
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))  # and nobody else gets the port, also where nobody listens
        self.endpoint = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._closed = threading.Event()

    @property
    def complete(self) -> int:
        """How many requests arrived whole: so many a vendor may have worked on, and charged."""
        with self._lock:
            return len(self.arrived)

    def __enter__(self) -> Self:
        if self._fault != "refused":
            self._socket.listen(50)
            threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        with self._lock:
            doomed = [self._socket, *self._open]
        for one in doomed:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            request = _received(connection)
            if request is None:
                return
            if request.head.split(b" ")[1:2] == [CONTROL_PATH.encode()]:  # the engine asks who is there
                connection.sendall(_answer(404, b"no such place"))
                return
            with self._lock:
                self.arrived.append(request)
                number = len(self.arrived)
            for part in FAULTS[self._fault](Meeting(request, number, self._elsewhere)):
                connection.sendall(part)
                if self._closed.is_set():
                    return


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a fault knows of the request that meets it."""

    request: Arrived
    """The request."""
    number: int
    """Which it is, from 1."""
    elsewhere: str
    """Where a redirect points to."""


def _received(connection: socket.socket) -> Arrived | None:
    """One whole request; None where the other side closed before its end."""
    with connection.makefile("rb") as reader:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = reader.readline(65536)
            if not line:
                return None
            head += line
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
        }
        if fields.get(b"expect", b"").lower() == b"100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            body = b""
            while size := int(reader.readline().split(b";")[0] or b"0", 16):
                body += reader.read(size)
                reader.readline()
            return Arrived(head, body)
        length = int(fields.get(b"content-length", b"0"))
        body = reader.read(length)
        return Arrived(head, body) if len(body) == length else None


def _answer(status: int, body: bytes, kind: str = "text/plain", **headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Said",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _drip(meeting: Meeting) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
    while True:
        time.sleep(DRIP_S)
        yield b" "


def _page(meeting: Meeting) -> Iterator[bytes]:
    """A page of something in between, which shows what it was sent."""
    yield _answer(200, b"<html><pre>" + meeting.request.head + b"</pre></html>", "text/html")


def _too_fast(meeting: Meeting) -> Iterator[bytes]:
    yield _answer(429, b"Too Many Requests", Retry_After=str(RETRY_AFTER_S))


def _busy(meeting: Meeting) -> Iterator[bytes]:
    yield _answer(503, b"Service Unavailable")


def _redirect(meeting: Meeting) -> Iterator[bytes]:
    yield _answer(307, b"", Location=f"{meeting.elsewhere}/taken")


def _see_other(meeting: Meeting) -> Iterator[bytes]:
    yield _answer(303, b"", Location=f"{meeting.elsewhere}/taken")


def _unusable(meeting: Meeting) -> Iterator[bytes]:
    yield _answer(200, UNUSABLE[(meeting.number - 1) % len(UNUSABLE)], "application/json")


def _cut_off(meeting: Meeting) -> Iterator[bytes]:
    yield _answer(200, b'{"half": "' + b" " * 1000, "application/json")[:-500]


def _hung_up(meeting: Meeting) -> Iterator[bytes]:
    yield b""


FAULTS: Mapping[str, Callable[[Meeting], Iterator[bytes]]] = {
    "drip": _drip,
    "page": _page,
    "429": _too_fast,
    "503": _busy,
    "redirect": _redirect,
    "redirect-303": _see_other,
    "unusable": _unusable,
    "cut-off": _cut_off,
    "hung-up": _hung_up,
}
"""Every fault that a whole request may meet, and what is sent."""
