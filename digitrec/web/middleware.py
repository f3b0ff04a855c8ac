"""What goes around every answer: protective headers, a request number, one log line, the figures."""

from __future__ import annotations

import time
import uuid
from collections.abc import Container

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digitrec.web import problems
from digitrec.web.logs import log
from digitrec.web.metrics import Metrics

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
NO_RESPONSE = 499
"""Stands in the log and the figures where the client left before it was answered."""


class RequestMiddleware:
    """ASGI middleware around everything else; nothing that goes wrong inside gets past it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Container[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number, start, status = uuid.uuid4().hex, time.perf_counter(), NO_RESPONSE
        headers = _headers(scope["path"], number)

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send_wrapped)
        except ClientDisconnect:
            pass
        except Exception:  # a bug: the operator gets the traceback, the client only the number
            log.exception("bug", extra={"fields": {"request": number}})
            if status == NO_RESPONSE:
                await problems.INTERNAL.response()(scope, receive, send_wrapped)
        finally:
            self._metrics.in_flight.dec()
            self._record(scope, number, status, time.perf_counter() - start)

    def _record(self, scope: Scope, number: str, status: int, seconds: float) -> None:
        path = scope["path"]
        label = path if path in self._paths else "other"
        self._metrics.requests.labels(label, str(status)).inc()
        self._metrics.seconds.labels(label).observe(seconds)
        fields = {
            "request": number, "method": scope["method"], "path": path[:200], "status": status,
            "ms": round(1000 * seconds, 1), "client": scope["client"][0] if scope["client"] else None,
        }  # fmt: skip
        log.info("request", extra={"fields": fields})


def _headers(path: str, number: str) -> list[tuple[bytes, bytes]]:
    is_file = path.startswith("/static/") or path.startswith("/docs/")
    policy = DOCS_POLICY if path == "/docs" else PAGE_POLICY
    all_headers = {
        **HEADERS,
        "content-security-policy": policy,
        "cache-control": "no-cache" if is_file or path == "/" else "no-store",
        "x-request-id": number,
    }
    return [(name.encode(), value.encode()) for name, value in all_headers.items()]
