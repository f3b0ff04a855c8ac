"""Who is asking, and whether they may."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from digitrec.web.settings import Settings

Headers = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, as far as a server can tell."""

    address: str
    """Where from; see `address`."""
    key: int | None = None
    """Which of the server's keys was given, counted from 0; None: none of them."""

    @property
    def account(self) -> str:
        """Whose money is spent: the key's wherever it is used, else the address's."""
        return self.address if self.key is None else f"key {self.key}"


def identify(peer: str, headers: Headers, settings: Settings) -> Client:
    """Who sends a request with these headers from that address."""
    return Client(address(peer, headers, settings.proxies), key(headers, settings))


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


def key(headers: Headers, settings: Settings) -> int | None:
    """Which valid key came as ``X-API-Key`` or ``Authorization: Bearer``; compared in steady time."""
    given = headers.get(b"x-api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
    matches = [hmac.compare_digest(given, key.encode()) for key in settings.api_keys]
    return matches.index(True) if any(matches) else None


def is_cross_site(headers: Headers) -> bool:
    """Whether a browser says that another site's page is asking; it must not spend our money."""
    origin = headers.get(b"origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc != headers.get(b"host", b"")
