"""Training by name, on a few digits."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError, ModelError
from digitrec.lab.training.fit import FitResult, fit, measured
from digitrec.lab.training.run import FitConfig, Progress
from digitrec.lab.training.train import split
from digitrec.models import store
from digitrec.models.scores import scaled

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
    assert model.card["test"]["on"] == "digits handed over" and "left_out" not in model.card["test"]
    assert model.card["learned_from"] == {"digits handed over": 200} and model.card["epochs"] == 3
    given = said[np.arange(100), TEST.labels]
    assert made.test_loss == pytest.approx(float(-np.log(given).mean()), rel=1e-4)


def test_l2_is_what_keras_makes_of_it() -> None:
    theirs = keras.utils.normalize(TEST.images.astype(np.float32), axis=1)
    np.testing.assert_allclose(scaled(TEST.images, "l2"), theirs, atol=1e-6)


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


def test_another_optimizer_takes_the_steps(tmp_path: Path) -> None:
    config = replace(CONFIG, arch="tutorial-cnn", epochs=1, optimizer="sgd")
    fit(config, tmp_path / "it.keras", digits=DIGITS, test=TEST)
    its = keras.models.load_model(tmp_path / "it-run" / "checkpoint.keras").optimizer
    assert type(its).__name__ == "SGD" and float(its.learning_rate) == pytest.approx(0.01)


def test_a_finished_run_is_written_again_at_its_best_and_can_be_given_more_epochs(tmp_path: Path) -> None:
    """Its last epochs are worse than its best one: a rate so high that it forgets."""
    wild = FitConfig("tutorial-cnn", epochs=4, batch=20, learning_rate=0.3, patience=1, validation=0.3)
    _, held_back = split(DIGITS, 0.3)
    out = tmp_path / "wild.keras"
    first = fit(wild, out, digits=DIGITS, test=TEST)
    best, _ = measured(out, held_back)
    assert best == pytest.approx(min(row.validation_loss for row in first.history), rel=1e-3)
    assert first.history[-1].validation_loss > 1.001 * best
    again = fit(wild, out, digits=DIGITS, test=TEST, resume=True)
    assert measured(out, held_back)[0] == pytest.approx(best, rel=1e-5)
    assert again.history == first.history and again.seconds == first.seconds
    longer = replace(wild, epochs=6)
    more = fit(longer, out, digits=DIGITS, test=TEST, resume=True)
    assert len(more.history) > len(first.history)
    best = min(row.validation_loss for row in more.history)
    assert measured(out, held_back)[0] == pytest.approx(best, rel=1e-3)
    with pytest.raises(ModelError, match="begun for 6 epochs"):
        fit(wild, out, digits=DIGITS, test=TEST, resume=True)
    with pytest.raises(ModelError, match="other digits"):
        fit(longer, out, digits=TEST, test=DIGITS, resume=True)


def test_what_was_learned_is_not_tested_on(tmp_path: Path) -> None:
    """k-NN reads what it has learned without an error: it must not be asked."""
    result = fit(FitConfig("knn"), tmp_path / "knn.skops", digits=DIGITS, sources={"some": 200})
    assert (result.test_count, result.left_out, result.tested_on) == (9_800, 200, "mnist-test")
    test = store.load(result.file).card["test"]
    assert (test["on"], test["left_out"], test["count"]) == ("mnist-test", 200, 9_800)
    few = fit(FitConfig("knn"), tmp_path / "knn.skops", digits=DIGITS, limit_test=100)
    assert few.test_count == 100 and few.test_correct < 100
    with pytest.raises(DataError, match="all 200 digits"):
        fit(FitConfig("knn"), tmp_path / "knn.skops", digits=DIGITS, test=DIGITS)


def test_what_the_network_had_learned_before_counts_as_learned(made: FitResult, tmp_path: Path) -> None:
    more = FitConfig("mlp", epochs=1, batch=20, scale="l2", learning_rate=1e-6)
    both = mnist_test()[150:300]  # fifty of them were learned first
    result = fit(more, tmp_path / "mine.keras", digits=TEST[:20], test=both, start=made.file)
    assert (result.test_count, result.left_out) == (80, 70)
    assert store.load(result.file).card["start"] == "mlp.keras"


@pytest.mark.parametrize("arch", ["knn", "svm", "random-forest"])
def test_a_classifier_that_lacks_a_digit_is_refused_before_it_learns(tmp_path: Path, arch: str) -> None:
    two = DIGITS[np.flatnonzero(np.isin(DIGITS.labels, (3, 7)))]
    with pytest.raises(DataError, match="there is no 0, 1, 2, 4, 5, 6, 8, 9"):
        fit(FitConfig(arch), tmp_path / "two.skops", digits=two, test=TEST)
    assert not (tmp_path / "two.skops").exists()


def test_nothing_left_to_learn_from_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none is left to learn from"):
        fit(FitConfig("mlp", validation=0.9), tmp_path / "no.keras", digits=DIGITS[:2], test=TEST)


def test_a_network_learns_on_from_a_file(made: FitResult, tmp_path: Path) -> None:
    more = FitConfig("mlp", epochs=1, batch=20, scale="l2", validation=0.0, learning_rate=1e-6)
    result = fit(more, tmp_path / "mine.h5", digits=DIGITS[:40], test=TEST, start=made.file)
    assert abs(result.test_correct - made.test_correct) <= 5  # a step so small leaves it as it was
    assert store.load(result.file).input.scale == "l2"
    (tmp_path / "none.keras").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"538,122 parameters is no tutorial-cnn; give --arch mlp"):
        fit(replace(more, arch="tutorial-cnn"), tmp_path / "no.h5", digits=DIGITS, test=TEST, start=made.file)
    with pytest.raises(ModelError, match="give --scale l2"):
        fit(replace(more, scale="unit"), tmp_path / "no.h5", digits=DIGITS, test=TEST, start=made.file)
    with pytest.raises(ModelError, match="cannot begin"):
        fit(more, tmp_path / "mine.h5", digits=DIGITS[:40], test=TEST, start=tmp_path / "none.keras")


def test_what_is_frozen_stays_and_learns_again_when_it_is_not(made: FitResult, tmp_path: Path) -> None:
    def weights(file: Path) -> list[np.ndarray]:
        return list(keras.saving.load_model(file, compile=False).get_weights())

    def moved(one: Path, other: Path) -> list[bool]:
        return [bool((a != b).any()) for a, b in zip(weights(one), weights(other), strict=True)]

    more = FitConfig("mlp", epochs=1, batch=20, scale="l2", validation=0.0, freeze=True)
    frozen, free = tmp_path / "frozen.keras", tmp_path / "free.keras"
    fit(more, frozen, digits=DIGITS[:40], test=TEST, start=made.file)
    assert moved(made.file, frozen) == [False] * 10 + [True] * 2  # but for the last layer's two
    assert store.load(frozen).card["settings"]["freeze"] is True
    assert store.load(frozen).card["device"] == "cpu"
    fit(replace(more, freeze=False), free, digits=DIGITS[:40], test=TEST, start=frozen)
    assert all(moved(frozen, free))


def test_a_published_backbone_learns_on_from_a_file_of_the_whole_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body(**options: Any) -> keras.Model:
        image = keras.Input(options["input_shape"])
        pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 9, 9)(image))
        return keras.Model(image, pooled, name="body")

    monkeypatch.setattr(keras.applications, "VGG16", body)
    config = FitConfig("vgg", epochs=1, batch=20, validation=0.0, side=32)
    first, second = tmp_path / "first.h5", tmp_path / "second.keras"
    fit(config, first, digits=DIGITS[:20], test=TEST)
    with pytest.raises(ModelError, match=r"first\.h5: keeps the size.*leave --side out"):
        fit(config, second, digits=DIGITS[:20], test=TEST, start=first)
    fit(replace(config, side=None), second, digits=DIGITS[:20], test=TEST, start=first)
    enlarged = keras.saving.load_model(second).get_layer("body").input.shape
    assert enlarged == (None, 32, 32, 3) and store.load(second).card["start"] == "first.h5"


@pytest.mark.parametrize(
    ("config", "start", "says"),
    [
        (FitConfig("mlp", pretrained=True), None, "no published weights.*resnet, vgg, efficientnet have"),
        (FitConfig("vgg-small", side=64), None, "one size"),
        (FitConfig("vgg", pretrained=True), "six.h5", "with it .--start. or with ImageNet's"),
        (FitConfig("mlp", freeze=True), None, "must have learned before"),
        (FitConfig("knn", freeze=True), "six.h5", "for a network"),
    ],
)
def test_what_it_begins_with_goes_with_it_or_is_refused(
    tmp_path: Path, config: FitConfig, start: str | None, says: str
) -> None:
    file = tmp_path / ("new.skops" if config.arch == "knn" else "new.keras")
    with pytest.raises(ModelError, match=says):
        fit(config, file, digits=DIGITS, test=TEST, start=None if start is None else tmp_path / start)
    assert not list(tmp_path.iterdir())


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
