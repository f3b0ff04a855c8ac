"""All limits of the server, with safe defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitrec.web.answers import Answers


@dataclass(frozen=True, slots=True)
class Settings:
    """The limits and keys of one server."""

    max_body_bytes: int = 10_000_000
    """Maximum bytes of one request's body; counted while it arrives."""
    max_pictures: int = 32
    """Maximum number of pictures in one request."""
    max_requests: int = 24
    """Maximum number of requests in progress or waiting; others are rejected (503).

    A larger limit only lengthens the queue under full load.
    """
    max_buffered_bytes: int = 64_000_000
    """Maximum bytes of all requests' bodies in memory at a time."""
    max_client_bytes: int = 16_000_000
    """Maximum bytes of one client's bodies in memory at a time; also limits each body."""
    upload_grace_s: float = 5.0
    """Maximum pause of a body, and grace period before the minimum speed applies, in seconds, > 0."""
    upload_bytes_per_s: int = 16_000
    """Minimum speed of a body in bytes per second; a slow telephone sends 30,000."""
    seconds: float = 30.0
    """Maximum seconds from the head of a request to the end of its answer, > 0."""
    rate: float = 50.0
    """Requests per second from one client in the long run, > 0; a page that is drawn on sends at most
    four."""
    burst: int = 100
    """Largest burst of a client's requests, >= 1."""
    proxies: int = 0
    """Number of trusted proxies; the client is the N-th address from the right in X-Forwarded-For."""
    wrong_keys: int = 10
    """Largest burst of wrong keys from one address, >= 1; then all keys from it must wait."""
    wrong_keys_per_s: float = 0.5
    """Wrong keys per second from one address in the long run, > 0."""
    hosts: tuple[str, ...] = ()
    """Host names that the server answers to, besides this machine's own; empty: any name."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may send requests, such as "https://example.org"; "*": all sites."""
    owner_key: str = field(default="", repr=False)
    """Key for reviewing `answers`; "": nobody may."""
    answers: Answers | None = None
    """Doubtful answers to correct on /review; None: no answers."""
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """Valid API keys; if there are any, each request needs one."""
