"""The HTTP server: the application in uvicorn, with limits on connections and strict parsing of requests."""

import asyncio
import gc
import math
import os
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from digitrec import __version__
from digitrec.errors import CannotListen
from digitrec.recognise import Reader
from digitrec.web import answers, problems, routes
from digitrec.web.inference import State, give_large_blocks_back
from digitrec.web.limits import AdmissionControl, RequestMiddleware
from digitrec.web.settings import Settings

STATIC = Path(__file__).parent / "static"
SWAGGER = Path(str(files("fastapi_offline") / "static"))
"""Swagger's script and style sheet."""
IDLE_S = 15
"""Maximum seconds that a connection may stay open without a complete request head."""
SENDING_S = 60
"""Maximum seconds that a client may take to receive an answer, after `Settings.seconds` for making it."""
MAX_HEAD_BYTES = 16_384
"""Maximum size of a request head."""
MAX_CONNECTIONS = 450
"""Above this number each new connection closes an old one; systems often allow a process 1,024 files, and a
connection needs two while it sends a file."""
MAX_RECEIVED_BYTES = 100_000_000
"""Maximum size of a rejected body that is still received: some clients read no answer before its end."""
CHUNK_BYTES, SPARE_BYTES = 200, 200_000
"""Minimum mean size of chunks, and how far a body's may fall short of it: h11 parses a chunk in 7 us."""

Address = tuple[str, int] | None
"""Host and port at the other end of a connection."""


def create_app(engines: Sequence[Reader], settings: Settings = Settings()) -> FastAPI:
    """Return the server for these engines; the first is the default. The server closes them at its end."""
    state = State(engines, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        for service in state.services.values():
            await service.warm_up()
        yield
        state.close()

    app = FastAPI(
        title="digitrec", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        redirect_slashes=False, servers=[{"url": "."}],  # a proxy may put a prefix before all addresses
        description="Reads handwritten digits and numbers from any picture and says how sure it is.",
    )  # fmt: skip
    problems.install(app)
    routes.add(app, state)
    pages = {"/": "index.html", "/docs": "docs.html"}
    if settings.answers is not None:
        answers.add(app, settings.answers, settings.owner_key)
        pages["/review"] = "review.html"
    static = StaticFiles(directory=STATIC)
    for path, name in pages.items():
        app.add_route(path, partial(_page, static, name))
    app.mount("/static", static)
    app.mount("/docs", StaticFiles(directory=SWAGGER))
    paths = {route.path for route in app.routes if isinstance(route, Route)}
    app.add_middleware(AdmissionControl, state=state)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.origins, allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
            expose_headers=["Retry-After", "X-Request-ID"],
        )  # fmt: skip
    app.add_middleware(RequestMiddleware, state=state, paths=paths)
    return app


async def _page(static: StaticFiles, name: str, request: Request) -> Response:
    return await static.get_response(name, request.scope)


class Connection:
    """One open connection."""

    deadline: asyncio.TimerHandle | None = None

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.requests = 0
        self.await_head()

    def await_head(self) -> None:
        """Start the deadline for a request head."""
        self.since = asyncio.get_running_loop().time()
        self._in(IDLE_S, self._close)

    def await_receipt(self, seconds: float) -> None:
        """Start the deadline for receiving an answer that is made in so many seconds."""
        self._in(seconds + SENDING_S, self.transport.abort)

    def _close(self) -> None:
        """Close when the last answer is received."""
        self.transport.close()
        self.await_receipt(0)

    def _in(self, seconds: float, end: Callable[[], None]) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
        self.deadline = asyncio.get_running_loop().call_later(seconds, end)


class Connections:
    """ASGI middleware that closes overdue connections, and the longest idle if there are too many."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        """Limit the connections of an application that makes an answer in so many seconds."""
        self._app, self._seconds = app, seconds
        self._open: dict[Address, Connection] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; its connection ends if the client does not receive the answer."""
        one = self._open.get(scope.get("client"))
        if one is None:
            await self._app(scope, receive, send)
            return
        one.await_receipt(self._seconds)
        one.requests += 1  # 2 at once: a pipeline's next request begins before this one has returned
        try:
            await self._app(scope, receive, send)
        finally:
            one.requests -= 1
            if not one.requests and scope["client"] in self._open:
                one.await_head()

    def opened(self, client: Address, transport: asyncio.Transport) -> None:
        """Count a new connection; if there are too many, close the longest idle of the busiest address."""
        self._open[client] = Connection(transport)
        if len(self._open) > MAX_CONNECTIONS:
            per_host = Counter(client and client[0] for client in self._open)

            def activity(client: Address) -> tuple[int, int, float]:
                one = self._open[client]
                return -per_host[client and client[0]], one.requests, one.since

            idle = min(self._open, key=activity)
            self._open[idle].transport.abort()
            self.closed(idle)

    def closed(self, client: Address) -> None:
        """Forget a connection."""
        if (one := self._open.pop(client, None)) is not None and one.deadline is not None:
            one.deadline.cancel()


