"""What the server allows: every limit in one place, safe as it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from digitrec.image.headers import MAX_DECODING_BYTES

if TYPE_CHECKING:
    from digitrec.web.answers import Answers

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """The limits and keys of one server."""

    max_body_bytes: int = 10 * MEGABYTE
    """Bytes of one request's body; counted while it arrives."""
    max_decoding_bytes: int = MAX_DECODING_BYTES
    """Memory that decoding one picture may take, its file included; told from its header."""
    max_pictures: int = 32
    """Pictures in one request."""
    max_requests: int = 24
    """Requests at work or waiting at one moment; the next is told to come back (503).

    More are answered no sooner: under full load each place only lengthens the wait of those behind it.
    """
    max_buffered_bytes: int = 64 * MEGABYTE
    """Bytes of all requests' bodies together that are held in memory at one moment."""
    max_client_bytes: int = 16 * MEGABYTE
    """The same for one client's; a body larger than that cannot be sent at all."""
    upload_grace_s: float = 5.0
    """Seconds for which a body may be silent, or behind its least speed, > 0."""
    upload_bytes_per_s: int = 16_000
    """The least speed of a body, after the grace; a slow telephone sends 30,000 bytes a second."""
    seconds: float = 30.0
    """From the head of a request to its answer, > 0; the time to send the body is part of it."""
    rate: float = 50.0
    """Requests a second from one client in the long run, > 0; a page being drawn on sends at most four."""
    burst: int = 100
    """Requests that a client may have saved up, >= 1."""
    proxies: int = 0
    """Trusted proxies in front of the server; the client is the last but so many in X-Forwarded-For."""
    wrong_keys: int = 10
    """Wrong keys that an address may send at a stretch, >= 1; then all its keys wait."""
    wrong_keys_per_s: float = 0.5
    """Wrong keys a second from one address in the long run, > 0."""
    hosts: tuple[str, ...] = ()
    """Names under which the server may be asked, besides those of this machine itself; empty: any name."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may ask, such as "https://example.org"; "*" is all of them."""
    metrics_from: tuple[str, ...] = ()
    """Addresses and networks, such as "10.0.0.0/8", that may see /metrics besides this machine."""
    root_path: str = ""
    """Where the server stands behind a proxy, such as "/digits", whether or not the proxy cuts that off."""
    collect: Path | None = None
    """Where pictures are kept that visitors label; None: nothing is kept."""
    owner_key: str | None = field(default=None, repr=False)
    """What must come with a look at those; None: nobody is shown them."""
    answers: Answers | None = None
    """Doubtful answers to correct on /review; None: none."""
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """One of these must come with each question; empty: everybody may ask."""
