"""Our own networks out of their `.tflite` file again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitrec.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.models import litert, liteweights, store
from digitrec.models.scores import scaled
from digitrec.training import cnn, export, networks
from digitrec.training.recovered import AGREED, recovered, widths
from digitrec.training.run import TrainResult

INK = scaled(mnist_test().images[200:264], "unit")


def test_the_shipped_networks_answer_as_their_file_does() -> None:
    own = recovered(store.SHIPPED)
    assert [widths(one) for one in own] == [(24, 80, 192)] * 2
    joined = cnn.together(own)
    file = litert.LiteRt(store.SHIPPED.read_bytes(), store.SHIPPED)
    again = litert.LiteRt(export.to_litert(joined), Path("again"))
    assert np.abs(file(INK) - again(INK)).max() < AGREED
    assert np.abs(file(INK) - joined.predict(INK[..., None], verbose=0)).max() < 0.02  # no rounding between


def test_a_network_alone_too(trained: TrainResult) -> None:
    (one,) = recovered(trained.litert_file)
    file = litert.LiteRt(trained.litert_file.read_bytes(), trained.litert_file)
    assert np.abs(file(INK) - one.predict(INK[..., None], verbose=0)).max() < 0.02


def test_any_other_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlp.tflite").write_bytes(export.to_litert(networks.mlp()))
    (tmp_path / "none.tflite").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"mlp\.tflite: is no network of digitrec's own"):
        recovered(tmp_path / "mlp.tflite")
    with pytest.raises(ModelError, match="not a LiteRT model"):
        recovered(tmp_path / "none.tflite")
    with pytest.raises(ModelError, match="cannot be read"):
        recovered(tmp_path / "missing.tflite")


def test_a_network_of_other_steps_is_refused(tmp_path: Path) -> None:
    """Of the same layers, but one: it is asked, and answers otherwise."""
    import keras
    from keras import layers

    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(4, 3, activation="relu")(image)
    x = layers.Conv2D(4, 3, activation="tanh")(x)
    x = layers.Dense(10)(layers.GlobalAveragePooling2D()(x))
    other = keras.Model(image, layers.Softmax()(5.0 * x))
    (tmp_path / "other.tflite").write_bytes(export.to_litert(other))
    with pytest.raises(ModelError, match="no network of digitrec's own"):
        recovered(tmp_path / "other.tflite")


@given(st.data())
def test_the_weights_of_a_damaged_file_are_taken_out_or_refused(
    trained: TrainResult, data: st.DataObject
) -> None:
    content = bytearray(trained.litert_file.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=20)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        found = liteweights.weights(bytes(content), Path("damaged.tflite"))
    except ModelError:
        return
    assert all(one.kernel.dtype == one.bias.dtype == np.float32 for one in found)
