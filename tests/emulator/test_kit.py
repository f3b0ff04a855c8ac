from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Self
from unittest import SkipTest
from urllib.parse import urlsplit

import pytest

from digitrec.answer import Answer, Candidate
from digitrec.emulator.kit import FakeProvider, LocalProviderContract, ProviderContract, drawn_seven
from digitrec.errors import (
    BadAnswer,
    ProviderError,
    RateLimited,
    TimedOut,
    Unavailable,
    Unreachable,
)
from digitrec.image import PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.base import Status


def asked(fake: FakeProvider, timeout: float = 1.0) -> Answer:
    return fake.read(prepare(drawn_seven(), fake.wants), timeout=timeout)


class TestFakeProvider(LocalProviderContract):
    def provider(self) -> FakeProvider:
        return FakeProvider()


def test_a_fake_says_its_lines_and_begins_again() -> None:
    whole = Answer((Candidate("1", 0.5),))
    fake = FakeProvider(["7", whole, RateLimited("too fast", retry_after=2)])
    assert [asked(fake).candidates[0].text for _ in range(2)] == ["7", "1"]
    with pytest.raises(RateLimited):
        asked(fake)
    assert asked(fake).candidates[0].text == "7"
    assert fake.calls == 4
    assert fake.images[0].media_type == "image/png"


def test_a_fake_that_is_slower_than_the_timeout_times_out() -> None:
    with pytest.raises(TimedOut):
        asked(FakeProvider(latency_s=60), timeout=0.01)


class Careless(FakeProvider):
    """A provider that breaks one rule of the contract at a time."""

    def __init__(self, broken: str = "") -> None:
        super().__init__([Answer((Candidate("", 0.9),))] if broken == "text" else ["7"])
        self.broken = broken

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        raise KeyError("MY_KEY")

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        return Status(installed=False, configured=False)

    def __repr__(self) -> str:
        return "Careless(key=planted-key)"

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        if image.data == b"this is no picture":
            raise OSError
        answer = super().read(image, timeout=timeout)
        return {
            "score": Answer((Candidate("7", 93.0),)),
            "probabilities": Answer(answer.candidates, (0.5,) * 10),
            "raw": Answer(answer.candidates, raw={"bytes": b"no JSON"}),
        }.get(self.broken, answer)

    def close(self) -> None:
        if self.broken == "close":
            self.broken = "closed"
        elif self.broken == "closed":
            raise RuntimeError("closed already")


@pytest.mark.parametrize(("broken", "test"), [
    ("text", "test_its_answer_can_be_used_and_shows_no_secret"),
    ("score", "test_its_answer_can_be_used_and_shows_no_secret"),
    ("probabilities", "test_its_answer_can_be_used_and_shows_no_secret"),
    ("raw", "test_its_answer_can_be_used_and_shows_no_secret"),
    ("", "test_its_answer_can_be_used_and_shows_no_secret"),
    ("", "test_what_is_no_picture_is_an_answer_or_our_error"),
    ("", "test_an_empty_environment_is_enough_or_our_error"), ("", "test_status_says_what_is_missing"),
    ("close", "test_close_may_be_called_twice"),
])  # fmt: skip
def test_the_contract_notices_a_broken_promise(broken: str, test: str) -> None:
    contract = ProviderContract()
    contract.secrets = ("planted-key",)
    contract.provider = lambda: Careless(broken)  # type: ignore[method-assign]
    with pytest.raises((AssertionError, BadAnswer, OSError, KeyError, RuntimeError)):
        getattr(contract, test)()


# ---- faults of a server

KEY = "planted-key-0123456789"


class Careful(FakeProvider):
    """A provider over HTTP that follows every rule except those in ``careless``."""

    def __init__(self, endpoint: str, careless: str = "") -> None:
        super().__init__(endpoint=endpoint, name="careful")
        self.careless = careless

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        for _ in range(3 if self.careless == "retries" else 1):
            try:
                return self._ask(str(self.endpoint), image.data, timeout)
            except ProviderError as error:
                last = error
        raise last

    def _ask(self, address: str, data: bytes, timeout: float) -> Answer:
        parts = urlsplit(address)
        kind_of = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind_of(parts.hostname or "", parts.port, timeout=timeout)
        with closing(connection):
            try:
                connection.connect()
            except OSError as error:
                kind = Unavailable if self.careless == "charges what was not sent" else Unreachable
                raise kind("nobody is there") from error
            try:
                connection.request("POST", parts.path or "/", data, {"X-Key": KEY})
                response = connection.getresponse()
                body = response.read()
            except TimeoutError as error:
                raise TimedOut("too slow") from error
            except (OSError, HTTPException) as error:
                kind = Unreachable if self.careless == "nothing was sent" else Unavailable
                raise kind("it broke off") from error
        return self._understood(response, body, data, timeout)

    def _understood(self, response: HTTPResponse, body: bytes, data: bytes, timeout: float) -> Answer:
        status, said = response.status, body.decode("utf-8", "replace")
        if status in (303, 307) and self.careless == "follows":
            return self._ask(response.headers["Location"], data, timeout)
        if self.careless == "believes":
            return Answer(raw={"said": said})
        if status == 429:
            raise RateLimited("too fast", status=status, retry_after=float(response.headers["Retry-After"]))
        if status == 503:
            raise Unavailable("busy", status=None if self.careless == "no status" else status)
        raise BadAnswer(said if self.careless == "shows" else "no protocol", status=status)


def contract_of(careless: str) -> ProviderContract:
    contract = ProviderContract()
    contract.secrets = (KEY,)
    contract.fault_timeout = 3.0
    contract.provider_at = lambda endpoint: Careful(endpoint, careless)  # type: ignore[method-assign]
    return contract


FAULTY = [name for name in vars(ProviderContract) if name.startswith("test_")]


@pytest.mark.parametrize("test", FAULTY)
def test_a_provider_that_minds_everything_passes_at_a_faulty_server(test: str) -> None:
    getattr(contract_of(""), test)()


@pytest.mark.parametrize(("careless", "test"), [
    ("charges what was not sent", "test_nobody_there_is_unreachable_and_free"),
    ("charges what was not sent", "test_a_connection_cut_in_the_handshake_is_free"),
    ("nothing was sent", "test_an_alert_after_the_request_may_have_cost"),
    ("nothing was sent", "test_an_answer_that_breaks_off_is_an_error_that_may_have_cost"),
    ("retries", "test_what_is_no_document_of_the_vendors_is_a_bad_answer"),
    ("follows", "test_a_redirect_is_not_followed_to_another_place"),
    ("believes", "test_a_page_in_place_of_an_answer_is_a_bad_answer"),
    ("no status", "test_a_busy_server_is_unavailable_free_and_asked_again"),
    ("shows", "test_a_page_in_place_of_an_answer_is_a_bad_answer"),
])  # fmt: skip
def test_the_contract_notices_what_a_provider_neglects(careless: str, test: str) -> None:
    with pytest.raises(AssertionError):
        getattr(contract_of(careless), test)()


def test_a_provider_that_asks_elsewhere_must_be_led_to_the_faulty_server() -> None:
    contract = ProviderContract()
    contract.provider = lambda: FakeProvider(endpoint="http://127.0.0.1:1")  # type: ignore[method-assign]
    with pytest.raises(AssertionError):
        contract.test_nobody_there_is_unreachable_and_free()
    contract.provider = FakeProvider  # type: ignore[method-assign]
    with pytest.raises(SkipTest):
        contract.test_nobody_there_is_unreachable_and_free()
