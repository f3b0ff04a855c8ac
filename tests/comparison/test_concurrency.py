"""Engines at work at the same time: concurrent, independent, and without hiding a bug."""

import threading
from pathlib import Path

import pytest

from digitrec.answer import Answer, Failure, Prediction
from digitrec.comparison import compare, compare_many
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine, Options
from digitrec.errors import ImageError, LedgerError, TimedOut
from digitrec.image import PreparedImage


class MeetingProvider(FakeProvider):
    """Answers only when as many calls are in flight as the barrier waits for."""

    def __init__(self, name: str, barrier: threading.Barrier) -> None:
        super().__init__(name=name)
        self._barrier = barrier

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        self._barrier.wait(timeout=20)
        return super().read(image, timeout=timeout)


class HangingProvider(FakeProvider):
    """Ignores its timeout and never answers."""

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        threading.Event().wait()
        raise AssertionError


def test_seven_engines_have_their_calls_in_flight_together() -> None:
    barrier = threading.Barrier(7)
    comparison = compare(drawn_seven(), [MeetingProvider(f"e{number}", barrier) for number in range(7)])
    assert [prediction.digit for prediction in comparison.predictions] == [7] * 7


def test_one_hanging_engine_costs_the_others_nothing_and_its_deadline_holds() -> None:
    hanging = HangingProvider(name="hanging", endpoint="http://127.0.0.1:9")
    options = Options(timeout=0.3, ledger="none")
    engines = [Engine(hanging, options), *(Engine(FakeProvider([digit], name=digit)) for digit in "123456")]
    failed, *others = compare(drawn_seven(), engines).outcomes
    assert isinstance(failed, Failure) and isinstance(failed.error, TimedOut)
    assert [outcome.digit for outcome in others if isinstance(outcome, Prediction)] == [*range(1, 7)]


def test_an_engine_that_cannot_go_on_fails_for_its_own_pictures_and_no_others(tmp_path: Path) -> None:
    """An engine whose ledger cannot be opened, which concerns all pictures."""
    # Its ledger is a folder.
    broken = Engine(FakeProvider(name="broken", endpoint="http://127.0.0.1:9"), Options(ledger=tmp_path))
    found = compare_many([drawn_seven()] * 3, [broken, Engine(FakeProvider(name="good"))])
    assert len(found) == 3
    for failed, read in (one.outcomes for one in found):
        assert isinstance(failed, Failure) and isinstance(failed.error, LedgerError)
        assert (failed.provider, read.provider) == ("broken", "good")
        assert failed.image == drawn_seven().ref and isinstance(read, Prediction)


def test_an_unreadable_picture_keeps_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digitrec.comparison.WINDOW", 3)
    last = 6  # the first of the third window
    pictures = [drawn_seven()] * (last + 1)
    pictures[1] = pictures[last] = tmp_path / "none.png"  # type: ignore[call-overload]
    found = compare_many(pictures, [Engine(FakeProvider(name=name)) for name in "ab"])
    assert [one.consensus for one in found] == [7, None, 7, 7, 7, 7, None]
    assert [place for place, one in enumerate(found) if not one.predictions] == [1, last]
    for outcome, name in zip(found[1].outcomes, "ab", strict=True):
        assert isinstance(outcome, Failure) and isinstance(outcome.error, ImageError)
        assert (outcome.provider, Path(outcome.image.source).name) == (name, "none.png")
