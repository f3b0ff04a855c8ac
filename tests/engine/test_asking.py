"""Any behaviour of a provider gives each image an outcome; unsent requests are free."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from paid_cloud import PRICE, SPEC, PaidCloud, answer, ask, image, recorded, spent

from digitrec.answer import Answer, Candidate
from digitrec.engine import Engine
from digitrec.errors import DigitrecError, NotConfigured, NotInstalled, ProviderError
from digitrec.image import PreparedImage
from digitrec.providers.base import FREE, BaseProvider


class Doing(PaidCloud):
    """A provider with a script for image 7; it reads all others."""

    def __init__(self, do: Callable[[], Any], **how: Any) -> None:
        super().__init__(**how)
        self._do = do

    def read(self, image: PreparedImage, *, timeout: float) -> Any:
        given = super().read(image, timeout=timeout)
        return self._do() if image.data == b"7" else given


class DoingMany(PaidCloud):
    """A provider that returns a scripted result."""

    def __init__(self, do: Callable[[list[Any]], Any]) -> None:
        super().__init__(batch=4)
        self._do = do

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> Any:
        return self._do(super().read_many(images, timeout=timeout))


def raising(error: BaseException) -> Callable[[], Any]:
    def do() -> Any:
        raise error

    return do


class Own(BaseException):
    """Not even an Exception."""


BUGS = [ValueError("planted-secret"), StopIteration(), GeneratorExit(), asyncio.CancelledError(), Own()]


@pytest.mark.parametrize("bug", BUGS, ids=lambda it: type(it).__name__)
def test_a_bug_of_a_provider_costs_only_its_own_image(
    tmp_path: Path, bug: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "digitrec")
    failed, other = ask(Doing(raising(bug)), tmp_path, 7, 8)
    name = type(bug).__name__
    assert type(failed.outcome) is ProviderError
    assert str(failed.outcome).startswith(f"the provider paid failed: {name};")
    assert failed.outcome.__cause__ is bug
    assert (failed.attempts, failed.cost_usd) == (1, PRICE)  # it may have been sent
    assert other.outcome == answer(8)
    assert name in caplog.text
    assert "planted-secret" not in caplog.text
    assert {call.image_sha256: call.state for call in recorded(tmp_path)}["sha-7"] == "unknown"
    assert spent(tmp_path) == 2 * PRICE


def test_a_bug_costs_no_other_image_of_a_batch() -> None:
    class Divides(BaseProvider):
        name, wants, price = "divides", SPEC, FREE

        def read(self, image: PreparedImage, *, timeout: float) -> Answer:
            return answer(8 // int(image.data))

    eight, bug, four = Engine(Divides()).ask([image(number) for number in (1, 0, 2)])
    assert (eight.outcome, type(bug.outcome), four.outcome) == (answer(8), ProviderError, answer(4))


UNUSABLE: list[Any] = ["7", Answer((Candidate("7", float("nan")),)), Answer(raw={"bytes": b"no JSON"})]


@pytest.mark.parametrize("given", UNUSABLE, ids=repr)
def test_what_cannot_be_used_is_charged_and_never_stored_as_answered(tmp_path: Path, given: Any) -> None:
    (reply,) = ask(Doing(lambda: given), tmp_path, 7)
    assert isinstance(reply.outcome, ProviderError)
    assert (reply.attempts, reply.cost_usd) == (1, PRICE)
    assert [call.state for call in recorded(tmp_path)] == ["unknown"]
    assert spent(tmp_path) == PRICE
    assert ask(PaidCloud(), tmp_path, 7)[0].outcome == answer(7)


@pytest.mark.parametrize("do", [
    lambda given: given[:-1],
    lambda given: [*given, given[0]],
    lambda given: [],
    lambda given: None,
    lambda given: 7,
    lambda given: (answer(0) for _ in iter(int, 1)),  # without end
    lambda given: {"a": 1},
])  # fmt: skip
def test_a_wrong_number_of_outcomes_is_a_bug_of_the_provider(tmp_path: Path, do: Callable[..., Any]) -> None:
    replies = ask(DoingMany(do), tmp_path, 1, 2, 3)
    assert ["this is a bug in it" in str(reply.outcome) for reply in replies] == [True] * 3
    assert [reply.cost_usd for reply in replies] == [PRICE] * 3


@pytest.mark.parametrize("error", [NotConfigured("set ACME_CA"), NotInstalled("pip install acme")])
def test_what_was_not_sent_is_free_and_told_once(tmp_path: Path, error: DigitrecError) -> None:
    replies = ask(Doing(raising(error)), tmp_path, 7, 1, 2, 3, concurrency=1)
    assert {reply.outcome for reply in replies} == {error}
    assert [(reply.attempts, reply.cost_usd) for reply in replies] == [(1, 0.0)] + 3 * [(0, 0.0)]
    assert spent(tmp_path) == 0
    assert [call.state for call in recorded(tmp_path)] == ["failed"]
    assert [reply.outcome for reply in ask(PaidCloud(), tmp_path, 7, 1)] == [answer(7), answer(1)]