class StrictConnection(h11.Connection):
    """Rejects a head that a proxy in front may parse differently, and a huge body or one in tiny chunks.

    h11 accepts a bare line feed, a folded line, a list of equal lengths, and a length together with a
    transfer coding.
    """

    def next_event(self) -> Any:
        """Parse the next event; a target in absolute form replaces the Host header (RFC 9112, 3.2.2).

        Raises:
            h11.RemoteProtocolError: two parsers may disagree on where the head or its body ends, or the
                body exceeds a limit.
        """
        if self.their_state is h11.IDLE:
            self._left, self._spare = MAX_RECEIVED_BYTES, SPARE_BYTES
            head, _, _ = self.trailing_data[0].lower().partition(b"\r\n\r\n")
            lengths = re.findall(rb"\r\n(?:content-length|transfer-encoding)[ \t]*:([^\r\n]*)", head)
            if re.search(rb"(?<!\r)\n|\n[ \t]", head) or len(lengths) > 1 or b"," in b"".join(lengths):
                raise h11.RemoteProtocolError("ambiguous")
        event: Any = super().next_event()
        if isinstance(event, h11.Data):
            size = len(event.data)
            self._left -= size
            self._spare = min(self._spare + size - CHUNK_BYTES * event.chunk_start, SPARE_BYTES)
            if min(self._left, self._spare) < 0:
                raise h11.RemoteProtocolError("too much")
        target = event.target if isinstance(event, h11.Request) else b""
        if (found := re.fullmatch(rb"(?i:https?)://([^/?]+)/?(.*)", target)) is None:
            return event
        headers = [(b"host", found[1]), *(header for header in event.headers if header[0] != b"host")]
        return h11.Request(method=event.method, headers=headers, target=b"/" + found[2])


def server(engines: Sequence[Reader], settings: Settings) -> uvicorn.Server:
    """Return the server, not started, for any port of this machine or for sockets passed to its `run`."""
    connections = Connections(create_app(engines, settings), settings.seconds)

    class Protocol(H11Protocol):
        """uvicorn's protocol, with our connections and our parser."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.conn = StrictConnection(h11.SERVER, MAX_HEAD_BYTES)
            connections.opened(self.client, transport)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self.client)
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            """Reject malformed bytes in place of the application's answer, or end an answer under way."""
            if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
                self.transport.close()
                return
            if self.cycle:
                self.cycle.disconnected = True
            super().send_400_response(msg)

    config = uvicorn.Config(
        connections, port=0, http=Protocol, ws="none", lifespan="on",
        log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_keep_alive=IDLE_S, timeout_graceful_shutdown=math.ceil(settings.seconds) + 1,
    )  # fmt: skip
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address of this machine; port 0 lets the system choose one.

    Raises:
        CannotListen: the port is taken, the address is not local, or permission is denied.
    """
    try:
        passive = socket.AI_PASSIVE  # an empty host means every address
        family, *_, where = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=passive)[0]
        both = where[0] == "::" and socket.has_dualstack_ipv6()  # IPv4, too
        made = socket.create_server(where[:2], family=family, dualstack_ipv6=both)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0  # negative if the name is unknown
        why = (os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)).lower()
        raise CannotListen(
            f"cannot listen on {place(host, port)} ({why}); choose another --port or --host"
        ) from error
    # asyncio sends at once only if the socket's protocol is TCP; otherwise the second part of an answer
    # waits 40 ms for the receiver's delayed acknowledgement.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=made.detach())


def place(host: str, port: int) -> str:
    """Return host and port as written in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def run(engines: Sequence[Reader], settings: Settings, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; answer accepted requests before the end.

    Args:
        listening: from `listen`; it is closed at the end.
    """
    ready = server(engines, settings)
    give_large_blocks_back()
    gc.freeze()  # collecting all imported objects delays every request by about 30 ms
    ready.run(sockets=[listening])
