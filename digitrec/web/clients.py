"""Who is asking, whether they may, and how often."""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from digitrec.web.settings import Settings

MAX_CLIENTS = 10_000
"""Clients whose rate is remembered; beyond it the one not heard of for longest is forgotten."""

Headers = Mapping[bytes, bytes]


def client(peer: str, headers: Headers, proxies: int) -> str:
    """The address to count requests by: the peer's, or what the outermost trusted proxy saw.

    What stands further left in X-Forwarded-For was written by the client and is not believed. An IPv6
    client has a whole /64 to itself, so that is what counts.
    """
    if proxies:
        hops = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        peer = hops[-proxies].strip() if len(hops) >= proxies and hops[-proxies].strip() else peer
    try:
        address = ip_address(peer)
    except ValueError:
        return peer[:64]
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return str(address)


def has_key(headers: Headers, settings: Settings) -> bool:
    """Whether a valid key came as ``X-API-Key`` or ``Authorization: Bearer``; compared in steady time."""
    given = headers.get(b"x-api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
    matches = [hmac.compare_digest(given, key.encode()) for key in settings.api_keys]
    return any(matches)


def is_cross_site(headers: Headers) -> bool:
    """Whether a browser says that another site's page is asking; it must not spend our money."""
    origin = headers.get(b"origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc != headers.get(b"host", b"")


class RateLimiter:
    """A bucket for each client that fills at a steady rate; a request takes one token from it."""

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
