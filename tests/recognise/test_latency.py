"""An answer's time: preparation and request, without opening and loading."""

import time
from typing import Any

import pytest
from clock import Clock

from digitrec import compare, predict_many
from digitrec.answer import Answer, Failure, Prediction
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine
from digitrec.errors import ImageError, Unavailable
from digitrec.image import DigitImage, InputSpec, PreparedImage
from digitrec.prepare import encode, ink, mnist

PREPARING_S, ASKING_S, LOADING_S = 2.0, 0.25, 16.0
MNIST = InputSpec("mnist", preparation="mnist", gated=True)


class Slow(FakeProvider):
    """Takes `LOADING_S` to load and `ASKING_S` for each answer, by the clock of the test."""

    def __init__(self, clock: Clock, **how: Any) -> None:
        super().__init__(**how)
        self._clock = clock

    def load(self) -> None:
        self._clock.now += LOADING_S

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        self._clock.now += ASKING_S
        return super().read(image, timeout=timeout)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(100.0)
    monkeypatch.setattr(time, "perf_counter", clock)
    one, many = encode.prepare, mnist.prepare_many

    def slow_one(image: DigitImage, spec: InputSpec) -> PreparedImage:
        clock.now += PREPARING_S
        return one(image, spec)

    def slow_many(images: list[DigitImage], spec: InputSpec) -> list[PreparedImage]:
        clock.now += PREPARING_S * len(images)
        return many(images, spec)

    monkeypatch.setattr(encode, "prepare", slow_one)
    monkeypatch.setattr(mnist, "prepare_many", slow_many)
    return clock


@pytest.mark.parametrize("wants", [InputSpec("png"), MNIST])
@pytest.mark.parametrize("pictures", [1, 3])
def test_latency_is_preparing_and_asking(clock: Clock, wants: InputSpec, pictures: int) -> None:
    engine = Engine(Slow(clock, wants=wants))
    found = predict_many([drawn_seven()] * pictures, engine)
    assert [one.latency_s for one in found] == pytest.approx([PREPARING_S + ASKING_S] * pictures)
    assert all(isinstance(one, Prediction) and one.loading_s >= LOADING_S for one in found)
    (later,) = predict_many([drawn_seven()], engine)
    assert isinstance(later, Prediction)
    assert (later.latency_s, later.loading_s) == (PREPARING_S + ASKING_S, engine.loading_s)


def test_a_failure_and_a_refusal_took_their_preparation_too(clock: Clock) -> None:
    failing = Slow(clock, script=[Unavailable("down")])
    unsendable = Slow(clock, wants=InputSpec("png", min_side=50, max_bytes=10))
    (failed,), (unsent,) = (predict_many([drawn_seven()], one) for one in (failing, unsendable))
    (refused,) = predict_many([DigitImage.open(drawn_seven().pixels * 0 + 255)], Slow(clock, wants=MNIST))
    assert isinstance(refused, Prediction) and refused.loading_s >= LOADING_S
    assert (failed.latency_s, refused.latency_s, refused.attempts) == (2.25, 2.0, 0)
    assert isinstance(unsent, Failure)
    assert unsent.latency_s == 2 * PREPARING_S  # first with its batch, then alone


def test_a_slow_picture_does_not_slow_its_batch(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    find, wide = ink.find_ink, drawn_seven().pixels.repeat(2, 1)

    def slow(picture: Any, *known: Any) -> Any:
        clock.now += 64.0 * (picture.width > 100)
        return find(picture, *known)

    monkeypatch.setattr(ink, "find_ink", slow)
    engine = Engine(Slow(clock, wants=MNIST))
    engine.batch = 2
    found = predict_many([drawn_seven(), DigitImage.open(wide)], engine)
    assert [one.latency_s for one in found] == [PREPARING_S + ASKING_S, PREPARING_S + ASKING_S + 64.0]


def test_opening_time_is_shared_and_not_latency(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    from digitrec import image

    read = image.from_array

    def slow(*given: Any) -> Any:
        clock.now += 64.0
        return read(*given)

    monkeypatch.setattr(image, "from_array", slow)
    both = compare(drawn_seven().pixels, [FakeProvider(name=name) for name in "ab"])
    assert [one.image.opening_s for one in both.outcomes] == [64.0, 64.0]
    assert [one.opening_s for one in both.predictions] == [64.0, 64.0]


def test_what_cannot_be_loaded_is_reported_by_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(FakeProvider):
        def load(self) -> None:
            raise ImageError("the files are damaged")

    (outcome,) = predict_many([drawn_seven()], Broken())
    assert isinstance(outcome, Prediction)
    assert outcome.digit == 7
