"""Whatever bytes come back: an Answer, or one of our errors of the right class, in one request.

From a server that says exactly what it is told to. ``WIRE_CASES``
sets how many are tried with each cloud.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_server import RawServer, answer, raw_server

from digitrec.answer import Answer, checked
from digitrec.emulator.kit import drawn_seven
from digitrec.errors import BadAnswer, DigitrecError, NotConfigured, ProviderError, Unavailable
from digitrec.prepare import prepare
from digitrec.providers.base import Provider
from digitrec.providers.registry import provider_class

from .common import AWS_KEY, AWS_SECRET, CLOUDS, KEY, ORDERED, POLLED
from .conftest import CREDENTIALS

CASES = int(os.environ.get("WIRE_CASES", "100"))


class Asked:
    """A provider at a server of its own."""

    def __init__(self, cloud: str, server: RawServer) -> None:
        self.cloud, self.server = cloud, server
        settings = {"poll_s": 0.001} if cloud in POLLED else {}
        options = {**CREDENTIALS[cloud], **settings, "endpoint": server.url}
        self.provider: Provider = provider_class(cloud)(**options)  # type: ignore[call-arg]
        self.image = prepare(drawn_seven(), self.provider.wants)

    def outcome(self, *said: bytes, timeout: float = 2.0) -> Answer | DigitrecError:
        """Return the outcome of a reply; pass through any exception that is not ours."""
        self.server.arrived = []
        self.server.say = [*([ORDERED] if self.cloud in POLLED and len(said) == 1 else []), *said]
        try:
            return checked(self.provider.read(self.image, timeout=timeout))
        except DigitrecError as error:
            return error


@pytest.fixture(scope="module", params=CLOUDS)
def asked(request: pytest.FixtureRequest) -> Iterator[Asked]:
    with pytest.MonkeyPatch.context() as patch, raw_server() as server:
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("NO_GCE_CHECK", "true")
        yield Asked(request.param, server)


BODIES = [
    b"", b" ", b"null", b"[]", b'"x"', b"7", b"{}", b"<html>no</html>", b'{"error":"Service Unavailable"}',
    b'{"error":{"message":7,"details":[null]}}', b'{"message":null,"__type":[]}', b'"\\ud83d"', b'{"a":NaN}',
    b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"\x00", b"[" * 100_000,
]  # fmt: skip
HEADERS = [
    ("Retry-After", "inf"), ("Retry-After", "9" * 400), ("Retry-After", "Mon, 99 Foo 2001"),
    ("Content-Length", "-1"), ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip"),
    ("Content-Encoding", "br"), ("Content-Type", "application/json; charset=martian"), ("Location", "/"),
    ("Operation-Location", "x=\ud7ff"), ("x-amzn-ErrorType", "\ud7ff"), ("Set-Cookie", "3, 5"),
]  # fmt: skip


@settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    status=st.integers(100, 599) | st.sampled_from([200, 202, 204, 304, 407, 429, 600, 999]),
    body=st.sampled_from(BODIES) | st.binary(max_size=60),
    headers=st.lists(st.sampled_from(HEADERS), max_size=3),
)
def test_any_reply_is_an_answer_or_our_error(
    asked: Asked, status: int, body: bytes, headers: list[tuple[str, str]]
) -> None:
    outcome = asked.outcome(answer(status, body, *headers))
    assert isinstance(outcome, Answer | ProviderError) or (status == 407 and type(outcome) is NotConfigured)
    assert len(asked.server.arrived) <= (2 if asked.cloud in POLLED else 1)
    if isinstance(outcome, Exception):
        shown = repr(outcome) + "".join(traceback.format_exception(outcome))
        assert not [key for key in (KEY, AWS_KEY, AWS_SECRET) if key in shown]
        assert "\n" not in str(outcome)
    if 400 <= status < 600 and status != 407 and not headers:
        assert isinstance(outcome, ProviderError) and not isinstance(outcome, BadAnswer)
        assert isinstance(outcome, Unavailable) or status < 500


def test_a_long_answer_is_not_read_to_its_end(asked: Asked) -> None:
    outcome = asked.outcome(answer(200, b"[" + b"1," * 5_000_000 + b"1]"))
    assert isinstance(outcome, BadAnswer)
    assert "more than 8000000 bytes" in str(outcome)


def test_a_small_body_that_unpacks_to_a_large_one_is_not_unpacked_to_its_end(asked: Asked) -> None:
    import gzip

    body = gzip.compress(bytes(50_000_000), compresslevel=9)
    assert isinstance(asked.outcome(answer(200, body, ("Content-Encoding", "gzip"))), BadAnswer)
