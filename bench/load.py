"""Send requests to a server on this machine, as fast as a number of connections allows."""

from __future__ import annotations

import asyncio
import io
import math
import time
from collections import Counter
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

HOST = "127.0.0.1"
PATIENCE_S = 30.0
"""An answer that takes longer, in seconds, counts as missing."""


@dataclass(slots=True)
class Load:
    """The results of a load test."""

    seconds: float = 0.0
    """How long it lasted."""
    latencies: dict[int, list[float]] = field(default_factory=dict)
    """Seconds from request to complete answer, by HTTP status; 0: no answer."""

    def add(self, status: int, seconds: float) -> None:
        """Count one request."""
        self.latencies.setdefault(status, []).append(seconds)

    @property
    def statuses(self) -> Counter[int]:
        """Number of answers by status."""
        return Counter({status: len(times) for status, times in self.latencies.items()})

    @property
    def per_second(self) -> float:
        """Number of requests per second that were answered with 200."""
        return len(self.latencies.get(200, ())) / self.seconds

    def percentile(self, share: float, status: int = 200) -> float:
        """Return this quantile of the latencies of answers with a status, s; NaN without such answers."""
        times = sorted(self.latencies.get(status, [math.nan]))
        return times[min(len(times) - 1, int(share * len(times)))]


def seven(side: int, mode: str) -> bytes:
    """Return a 7 in black on white, as a PNG."""
    picture = Image.new("L", (side, side), 255)
    line = [(0.3 * side, 0.2 * side), (0.7 * side, 0.2 * side), (0.45 * side, 0.85 * side)]
    ImageDraw.Draw(picture).line(line, fill=0, width=side // 14)
    data = io.BytesIO()
    picture.convert(mode).save(data, "PNG")
    return data.getvalue()


def multipart(picture: bytes, copies: int = 1) -> bytes:
    """Return a whole request with the picture ``copies`` times in the form field `file`."""
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="7.png"\r\n\r\n'
    body = (part + picture + b"\r\n") * copies + b"--b--\r\n"
    head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """A client that connects again whenever the server has closed its connection."""

    def __init__(self, port: int, address: str = HOST) -> None:
        """Create a client of the server on a port, from one of this machine's addresses (127.0.0.2, ...)."""
        self._port = port
        self._address = (address, 0)
        self._wire: _Wire | None = None

    async def connect(self) -> _Wire:
        """Return the connection; open it if necessary."""
        if self._wire is None or self._wire.over:
            loop = asyncio.get_running_loop()
            _, self._wire = await loop.create_connection(_Wire, HOST, self._port, local_addr=self._address)
        return self._wire

    async def ask(self, request: bytes) -> int:
        """Send a request and read its whole answer; return the status, 0 without an answer."""
        try:
            return await (await self.connect()).ask(request)
        except OSError:
            return 0

    def close(self) -> None:
        """Leave."""
        if self._wire is not None:
            self._wire.close()


class _Wire(asyncio.Protocol):
    """A connection; asyncio's protocol takes less processor time from the servers than its streams."""

    over = False
    """Whether no further request can be sent."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._answer: asyncio.Future[int] | None = None

    async def ask(self, request: bytes) -> int:
        loop = asyncio.get_running_loop()
        self._received = b""
        self._answer = loop.create_future()
        patience = loop.call_later(PATIENCE_S, self.close)
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            patience.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        if not ended:
            return
        head = head.lower()
        if len(body) >= int(head.partition(b"content-length:")[2].split(b"\r\n")[0]):
            self._finish(int(head.split()[1]))
            if b"connection: close" in head or head.startswith(b"http/1.0"):
                self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.over = True
        self._finish(0)

    def close(self) -> None:
        self.over = True
        self._transport.close()

    def _finish(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


async def closed_loop(port: int, request: bytes, *, connections: int, seconds: float) -> Load:
    """Keep every connection busy: send the next request as soon as the answer has arrived."""
    load = Load()
    start = time.perf_counter()

    async def client() -> None:
        connection = Connection(port)
        while (begun := time.perf_counter()) < start + seconds:
            load.add(await connection.ask(request), time.perf_counter() - begun)
        connection.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    load.seconds = time.perf_counter() - start
    return load
