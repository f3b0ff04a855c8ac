from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import pytest

from digitrec.answer import Answer, Candidate
from digitrec.errors import NotConfigured, RateLimited, TimedOut
from digitrec.image import PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.base import Status
from digitrec.recognise import predict, predict_many
from digitrec.testing import FakeProvider, ProviderContract, drawn_seven


def asked(fake: FakeProvider, timeout: float = 1.0) -> Answer:
    return fake.read(prepare(drawn_seven(), fake.wants), timeout=timeout)


class TestFakeProvider(ProviderContract):
    def provider(self) -> FakeProvider:
        return FakeProvider()


def test_a_fake_says_its_lines_and_begins_again() -> None:
    whole = Answer((Candidate("1", 0.5),))
    fake = FakeProvider(["7", whole])
    assert [asked(fake).candidates[0].text for _ in range(3)] == ["7", "1", "7"]
    assert fake.calls == 3
    assert fake.images[0].media_type == "image/png"


def test_a_fake_fails_when_it_is_told_to() -> None:
    fake = FakeProvider([RateLimited("too fast", retry_after=2), "7"])
    with pytest.raises(RateLimited):
        asked(fake)
    assert asked(fake).candidates[0].text == "7"


def test_a_fake_that_is_slower_than_the_timeout_times_out() -> None:
    with pytest.raises(TimedOut):
        asked(FakeProvider(latency_s=60), timeout=0.01)


def test_a_fake_counts_every_call_of_many_threads() -> None:
    fake = FakeProvider(["0", "1"])
    with ThreadPoolExecutor(8) as threads:
        texts = [answer.candidates[0].text for answer in threads.map(lambda _: asked(fake), range(100))]
    assert fake.calls == 100
    assert sorted(texts) == ["0"] * 50 + ["1"] * 50


def test_a_fake_is_asked_like_any_other() -> None:
    assert predict(drawn_seven(), FakeProvider(["\N{FULLWIDTH DIGIT FOUR}"])).digit == 4
    outcomes = predict_many([drawn_seven()] * 2, FakeProvider(["", "no"]))
    assert [getattr(outcome, "reason", None) for outcome in outcomes] == ["no text", "no digit"]


class Careless(FakeProvider):
    """Breaks one promise at a time."""

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


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        ("text", "test_candidates_have_text_and_a_score_between_0_and_1_or_none"),
        ("score", "test_candidates_have_text_and_a_score_between_0_and_1_or_none"),
        ("probabilities", "test_probabilities_are_ten_that_sum_to_1_or_none"),
        ("raw", "test_the_raw_answer_can_be_kept_as_json"),
        ("", "test_no_secret_shows"),
        ("", "test_what_is_no_picture_is_an_answer_or_our_error"),
        ("", "test_an_empty_environment_is_enough_or_our_error"),
        ("", "test_status_says_what_is_missing"),
        ("close", "test_close_may_be_called_twice"),
    ],
)
def test_the_contract_notices_a_broken_promise(broken: str, test: str) -> None:
    contract = ProviderContract()
    contract.secrets = ("planted-key",)
    contract.provider = lambda: Careless(broken)  # type: ignore[method-assign]
    with pytest.raises((AssertionError, TypeError, OSError, KeyError, RuntimeError)):
        getattr(contract, test)()


def test_the_contract_lets_a_provider_say_that_it_is_not_configured() -> None:
    class Closed(FakeProvider):
        @classmethod
        def from_env(cls, env: Mapping[str, str]) -> Self:
            raise NotConfigured("set MY_KEY")

    contract = ProviderContract()
    contract.provider = Closed  # type: ignore[method-assign]
    contract.test_an_empty_environment_is_enough_or_our_error()
