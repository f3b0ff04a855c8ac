from collections.abc import Mapping
from contextlib import suppress
from typing import Self
from unittest import SkipTest

import pytest
import requests

from digitrec.answer import Answer, Candidate
from digitrec.emulator.kit import FakeProvider, LocalProviderContract, ProviderContract, drawn_seven
from digitrec.errors import BadAnswer, ProviderError, RateLimited, TimedOut, Unavailable, Unreachable
from digitrec.image import PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.azure import AzureAnalysis
from digitrec.providers.base import Status


def asked(fake: FakeProvider, timeout: float = 1.0) -> Answer:
    return fake.read(prepare(drawn_seven(), fake.wants), timeout=timeout)


class TestFakeProvider(LocalProviderContract):
    def provider(self) -> FakeProvider:
        return FakeProvider()


def test_a_fake_says_its_lines_and_begins_again() -> None:
    fake = FakeProvider(["7", Answer((Candidate("1", 0.5),)), RateLimited("too fast", retry_after=2)])
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


KEY = "planted-key-0123456789"


class Neglectful(AzureAnalysis):
    """A provider that breaks one rule of the contract, ``neglect``."""

    def __init__(self, endpoint: str, neglect: str) -> None:
        super().__init__(endpoint=endpoint, key=KEY)
        self.neglect = neglect

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        for _ in range(2 if self.neglect == "retries" else 0):
            with suppress(ProviderError):
                super().read(image, timeout=timeout)
        try:
            return super().read(image, timeout=timeout)
        except ProviderError as error:
            said = error
        if self.neglect == "follows":
            requests.post(str(self.endpoint), image.data, timeout=timeout)
        if self.neglect == "believes":
            return Answer()
        raise {
            "charges what was not sent": Unavailable("nobody is there"), "shows": BadAnswer(KEY),
            "nothing was sent": Unreachable("it broke off"), "no status": Unavailable("busy"),
        }.get(self.neglect, said)  # fmt: skip


@pytest.mark.parametrize(("neglect", "test"), [
    ("charges what was not sent", "test_nobody_there_is_unreachable_and_free"),
    ("nothing was sent", "test_an_answer_that_breaks_off_or_drips_is_an_error_that_may_have_cost"),
    ("retries", "test_what_is_no_document_of_the_vendors_is_a_bad_answer"),
    ("follows", "test_a_redirect_is_not_followed_to_another_place"),
    ("believes", "test_a_page_in_place_of_an_answer_is_a_bad_answer"),
    ("no status", "test_a_busy_server_is_unavailable_free_and_asked_again"),
    ("shows", "test_a_page_in_place_of_an_answer_is_a_bad_answer"),
])  # fmt: skip
def test_the_contract_notices_what_a_provider_neglects(neglect: str, test: str) -> None:
    contract = ProviderContract()
    contract.secrets = (KEY,)
    contract.fault_timeout = 3.0
    contract.provider_at = lambda endpoint: Neglectful(endpoint, neglect)  # type: ignore[method-assign]
    with pytest.raises(AssertionError):
        getattr(contract, test)()


def test_a_provider_that_asks_elsewhere_must_be_led_to_the_faulty_server() -> None:
    contract = ProviderContract()
    contract.provider = lambda: FakeProvider(endpoint="http://127.0.0.1:1")  # type: ignore[method-assign]
    with pytest.raises(AssertionError):
        contract.test_nobody_there_is_unreachable_and_free()
    contract.provider = FakeProvider  # type: ignore[method-assign]
    with pytest.raises(SkipTest):
        contract.test_nobody_there_is_unreachable_and_free()
