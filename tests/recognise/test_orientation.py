"""Pictures turned before reading, and the automatic search for the upright way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import digitrec
from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.image import TURNS, ImageRef
from digitrec.recognise.orientation import upright

SEVEN = drawn_seven()
SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize("degrees", TURNS)
def test_a_picture_is_turned_clockwise_before_it_is_read(degrees: int) -> None:
    askew = SEVEN.turned((360 - degrees) % 360)
    answer = digitrec.predict(askew, rotate=degrees)  # type: ignore[arg-type]
    assert (answer.digit, answer.turned) == (7, degrees)
    assert answer.image == SEVEN.ref
    assert np.array_equal(askew.pixels, np.rot90(SEVEN.pixels, degrees // 90))  # NumPy turns the other way
    blank = digitrec.predict(np.full((60, 60), 240, np.uint8), rotate="auto")
    assert (blank.digit, blank.reason, blank.turned) == (None, "blank", 0)


def test_any_engine_is_given_the_turned_picture_and_a_bad_one_takes_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    fakes = [FakeProvider(["7"]), FakeProvider(["7"])]
    for reader in (fakes[0], digitrec.Fallback(fakes, below=0.5)):
        found = digitrec.predict_many([SEVEN, tmp_path / "cut.png"], reader, rotate=90)
        assert isinstance(found[0], Prediction)
        assert (found[0].digit, found[0].turned) == (7, 90)
        assert isinstance(found[1], Failure)
        assert found[1].image.source == str(tmp_path / "cut.png")
    sent = np.asarray(fakes[0].images[0].picture().convert("L"))
    assert np.array_equal(sent, SEVEN.turned(90).pixels)


@pytest.mark.parametrize("degrees", TURNS)
def test_the_way_up_is_found_whichever_way_the_picture_lies(degrees: int) -> None:
    four = digitrec.DigitImage.open(SAMPLES / "photo-pen.jpg")
    found = [digitrec.predict(image.turned(degrees), rotate="auto") for image in (SEVEN, four)]
    assert {answer.digit for answer in found} <= {7, None}
    assert {answer.reason for answer in found if answer.digit is None} <= {"could be turned"}


def reading(digit: int | None, sure: float, reason: str | None = None) -> Prediction:
    chances = np.full(10, (1 - sure) / 9)
    chances[digit or 0] = sure
    return Prediction(ImageRef("x", None), "local", digit, sure, reason, probabilities=tuple(chances))


REFUSED = reading(None, 0.2, "not clearly a digit")


@pytest.mark.parametrize(("first", "third", "digit", "reason", "unsure"), [
    (REFUSED, reading(4, 0.9999999), 4, None, None),
    (reading(6, 0.999), reading(9, 0.9992), None, "could be turned", 9),
    (reading(8, 0.99), reading(8, 0.991), 8, None, None),
])  # fmt: skip
def test_the_clearest_reading_counts_unless_another_digit_is_about_as_clear(
    first: Prediction, third: Prediction, digit: int | None, reason: str | None, unsure: int | None
) -> None:
    answer = upright([first, REFUSED, third, REFUSED])
    assert isinstance(answer, Prediction)
    assert (answer.digit, answer.reason, answer.unsure_digit) == (digit, reason, unsure)
    assert (answer.turned, answer.attempts) == (180, 4)


def test_six_and_nine_are_hardly_ever_taken_for_each_other() -> None:
    digits = mnist_test()
    chosen = np.flatnonzero(np.isin(digits.labels[:1000], (6, 9)))[:24]
    large = [255 - np.kron(np.pad(digits.images[place], 14), np.ones((3, 3), np.uint8)) for place in chosen]
    found = digitrec.predict_many([np.rot90(one, 2) for one in large], rotate="auto")
    wrong = [
        answer for answer, place in zip(found, chosen, strict=True)
        if isinstance(answer, Prediction) and answer.digit not in (None, digits.labels[place])
    ]  # fmt: skip
    assert len(wrong) <= 1


@pytest.mark.parametrize("reader", ["fake", "policy"])
def test_only_a_network_is_asked_four_times(reader: str) -> None:
    fake = FakeProvider()
    with pytest.raises(ValueError):
        digitrec.predict(
            SEVEN, fake if reader == "fake" else digitrec.Fallback(["local"], 0.9), rotate="auto"
        )
    assert fake.calls == 0


@pytest.mark.parametrize("angle", [45, -90, True, "left", None, 90.5])
def test_another_angle_is_refused(angle: object) -> None:
    with pytest.raises(ValueError):
        digitrec.predict(SEVEN, rotate=angle)  # type: ignore[arg-type]
