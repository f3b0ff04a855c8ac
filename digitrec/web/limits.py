"""Handle what surrounds every answer: keys, rates, capacity, sizes, timeouts, headers, logs and metrics."""

import asyncio
import hmac
import math
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Container, Hashable
from contextlib import asynccontextmanager
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digitrec.providers.addresses import is_loopback
from digitrec.web.inference import Client, State
from digitrec.web.monitoring import log
from digitrec.web.problems import INTERNAL, Problem, busy, too_large
from digitrec.web.settings import Settings

FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
"""Headers that proxies add to the requests they forward."""
INFERENCE_PATHS = {"/predict", "/v1/read", "/compare", "/explain", "/thumbnail"}
"""Paths whose requests take work or cost money."""
GUARDED_PATHS = {*INFERENCE_PATHS, "/metrics"}
"""Paths that need a key if keys are set; without keys only this machine may read /metrics."""
MAX_CLIENTS = 10_000
"""Number of clients whose rate is remembered; the client idle for longest is forgotten first."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DOCS_POLICY = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""The content security policy of /docs: Swagger UI writes style attributes."""

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
"""Paths that load balancers request by IP address instead of by host name."""
NO_RESPONSE = 499
"""Status in logs and metrics if the client left before the answer."""


def address(scope: Scope, proxies: int) -> str:
    """Return the address that tells clients apart; for IPv6 the /64 network, which one client owns."""
    found = origin(scope, proxies)
    try:
        parsed = IPv6Address(found)
    except ValueError:  # an IPv4 address or a name
        return found
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def origin(scope: Scope, proxies: int) -> str:
    """Return the address that a request comes from, without a port; "" if it is unknown.

    That is the other end of the connection or, behind trusted proxies, the address that the outermost one
    saw. The client itself may have written the addresses further left in X-Forwarded-For, so these are not
    trusted.
    """
    peer = str(scope["client"][0]) if scope["client"] else ""
    if proxies:
        hops = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        peer = (_without_port(hops[-proxies].strip()) if len(hops) >= proxies else "") or peer
    return peer[:64]


def _without_port(host: str) -> str:
    """Return the name or address before an optional port, without brackets around an IPv6 address."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def key(headers: Headers, settings: Settings) -> int | None:
    """Return the index of the request's valid key or None; keys are compared in constant time."""
    given = key_given(headers).encode("latin-1")
    matches = [hmac.compare_digest(given, key.encode()) for key in settings.api_keys]
    return matches.index(True) if any(matches) else None


def key_given(headers: Headers) -> str:
    """Return the key in ``X-API-Key`` or ``Authorization: Bearer``, valid or not; "" if there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")


def is_cross_site(headers: Headers, allowed: Container[str] = ()) -> bool:
    """Return whether a browser sent the request for a page of another site that is not allowed.

    Browsers send this in Sec-Fetch-Site, which no page can set. Older browsers send only Origin, whose host
    is compared with Host; a proxy must forward Host with its port.
    """
    origin = headers.get("origin", "")
    if not origin or "*" in allowed or origin in allowed or headers.get("sec-fetch-site") == "same-origin":
        return False
    try:
        return urlsplit(origin).netloc != headers.get("host", "")
    except ValueError:  # an origin such as http://[
        return True


def may_see_metrics(scope: Scope, proxies: int) -> bool:
    """Return whether the sender may read /metrics without a key; only this machine may.

    A request that a proxy forwarded does not count as this machine's, even if `Settings.proxies` is 0.
    """
    if not proxies and any(name in Headers(scope=scope) for name in FORWARDED):
        return False
    return is_loopback(origin(scope, proxies).removeprefix("::ffff:"))


def is_misdirected(headers: Headers, hosts: Container[str]) -> bool:
    """Return whether a request names a host that is neither in ``hosts`` nor this machine.

    With DNS rebinding, a page points its own host name at our address; browsers then see only one site.
    """
    host = _without_port(headers.get("host", "").strip().lower())
    return not (host == "" or host in hosts or is_loopback(host))


class Buffers:
    """The bodies of all requests, with a limit for each, for each client and for all together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held_for: Counter[Client] = Counter()

    @property
    def held(self) -> int:
        """Number of bytes in memory now."""
        return self._held_for.total()

    @asynccontextmanager
    async def body(self, client: Client, receive: Receive, deadline: float) -> AsyncIterator[Receive]:
        """Receive a whole request, count it during the block, and yield it as an ASGI receive function.

        Args:
            client: the sender.
            receive: the ASGI receive function of a request that has not been read yet.
            deadline: the event loop's time by which the request must be complete.

        Raises:
            Problem: the request is too large or too slow, or too many bytes are already held.
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
                detail = "the request did not arrive in time; send it without pauses"
                raise Problem(408, "too-slow", detail, {"Connection": "close"}) from error
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            piece = message.get("body", b"")
            size += len(piece)
            yield piece

    def _check(self, client: Client, size: int) -> None:
        settings = self._settings
        if size > settings.max_body_bytes:
            raise too_large(settings.max_body_bytes)
        if self.held > settings.max_buffered_bytes or self._held_for[client] > settings.max_client_bytes:
            raise busy("too many uploads at once; try again in a moment")


class RateLimiter:
    """A token bucket for each client, filled at a steady rate."""

    def __init__(self, rate: float, burst: int) -> None:
        """Allow ``rate`` requests per second in the long run, and ``burst`` at once after a pause."""
        self._pause_s = 1 / rate
        self._credit_s = (burst - 1) / rate
        self._next: dict[Hashable, float] = {}

    def check(self, client: Hashable, detail: str, *, take: bool = True) -> None:
        """Take a token, or only check for one.

        Raises:
            Problem: the bucket is empty; ``detail`` tells the client why.
        """
        now = time.monotonic()
        at = max(self._next.pop(client, -math.inf), now - self._credit_s)
        self._next[client] = at + self._pause_s if take and at <= now else at
        if len(self._next) > MAX_CLIENTS:
            del self._next[next(iter(self._next))]
        if at > now:
            raise Problem(429, "too-fast", detail, {"Retry-After": str(math.ceil(at - now))})


class AdmissionControl:
    """ASGI middleware that rejects requests before any work is done for them."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app, self._state = app, state
        self._settings = settings = state.settings
        self._requests = RateLimiter(settings.rate, settings.burst)
        self._wrong_keys = RateLimiter(settings.wrong_keys_per_s, settings.wrong_keys)
        self._buffers = Buffers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, or answer with the reason for its rejection."""
        if scope["type"] != "http" or scope["path"] not in GUARDED_PATHS:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        client = Client(address(scope, self._settings.proxies), key(headers, self._settings))
        try:
            self._check_access(scope, client, headers)
            if scope["path"] in INFERENCE_PATHS and scope["method"] == "POST":
                self._check_limits(client, headers)
                await self._answer(client, scope, receive, send)
            else:
                await self._app(scope, receive, send)
        except Problem as error:
            if error.status == 503:
                self._state.metrics.turned_away.inc()
            await error.response()(scope, receive, send)

    def _check_access(self, scope: Scope, client: Client, headers: Headers) -> None:
        if is_cross_site(headers, self._settings.origins):
            raise Problem(403, "cross-site", "pages of other sites may not send requests; use this page")
        if not self._settings.api_keys:
            if scope["path"] == "/metrics" and not may_see_metrics(scope, self._settings.proxies):
                detail = "without API keys only the server's machine may see this; set DIGITREC_API_KEYS"
                raise Problem(403, "not-from-here", detail)
            return
        if key_given(headers):
            detail = "too many wrong keys from your address; wait"
            self._wrong_keys.check(client.address, detail, take=client.key is None)
        if client.key is None:
            detail = "send a valid key as X-API-Key or Authorization: Bearer"
            raise Problem(401, "no-key", detail, {"WWW-Authenticate": "Bearer"})

    def _check_limits(self, client: Client, headers: Headers) -> None:
        detail = f"more than {self._settings.rate:g} requests a second; slow down"
        self._requests.check(client, detail)
        self._check_room(client)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length[:20]) > self._settings.max_body_bytes:
            raise too_large(self._settings.max_body_bytes)

    def _check_room(self, client: Client) -> None:
        if not self._state.inside.admits(client):
            raise busy("the server is at capacity; try again in a moment")

    async def _answer(self, client: Client, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the whole request, then work on it; only the work takes a place."""
        deadline = asyncio.get_running_loop().time() + self._settings.seconds
        async with self._buffers.body(client, receive, deadline) as whole:
            self._check_room(client)
            scope.setdefault("state", {})["client"] = client
            try:
                with self._state.inside.hold(client):
                    async with asyncio.timeout_at(deadline):
                        await self._app(scope, whole, send)
            except TimeoutError as error:
                detail = f"no answer within {self._settings.seconds:g} s; try again or ask another engine"
                raise Problem(504, "too-late", detail) from error


