"""A model file in another format answers as the network does; our networks out of their file."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError, NotInstalled
from digitrec.lab.training import convert, networks
from digitrec.lab.training.card import description, save_keras
from digitrec.lab.training.convert import recovered
from digitrec.lab.training.networks import digitrec_cnn
from digitrec.lab.training.run import TrainResult
from digitrec.models import store
from digitrec.models.store import to_litert

pytest.importorskip("tf2onnx")
DIGITS = mnist_test()[:64]
INK = (DIGITS.images / np.float32(255))[..., None]


def answers(file: Path) -> np.ndarray:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": INK})[0])


def saved(network: keras.Model, tmp_path: Path, **about: Any) -> Path:
    """Save a network whose batch normalisation has non-trivial statistics; return its path."""
    for weights in network.weights:
        if "moving" in weights.path:
            weights.assign(np.random.default_rng(0).uniform(0.5, 1.5, weights.shape))
    save_keras(network, tmp_path / "one.keras", description("one", {"a": 1}, **about))
    return tmp_path / "one.keras"


@pytest.mark.parametrize("build", [networks.tutorial_cnn, networks.complex_cnn])
def test_a_network_of_the_tutorial_answers_as_in_keras(build: type[keras.Model], tmp_path: Path) -> None:
    file = saved(build(), tmp_path, scale="byte", output="logits", evidence=1.5, doubt=0.75)
    assert convert.write(file, tmp_path / "new" / "one.onnx") <= 1e-4
    theirs = keras.saving.load_model(file, compile=False).predict(INK, verbose=0)
    assert np.abs(answers(tmp_path / "new" / "one.onnx") - theirs).max() < 1e-4
    written = onnx.load(tmp_path / "new" / "one.onnx")
    about = json.loads(written.metadata_props[0].value)
    assert written.graph.output[0].name == about["output"] == "logits"
    assert about["input"] == {"form": "mnist", "scale": "byte"} and about["card"] == {"a": 1}
    assert (about["evidence"], about["doubt"]) == (1.5, 0.75)


def test_the_shipped_network_reads_as_its_file_does(tmp_path: Path) -> None:
    assert 0 < convert.write(store.SHIPPED, tmp_path / "ours.onnx") < 0.02
    theirs = store.load().forward(INK[..., 0])
    ours = answers(tmp_path / "ours.onnx")
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).all() and np.abs(ours - theirs).max() < 0.02
    card = json.loads(onnx.load(tmp_path / "ours.onnx").metadata_props[0].value)["card"]
    assert card["parameters"] < store.load().card["parameters"] and "test" not in card  # no second network


def test_other_files_are_refused(trained: TrainResult, tmp_path: Path) -> None:
    (tmp_path / "svm.skops").write_bytes(b"")
    with pytest.raises(ModelError, match=r"svm\.skops"):
        convert.write(tmp_path / "svm.skops", tmp_path / "svm.onnx")
    with pytest.raises(ModelError, match=r"tiny\.txt"):
        convert.write(trained.litert_file, tmp_path / "tiny.txt")


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(NotInstalled, match="onnx"):
        convert.write(saved(networks.mlp(), tmp_path), tmp_path / "one.onnx")


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("ending", [".tflite", ".keras", ".h5"])
def test_a_network_is_written_in_each_format_with_its_description(ending: str, tmp_path: Path) -> None:
    image = keras.Input((28, 28, 1), dtype="uint8")
    large = keras.layers.Rescaling(1e4)(networks.tutorial_cnn()(image))  # so are some networks' scores
    file = saved(keras.Model(image, large), tmp_path, scale="byte", doubt=0.75)
    assert convert.write(file, tmp_path / f"two{ending}") <= 1
    first, second = store.load(file), store.load(tmp_path / f"two{ending}")
    assert second.input == first.input and second.card == first.card
    theirs, ours = (model.probabilities(DIGITS.images) for model in (first, second))
    assert np.abs(ours - theirs).max() < 1e-4


def test_any_other_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlp.tflite").write_bytes(to_litert(networks.mlp()))
    (tmp_path / "none.tflite").write_bytes(b"nothing")
    for name in ("mlp", "none", "missing"):
        with pytest.raises(ModelError, match=rf"{name}\.tflite"):
            recovered(tmp_path / f"{name}.tflite")


def test_a_network_of_other_steps_is_refused(tmp_path: Path) -> None:
    """One layer has another activation, so only the answers differ."""
    image, layers = keras.Input((28, 28, 1)), keras.layers
    x = layers.Conv2D(4, 3, activation="relu")(image)
    x = layers.Conv2D(4, 3, activation="tanh")(x)
    x = layers.Dense(10)(layers.GlobalAveragePooling2D()(x))
    (tmp_path / "other.tflite").write_bytes(to_litert(keras.Model(image, layers.Softmax()(5.0 * x))))
    with pytest.raises(ModelError, match=r"other\.tflite"):
        recovered(tmp_path / "other.tflite")


def test_a_weight_takes_one_byte() -> None:
    network = digitrec_cnn((16, 32), seed=3)
    assert len(to_litert(network)) < 2 * network.count_params()


def test_a_trained_model_reads_the_same_in_both_forms(trained: TrainResult, tmp_path: Path) -> None:
    assert 0 < convert.write(trained.litert_file, tmp_path / "tiny.keras") < 0.05
    files = (trained.litert_file, tmp_path / "tiny.keras")
    litert, floating = (store.load(file).probabilities(DIGITS.images) for file in files)
    assert (litert.argmax(axis=1) == floating.argmax(axis=1)).mean() > 0.98
    assert np.abs(litert - floating).max() < 0.05


def test_any_zip_tool_reads_the_description(trained: TrainResult) -> None:
    with zipfile.ZipFile(trained.litert_file) as archive:
        about = json.loads(archive.read("digitrec.json"))
    assert about["format"] == 1
    assert about["input"] == {"form": "mnist", "scale": "unit"}
    assert about["card"]["test"]["correct"] == trained.test_correct
