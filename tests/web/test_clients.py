"""Who is asking."""

from __future__ import annotations

import pytest

from digitrec.web.clients import address


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("198.51.100.7", "", 0, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.1", 0, "198.51.100.7"),
        ("10.0.0.1", "made-up, 203.0.113.1", 1, "203.0.113.1"),
        ("10.0.0.1", "203.0.113.1, 10.0.0.9", 2, "203.0.113.1"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::"),
        ("::ffff:198.51.100.7", "", 0, "198.51.100.7"),
        ("a name", "", 0, "a name"),
    ],
)
def test_the_client_is_who_the_trusted_proxy_saw(
    peer: str, forwarded: str, proxies: int, expected: str
) -> None:
    headers = {b"x-forwarded-for": forwarded.encode()} if forwarded else {}
    assert address(peer, headers, proxies) == expected
