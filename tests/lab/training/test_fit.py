"""Training by name, on a few digits."""

import csv
import shutil
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError, ModelError
from digitrec.lab.datasets.digits import read_keys
from digitrec.lab.training.epochs import batch_of, batches
from digitrec.lab.training.fit import FitResult, fit, measured
from digitrec.lab.training.run import FitConfig, given, split
from digitrec.lab.training.zoo import ZOO
from digitrec.models import store

pytestmark = pytest.mark.usefixtures("eagerly")
DIGITS, TEST = mnist_test()[:200], mnist_test()[200:300]
CONFIG = FitConfig("mlp", epochs=3, batch=20, loss="sparse", scale="l2", validation=0.3)


@pytest.fixture(scope="module")
def told() -> list[float]:
    return []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, told: list[float]) -> FitResult:
    """Train as in the tutorial on pixels put through Keras' normalize, on few digits."""
    out = tmp_path_factory.mktemp("fit") / "mlp.keras"
    return fit(CONFIG, out, given(DIGITS, test=TEST), on_progress=lambda done, _: told.append(done))


def history(folder: Path) -> list[tuple[float, ...]]:
    """Return the rows of a run's history."""
    _, *rows = csv.reader((folder / "history.csv").read_text().splitlines())
    return [tuple(map(float, row)) for row in rows]


def test_the_file_carries_its_preparation_and_what_it_reads(made: FitResult, told: list[float]) -> None:
    model = store.load(made.file)
    assert model.input == store.ModelInput("mnist", "l2", "softmax", 1.0, assumed=False)
    said = model.probabilities(TEST.images)
    assert int((said.argmax(axis=1) == TEST.labels).sum()) == made.test_correct > 40
    assert model.card["test"]["correct"] == made.test_correct
    assert model.card["test"]["on"] == "digits handed over" and "left_out" not in model.card["test"]
    assert model.card["learned_from"] == {"digits handed over": 200} and model.card["epochs"] == 3
    assert made.test_loss == pytest.approx(float(-np.log(said[np.arange(100), TEST.labels]).mean()), rel=1e-4)
    assert history(made.file.parent / "mlp-run") == [astuple(row) for row in made.history]
    assert made.history[-1].loss < made.history[0].loss
    assert [round(21 * done) for done in told] == list(range(1, 22))  # 140 digits: 7 steps


def test_a_stopped_run_leaves_its_best_network_to_start_from(made: FitResult, tmp_path: Path) -> None:
    def stop(done: float, remark: str) -> None:
        if remark.startswith("epoch 3/3"):
            raise KeyboardInterrupt

    out = tmp_path / "mlp.keras"
    with pytest.raises(KeyboardInterrupt):
        fit(CONFIG, out, given(DIGITS, test=TEST), on_progress=stop)
    assert len(history(tmp_path / "mlp-run")) == 2
    best, what = tmp_path / "mlp-run" / "best.keras", given(DIGITS, test=TEST)
    again = fit(replace(CONFIG, epochs=1), out, what, start=best)
    assert again.history[0].loss < made.history[0].loss
    kept = best.read_bytes()
    worse = fit(replace(CONFIG, epochs=1, learning_rate=1.0), out, what, start=best)
    assert worse.test_loss == pytest.approx(again.test_loss, rel=1e-4)
    with pytest.raises(ModelError, match="diverged"):
        fit(replace(CONFIG, learning_rate=1e30, optimizer="sgd"), out, what)
    assert best.read_bytes() == kept
    what = given(TEST, test=mnist_test()[:400], start=best)
    assert what.left_out == 300  # digits of this run and of the stopped run
    with pytest.raises(KeyboardInterrupt):
        fit(CONFIG, out, given(TEST, test=DIGITS), on_progress=stop)
    assert given(TEST, test=mnist_test()[:400], start=out).left_out == 300, "the earlier model is still there"
    fit(replace(CONFIG, epochs=1, validation=0.0), out, given(DIGITS, test=TEST))
    assert not best.exists(), "it was an earlier run's"


