"""Engines at work at the same time: concurrent, independent, and without hiding a bug."""

import threading
from pathlib import Path

import pytest

from digitrec.answer import Answer, Failure
from digitrec.comparison import compare, compare_many
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine
from digitrec.errors import ImageError
from digitrec.image import PreparedImage


class MeetingProvider(FakeProvider):
    """Answers only when as many calls are in flight as the barrier waits for."""

    def __init__(self, name: str, barrier: threading.Barrier) -> None:
        super().__init__(name=name)
        self._barrier = barrier

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        self._barrier.wait(timeout=20)
        return super().read(image, timeout=timeout)


def test_seven_engines_have_their_calls_in_flight_together() -> None:
    barrier = threading.Barrier(7)
    comparison = compare(drawn_seven(), [MeetingProvider(f"e{number}", barrier) for number in range(7)])
    assert [prediction.digit for prediction in comparison.predictions] == [7] * 7


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
