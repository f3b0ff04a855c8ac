"""Recovering our own networks from their `.tflite` file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training import cnn, networks
from digitrec.lab.training.recovered import recovered, widths
from digitrec.models import litert, store
from digitrec.models.foreign import to_litert
from digitrec.models.network import scaled

INK = scaled(mnist_test().images[200:264], "unit")


def test_the_shipped_networks_answer_as_their_file_does() -> None:
    own = recovered(store.SHIPPED)
    assert [widths(one) for one in own] == [(24, 80, 192)] * 2
    joined = cnn.together(own)
    file = litert.LiteRt(store.SHIPPED.read_bytes(), store.SHIPPED)
    assert np.abs(file(INK) - joined.predict(INK[..., None], verbose=0)).max() < 0.02  # no rounding between


def test_any_other_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlp.tflite").write_bytes(to_litert(networks.mlp()))
    (tmp_path / "none.tflite").write_bytes(b"nothing")
    for name in ("mlp", "none", "missing"):
        with pytest.raises(ModelError, match=rf"{name}\.tflite"):
            recovered(tmp_path / f"{name}.tflite")


def test_a_network_of_other_steps_is_refused(tmp_path: Path) -> None:
    """One layer has another activation, so only the answers differ."""
    import keras
    from keras import layers

    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(4, 3, activation="relu")(image)
    x = layers.Conv2D(4, 3, activation="tanh")(x)
    x = layers.Dense(10)(layers.GlobalAveragePooling2D()(x))
    other = keras.Model(image, layers.Softmax()(5.0 * x))
    (tmp_path / "other.tflite").write_bytes(to_litert(other))
    with pytest.raises(ModelError, match=r"other\.tflite"):
        recovered(tmp_path / "other.tflite")
