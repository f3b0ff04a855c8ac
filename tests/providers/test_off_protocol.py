"""Any reply gives an Answer or one of our errors of the right class, with one request.

The server sends scripted bytes. ``WIRE_CASES`` sets how many replies are tried with each cloud.
"""

import json
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
many = settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))


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


numbers = st.integers() | st.floats() | st.integers(10**18, 10**400)
leaves = st.none() | st.booleans() | numbers | st.text(st.characters(), max_size=8)
names = st.sampled_from(
    ["error", "code", "message", "status", "details", "responses", "__type", "reason", "fullTextAnnotation",
     "TextDetections", "Blocks", "analyzeResult", "readResults", "readResult", "@type", "innererror"]
)  # fmt: skip
anything = st.recursive(
    leaves, lambda part: st.lists(part, max_size=3) | st.dictionaries(names, part, max_size=4), max_leaves=12
)
bodies = st.binary(max_size=60) | anything.map(lambda raw: json.dumps(raw).encode()) | st.sampled_from(
    [b"", b" ", b"null", b"[]", b'"x"', b"<html>no</html>", b'{"error":"Service Unavailable"}',
     b'"\\ud83d"', b'{"a":NaN}', b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"\x00", b"[" * 100_000]
)  # fmt: skip
codes = st.sampled_from([200, 200, 200, 202, 204, 301, 304, 401, 429, 500, 600, 999]) | st.integers(100, 599)
values = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=12) | st.sampled_from(
    ["inf", "nan", "-1", "9" * 400, "1e999", "Mon, 99 Foo 2001", "3, 5", "gzip", "br", "deflate", "chunked",
     "application/json; charset=martian", "multipart/mixed", "x=\ud7ff", "/"]
)  # fmt: skip
headers = st.sampled_from(
    ["Retry-After", "Content-Length", "Transfer-Encoding", "Content-Encoding", "Content-Type", "Set-Cookie",
     "Location", "Operation-Location", "x-amzn-ErrorType", "WWW-Authenticate", "Connection", "X-Other"]
)  # fmt: skip
replies = st.builds(
    lambda status, body, fields: answer(status, body, *fields),
    codes, bodies, st.lists(st.tuples(headers, values), max_size=3),
)  # fmt: skip
OK = b"HTTP/1.1 200 OK\r\n"
no_http = st.binary(max_size=80) | st.sampled_from(
    [b"", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/9.9 200\r\n\r\n",
     b"HTTP/1.1 99999 x\r\n\r\n", b"HTTP/1.1 200 " + b"x" * 70_000, OK + b"a: b\r\n" * 200 + b"\r\n",
     b"SSH-2.0-OpenSSH_9.6\r\n",
     OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
     OK + b"Content-Length: 9\r\nContent-Length: 8\r\n\r\n{}"]
)  # fmt: skip


def test_any_reply_is_an_answer_or_our_error(asked: Asked) -> None:
    @many
    @given(st.lists(replies | no_http, min_size=1, max_size=2))
    def holds(said: list[bytes]) -> None:
        outcome = asked.outcome(*said)
        by_proxy = isinstance(outcome, NotConfigured) and any(b" 407 " in reply[:13] for reply in said)
        assert by_proxy or isinstance(outcome, Answer | ProviderError)
        assert len(asked.server.arrived) <= (2 if asked.cloud in POLLED else 1)
        if isinstance(outcome, Exception):
            shown = repr(outcome) + "".join(traceback.format_exception(outcome))
            assert not [key for key in (KEY, AWS_KEY, AWS_SECRET) if key in shown]
            assert "\n" not in str(outcome)

    holds()


def test_an_error_status_is_never_a_bad_answer(asked: Asked) -> None:
    @many
    @given(st.integers(400, 599).filter(lambda status: status != 407), bodies)  # 407: a proxy
    def holds(status: int, body: bytes) -> None:
        outcome = asked.outcome(answer(status, body))
        assert isinstance(outcome, ProviderError)
        assert not isinstance(outcome, BadAnswer)
        assert outcome.status is not None
        if status >= 500:
            assert isinstance(outcome, Unavailable)

    holds()


def test_a_long_answer_is_not_read_to_its_end(asked: Asked) -> None:
    outcome = asked.outcome(answer(200, b"[" + b"1," * 5_000_000 + b"1]"))
    assert isinstance(outcome, BadAnswer)
    assert "more than 8000000 bytes" in str(outcome)


def test_a_small_body_that_unpacks_to_a_large_one_is_not_unpacked_to_its_end(asked: Asked) -> None:
    import gzip

    outcome = asked.outcome(answer(200, gzip.compress(bytes(9_000_000)), ("Content-Encoding", "gzip")))
    assert isinstance(outcome, BadAnswer)
    assert "more than 8000000 bytes" in str(outcome)
