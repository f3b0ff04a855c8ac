"""A service that sends us elsewhere gets no key carried there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from digitrec.errors import BadAnswer

from .common import Opened, Prepared


class Elsewhere(BaseHTTPRequestHandler):
    """Sends the first request to another path of its own, and counts what comes there."""

    arrived: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/elsewhere":
            self.arrived.append(self.path)
        self.send_response(307)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    arrived: list[str] = []
    handler = type("Handler", (Elsewhere,), {"arrived": arrived})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", arrived
        server.shutdown()


@pytest.mark.parametrize("cloud", ["aws", "azure", "azure-analysis"])
def test_a_redirect_is_not_followed(
    cloud: str,
    elsewhere: tuple[str, list[str]],
    opened: Opened,
    prepared: Prepared,
) -> None:
    url, arrived = elsewhere
    provider = opened(cloud, endpoint=url)
    with pytest.raises(BadAnswer, match="307"):
        provider.read(prepared(provider), timeout=5)
    assert arrived == []
