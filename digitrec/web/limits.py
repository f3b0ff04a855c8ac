"""Admission control: keys, rate limits, places, body sizes and timeouts."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digitrec.web import clients, problems
from digitrec.web.clients import Client
from digitrec.web.monitoring import Metrics
from digitrec.web.problems import Problem, ProblemError
from digitrec.web.scheduling import ConcurrencyLimit
from digitrec.web.settings import Settings

TOO_SLOW = Problem(
    408, "too-slow", "the request did not arrive in time; send it without pauses", {"Connection": "close"}
)


class Buffers:
    """The bodies of all requests, with a limit for each, for each client and for all together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held_for: Counter[Client] = Counter()

    @property
    def held(self) -> int:
        """Bytes in memory now."""
        return self._held_for.total()

    @asynccontextmanager
    async def body(self, client: Client, receive: Receive, deadline: float) -> AsyncIterator[Receive]:
        """Receive a whole request, count it until the end of the ``with``, and yield it as an ASGI receive.

        Args:
            client: the sender.
            receive: the ASGI receive function of a request that was not read yet.
            deadline: the event loop's time by which the request must be complete.

        Raises:
            ProblemError: the request is too large, too slow, or more than may be held.
            ClientDisconnect: the client left.
        """
        size, pieces = 0, []
        try:
            async for piece in self._pieces(receive, deadline):
                size += len(piece)
                self._held_for[client] += len(piece)
                pieces.append(piece)
                self._check(client, size)
            messages: list[Message] = [{"type": "http.request", "body": b"".join(pieces), "more_body": False}]
            pieces.clear()

            async def received() -> Message:
                return messages.pop() if messages else await receive()

            yield received
        finally:
            self._held_for[client] -= size
            self._held_for += Counter()  # drops clients without bodies in memory

    async def _pieces(self, receive: Receive, deadline: float) -> AsyncIterator[bytes]:
        """Yield the body's parts; enforce the longest pause and the minimum speed."""
        loop, size, more = asyncio.get_running_loop(), 0, True
        start = loop.time()
        while more:
            due = min(loop.time(), start + size / self._settings.upload_bytes_per_s)
            try:
                async with asyncio.timeout_at(min(deadline, due + self._settings.upload_grace_s)):
                    message = await receive()
            except TimeoutError as error:
                raise ProblemError(TOO_SLOW) from error
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            piece = message.get("body", b"")
            size += len(piece)
            yield piece

    def _check(self, client: Client, size: int) -> None:
        settings = self._settings
        if size > settings.max_body_bytes:
            raise ProblemError(problems.too_large(settings.max_body_bytes))
        if self.held > settings.max_buffered_bytes or self._held_for[client] > settings.max_client_bytes:
            raise ProblemError(problems.busy("too many uploads at once; try again in a moment"))


INFERENCE_PATHS = {"/predict", "/v1/read", "/compare", "/explain", "/thumbnail", "/label"}
"""Paths that cost work or money."""
GUARDED_PATHS = {*INFERENCE_PATHS, "/metrics"}
"""Paths that need a key if keys are set; without keys /metrics answers few addresses only."""
MAX_CLIENTS = 10_000
"""Number of clients whose rate is remembered; the one idle for longest is forgotten first."""
CROSS_SITE = Problem(403, "cross-site", "pages of other sites may not send requests; use this page")
NOT_FROM_HERE = Problem(
    403, "not-from-here", "without API keys only the server's machine may see this; set DIGITREC_API_KEYS"
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
        """Take a token, or only check for one.

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
        """Pass a request on, or answer with the reason for rejecting it."""
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
            raise ProblemError(problems.busy("the server is at capacity; try again in a moment"))

    async def _answer(self, client: Client, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the whole request, then work on it; only the work takes a place."""
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