def test_training_stops_early_and_keeps_its_best_weights(tmp_path: Path) -> None:
    """Train with a rate so high that the last epochs are worse than the best."""
    wild = FitConfig("tutorial-cnn", epochs=4, batch=20, learning_rate=0.3, patience=1, validation=0.3,
                     optimizer="sgd")  # fmt: skip
    _, held_back = split(DIGITS, 0.3)
    out = tmp_path / "wild.keras"
    rows = fit(wild, out, given(DIGITS, test=TEST)).history
    best, _ = measured(out, held_back)
    assert best == pytest.approx(min(row.validation_loss for row in rows), rel=1e-3)
    assert rows[-1].validation_loss > 1.001 * best and len(rows) < 4
    its = keras.models.load_model(tmp_path / "wild-run" / "best.keras").optimizer
    assert type(its).__name__ == "SGD" and float(its.learning_rate) == pytest.approx(0.3)


def test_what_was_learned_is_not_tested_on(tmp_path: Path) -> None:
    """k-NN reads learned digits without an error, so they must not be measured."""
    what = given(DIGITS, {"some": 200})
    assert (len(what.test), what.left_out, what.tested_on) == (9_800, 200, "mnist-test")
    card = store.load(fit(FitConfig("knn"), tmp_path / "new" / "knn.skops", what).file).card
    assert (card["test"]["on"], card["test"]["left_out"], card["test"]["count"]) == ("mnist-test", 200, 9_800)
    assert card["settings"]["arch"] == "knn"
    assert fit(FitConfig("knn"), tmp_path / "knn.skops", given(DIGITS, limit_test=100)).test_correct < 100


def test_start_counts_what_the_first_file_learned(made: FitResult, tmp_path: Path) -> None:
    more = FitConfig("mlp", epochs=1, batch=20, scale="l2", validation=0.0, learning_rate=1e-6)
    both = mnist_test()[150:300]  # fifty of them were learned first
    result = fit(more, tmp_path / "mine.h5", given(TEST[:20], test=both, start=made.file), start=made.file)
    what = given(TEST[:20], test=both, start=made.file)
    assert (len(what.test), what.left_out) == (80, 70)
    assert abs(result.test_correct - made.test_correct) <= 25  # such a small step changes no weight
    model = store.load(result.file)
    assert model.input.scale == "l2" and model.card["start"] == "mlp.keras"
    moved = Path(shutil.copy(made.file, tmp_path))  # without the list of what it learned
    fit(more, result.file, given(TEST[:20], test=both, start=moved), start=moved)
    assert read_keys(result.file) is None


def test_a_softmax_of_its_own_is_not_the_layer_that_learns(made: FitResult, tmp_path: Path) -> None:
    *others, last = keras.saving.load_model(made.file, compile=False).layers
    ends = [keras.layers.Dense(10), keras.layers.Softmax()]
    bare = keras.Sequential([keras.Input((28, 28, 1)), *others, *ends])
    bare.layers[-2].set_weights(last.get_weights())
    bare.save(tmp_path / "bare.keras")
    scale = store.load(tmp_path / "bare.keras").input.scale
    more = FitConfig("mlp", epochs=1, batch=20, scale=scale, validation=0.0, freeze=True)
    fit(more, tmp_path / "mine.keras", given(DIGITS[:40], test=TEST), start=tmp_path / "bare.keras")
    learned = keras.saving.load_model(tmp_path / "mine.keras", compile=False)
    assert (learned.get_weights()[-1] != last.get_weights()[-1]).any()


def test_what_is_frozen_stays_and_learns_again_when_it_is_not(made: FitResult, tmp_path: Path) -> None:
    def moved(one: Path, other: Path) -> list[bool]:
        pair = (keras.saving.load_model(file, compile=False).get_weights() for file in (one, other))
        return [bool((a != b).any()) for a, b in zip(*pair, strict=True)]

    more = FitConfig("mlp", epochs=1, batch=20, scale="l2", validation=0.0, freeze=True)
    frozen, free = tmp_path / "frozen.keras", tmp_path / "free.keras"
    fit(more, frozen, given(DIGITS[:40], test=TEST), start=made.file)
    assert moved(made.file, frozen) == [False] * 10 + [True] * 2  # but for the last layer's two
    assert store.load(frozen).card["settings"]["freeze"] is True
    fit(replace(more, freeze=False), free, given(DIGITS[:40], test=TEST), start=frozen)
    assert all(moved(frozen, free))


