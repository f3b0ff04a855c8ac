"""Admission control: who may ask, how often, how many at once, and how long an answer may take."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from digitrec.web import clients, problems
from digitrec.web.buffering import Buffers, too_large
from digitrec.web.clients import Client, Headers
from digitrec.web.metrics import Metrics
from digitrec.web.problems import Problem, ProblemError
from digitrec.web.scheduling import ConcurrencyLimit
from digitrec.web.settings import Settings

INFERENCE_PATHS = {"/predict", "/compare", "/explain", "/thumbnail", "/label"}
"""What costs work or money, and so is limited."""
GUARDED_PATHS = {*INFERENCE_PATHS, "/metrics"}
"""What needs a key, where there are keys; without keys /metrics answers few addresses."""
MAX_CLIENTS = 10_000
"""Clients whose rate is remembered; beyond it the one not heard of for longest is forgotten."""


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
        tokens = self._tokens(client, now)
        self._buckets.pop(client, None)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._rate

    def due(self, client: str) -> float:
        """Seconds until there is a token; none is taken."""
        return max(0.0, (1 - self._tokens(client, self._clock())) / self._rate)

    def _tokens(self, client: str, now: float) -> float:
        tokens, then = self._buckets.get(client, (float(self._burst), now))
        return min(self._burst, tokens + (now - then) * self._rate)


class Guessing:
    """Slows down whoever sends wrong keys; then it is not told which are right either.

    To be asked on the event loop alone.
    """

    def __init__(self, settings: Settings) -> None:
        self._wrong = RateLimiter(settings.wrong_keys_per_s, settings.wrong_keys)

    def check(self, address: str, *, right: bool) -> None:
        """A key came from an address; a wrong one uses up what the address may send of them.

        Raises:
            ProblemError: it has sent too many.
        """
        wait = self._wrong.due(address)
        if wait:
            raise ProblemError(_too_fast("too many wrong keys from your address; wait", wait))
        if not right:
            self._wrong.wait(address)


class AdmissionControl:
    """ASGI middleware that turns requests away before any work is done for them."""

    def __init__(
        self, app: ASGIApp, settings: Settings, inside: ConcurrencyLimit, buffers: Buffers, metrics: Metrics
    ) -> None:
        self._app = app
        self._settings = settings
        self._limiter = RateLimiter(settings.rate, settings.burst)
        self._guessing = Guessing(settings)
        self._metrics = metrics
        self._inside = inside
        self._buffers = buffers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or answer it with what stands against it."""
        if scope["type"] != "http" or scope["path"] not in GUARDED_PATHS:
            await self._app(scope, receive, send)
            return
        headers, peer = clients.headers_of(scope["headers"]), scope["client"][0] if scope["client"] else ""
        client = clients.identify(peer, headers, self._settings)
        try:
            self._check_access(scope["path"], peer, client, headers)
            if scope["path"] in INFERENCE_PATHS and scope["method"] == "POST":
                self._check_limits(client, headers)
                await self._answer(client, scope, receive, send)
                return
        except ProblemError as error:
            await error.problem.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check_access(self, path: str, peer: str, client: Client, headers: Headers) -> None:
        if clients.is_cross_site(headers, self._settings.origins):
            raise ProblemError(CROSS_SITE)
        if not self._settings.api_keys:
            if path == "/metrics" and not clients.may_see_metrics(peer, headers, self._settings):
                raise ProblemError(NOT_FROM_HERE)
            return
        if clients.key_given(headers):
            self._guessing.check(client.address, right=client.key is not None)
        if client.key is None:
            raise ProblemError(NO_KEY)

    def _check_limits(self, client: Client, headers: Headers) -> None:
        wait = self._limiter.wait(client.address)
        if wait:
            detail = f"more than {self._settings.rate:g} requests a second; slow down"
            raise ProblemError(_too_fast(detail, wait))
        self._check_room(client)
        if _declared(headers) > self._settings.max_body_bytes:
            raise ProblemError(too_large(self._settings))

    def _check_room(self, client: Client) -> None:
        if not self._inside.admits(client):
            self._metrics.turned_away.inc()
            raise ProblemError(problems.busy("all places are taken; try again in a moment"))

    async def _answer(self, client: Client, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the whole request, which takes no place, then work on it, which does."""
        deadline = asyncio.get_running_loop().time() + self._settings.seconds
        async with self._buffers.body(client, receive, deadline) as whole:
            self._check_room(client)
            scope.setdefault("state", {})["client"] = client
            try:
                with self._inside.hold(client):
                    async with asyncio.timeout_at(deadline):
                        await self._app(scope, whole, send)
            except TimeoutError as error:
                detail = f"no answer within {self._settings.seconds:g} s; try again or ask another engine"
                raise ProblemError(Problem(504, "too-late", detail)) from error


CROSS_SITE = Problem(403, "cross-site", "another site's page may not ask; ask from this one or a program")
NOT_FROM_HERE = Problem(
    403, "not-from-here", "only this server's own machine may see this; its operator can allow others"
)
NO_KEY = Problem(
    401, "no-key", "send a valid key as X-API-Key or Authorization: Bearer", {"WWW-Authenticate": "Bearer"}
)


def _too_fast(detail: str, wait: float) -> Problem:
    """What a client is told that has to wait for so many seconds."""
    return Problem(429, "too-fast", detail, {"Retry-After": str(math.ceil(wait))})


def _declared(headers: Headers) -> int:
    """The length that the client announced, in bytes; 0 where it announced none."""
    length = headers.get(b"content-length", b"")
    return int(length[:20]) if length.isdigit() else 0
