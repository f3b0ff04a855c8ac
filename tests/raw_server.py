"""A server that says exactly what it is told to, byte by byte, HTTP or not, and keeps what arrives."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class RawServer:
    """Answers each request with the next of its scripts, the last one from then on, and hangs up."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.say: list[bytes] = [b""]
        self.arrived: list[bytes] = []
        self.drip_s = 0.0
        """Seconds between any two bytes of a body."""
        self.hasty = False
        """Whether it speaks before it has heard the whole request."""
        self._socket = socket.create_server((host, 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        arrived = self.arrived  # of this question, though a later one should begin with an empty list
        with connection, suppress(OSError):
            connection.settimeout(5)
            request = connection.recv(65_536) if self.hasty else _request(connection)
            if not request:
                return
            if request.startswith(b"GET /_emulator "):  # whether it is digitrec's emulator
                connection.sendall(answer(404))
                return
            turn = len(arrived)
            arrived.append(request)
            said = self.say[min(turn, len(self.say) - 1)]
            body = said.find(b"\r\n\r\n") + 4 if self.drip_s else len(said)
            connection.sendall(said[:body])
            for at in range(body, len(said)):
                time.sleep(self.drip_s)
                connection.sendall(said[at : at + 1])
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):  # or a reset could overtake the answer
                pass

    def close(self) -> None:
        self._socket.close()


def _request(connection: socket.socket) -> bytes:
    """The whole request, body included."""
    request = b""
    while b"\r\n\r\n" not in request:
        if not (data := connection.recv(65_536)):
            return request
        request += data
    head, _, body = request.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    length = int(fields.get(b"content-length", 0))
    while len(body) < length or (b"transfer-encoding" in fields and not body.endswith(b"0\r\n\r\n")):
        if not (data := connection.recv(65_536)):
            break
        body += data
    return head + b"\r\n\r\n" + body


@contextmanager
def raw_server(host: str = "127.0.0.1") -> Iterator[RawServer]:
    """One that runs as long as the block."""
    server = RawServer(host)
    try:
        yield server
    finally:
        server.close()


def answer(status: int, body: bytes = b"", *headers: tuple[str, str], reason: str = "Said") -> bytes:
    """A whole answer that is HTTP, with headers as they are given."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + body