def test_a_backbone_keeps_the_size_of_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def body(**options: Any) -> keras.Model:
        image = keras.Input(options["input_shape"])
        pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 9, 9)(image))
        return keras.Model(image, pooled, name="body")

    monkeypatch.setattr(keras.applications, "EfficientNetB0", body)
    config = FitConfig("efficientnet", epochs=1, batch=20, validation=0.0, side=32)
    first, second = tmp_path / "first.h5", tmp_path / "second.keras"
    fit(config, first, given(DIGITS[:20], test=TEST))
    with pytest.raises(ModelError, match="--side"):
        fit(config, second, given(DIGITS[:20], test=TEST), start=first)
    fit(replace(config, side=None), second, given(DIGITS[:20], test=TEST), start=first)
    enlarged = keras.saving.load_model(second).get_layer("body").input.shape
    assert enlarged == (None, 32, 32, 3) and store.load(second).card["start"] == "first.h5"


TWO = DIGITS[np.flatnonzero(np.isin(DIGITS.labels, (3, 7)))]
MLP = FitConfig("mlp", scale="l2")


@pytest.mark.parametrize(("config", "name", "start", "how", "error", "says"), [
    (FitConfig("mlp", pretrained=True), "a.keras", None, {}, ValueError, "--arch efficientnet"),
    (FitConfig("resnet-small", side=64), "a.keras", None, {}, ValueError, "resnet-small"),
    (FitConfig("efficientnet", pretrained=True), "a.keras", "six.h5", {}, ValueError, "six.h5"),
    (FitConfig("mlp", freeze=True), "a.keras", None, {}, ValueError, "--freeze"),
    (FitConfig("knn", freeze=True), "a.skops", "six.h5", {}, ValueError, "--freeze"),
    (FitConfig("tutorial-cnn", scale="l2"), "a.h5", "mlp", {}, ModelError, "538,122.*--arch mlp"),
    (FitConfig("mlp"), "a.h5", "mlp", {}, ModelError, "--scale l2"),
    (MLP, "a.h5", "none", {}, ModelError, "none.keras"),
    (FitConfig("knn"), "near.keras", None, {}, ModelError, ".skops"),
    (MLP, "mlp.skops", None, {}, ModelError, ".keras"),
    (FitConfig("knn"), "a.skops", None, {"digits": TWO}, DataError, "0, 1, 2, 4, 5, 6, 8, 9"),
    (FitConfig("random-forest"), "a.skops", None, {"digits": TWO}, DataError, "0, 1, 2, 4, 5, 6, 8, 9"),
    (FitConfig("mlp", validation=0.9), "a.keras", None, {"digits": DIGITS[:2]}, DataError, "of 2, .*90%"),
    (FitConfig("knn"), "a.skops", None, {"test": DIGITS}, DataError, "all 200 test digits"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_is_written(
    made: FitResult, tmp_path: Path, config: FitConfig, name: str, start: str | None, how: dict[str, Any],
    error: type[Exception], says: str,
) -> None:  # fmt: skip
    (tmp_path / "none.keras").write_bytes(b"nothing")
    files = {"mlp": made.file, "none": tmp_path / "none.keras", "six.h5": tmp_path / "six.h5", None: None}
    with pytest.raises(error, match=says):
        what = given(**({"digits": DIGITS, "test": TEST} | how))
        fit(config, tmp_path / "out" / name, what, start=files[start])
    assert not (tmp_path / "out").exists()


FEW = mnist_test()[:50]


@pytest.mark.parametrize(("arch", "augment", "changed"), [
    ("mlp", None, True), ("mlp", False, False), ("tutorial-cnn", None, False), ("tutorial-cnn", True, True),
])  # fmt: skip
def test_augmentation_is_the_architectures_or_asked(arch: str, augment: bool | None, changed: bool) -> None:
    usual = {image.tobytes() for image in batch_of(FEW, FitConfig())[0]}
    images, _ = next(batches(FEW, ZOO[arch], FitConfig(arch, augment=augment), 50))
    assert (sum(image.tobytes() in usual for image in images) < 15) == changed


def test_labels_are_numbers_or_one_hot() -> None:
    _, sparse = batch_of(FEW, FitConfig(loss="sparse"))
    _, categorical = batch_of(FEW, FitConfig(loss="categorical"))
    np.testing.assert_array_equal(sparse, FEW.labels)
    np.testing.assert_array_equal(categorical.argmax(axis=1), FEW.labels)
    assert categorical.shape == (50, 10)
