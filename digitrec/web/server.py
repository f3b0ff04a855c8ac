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
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from digitrec.errors import CannotListen
from digitrec.recognise.readers import Reader
from digitrec.web import clients, limits, memory, problems
from digitrec.web.app import create_app
from digitrec.web.buffering import Buffers
from digitrec.web.clients import Client
from digitrec.web.limits import INFERENCE_PATHS
from digitrec.web.problems import Problem
from digitrec.web.scheduling import ConcurrencyLimit
from digitrec.web.settings import Settings

IDLE_S = 15
"""Seconds that a connection may go without a complete request head."""
MAX_HEAD_BYTES = 16_384
"""A longer request head is refused."""
MAX_CONNECTIONS = 900
"""Above this number each new connection closes an old one; systems commonly allow a process 1,024 files."""

LENGTH = re.compile(rb"\r\n(?i:content-length):[ \t]*(\d{1,9})[ \t]*(?=\r\n|$)")


class GuardedProtocol(H11Protocol):
    """HTTP/1.1 that neither slow or malformed request heads nor too many requests can hold up."""

    def __init__(
        self, inside: ConcurrencyLimit, buffers: Buffers, settings: Settings, **of_uvicorn: Any
    ) -> None:
        super().__init__(**of_uvicorn)
        self._inside = inside
        self._buffers = buffers
        self._settings = settings
        roots = {"", settings.root_path}
        self._questions = tuple(f"POST {root}{path}".encode() for root in roots for path in INFERENCE_PATHS)
        self._leaving = False
        self._heard = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock with the connection, not only after its first answer."""
        super().connection_made(transport)
        self._start_clock()
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

    def _start_clock(self) -> None:
        """Give the client time for the next request head."""
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(IDLE_S, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        """Take what arrives; the clock runs on until a head is complete, where uvicorn would stop it.

        While the server is full a new question is turned away unread: telling a hundred clients to come
        back must cost less than answering one, or those inside would never be answered.
        """
        if self._leaving:
            return
        self._heard = self.loop.time()
        at_work = len(self.tasks) - self._buffers.arriving  # a request counts from its first line on
        if (
            at_work >= self._inside.limit
            and self.conn.our_state is h11.IDLE
            and data.startswith(self._questions)
            and not self._inside.is_below_share(self._sender(data))
        ):
            self._turn_away(data)
            return
        self.conn.receive_data(data)
        self.handle_events()

    def _sender(self, data: bytes) -> Client:
        """Who sends a request that begins so."""
        head, _, _ = data.partition(b"\r\n\r\n")
        fields = (line.partition(b":") for line in head.split(b"\r\n")[1:])
        headers = clients.headers_of((name.strip().lower(), value.strip()) for name, _, value in fields)
        return clients.identify(self._peer, headers, self._settings)

    def _turn_away(self, data: bytes) -> None:
        """Say that the server is full; a client that is still sending loses its connection."""
        self._inside.turned_away += 1
        self._start_clock()
        if _is_whole(data):
            self.transport.write(FULL)
            return
        self._leaving = True
        self.transport.write(FULL_AND_CLOSING)
        self.transport.write_eof()

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


def _is_whole(data: bytes) -> bool:
    """Whether this is one request from its first byte to its last, so that the next may follow."""
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = LENGTH.findall(head)
    return len(lengths) == 1 and int(lengths[0]) == len(body) and b"transfer-encoding" not in head.lower()


def _raw(problem: Problem, *, closing: bool) -> bytes:
    """A problem as the bytes of a whole response."""
    response = problem.response()
    headers = response.raw_headers + ([(b"connection", b"close")] if closing else [])
    head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    status = f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}\r\n".encode()
    return status + head + b"\r\n" + bytes(response.body)


FULL = _raw(problems.busy(limits.FULL), closing=False)
FULL_AND_CLOSING = _raw(problems.busy(limits.FULL), closing=True)
NOT_HTTP = _raw(Problem(400, "bad-http", "this is not HTTP/1.1, or its head is too long"), closing=True)


def server(
    engines: Sequence[Reader], settings: Settings, *, host: str = "127.0.0.1", port: int = 0
) -> uvicorn.Server:
    """The server, not running yet, for a place of its own (port 0: any) or for sockets that it is given."""
    app = create_app(engines, settings)
    protocol = cast(
        "type[asyncio.Protocol]", partial(GuardedProtocol, app.state.inside, app.state.buffers, settings)
    )
    config = uvicorn.Config(
        app, host=host, port=port, http=protocol, ws="none", lifespan="on",
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
