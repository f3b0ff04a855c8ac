"""A model file in another format answers as the network does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training import convert, export, networks
from digitrec.lab.training.run import TrainResult
from digitrec.models import store

pytest.importorskip("tf2onnx")
DIGITS = mnist_test()[:20]
INK = (DIGITS.images / np.float32(255))[..., None]


def answers(file: Path) -> np.ndarray:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": INK})[0])


def saved(network: keras.Model, tmp_path: Path, **about: Any) -> Path:
    """Save a network whose batch normalisation has non-trivial statistics; return its path."""
    for weights in network.weights:
        if "moving" in weights.path:
            weights.assign(np.random.default_rng(0).uniform(0.5, 1.5, weights.shape))
    export.save_keras(network, tmp_path / "one.keras", export.description("one", {"a": 1}, **about))
    return tmp_path / "one.keras"


@pytest.mark.parametrize("build", [networks.tutorial_cnn, networks.complex_cnn])
def test_a_network_of_the_tutorial_answers_as_in_keras(build: type[keras.Model], tmp_path: Path) -> None:
    file = saved(build(), tmp_path, scale="byte", evidence=1.5, doubt=0.75)
    assert convert.write(file, tmp_path / "new" / "one.onnx") <= 1e-4
    network = keras.saving.load_model(file, compile=False)
    theirs = network.predict(INK, verbose=0)
    assert np.abs(answers(tmp_path / "new" / "one.onnx") - theirs).max() < 1e-4
    props = {one.key: one.value for one in onnx.load(tmp_path / "new" / "one.onnx").metadata_props}
    about = json.loads(props["digitrec.json"])
    assert about["input"] == {"form": "mnist", "scale": "byte"} and about["card"] == {"a": 1}
    assert (about["evidence"], about["doubt"]) == (1.5, 0.75)


def test_the_shipped_network_reads_as_its_file_does(tmp_path: Path) -> None:
    assert convert.write(store.SHIPPED, tmp_path / "ours.onnx") <= 1e-4
    theirs = store.load().forward(INK[..., 0])
    ours = answers(tmp_path / "ours.onnx")
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).all() and np.abs(ours - theirs).max() < 0.02


def test_other_files_are_refused(trained: TrainResult, tmp_path: Path) -> None:
    (tmp_path / "svm.skops").write_bytes(b"")
    with pytest.raises(ModelError, match=r"svm\.skops"):
        convert.write(tmp_path / "svm.skops", tmp_path / "svm.onnx")
    with pytest.raises(ModelError, match=r"tiny\.txt"):
        convert.write(trained.litert_file, tmp_path / "tiny.txt")


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("ending", [".tflite", ".keras", ".h5"])
def test_a_network_is_written_in_each_format_with_its_description(ending: str, tmp_path: Path) -> None:
    file = saved(networks.tutorial_cnn(), tmp_path, scale="byte", doubt=0.75)
    assert convert.write(file, tmp_path / f"two{ending}") <= 1e-4
    first, second = store.load(file), store.load(tmp_path / f"two{ending}")
    assert second.input == first.input and second.card == first.card
    theirs, ours = (model.probabilities(DIGITS.images) for model in (first, second))
    assert np.abs(ours - theirs).max() < 1e-4
