"""Who is asking."""

from __future__ import annotations

import pytest

from digitrec.web.clients import address, headers_of, is_misdirected, key
from digitrec.web.settings import Settings


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("198.51.100.7", "", 0, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.1", 0, "198.51.100.7"),
        ("10.0.0.1", "made-up, 203.0.113.1", 1, "203.0.113.1"),
        ("10.0.0.1", "203.0.113.1, 10.0.0.9", 2, "203.0.113.1"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1:49152", 1, "203.0.113.1"),
        ("10.0.0.1", "[2001:db8:1:2::9]:49152", 1, "2001:db8:1:2::"),
        ("10.0.0.1", "2001:db8:1:2::9", 1, "2001:db8:1:2::"),
        ("10.0.0.1", "[", 1, "10.0.0.1"),
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


def test_what_proxies_wrote_in_several_lines_is_one() -> None:
    pairs = [(b"x-forwarded-for", b"203.0.113.1"), (b"host", b"x"), (b"x-forwarded-for", b"10.0.0.9")]
    assert address("10.0.0.1", headers_of(pairs), 2) == "203.0.113.1"


@pytest.mark.parametrize("written", [b"Bearer one", b"bearer one", b"BEARER  one "])
def test_the_scheme_of_a_key_is_known_in_any_case(written: bytes) -> None:
    assert key({b"authorization": written}, Settings(api_keys=("one",))) == 0


@pytest.mark.parametrize("written", [b"one", b"Basic one", b"Bearerone", b"Bearer"])
def test_what_is_no_bearer_is_no_key(written: bytes) -> None:
    assert key({b"authorization": written}, Settings(api_keys=("one",))) is None


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
    assert is_misdirected({b"host": host}, ("digits.example.org",)) == misdirected
