"""Who is asking, and whether they may."""

from __future__ import annotations

import hmac
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from digitrec.web.settings import Settings

Headers = Mapping[bytes, bytes]
FORWARDED = (b"x-forwarded-for", b"forwarded", b"x-real-ip")
"""What proxies add to the requests that they pass on."""


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


def headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """A request's headers by their name in small letters; what proxies wrote in several lines is one."""
    found: dict[bytes, bytes] = {}
    for name, value in pairs:
        joined = name == b"x-forwarded-for" and name in found
        found[name] = found[name] + b"," + value if joined else value
    return found


def identify(peer: str, headers: Headers, settings: Settings) -> Client:
    """Who sends a request with these headers from that address."""
    return Client(address(peer, headers, settings.proxies), key(headers, settings))


def address(peer: str, headers: Headers, proxies: int) -> str:
    """The address to count requests by; an IPv6 client has a whole /64 to itself, so that is what counts."""
    found = origin(peer, headers, proxies)
    try:
        parsed = ip_address(found)
    except ValueError:
        return found
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


def origin(peer: str, headers: Headers, proxies: int) -> str:
    """Where a request comes from: the peer, or what the outermost trusted proxy saw, without a port.

    What stands further left in X-Forwarded-For was written by the client and is not believed.
    """
    if proxies:
        hops = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        peer = (_without_port(hops[-proxies].strip()) if len(hops) >= proxies else "") or peer
    return peer[:64]


def _without_port(host: str) -> str:
    """A name or an address, from a text with perhaps a port behind it, and brackets about an IPv6 address."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def key(headers: Headers, settings: Settings) -> int | None:
    """Which valid key came as ``X-API-Key`` or ``Authorization: Bearer``; compared in steady time."""
    given = key_given(headers)
    matches = [hmac.compare_digest(given, key.encode()) for key in settings.api_keys]
    return matches.index(True) if any(matches) else None


def key_given(headers: Headers) -> bytes:
    """The key that came, valid or not; empty: none."""
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return headers.get(b"x-api-key") or (token.strip() if scheme.lower() == b"bearer" else b"")


def is_cross_site(headers: Headers, allowed: Container[str] = ()) -> bool:
    """Return whether a browser sent the request for the page of another site that may not ask.

    Browsers say so in Sec-Fetch-Site, which no page can write. Older ones send Origin alone: its host is
    compared with Host, which a proxy must pass on with its port.
    """
    origin = headers.get(b"origin", b"").decode("latin-1")
    if not origin or "*" in allowed or origin in allowed or headers.get(b"sec-fetch-site") == b"same-origin":
        return False
    try:
        return urlsplit(origin).netloc != headers.get(b"host", b"").decode("latin-1")
    except ValueError:  # such as http://[
        return True


def may_see_metrics(peer: str, headers: Headers, settings: Settings) -> bool:
    """Return whether figures are shown to the sender: this machine, and the networks in the settings.

    A request that a proxy passed on is not this machine's, even if `Settings.proxies` knows of none.
    """
    if not settings.proxies and any(name in headers for name in FORWARDED):
        return False
    try:
        sender = ip_address(origin(peer, headers, settings.proxies))
    except ValueError:
        return False
    sender = getattr(sender, "ipv4_mapped", None) or sender
    return sender.is_loopback or any(sender in ip_network(one, strict=False) for one in settings.metrics_from)


def is_misdirected(headers: Headers, hosts: Container[str]) -> bool:
    """Whether a request names a host that is none of these, nor this machine itself.

    A page may have its own name lead to our address (DNS rebinding), and is then no other site to a browser.
    """
    host = _without_port(headers.get(b"host", b"").decode("latin-1").strip().lower())
    if host in ("", "localhost") or host in hosts:
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True
