"""Calibrations are stored, found, and applied only to the engine they were fitted for."""

import hashlib
import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict

import digitrec
from digitrec.answer import Prediction
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine
from digitrec.errors import DataError
from digitrec.image import ImageRef
from digitrec.recognise import calibration
from digitrec.recognise.calibration import Calibration, Key, fit

KEY = Key("e", "plain", "v1", emulated=False)
FITTED = Calibration(
    KEY, (0.0, 0.5, 1.0), (0.1, 0.2, 0.9), "isotonic", n=100, right=80, brier_before=0.3, brier_after=0.1,
    data="photos", data_sha256="00", fitted="2026-01-01T00:00:00+00:00", digitrec="0.1.0",
)  # fmt: skip
ANSWER = Prediction(ImageRef("x.png", "00"), "e", 7, 0.75, model_version="v1")


def test_a_saved_calibration_is_found_again_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    path = calibration.save(FITTED)
    assert calibration.stored(str(calibration.folder())) == {KEY: FITTED}
    assert path.parent == calibration.folder()
    assert not caplog.messages
    calibration.save(replace(FITTED, chances=(0.0, 0.0, 0.0), brier_after=0.3))  # replaces it
    assert f"{path}: no better than no calibration" in caplog.text
    assert calibration.apply(ANSWER, calibration.known()).calibrated == 0.0
    assert list(calibration.folder().iterdir()) == [path]


def test_every_key_has_a_file_of_its_own_whatever_its_engine_is_called() -> None:
    first = replace(KEY, provider="my/engine 2")
    others = [{"model_version": "v2"}, {"emulated": True}, {"preparation": "mnist"}]
    keys = [first, *(replace(first, **other) for other in others)]
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
    assert not calibration.fitted_on(said[1:], known), "an older version kept only this digest"
    assert calibration.fitted_on(said[1:], {KEY: replace(FITTED, pictures=("cc",))})
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


@pytest.mark.parametrize("text", [
    "", "{}", "[]", '{"key": {"provider": "e"}}', "\x00",
    json.dumps(WHOLE | {"key": asdict(KEY) | {"provider": []}}), json.dumps(WHOLE | {"scores": [0.0, 1.0]}),
    json.dumps(WHOLE | {"scores": [], "chances": []}), json.dumps(WHOLE | {"chances": [0.1, "0.2", 0.9]}),
    json.dumps(WHOLE | {"chances": [0.1, 0.2, 1.1]}), json.dumps(WHOLE | {"scores": [-0.1, 0.5, 1.0]}),
    json.dumps(WHOLE | {"chances": [0.1, float("nan"), 0.9]}),
])  # fmt: skip
def test_a_damaged_file_warns_once_for_its_engine(text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = calibration.save(FITTED)
    calibration.save(replace(FITTED, key=replace(KEY, provider="f")))
    path.write_text(text)
    for _ in range(2):
        assert calibration.apply(ANSWER, calibration.known()).calibrated is None
        assert calibration.apply(replace(ANSWER, provider="f"), calibration.known()).calibrated is not None
    (told,) = [record.getMessage() for record in caplog.records]
    assert str(path) in told


def test_a_folder_that_may_not_be_read_warns(as_nobody: Path, caplog: pytest.LogCaptureFixture) -> None:
    Path("closed").mkdir(0)
    assert calibration.stored("closed/calibrations") == {}
    assert "closed/calibrations: cannot be read (Permission denied)" in caplog.text


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
) | st.lists(st.floats(-0.5, 1.5) | st.integers(-1, 2), max_size=4)


@settings(max_examples=60)
@given(name=st.sampled_from(sorted(WHOLE)), value=values, other=values, cut=st.integers(0, 900))
def test_any_file_content_gives_a_chance_or_none(name: str, value: object, other: object, cut: int) -> None:
    for text in (
        json.dumps(WHOLE | {name: value}), json.dumps(WHOLE | {"scores": value, "chances": other}),
        json.dumps(WHOLE)[:cut], json.dumps(value),
    ):  # fmt: skip
        calibration.save(FITTED).write_text(text)
        chance = calibration.apply(ANSWER, calibration.known()).calibrated
        assert chance is None or 0 <= chance <= 1


