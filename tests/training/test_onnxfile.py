"""Networks as ONNX files, which ONNX Runtime reads as Keras does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers

from digitrec.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.models import store
from digitrec.training import export, networks, onnxfile
from digitrec.training.run import TrainResult

DIGITS = mnist_test()[:20]
INK = (DIGITS.images / np.float32(255))[..., None]


def answers(file: Path) -> np.ndarray:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": INK})[0])


def saved(network: keras.Model, tmp_path: Path, **about: Any) -> Path:
    """Its batch normalisation has seen something."""
    for weights in network.weights:
        if "moving" in weights.path:
            weights.assign(np.random.default_rng(0).uniform(0.5, 1.5, weights.shape))
    export.save_keras(network, tmp_path / "one.keras", export.description("one", {"a": 1}, **about))
    return tmp_path / "one.keras"


@pytest.mark.parametrize("build", [networks.tutorial_cnn, networks.complex_cnn, networks.mlp])
def test_a_network_of_the_tutorial_answers_as_in_keras(build: type[keras.Model], tmp_path: Path) -> None:
    file = saved(build(), tmp_path, scale="byte", evidence=1.5, doubt=0.75)
    assert onnxfile.write(file, tmp_path / "new" / "one.onnx") <= 1e-4
    network = keras.saving.load_model(file, compile=False)
    theirs = network.predict(INK, verbose=0)
    assert np.abs(answers(tmp_path / "new" / "one.onnx") - theirs).max() < 1e-4
    props = {one.key: one.value for one in onnx.load(tmp_path / "new" / "one.onnx").metadata_props}
    about = json.loads(props["digitrec.json"])
    assert about["input"] == {"form": "mnist", "scale": "byte"} and about["card"] == {"a": 1}
    assert (about["evidence"], about["doubt"]) == (1.5, 0.75)


def test_the_shipped_network_reads_as_its_file_does(tmp_path: Path) -> None:
    assert onnxfile.write(store.SHIPPED, tmp_path / "ours.onnx") <= 1e-4
    theirs = store.load()._forward(INK[..., 0])
    ours = answers(tmp_path / "ours.onnx")
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).all() and np.abs(ours - theirs).max() < 0.02


def test_every_kind_of_layer(tmp_path: Path) -> None:
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(4, 4, strides=2, padding="same", activation="tanh")(image)
    y = layers.DepthwiseConv2D(3, depth_multiplier=1, padding="same", activation="silu")(x)
    x = layers.Activation("sigmoid")(layers.Add()([x, y]))
    x = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.MaxPooling2D(2, padding="same")(layers.Multiply()([x, gate]))
    x = layers.BatchNormalization(scale=False, center=False)(layers.Flatten()(x))
    one, two = layers.Dense(10)(x), layers.Dense(10, use_bias=False)(layers.ReLU()(x))
    network = keras.Model(image, layers.Softmax()(layers.Average()([one, two])))
    assert onnxfile.write(saved(network, tmp_path), tmp_path / "one.onnx") <= 1e-4


@pytest.mark.parametrize(("layer", "says"), [
    (layers.Resizing(30, 30), "a layer 'it' of the kind Resizing"),
    (layers.ReLU(max_value=6), "a layer 'it' that is no plain ReLU"),
    (layers.Activation("softplus"), "a layer 'it' with the activation softplus"),
    (layers.Softmax(), "a layer 'it' over maps"),
])  # fmt: skip
def test_what_is_not_known_is_told_by_its_name(layer: layers.Layer, says: str, tmp_path: Path) -> None:
    layer.name = "it"
    image = keras.Input((28, 28, 1))
    network = keras.Model(image, layers.Dense(10)(layers.Flatten()(layer(image))))
    with pytest.raises(ModelError, match=rf"one\.keras: has {says}.*cannot write as ONNX"):
        onnxfile.write(saved(network, tmp_path), tmp_path / "one.onnx")
    assert not (tmp_path / "one.onnx").exists()


def test_other_files_are_refused(trained: TrainResult, tmp_path: Path) -> None:
    (tmp_path / "svm.skops").write_bytes(b"")
    with pytest.raises(ModelError, match="only networks are written as ONNX"):
        onnxfile.write(tmp_path / "svm.skops", tmp_path / "svm.onnx")
    with pytest.raises(ModelError, match=r"ends in \.onnx"):
        onnxfile.write(trained.litert_file, tmp_path / "tiny.tflite")
