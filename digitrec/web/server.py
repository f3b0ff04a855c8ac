"""The HTTP server: uvicorn, with clocks and limits of our own on what comes before a request."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from digitrec.engine import Engine
from digitrec.web import logs
from digitrec.web.app import create_app
from digitrec.web.problems import MEDIA_TYPE, Problem
from digitrec.web.settings import Settings

IDLE_S = 15
"""Seconds that a connection may go without a complete request head."""
MAX_HEAD_BYTES = 16_384
"""A longer request head is refused."""
MAX_CONNECTIONS = 512
"""Connections above this number are closed as they come."""


class GuardedProtocol(H11Protocol):
    """HTTP/1.1 that slow or malformed request heads cannot hold up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock with the connection, not only after its first answer."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
            return
        self.timeout_keep_alive_task = self.loop.call_later(IDLE_S, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        """Let the clock run on until a head is complete; uvicorn would stop it at the first byte."""
        self.conn.receive_data(data)
        self.handle_events()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or a head too long, with a problem body."""
        body = bytes(
            Problem(400, "bad-http", "this is not HTTP/1.1, or its head is too long").response().body
        )
        headers = [("content-type", MEDIA_TYPE), ("content-length", str(len(body))), ("connection", "close")]
        events = (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage())
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def server(engines: Sequence[Engine], settings: Settings, *, host: str, port: int) -> uvicorn.Server:
    """The server, not running yet; port 0 lets the system choose one."""
    config = uvicorn.Config(
        create_app(engines, settings), host=host, port=port, http=GuardedProtocol, ws="none", lifespan="on",
        log_config=None, access_log=False, server_header=False, proxy_headers=False,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES, timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=math.ceil(settings.seconds) + 1,
    )  # fmt: skip
    return uvicorn.Server(config)


def run(engines: Sequence[Engine], settings: Settings, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; what was accepted by then is answered before the end."""
    logs.configure()
    server(engines, settings, host=host, port=port).run()
