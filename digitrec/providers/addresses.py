"""Check network addresses: whether they are valid, on this machine, or reached through a proxy."""

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from digitrec.errors import NotConfigured

PLAIN_HTTP = "DIGITREC_ALLOW_PLAIN_HTTP"
"""The variable that allows an endpoint on another machine without encryption."""
PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


def split(address: str) -> SplitResult | None:
    """Return the parts of an address with a scheme and a host, or None for an invalid address."""
    if not address.isprintable() or " " in address:
        return None
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:  # an invalid port or IPv6 address
        return None
    return parts if re.fullmatch(r"[A-Za-z0-9._:-]+", host) else None


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port; for an invalid address the first two are empty."""
    parts = split(url) or urlsplit("")
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def allows_plain_http(env: Mapping[str, str]) -> bool:
    """Return whether the environment allows an endpoint on another machine without encryption."""
    return env.get(PLAIN_HTTP, "").strip().lower() in ("1", "true", "yes", "on")


def in_the_clear(url: str) -> bool:
    """Return whether requests to the address could be read on the way: plain http to another machine."""
    scheme, host, _ = origin(url)
    return scheme != "https" and not is_loopback(host)


def is_metadata_server(url: str) -> bool:
    """Return whether the address is the metadata server from which a cloud's machine gets its tokens.

    Such a server is reached by plain http. Google's has a name; all others have link-local addresses, which
    no router forwards (RFC 3927): AWS's and Azure's 169.254.169.254, that of AWS's containers, 169.254.170.2,
    that of Azure's App Service, 169.254.130.1, and others.
    """
    host = origin(url)[1]
    address = _ip(host)
    return host == "metadata.google.internal" or (address is not None and address.is_link_local)


def is_loopback(host: str) -> bool:
    """Return whether only programs on this machine can reach a host; False for all names but localhost."""
    address = _ip(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def proxy_variable(url: str) -> str:
    """Return the variable with the proxy for requests to ``url``; "" if they go directly.

    Requests to this machine always do: they may be unencrypted, and a proxy would read key and picture.
    """
    import urllib.request

    scheme, host, _ = origin(url)
    if is_loopback(host):
        return ""
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    named = next((name for name in names if os.environ.get(name)), "")
    return "" if urllib.request.proxy_bypass_environment(host) else named  # type: ignore[attr-defined]


def check_proxies(endpoint: str) -> list[str]:
    """Return the passwords of the proxy that requests to ``endpoint`` go through.

    Raises:
        NotConfigured: the proxy's address is invalid; the message omits it, as it may hold the password.
    """
    name = proxy_variable(endpoint)
    value = os.environ.get(name, "")
    if not value:
        return []
    parts = split(value if "://" in value else f"http://{value}")
    if parts is None or parts.scheme not in PROXY_SCHEMES:
        raise NotConfigured(f"{name} must hold the address of a proxy, such as http://HOST:PORT")
    return [parts.password or "", unquote(parts.password or "")]