class RequestMiddleware:
    """ASGI middleware around all others; no exception escapes it."""

    def __init__(self, app: ASGIApp, state: State, paths: Container[str]) -> None:
        self._app = app
        self._metrics, self._settings = state.metrics, state.settings
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number, start, status = uuid.uuid4().hex, time.perf_counter(), NO_RESPONSE
        method = scope["method"]
        scope = {**scope, "path": self._path(scope["path"]), "method": "GET" if method == "HEAD" else method}
        # A server may ignore ranges; Starlette answers an unsatisfiable one with plain text, not a problem.
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (header for header in message["headers"] if header[0] != b"accept-ranges")
                message["headers"] = [*own, *_headers(scope["path"], number)]
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await (self._instead(scope) or self._app)(scope, receive, send_wrapped)
        except ClientDisconnect:
            pass
        except Exception:  # a bug: the operator gets the traceback, the client only its number
            log.exception("bug", extra={"fields": {"request": number}})
            if status == NO_RESPONSE:
                await INTERNAL.response()(scope, receive, send_wrapped)
        finally:
            self._metrics.in_flight.dec()
            self._record({**scope, "method": method}, number, status, time.perf_counter() - start)

    def _path(self, asked: str) -> str:
        """Return the path without trailing slashes."""
        bare = asked.rstrip("/")
        return bare if bare in self._paths and bare not in PAGES else asked

    def _instead(self, scope: Scope) -> ASGIApp | None:
        """Return the answer to a request that must not reach the application; None if it may."""
        hosts, path = self._settings.hosts, scope["path"]
        if not path.isprintable():  # a route also matches before a line break, which no limit would see
            return Problem(404, "not-found", "nothing is at this address").response()
        if path in {f"{page}/" for page in PAGES}:  # links on the page are relative
            return RedirectResponse(f"..{path[:-1]}")
        if hosts and path not in PROBES and is_misdirected(Headers(scope=scope), hosts):
            detail = "this server does not answer to that name; its operator can allow it"
            return Problem(421, "wrong-host", detail).response()
        return None

    def _record(self, scope: Scope, number: str, status: int, seconds: float) -> None:
        path = scope["path"]
        label = path if path in self._paths else "other"
        self._metrics.requests.labels(label, str(status)).inc()
        self._metrics.seconds.labels(label).observe(seconds)
        fields = {
            "request": number, "method": scope["method"], "path": path[:200], "status": status,
            "ms": round(1000 * seconds, 1), "client": origin(scope, self._settings.proxies) or None,
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
