"""Identifying clients."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from digitrec.web.clients import address, is_misdirected


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("198.51.100.7", [], 0, "198.51.100.7"),
        ("198.51.100.7", ["203.0.113.1"], 0, "198.51.100.7"),
        ("10.0.0.1", ["made-up, 203.0.113.1"], 1, "203.0.113.1"),
        ("10.0.0.1", ["203.0.113.1, 10.0.0.9"], 2, "203.0.113.1"),
        ("10.0.0.1", ["203.0.113.1", "10.0.0.9"], 2, "203.0.113.1"),
        ("10.0.0.1", [], 1, "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1:49152"], 1, "203.0.113.1"),
        ("10.0.0.1", ["[2001:db8:1:2::9]:49152"], 1, "2001:db8:1:2::"),
        ("10.0.0.1", ["2001:db8:1:2::9"], 1, "2001:db8:1:2::"),
        ("10.0.0.1", ["["], 1, "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", [], 0, "2001:db8:1:2::"),
        ("::ffff:198.51.100.7", [], 0, "198.51.100.7"),
        ("a name", [], 0, "a name"),
    ],
)
def test_a_trusted_proxy_names_the_client(
    peer: str, forwarded: list[str], proxies: int, expected: str
) -> None:
    headers = Headers(raw=[(b"x-forwarded-for", line.encode()) for line in forwarded])
    assert address(peer, headers, proxies) == expected


@pytest.mark.parametrize(
    ("host", "misdirected"),
    [
        (b"localhost:5000", False), (b"LOCALHOST", False), (b"127.0.0.1:80", False), (b"[::1]:5000", False),
        (b"127.9.9.9", False), (b"", False), (b"digits.example.org:443", False),
        (b"evil.example", True), (b"digits.example.org.evil.example", True), (b"10.0.0.1", True),
        (b"localhost.evil.example", True), (b"[", False), (b"[2001:db8::1]", True), (b"\xff", True),
    ],
)  # fmt: skip
def test_only_names_of_this_machine_and_those_allowed_are_ours(host: bytes, misdirected: bool) -> None:
    assert is_misdirected(Headers(raw=[(b"host", host)]), ("digits.example.org",)) == misdirected
