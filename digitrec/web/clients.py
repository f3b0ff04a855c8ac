"""Who is asking, and whether they may."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from digitrec.web.settings import Settings

Headers = Mapping[bytes, bytes]


def address(peer: str, headers: Headers, proxies: int) -> str:
    """The address to count requests by: the peer's, or what the outermost trusted proxy saw.

    What stands further left in X-Forwarded-For was written by the client and is not believed. An IPv6
    client has a whole /64 to itself, so that is what counts.
    """
    if proxies:
        hops = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        peer = hops[-proxies].strip() if len(hops) >= proxies and hops[-proxies].strip() else peer
    try:
        parsed = ip_address(peer)
    except ValueError:
        return peer[:64]
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


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
