"""Calibrations are stored, found, and applied only to the engine they were fitted for."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import digitrec
from digitrec.answer.prediction import Prediction
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine
from digitrec.image import ImageRef
from digitrec.recognise import calibration
from digitrec.recognise.calibration import Calibration, Key

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
    calibration.save(replace(FITTED, chances=(0.0, 0.0, 0.0)))  # replaces it
    assert calibration.apply(ANSWER, calibration.known()).calibrated == 0.0
    assert list(calibration.folder().iterdir()) == [path]


def test_every_key_has_a_file_of_its_own_whatever_its_engine_is_called() -> None:
    keys = [
        Key("my/engine 2", "plain", "v1", emulated=False),
        Key("my/engine 2", "plain", "v2", emulated=False),
        Key("my/engine 2", "plain", "v1", emulated=True),
        Key("my/engine 2", "mnist", "v1", emulated=False),
    ]
    paths = [calibration.save(replace(FITTED, key=key)) for key in keys]
    assert [path.parent for path in paths] == [calibration.folder()] * 4
    assert all(re.fullmatch(r"my-engine-2-[0-9a-f]{12}\.json", path.name) for path in paths)
    assert set(calibration.known()) == set(keys)


def test_chances_that_were_fitted_on_the_very_same_pictures_are_known() -> None:
    images = [ImageRef(f"{sha}.png", sha) for sha in ("bb", "aa", "cc")]
    said = [replace(ANSWER, image=image, calibrated=0.8) for image in images]
    digest = calibration.digest(said)
    assert digest == hashlib.sha256(b"aabbcc").hexdigest(), "in whatever order they come"
    assert calibration.digest([replace(ANSWER, image=ImageRef("x", None))]) == hashlib.sha256().hexdigest()
    known = {KEY: replace(FITTED, data_sha256=digest)}
    assert calibration.fitted_on(said, known)
    assert not calibration.fitted_on(said[1:], known)
    assert not calibration.fitted_on(said, {})
    assert not calibration.fitted_on([replace(it, calibrated=None) for it in said], known)
    other = [replace(it, provider="f") for it in said]
    assert calibration.fitted_on([*other[1:], *said], known), "each engine's pictures are its own"


def test_predictions_carry_the_chance_from_then_on() -> None:
    fake = FakeProvider(["7"], name="e")
    assert digitrec.predict(drawn_seven(), Engine(fake)).calibrated is None
    calibration.save(replace(FITTED, key=replace(KEY, model_version=None)))
    answer = digitrec.predict(drawn_seven(), Engine(fake), at_least=0.8)
    assert answer.calibrated == pytest.approx(0.76)
    assert (answer.digit, answer.unsure_digit) == (None, 7), "the chance counts, not the confidence"


@pytest.mark.parametrize("other", [
    replace(ANSWER, provider="f"), replace(ANSWER, preparation="enlarged"),
    replace(ANSWER, model_version="v2"), replace(ANSWER, emulated=True), replace(ANSWER, digit=None),
    replace(ANSWER, confidence=None), replace(ANSWER, inferred=True),
])  # fmt: skip
def test_it_serves_nothing_that_it_was_not_fitted_for(other: Prediction) -> None:
    calibration.save(FITTED)
    assert calibration.apply(ANSWER, calibration.known()).calibrated == pytest.approx(0.55)
    assert calibration.apply(other, calibration.known()).calibrated is None


WHOLE = asdict(FITTED)
DAMAGED = [
    "", "{}", "[]", '{"key": {"provider": "e"}}', "\x00",
    json.dumps(WHOLE | {"key": asdict(KEY) | {"provider": []}}),
    json.dumps(WHOLE | {"scores": [0.0, 1.0]}),
    json.dumps(WHOLE | {"scores": [], "chances": []}),
    json.dumps(WHOLE | {"chances": [0.1, "0.2", 0.9]}),
    json.dumps(WHOLE | {"chances": [0.1, 0.2, 1.1]}),
    json.dumps(WHOLE | {"scores": [-0.1, 0.5, 1.0]}),
    json.dumps(WHOLE | {"chances": [0.1, float("nan"), 0.9]}),
]  # fmt: skip


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_warns_once_for_its_engine(text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = calibration.save(FITTED)
    calibration.save(replace(FITTED, key=replace(KEY, provider="f")))
    path.write_text(text)
    for _ in range(2):
        assert calibration.apply(ANSWER, calibration.known()).calibrated is None
        assert calibration.apply(replace(ANSWER, provider="f"), calibration.known()).calibrated is not None
    (told,) = [record.getMessage() for record in caplog.records]
    assert str(path) in told


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
shares = st.lists(st.floats(-0.5, 1.5) | st.integers(-1, 2), max_size=4)


@settings(max_examples=60)
@given(
    name=st.sampled_from(sorted(WHOLE)), value=values | shares, other=values | shares, cut=st.integers(0, 900)
)
def test_any_file_content_gives_a_chance_or_nothing(
    name: str, value: object, other: object, cut: int
) -> None:
    for text in (
        json.dumps(WHOLE | {name: value}), json.dumps(WHOLE | {"scores": value, "chances": other}),
        json.dumps(WHOLE)[:cut], json.dumps(value),
    ):  # fmt: skip
        path = calibration.save(FITTED)
        path.write_text(text)
        chance = calibration.apply(ANSWER, calibration.known()).calibrated
        assert chance is None or 0 <= chance <= 1