GRID = np.linspace(0.05, 0.95, 19)


def answers(n: int, truth: object, seed: int = 0) -> tuple[list[Prediction], list[int | None]]:
    """Answers whose chance of being right is a known function of their confidence."""
    rng = np.random.default_rng(seed)
    scores = rng.random(n)
    right = rng.random(n) < truth(scores)  # type: ignore[operator]
    said = [Prediction(ImageRef(f"{place}.png", f"{place:064x}"), "e", 7, float(score), model_version="v1")
            for place, score in enumerate(scores)]  # fmt: skip
    return said, [7 if value else 1 for value in right]


def smooth(scores: np.ndarray) -> np.ndarray:
    return scores**3 / (scores**3 + (1 - scores) ** 3)


def gentle(scores: np.ndarray) -> np.ndarray:
    return scores**0.5 / (scores**0.5 + (1 - scores) ** 0.5)


def staircase(scores: np.ndarray) -> np.ndarray:
    return np.where(scores < 0.7, 0.3, 0.95)


@pytest.mark.parametrize(
    ("truth", "method"), [(smooth, "logistic"), (gentle, "logistic"), (staircase, "isotonic")]
)
def test_the_line_comes_near_the_truth_by_the_method_that_suits(truth: object, method: str) -> None:
    (found,) = fit(*answers(4000, truth), "fakes")
    assert (np.diff(found.chances) >= 0).all() and (np.diff(found.scores) > 0).all()
    assert min(found.chances) >= 1 / 4002 and max(found.chances) <= 4001 / 4002
    chances = np.array([found.chance(score) for score in GRID])
    assert np.abs(chances - truth(GRID)).mean() < 0.03  # type: ignore[operator]
    assert found.method == method
    assert found.brier_after < found.brier_before


def log_odds(scores: np.ndarray) -> np.ndarray:
    inside = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.log(inside / (1 - inside))[:, None]


def test_a_logistic_curve_is_scikit_learns() -> None:
    said, labels = answers(200, smooth)
    said[0], said[1] = replace(said[0], confidence=0.0), replace(said[1], confidence=1.0)
    labels[:2] = [1, 7]
    (found,) = fit(said, labels, "fakes")
    scores = np.array([answer.confidence for answer in said])
    right = np.array([label == 7 for label in labels], float)
    curve = LogisticRegression(C=1e6).fit(log_odds(scores), right)
    assert found.method == "logistic"
    assert (found.scores[0], found.scores[-1]) == pytest.approx((0, 1), abs=1e-5)
    at = np.array(found.scores[1:-1])
    expected = np.clip(curve.predict_proba(log_odds(at))[:, 1], 1 / 202, 201 / 202)
    assert list(found.chances[1:-1]) == pytest.approx(list(expected), abs=1e-6)
    assert len(found.scores) == 65, "close enough that a straight line between them is the curve"
    parts = StratifiedKFold(5, shuffle=True, random_state=0)
    unseen = cross_val_predict(curve, log_odds(scores), right, cv=parts, method="predict_proba")
    assert found.brier_after == pytest.approx(brier_score_loss(right, unseen[:, 1]), abs=1e-3)


