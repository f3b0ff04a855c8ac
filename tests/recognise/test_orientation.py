"""Pictures turned before they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import digitrec
from digitrec.answer.prediction import Failure, Prediction
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.image import TURNS

SEVEN = drawn_seven()


@pytest.mark.parametrize("degrees", TURNS)
def test_a_picture_is_turned_clockwise_before_it_is_read(degrees: int) -> None:
    askew = SEVEN.turned((360 - degrees) % 360)
    answer = digitrec.predict(askew, rotate=degrees)  # type: ignore[arg-type]
    assert (answer.digit, answer.turned) == (7, degrees)
    assert answer.image == SEVEN.ref
    assert np.array_equal(askew.pixels, np.rot90(SEVEN.pixels, degrees // 90))  # NumPy turns the other way


def test_any_engine_is_given_the_turned_picture_and_a_bad_one_takes_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    fakes = [FakeProvider(["7"]), FakeProvider(["7"])]
    for reader in (fakes[0], digitrec.Fallback(fakes, below=0.5)):
        found = digitrec.predict_many([SEVEN, tmp_path / "cut.png"], reader, rotate=90)
        assert isinstance(found[0], Prediction)
        assert (found[0].digit, found[0].turned) == (7, 90)
        assert isinstance(found[1], Failure)
        asked = reader.name if isinstance(reader, digitrec.Fallback) else "fake"
        assert (found[1].image.source, found[1].provider) == (str(tmp_path / "cut.png"), asked)
    sent = np.asarray(fakes[0].images[0].picture().convert("L"))
    assert np.array_equal(sent, SEVEN.turned(90).pixels)


@pytest.mark.parametrize("angle", [45, -90, True, "left", "auto", None, 90.5])
def test_another_angle_is_refused(angle: object) -> None:
    with pytest.raises(ValueError):
        digitrec.predict(SEVEN, rotate=angle)  # type: ignore[arg-type]
