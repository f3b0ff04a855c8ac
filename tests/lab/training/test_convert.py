"""Our networks out of their file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training import networks
from digitrec.lab.training.convert import recovered, widths
from digitrec.lab.training.networks import digitrec_cnn, together
from digitrec.lab.training.run import TrainResult
from digitrec.models import store
from digitrec.models.network import LiteRt
from digitrec.models.store import to_litert

DIGITS = mnist_test()[:64]
INK = (DIGITS.images / np.float32(255))[..., None]


def test_the_shipped_networks_answer_as_their_file_does() -> None:
    own = recovered(store.SHIPPED)
    assert [widths(one) for one in own] == [(24, 80, 192)] * 2
    joined = together(own)
    file = LiteRt(store.SHIPPED.read_bytes(), store.SHIPPED)
    assert np.abs(file(INK[..., 0]) - joined.predict(INK, verbose=0)).max() < 0.02  # only the file rounds


def test_any_other_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlp.tflite").write_bytes(to_litert(networks.mlp()))
    (tmp_path / "none.tflite").write_bytes(b"nothing")
    for name in ("mlp", "none", "missing"):
        with pytest.raises(ModelError, match=rf"{name}\.tflite"):
            recovered(tmp_path / f"{name}.tflite")


def test_a_network_of_other_steps_is_refused(tmp_path: Path) -> None:
    """One layer has another activation, so only the answers differ."""
    from keras import layers

    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(4, 3, activation="relu")(image)
    x = layers.Conv2D(4, 3, activation="tanh")(x)
    x = layers.Dense(10)(layers.GlobalAveragePooling2D()(x))
    other = keras.Model(image, layers.Softmax()(5.0 * x))
    (tmp_path / "other.tflite").write_bytes(to_litert(other))
    with pytest.raises(ModelError, match=r"other\.tflite"):
        recovered(tmp_path / "other.tflite")


def test_a_weight_takes_one_byte() -> None:
    network = digitrec_cnn((16, 32), seed=3)
    assert len(to_litert(network)) < 2 * network.count_params()


def test_a_trained_model_reads_the_same_in_both_forms(trained: TrainResult) -> None:
    litert = LiteRt(trained.litert_file.read_bytes(), trained.litert_file)(INK[..., 0])
    floating = together(recovered(trained.litert_file)).predict(INK, verbose=0)
    assert (litert.argmax(axis=1) == floating.argmax(axis=1)).mean() > 0.98
    assert np.abs(litert - floating).max() < 0.05


def test_any_zip_tool_reads_the_description(trained: TrainResult) -> None:
    with zipfile.ZipFile(trained.litert_file) as archive:
        about = json.loads(archive.read("digitrec.json"))
    assert about["format"] == 1
    assert about["input"] == {"form": "mnist", "scale": "unit"}
    assert about["card"]["test"]["correct"] == trained.test_correct
