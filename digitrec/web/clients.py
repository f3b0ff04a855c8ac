"""Who is asking, and whether they may."""

from __future__ import annotations

import hmac
from collections.abc import Container
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from digitrec.providers.addresses import is_loopback
from digitrec.web.settings import Settings

FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
"""Headers that proxies add to the requests they pass on."""


@dataclass(frozen=True, slots=True)
class Client:
    """The sender of a request, as the server sees it."""

    address: str
    """Where from; see `address`."""
    key: int | None = None
    """Index of the server's key that was given; None without a valid one."""


def peer(scope: Scope) -> str:
    """Return the address at the other end of the connection."""
    return str(scope["client"][0]) if scope["client"] else ""


def address(peer: str, headers: Headers, proxies: int) -> str:
    """Return the address to count requests by; an IPv6 client owns a /64, so that network is returned."""
    found = origin(peer, headers, proxies)
    try:
        parsed = ip_address(found)
    except ValueError:
        return found
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


def origin(peer: str, headers: Headers, proxies: int) -> str:
    """Return where a request comes from, without a port: the peer, or as the outermost trusted proxy saw it.

    The client itself wrote what stands further left in X-Forwarded-For, so that is not believed.
    """
    if proxies:
        hops = ",".join(headers.getlist("x-forwarded-for")).split(",")
        peer = (_without_port(hops[-proxies].strip()) if len(hops) >= proxies else "") or peer
    return peer[:64]


def _without_port(host: str) -> str:
    """Return the name or address before an optional port, without brackets around an IPv6 address."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def key(headers: Headers, settings: Settings) -> int | None:
    """Return the index of the valid key in the request; compared in constant time."""
    given = key_given(headers).encode("latin-1")
    matches = [hmac.compare_digest(given, key.encode()) for key in settings.api_keys]
    return matches.index(True) if any(matches) else None


def key_given(headers: Headers) -> str:
    """Return the key in ``X-API-Key`` or ``Authorization: Bearer``, valid or not; empty without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")


def is_cross_site(headers: Headers, allowed: Container[str] = ()) -> bool:
    """Return whether a browser sent the request for a page of another site that is not allowed.

    Browsers say so in Sec-Fetch-Site, which no page can write. Older ones send only Origin: its host is
    compared with Host, which a proxy must pass on with its port.
    """
    origin = headers.get("origin", "")
    if not origin or "*" in allowed or origin in allowed or headers.get("sec-fetch-site") == "same-origin":
        return False
    try:
        return urlsplit(origin).netloc != headers.get("host", "")
    except ValueError:  # such as http://[
        return True


def may_see_metrics(peer: str, headers: Headers, settings: Settings) -> bool:
    """Return whether the sender may see /metrics without a key: this machine.

    A request that a proxy passed on is not this machine's, even if `Settings.proxies` is 0.
    """
    if not settings.proxies and any(name in headers for name in FORWARDED):
        return False
    return is_loopback(origin(peer, headers, settings.proxies).removeprefix("::ffff:"))


def is_misdirected(headers: Headers, hosts: Container[str]) -> bool:
    """Return whether a request names a host that is neither one of these nor this machine.

    A page may point its own name at our address (DNS rebinding); to a browser that is not another site.
    """
    host = _without_port(headers.get("host", "").strip().lower())
    return not (host == "" or host in hosts or is_loopback(host))
