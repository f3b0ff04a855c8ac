"""The HTTP server: uvicorn, with clocks and limits of our own on what comes before a request."""

from __future__ import annotations

import asyncio
import gc
import math
import os
import re
import socket
from collections import Counter
from collections.abc import Sequence
from typing import cast

import h11
import uvicorn
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from digitrec.errors import CannotListen
from digitrec.recognise.readers import Reader
from digitrec.web import memory
from digitrec.web.app import create_app
from digitrec.web.problems import Problem
from digitrec.web.settings import Settings

IDLE_S = 15
"""Seconds that a connection may go without a complete request head."""
MAX_HEAD_BYTES = 16_384
"""A longer request head is refused."""
MAX_CONNECTIONS = 900
"""Above this number each new connection closes an old one; systems commonly allow a process 1,024 files."""


class GuardedProtocol(H11Protocol):
    """HTTP/1.1 with a deadline for each request head, a bound on connections, and strict framing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline with the connection; uvicorn starts it after the first answer."""
        super().connection_made(transport)
        self._heard = self.loop.time()
        self._clock = self.loop.call_later(IDLE_S, self.timeout_keep_alive_handler)
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def _make_room(self) -> None:
        """Close the connection that has been idle for longest, of the client that has the most."""
        mine = cast("set[GuardedProtocol]", self.connections)
        per_client = Counter(one._peer for one in mine)
        victim = min(mine, key=lambda one: (-per_client[one._peer], one._at_work, one._heard))
        mine.discard(victim)
        victim.transport.abort()

    @property
    def _peer(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def _at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        """Take what arrives; the deadline ends with a whole head, where uvicorn ends it with any byte."""
        self._heard = self.loop.time()
        super().data_received(data)
        if self._at_work:
            self._clock.cancel()

    def on_response_complete(self) -> None:
        """Start the deadline for the next head."""
        self._clock.cancel()
        self._clock = self.loop.call_later(IDLE_S, self.timeout_keep_alive_handler)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the deadline."""
        self._clock.cancel()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Refuse a head that a proxy in front may read in another way; else go on."""
        if self.conn.their_state is h11.IDLE and _is_ambiguous(self.conn.trailing_data[0]):
            self.send_400_response("ambiguous")
            return
        super().handle_events()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or a head too long, with a problem body."""
        self.transport.write(NOT_HTTP)
        self.transport.close()


def _is_ambiguous(data: bytes) -> bool:
    """Return whether a request begins so that two parsers may disagree where its head or its body ends.

    h11 accepts a line feed alone, a list of equal lengths, and a length beside a transfer coding.
    """
    head, _, _ = data.partition(b"\r\n\r\n")
    names = re.findall(rb"\r\n(content-length|transfer-encoding)[ \t]*:", head.lower())
    listed = re.search(rb"\r\ncontent-length[ \t]*:[^\r\n]*,", head.lower())
    return re.search(rb"(?<!\r)\n", head) is not None or len(names) > 1 or listed is not None


def _raw(response: Response) -> bytes:
    """Return a response as bytes, for a request that h11 cannot read."""
    head = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + bytes(response.body)


NOT_HTTP = _raw(
    Problem(
        400, "bad-http", "this is not plain HTTP/1.1, or its head is too long", {"Connection": "close"}
    ).response()
)


def server(
    engines: Sequence[Reader], settings: Settings, *, host: str = "127.0.0.1", port: int = 0
) -> uvicorn.Server:
    """The server, not running yet, for a place of its own (port 0: any) or for sockets that it is given."""
    app = create_app(engines, settings)
    config = uvicorn.Config(
        app, host=host, port=port, http=GuardedProtocol, ws="none", lifespan="on",
        log_config=None, access_log=False, server_header=False, proxy_headers=False,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES, timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=math.ceil(settings.seconds) + 1,
    )  # fmt: skip
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at an address of this machine; port 0 lets the system choose one.

    Raises:
        CannotListen: somebody listens there already, it is none of this machine's, or it needs rights.
    """
    try:
        passive = socket.AI_PASSIVE  # no host is every address
        family, *_, where = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=passive)[0]
        made = socket.create_server(where[:2], family=family)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0  # below nought where the name is unknown
        why = (os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)).lower()
        raise CannotListen(
            f"cannot listen on {place(host, port)} ({why}); choose another --port or --host"
        ) from error
    # asyncio sends at once only where the socket says that it is TCP's; else an answer's second part waits
    # for the receiver's delayed acknowledgement, 40 ms.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=made.detach())


def place(host: str, port: int) -> str:
    """Host and port as they stand in an address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def run(engines: Sequence[Reader], settings: Settings, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; what was accepted by then is answered before the end.

    Args:
        listening: as `listen` gives it; it is closed at the end.
    """
    ready = server(engines, settings)
    memory.give_large_blocks_back()
    gc.freeze()  # walking through all that was imported holds every request up for some 30 ms
    ready.run(sockets=[listening])