def test_an_isotonic_line_is_scikit_learns() -> None:
    said, labels = answers(2000, staircase)
    (found,) = fit(said, labels, "fakes")
    scores = np.array([answer.confidence for answer in said])
    right = np.array([label == 7 for label in labels], float)
    expected = IsotonicRegression().fit(scores, right).predict(GRID)
    assert [found.chance(score) for score in GRID] == pytest.approx(np.clip(expected, 1 / 2002, 2001 / 2002))
    assert found.brier_before == pytest.approx(brier_score_loss(right, scores))
    insample = brier_score_loss(right, [found.chance(score) for score in scores])
    assert found.brier_after > insample, "each part is judged by a line that did not see it"
    unseen = np.empty(2000)
    for rest, part in StratifiedKFold(5, shuffle=True, random_state=0).split(scores, right):
        line = IsotonicRegression(out_of_bounds="clip").fit(scores[rest], right[rest])
        unseen[part] = np.clip(line.predict(scores[part]), 1 / (len(rest) + 2), 1 - 1 / (len(rest) + 2))
    assert found.brier_after == pytest.approx(brier_score_loss(right, unseen))


def test_a_confidence_that_is_surer_where_it_is_wrong_gives_the_share_right_everywhere() -> None:
    (found,) = fit(*answers(2000, lambda scores: 0.9 - 0.8 * scores), "fakes")
    assert found.method == "logistic"
    assert (found.scores, found.chances) == ((0.0, 1.0), (found.right / 2000,) * 2)


def test_it_says_where_it_is_from() -> None:
    said, labels = answers(200, smooth)
    (found,) = fit(said, labels, "photos\udcff")
    everything = "".join(sorted(answer.image.sha256 or "" for answer in said))
    assert (found.data, found.n, found.right) == ("photos\\udcff", 200, labels.count(7))
    calibration.save(found)
    assert calibration.known()[found.key] == found
    assert found.data_sha256 == hashlib.sha256(everything.encode()).hexdigest()
    assert (found.key, found.digitrec) == (Key("e", "plain", "v1", emulated=False), digitrec.__version__)
    fitted = datetime.fromisoformat(found.fitted)
    assert timedelta(0) <= datetime.now(UTC) - fitted < timedelta(hours=1)
    assert (fitted.utcoffset(), len(found.fitted)) == (timedelta(0), len("2026-01-01T00:00:00+00:00"))


def test_every_model_has_its_own_and_a_few_answers_of_a_new_one_do_not_hinder_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said, labels = answers(401, smooth)
    models = ["v3", *["v1", "v2"] * 200]
    mixed = [replace(one, model_version=model) for one, model in zip(said, models, strict=True)]
    found = fit(mixed, labels, "fakes")
    assert [(each.key.model_version, each.n) for each in found] == [("v1", 200), ("v2", 200)]
    assert len(caplog.records) == 1 and "(model v3)" in caplog.text


@pytest.mark.parametrize(("right", "wrong"), [(45, 5), (5, 45)])
def test_so_many_answers_of_a_kind_are_enough(right: int, wrong: int) -> None:
    said, _ = answers(50, smooth)
    (found,) = fit(said, [7] * right + [1] * wrong, "fakes")
    assert (found.n, found.right) == (50, right)


@pytest.mark.parametrize(("right", "wrong"), [(44, 5), (46, 4), (4, 46), (200, 0)])
def test_too_few_answers_are_refused(right: int, wrong: int) -> None:
    said, _ = answers(right + wrong, smooth)
    with pytest.raises(DataError, match=f"photos: {right} right and {wrong} wrong"):
        fit(said, [7] * right + [1] * wrong, "photos")


def test_each_answer_needs_its_own_label() -> None:
    said, labels = answers(60, smooth)
    with pytest.raises(ValueError, match=r"60.*59"):
        fit(said, labels[1:], "fakes")


def test_refused_inferred_and_unscored_digits_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    said, labels = answers(100, smooth)
    without = [{"digit": None}, {"confidence": None}, {"inferred": True}]
    others = [replace(said[0], **change) for change in without]
    assert fit([*others, *said, *said], [7, 7, 7, *labels, *labels[:-1], 0], "x")[0].n == 100, "copies once"
    assert caplog.messages == ["x: 99.png repeats a picture with another label"]
    with pytest.raises(DataError):
        fit(others, [7, 7, 7], "x")
