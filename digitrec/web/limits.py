"""Admission control: who may ask, how often, how many at once, and how long an answer may take."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from digitrec.web import clients, problems
from digitrec.web.buffering import Buffers
from digitrec.web.clients import Client
from digitrec.web.metrics import Metrics
from digitrec.web.problems import Problem, ProblemError
from digitrec.web.scheduling import ConcurrencyLimit
from digitrec.web.settings import Settings

INFERENCE_PATHS = {"/predict", "/compare", "/explain", "/thumbnail", "/label"}
"""Paths that cost work or money."""
GUARDED_PATHS = {*INFERENCE_PATHS, "/metrics"}
"""Paths that need a key, where there are keys; without keys /metrics answers few addresses."""
MAX_CLIENTS = 10_000
"""Clients whose rate is remembered; beyond it the one not heard of for longest is forgotten."""
CROSS_SITE = Problem(403, "cross-site", "another site's page may not ask; ask from this one or a program")
NOT_FROM_HERE = Problem(
    403, "not-from-here", "only this server's own machine may see this; its operator can allow others"
)
NO_KEY = Problem(
    401, "no-key", "send a valid key as X-API-Key or Authorization: Bearer", {"WWW-Authenticate": "Bearer"}
)


class RateLimiter:
    """A token bucket for each client, filled at a steady rate."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow ``rate`` requests a second in the long run, and ``burst`` at once after a pause."""
        self._pause_s = 1 / rate
        self._credit_s = (burst - 1) / rate
        self._clock = clock
        self._next: dict[str, float] = {}

    def check(self, client: str, detail: str, *, take: bool = True) -> None:
        """Take a token, or only look whether there is one.

        Raises:
            ProblemError: the bucket is empty; ``detail`` tells the client why.
        """
        now = self._clock()
        at = max(self._next.pop(client, -math.inf), now - self._credit_s)
        self._next[client] = at + self._pause_s if take and at <= now else at
        if len(self._next) > MAX_CLIENTS:
            del self._next[next(iter(self._next))]
        if at > now:
            raise ProblemError(Problem(429, "too-fast", detail, {"Retry-After": str(math.ceil(at - now))}))


class AdmissionControl:
    """ASGI middleware that rejects requests before any work is done for them."""

    def __init__(
        self, app: ASGIApp, settings: Settings, inside: ConcurrencyLimit, buffers: Buffers, metrics: Metrics
    ) -> None:
        self._app = app
        self._settings = settings
        self._requests = RateLimiter(settings.rate, settings.burst)
        self._wrong_keys = RateLimiter(settings.wrong_keys_per_s, settings.wrong_keys)
        self._metrics = metrics
        self._inside = inside
        self._buffers = buffers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer with the reason against it."""
        if scope["type"] != "http" or scope["path"] not in GUARDED_PATHS:
            await self._app(scope, receive, send)
            return
        headers, peer = Headers(scope=scope), clients.peer(scope)
        address = clients.address(peer, headers, self._settings.proxies)
        client = Client(address, clients.key(headers, self._settings))
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
            detail = "too many wrong keys from your address; wait"
            self._wrong_keys.check(client.address, detail, take=client.key is None)
        if client.key is None:
            raise ProblemError(NO_KEY)

    def _check_limits(self, client: Client, headers: Headers) -> None:
        detail = f"more than {self._settings.rate:g} requests a second; slow down"
        self._requests.check(client.address, detail)
        self._check_room(client)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length[:20]) > self._settings.max_body_bytes:
            raise ProblemError(problems.too_large(self._settings.max_body_bytes))

    def _check_room(self, client: Client) -> None:
        if not self._inside.admits(client):
            self._metrics.turned_away.inc()
            raise ProblemError(problems.busy("all places are taken; try again in a moment"))

    async def _answer(self, client: Client, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the whole request, which takes no place, then work on it, which takes one."""
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
