"""Who is asking, and how often they may."""

from __future__ import annotations

import pytest

from digitrec.web.clients import MAX_CLIENTS, RateLimiter, client


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
    assert client(peer, headers, proxies) == expected


def test_a_bucket_empties_and_fills_at_its_rate() -> None:
    now = 0.0
    limiter = RateLimiter(2, 3, clock=lambda: now)
    assert [limiter.wait("one") for _ in range(4)] == [0, 0, 0, 0.5]
    assert limiter.wait("two") == 0
    now = 0.5
    assert [limiter.wait("one") for _ in range(2)] == [0, 0.5]


def test_it_remembers_no_more_clients_than_it_may() -> None:
    limiter = RateLimiter(1, 1, clock=lambda: 0.0)
    for number in range(MAX_CLIENTS + 1):
        limiter.wait(str(number))
    assert limiter.wait(str(MAX_CLIENTS)) > 0
    assert limiter.wait("0") == 0  # forgotten, as the one not heard of for longest
