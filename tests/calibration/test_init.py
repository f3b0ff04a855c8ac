"""Calibrations are kept, found again, and applied to what they were fitted for and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

import digitrec
from digitrec import calibration
from digitrec.calibration import Calibration, Key
from digitrec.engine import Engine
from digitrec.image import ImageRef
from digitrec.prediction import Prediction
from digitrec.testing import FakeProvider, drawn_seven

KEY = Key("e", "plain", "v1", emulated=False)
FITTED = Calibration(
    KEY, (0.0, 0.5, 1.0), (0.1, 0.2, 0.9), "isotonic", n=100, right=80, brier_before=0.3, brier_after=0.1,
    data="photos", data_sha256="00", fitted="2026-01-01T00:00:00+00:00", digitrec="0.1.0",
)  # fmt: skip
ANSWER = Prediction(ImageRef("x.png", "00"), "e", 7, 0.75, model_version="v1")


def test_a_saved_calibration_is_found_again_as_it_was() -> None:
    path = calibration.save(FITTED)
    assert calibration.stored(str(calibration.folder())) == {KEY: FITTED}
    assert path.parent == calibration.folder()


def test_between_its_points_it_is_a_straight_line() -> None:
    assert FITTED.chance(0.75) == pytest.approx(0.55)
    assert (FITTED.chance(0.0), FITTED.chance(1.0)) == (0.1, 0.9)


def test_predictions_carry_the_chance_from_then_on() -> None:
    fake = FakeProvider(["7"], name="e")
    assert digitrec.predict(drawn_seven(), Engine(fake)).calibrated is None
    calibration.save(replace(FITTED, key=replace(KEY, model_version=None)))
    assert digitrec.predict(drawn_seven(), Engine(fake)).calibrated == pytest.approx(0.76)


@pytest.mark.parametrize(
    "other",
    [
        replace(ANSWER, provider="f"),
        replace(ANSWER, preparation="enlarged"),
        replace(ANSWER, model_version="v2"),
        replace(ANSWER, emulated=True),
        replace(ANSWER, digit=None),
        replace(ANSWER, confidence=None),
        replace(ANSWER, inferred=True),
    ],
)
def test_it_serves_nothing_that_it_was_not_fitted_for(other: Prediction) -> None:
    calibration.save(FITTED)
    assert calibration.apply(ANSWER, calibration.known()).calibrated == pytest.approx(0.55)
    assert calibration.apply(other, calibration.known()).calibrated is None


def test_a_new_one_takes_the_place_of_the_old() -> None:
    calibration.save(FITTED)
    calibration.save(replace(FITTED, chances=(0.0, 0.0, 0.0)))
    assert calibration.apply(ANSWER, calibration.known()).calibrated == 0.0
    assert len(list(calibration.folder().iterdir())) == 1


WHOLE = asdict(FITTED)
DAMAGED = [
    "", "{}", "[]", '{"key": {"provider": "e"}}', "\x00",
    json.dumps(WHOLE | {"key": asdict(KEY) | {"provider": []}}),
    json.dumps(WHOLE | {"scores": [0.0, 1.0]}),
    json.dumps(WHOLE | {"scores": [], "chances": []}),
    json.dumps(WHOLE | {"chances": [0.1, "0.2", 0.9]}),
    json.dumps(WHOLE | {"chances": [0.1, float("nan"), 0.9]}),
]  # fmt: skip


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_told_once_and_costs_only_its_own_engine(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = calibration.save(FITTED)
    calibration.save(replace(FITTED, key=replace(KEY, provider="f")))
    path.write_text(text)
    for _ in range(2):
        assert calibration.apply(ANSWER, calibration.known()).calibrated is None
        assert calibration.apply(replace(ANSWER, provider="f"), calibration.known()).calibrated is not None
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"{path}: not a calibration (")
    assert told.endswith("; delete it and calibrate again")
