"""Admission control: who may ask, how often, how many at once, how much they send, how long it may take."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digitrec.web import clients, problems
from digitrec.web.problems import Problem, ProblemError
from digitrec.web.settings import Settings

INFERENCE_PATHS = {"/predict", "/compare"}
"""What costs work or money, and so is limited."""
GUARDED_PATHS = {*INFERENCE_PATHS, "/metrics"}
"""What needs a key, where there are keys."""
MAX_CLIENTS = 10_000
"""Clients whose rate is remembered; beyond it the one not heard of for longest is forgotten."""
FULL = "all places are taken; try again in a moment"


class RateLimiter:
    """A token bucket for each client, which fills at a steady rate; a request takes one token from it."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Take a token; 0, or the seconds until there will be one."""
        now = self._clock()
        tokens, then = self._buckets.pop(client, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._rate


class ConcurrencyLimit:
    """How many requests may be at work at one moment, and how many are."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_use = 0
        self.turned_away = 0
        """How many were told to come back without being read."""

    @property
    def full(self) -> bool:
        """Whether the next one is turned away."""
        return self.in_use >= self.limit


class AdmissionControl:
    """ASGI middleware that turns requests away before any of their body is held."""

    def __init__(self, app: ASGIApp, settings: Settings, inside: ConcurrencyLimit) -> None:
        self._app = app
        self._settings = settings
        self._limiter = RateLimiter(settings.rate, settings.burst)
        self._inside = inside
        self._buffered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or answer it with what stands against it."""
        if scope["type"] != "http" or scope["path"] not in GUARDED_PATHS:
            await self._app(scope, receive, send)
            return
        objection = self._objection(scope)
        if objection is not None:
            await objection.response()(scope, receive, send)
            return
        body = _CountedBody(receive, self._count)
        self._inside.in_use += 1
        try:
            async with asyncio.timeout(self._settings.seconds):
                await self._app(scope, body.receive, send)
        except TimeoutError:
            await self._too_late(body).response()(scope, receive, send)
        finally:
            self._inside.in_use -= 1
            self._buffered -= body.size

    def _objection(self, scope: Scope) -> Problem | None:
        headers = dict(scope["headers"])
        settings = self._settings
        if clients.is_cross_site(headers):
            return Problem(
                403, "cross-site", "another site's page may not ask; ask from this one or a program"
            )
        if settings.api_keys and not clients.has_key(headers, settings):
            challenge = {"WWW-Authenticate": "Bearer"}
            return Problem(401, "no-key", "send a valid key as X-API-Key or Authorization: Bearer", challenge)
        if scope["path"] not in INFERENCE_PATHS or scope["method"] != "POST":
            return None
        peer = scope["client"][0] if scope["client"] else ""
        wait = self._limiter.wait(clients.address(peer, headers, settings.proxies))
        if wait:
            retry = {"Retry-After": str(math.ceil(wait))}
            return Problem(
                429, "too-fast", f"more than {settings.rate:g} requests a second; slow down", retry
            )
        if self._inside.full:
            return problems.busy(FULL)
        if _declared(headers) > settings.max_body_bytes:
            return self._too_large()
        return None

    def _count(self, size: int, total: int) -> None:
        """Account for bytes that arrived; refuse when there are too many.

        Raises:
            ProblemError: too many in this request, or in all requests together.
        """
        self._buffered += size
        if total > self._settings.max_body_bytes:
            raise ProblemError(self._too_large())
        if self._buffered > self._settings.max_buffered_bytes:
            raise ProblemError(problems.busy("too much is being sent at once; try again in a moment"))

    def _too_large(self) -> Problem:
        limit = self._settings.max_body_bytes / 1_000_000
        return Problem(413, "too-large", f"the request is larger than {limit:g} MB; scale the picture down")

    def _too_late(self, body: _CountedBody) -> Problem:
        seconds = f"{self._settings.seconds:g} s"
        if body.complete:
            return Problem(504, "too-late", f"no answer within {seconds}; try again or ask another engine")
        return Problem(
            408, "too-slow", f"the request did not arrive within {seconds}", {"Connection": "close"}
        )


class _CountedBody:
    """One request's body, counted while it arrives."""

    def __init__(self, receive: Receive, count: Callable[[int, int], None]) -> None:
        self._receive = receive
        self._count = count
        self.size = 0
        self.complete = False

    async def receive(self) -> Message:
        """The next piece."""
        message = await self._receive()
        if message["type"] == "http.request":
            arrived = len(message.get("body", b""))
            self.size += arrived
            self.complete = not message.get("more_body", False)
            self._count(arrived, self.size)
        return message


def _declared(headers: clients.Headers) -> int:
    """The length that the client announced, in bytes; 0 where it announced none."""
    length = headers.get(b"content-length", b"")
    return int(length[:20]) if length.isdigit() else 0
