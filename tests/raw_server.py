"""A server that sends scripted bytes, HTTP or not, and keeps the requests."""

from collections.abc import Iterator
from contextlib import contextmanager

from digitrec.emulator.server import Connection, Server
from digitrec.emulator.vendors.base import Request, Stranger
from digitrec.engine.detect import CONTROL_PATH


class RawServer(Server):
    """A server that answers each request with the next script, then repeats the last, and disconnects."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__(Stranger(), host=host)
        self.say: list[bytes] = [b""]
        self.arrived: list[bytes] = []
        self.wait_s = 0.0
        """Seconds before each answer."""

    @property
    def url(self) -> str:
        return self.endpoint

    def answer(self, request: Request, connection: Connection) -> Iterator[bytes]:
        connection.close_connection = True
        if request.path == CONTROL_PATH:
            yield answer(404)
            return
        with self._lock:
            turn = len(self.arrived)
            self.arrived.append(request.head + request.body)
        self.stopping.wait(self.wait_s)
        yield self.say[min(turn, len(self.say) - 1)]


@contextmanager
def raw_server(host: str = "127.0.0.1") -> Iterator[RawServer]:
    """Run a server during the block."""
    with RawServer(host) as server:
        yield server


def answer(status: int, body: bytes = b"", *headers: tuple[str, str]) -> bytes:
    """Build a whole HTTP response with these headers."""
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + body
