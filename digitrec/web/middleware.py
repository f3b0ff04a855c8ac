"""Around every answer: protective headers, a request number, one log line, and the metrics."""

from __future__ import annotations

import time
import uuid
from collections.abc import Container

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digitrec.web import clients, problems
from digitrec.web.monitoring import Metrics, log
from digitrec.web.problems import Problem
from digitrec.web.settings import Settings

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DOCS_POLICY = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Swagger UI writes style attributes of its own."""

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
PAGES = {"/docs", "/review"}
"""Pages besides `/`."""
PROBES = {"/health", "/ready"}
"""Paths that load balancers ask for by an address."""
WRONG_HOST = Problem(421, "wrong-host", "this server does not answer to that name; its operator can allow it")
NO_RESPONSE = 499
"""Status in the log and the metrics when the client left before it was answered."""


class RequestMiddleware:
    """ASGI middleware around everything else; no exception inside gets past it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Container[str], settings: Settings) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = paths
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number, start, status = uuid.uuid4().hex, time.perf_counter(), NO_RESPONSE
        method = scope["method"]
        scope = {**scope, "path": self._path(scope["path"]), "method": "GET" if method == "HEAD" else method}

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_headers(scope["path"], number)]
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await (self._instead(scope) or self._app)(scope, receive, send_wrapped)
        except ClientDisconnect:
            pass
        except Exception:  # a bug: the operator gets the traceback, the client only the number
            log.exception("bug", extra={"fields": {"request": number}})
            if status == NO_RESPONSE:
                await problems.INTERNAL.response()(scope, receive, send_wrapped)
        finally:
            self._metrics.in_flight.dec()
            self._record({**scope, "method": method}, number, status, time.perf_counter() - start)

    def _path(self, asked: str) -> str:
        """Return the path without final slashes."""
        bare = asked.rstrip("/")
        return bare if bare in self._paths and bare not in PAGES else asked

    def _instead(self, scope: Scope) -> ASGIApp | None:
        """Return the answer to a request that does not get to the application; None if it does."""
        hosts, path = self._settings.hosts, scope["path"]
        if path in {f"{page}/" for page in PAGES}:  # addresses in the page are relative
            return RedirectResponse(f"..{path[:-1]}")
        if hosts and path not in PROBES and clients.is_misdirected(Headers(scope=scope), hosts):
            return WRONG_HOST.response()
        return None

    def _record(self, scope: Scope, number: str, status: int, seconds: float) -> None:
        path = scope["path"]
        client = clients.origin(clients.peer(scope), Headers(scope=scope), self._settings.proxies)
        label = path if path in self._paths else "other"
        self._metrics.requests.labels(label, str(status)).inc()
        self._metrics.seconds.labels(label).observe(seconds)
        fields = {
            "request": number, "method": scope["method"], "path": path[:200], "status": status,
            "ms": round(1000 * seconds, 1), "client": client or None,
        }  # fmt: skip
        log.info("request", extra={"fields": fields})


def _headers(path: str, number: str) -> list[tuple[bytes, bytes]]:
    cached = path == "/" or path.startswith(("/static/", "/docs/"))
    headers = {
        **HEADERS,
        "content-security-policy": DOCS_POLICY if path == "/docs" else PAGE_POLICY,
        "cache-control": "no-cache" if cached else "no-store",
        "x-request-id": number,
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]
