"""Training by name, on a few digits."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from digitrec.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.models import store
from digitrec.training.fit import FitConfig, FitResult, fit
from digitrec.training.run import Progress

DIGITS, TEST = mnist_test()[:200], mnist_test()[200:300]
CONFIG = FitConfig("mlp", epochs=3, batch=20, loss="sparse", scale="l2", validation=0.3)


@pytest.fixture(scope="module")
def told() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, told: list[Progress]) -> FitResult:
    """The tutorial's sparse run on pixels put through Keras' normalize, in small."""
    out = tmp_path_factory.mktemp("fit") / "mlp.keras"
    return fit(CONFIG, out, digits=DIGITS, test=TEST, on_progress=told.append)


def test_the_file_carries_its_preparation_and_what_it_reads(made: FitResult) -> None:
    model = store.load(made.file)
    assert model.input == store.ModelInput("mnist", "l2", "softmax", 1.0, assumed=False)
    said = model.probabilities(TEST.images)
    assert int((said.argmax(axis=1) == TEST.labels).sum()) == made.test_correct > 40
    assert model.card["test"]["correct"] == made.test_correct
    given = said[np.arange(100), TEST.labels]
    assert made.test_loss == pytest.approx(float(-np.log(given).mean()), rel=1e-4)


def test_l2_is_what_keras_makes_of_it() -> None:
    theirs = keras.utils.normalize(TEST.images.astype(np.float32), axis=1)
    np.testing.assert_allclose(store.scaled(TEST.images, "l2"), theirs, atol=1e-6)


def test_history_checkpoint_and_progress(made: FitResult, told: list[Progress]) -> None:
    with (made.file.parent / "mlp-run" / "history.csv").open(newline="") as file:
        assert [int(row["epoch"]) for row in csv.DictReader(file)] == [1, 2, 3]
    assert made.history[-1].loss < made.history[0].loss
    assert [round(21 * progress.done) for progress in told] == list(range(1, 22))  # 140 digits: 7 steps
    assert told[-1].seconds_left == pytest.approx(0, abs=1e-6)


def test_a_stopped_run_goes_on(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.epoch == 3:
            raise KeyboardInterrupt

    out = tmp_path / "mlp.keras"
    with pytest.raises(KeyboardInterrupt):
        fit(CONFIG, out, digits=DIGITS, test=TEST, on_progress=stop)
    seen: list[Progress] = []
    result = fit(CONFIG, out, digits=DIGITS, test=TEST, resume=True, on_progress=seen.append)
    assert len(result.history) == 3 and seen[0].epoch == 3
    with pytest.raises(ModelError, match="other settings"):
        fit(replace(CONFIG, seed=1), out, digits=DIGITS, test=TEST, resume=True)


def test_it_stops_when_nothing_is_gained_and_goes_back_to_the_best(tmp_path: Path) -> None:
    wild = FitConfig("tutorial-cnn", epochs=30, batch=20, learning_rate=0.3, patience=1, validation=0.3)
    result = fit(wild, tmp_path / "wild.keras", digits=DIGITS, test=TEST)
    losses = [row.validation_loss for row in result.history]
    assert len(losses) < 30
    assert losses.index(min(losses)) == len(losses) - 2


def test_a_network_learns_on_from_a_file(made: FitResult, tmp_path: Path) -> None:
    more = FitConfig("mlp", epochs=1, batch=20, scale="l2", validation=0.0, learning_rate=1e-6)
    result = fit(more, tmp_path / "mine.h5", digits=DIGITS[:40], test=TEST, start=made.file)
    assert abs(result.test_correct - made.test_correct) <= 5  # a step so small leaves it as it was
    assert store.load(result.file).input.scale == "l2"
    (tmp_path / "none.keras").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot begin"):
        fit(more, tmp_path / "mine.h5", digits=DIGITS[:40], test=TEST, start=tmp_path / "none.keras")


@pytest.mark.parametrize(("arch", "name"), [("simple-cnn", "small.tflite"), ("knn", "near.skops")])
def test_other_kinds_of_files(tmp_path: Path, arch: str, name: str) -> None:
    result = fit(FitConfig(arch, epochs=1), tmp_path / "new" / name, digits=DIGITS, test=TEST)
    model = store.load(result.file)
    assert model.card["settings"]["arch"] == arch
    assert model.probabilities(TEST.images).shape == (100, 10)


@pytest.mark.parametrize(("arch", "name"), [("knn", "near.keras"), ("mlp", "mlp.skops"), ("mlp", "mlp.pkl")])
def test_a_file_that_cannot_hold_it_is_refused_before_anything_is_learned(
    tmp_path: Path, arch: str, name: str
) -> None:
    with pytest.raises(ModelError, match="is written as"):
        fit(FitConfig(arch), tmp_path / name, digits=DIGITS, test=TEST)
