"""Grad-CAM and the features before the scores, against TensorFlow's own gradients."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from digitrec.datasets.mnist import mnist_test
from digitrec.models import store
from digitrec.models.gradcam import through
from digitrec.models.store import scaled

TEST = mnist_test()
OF = (1, 4, 7)
HIDDEN, MEAN = 20, 6


def joined() -> keras.Model:
    """Two networks whose scores are averaged, with every kind of layer of which the derivative is known."""
    keras.utils.set_random_seed(3)
    image = keras.Input((28, 28, 1), name="image")
    maps = layers.Conv2D(5, 3, strides=2, activation="relu", name="eyes")(image)
    flat = layers.Flatten()(layers.MaxPooling2D(2, name="halve")(maps))
    hidden = layers.Dense(HIDDEN, activation="tanh")(layers.Dense(12, activation="relu")(flat))
    one = keras.Model(image, layers.Dense(10, name="scores")(hidden), name="one")
    seen = layers.Conv2D(MEAN, 5, padding="same", strides=4, activation="relu", name="wide")(image)
    mean = layers.Activation("sigmoid")(layers.GlobalAveragePooling2D()(seen))
    two = keras.Model(image, layers.Dense(10, name="scores")(mean), name="two")
    again = keras.Input((28, 28, 1), name="picture")
    both = layers.Average()([one(again), two(again)])
    network = keras.Model(again, layers.Softmax()(both), name="joined")
    network.set_weights([2 * one for one in network.get_weights()])  # so that what is compared is not tiny
    return network


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return joined()


@pytest.fixture(scope="module")
def files(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The network as Keras has it, and as LiteRT has it, in float32."""
    folder = tmp_path_factory.mktemp("joined")
    found = {"keras": folder / "joined.keras", "tflite": folder / "joined.tflite"}
    network.save(found["keras"])
    found["tflite"].write_bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())
    return found


def parts(network: keras.Model, ink: NDArray[np.float32], digit: int) -> list[NDArray[np.float64]]:
    """The sum over k of alpha_k A^k for each of the joined networks, by a way of our own through Keras."""
    found = []
    for name, layer in (("one", "halve"), ("two", "wide")):
        inner = network.get_layer(name)
        upto = keras.Model(inner.input, inner.get_layer(layer).output)
        after = keras.Sequential(inner.layers[inner.layers.index(inner.get_layer(layer)) + 1 :])
        maps = tf.Variable(upto(ink[None, :, :, None]))
        with tf.GradientTape() as tape:
            score = after(maps)[0, digit] / 2
        alpha = np.asarray(tape.gradient(score, maps))[0].mean(axis=(0, 1))
        found.append((np.asarray(maps)[0] * alpha).sum(axis=2))
    return found


def spread(maps: NDArray[np.float64], first: float, step: float) -> NDArray[np.float64]:
    """Interpolated over the pixels, one axis after the other."""
    at = (np.arange(28) - first) / step
    down = np.array([np.interp(at, np.arange(len(maps)), column) for column in maps.T]).T
    return np.array([np.interp(at, np.arange(len(maps)), row) for row in down])


@pytest.mark.parametrize("kind", ["keras", "tflite"])
def test_it_is_what_tensorflows_gradients_give(
    network: keras.Model, files: dict[str, Path], kind: str
) -> None:
    digit = TEST.images[1]
    found = store.load(files[kind]).grad_cam(digit, OF)
    assert found is not None and found.shape == (3, 28, 28) and found.max() > 0.01
    # where LiteRT's file tells it: 3x3, stride 2, then 2x2; and 5x5, stride 4, padded by 1 at the end
    fields = [(2.0, 4.0), (2.0, 4.0)] if kind == "tflite" else [(11 / 6, 28 / 6), (1.5, 4.0)]
    for row, of in zip(found, OF, strict=True):
        wanted = [
            spread(part, *field)
            for part, field in zip(parts(network, scaled(digit[None], "unit")[0], of), fields, strict=True)
        ]
        np.testing.assert_allclose(row, np.maximum(sum(wanted), 0), atol=1e-3 * found.max())


def test_features_are_what_the_last_layers_are_given(network: keras.Model, files: dict[str, Path]) -> None:
    ink = scaled(TEST.images[:70], "unit")[..., None]
    wanted = [
        np.asarray(keras.Model(inner.input, inner.get_layer("scores").input)(ink))
        for inner in (network.get_layer("one"), network.get_layer("two"))
    ]
    for kind in ("keras", "tflite"):
        found = store.load(files[kind]).features(TEST.images[:70])
        assert found is not None and found.shape == (70, HIDDEN + MEAN)
        np.testing.assert_allclose(found, np.concatenate(wanted, axis=1), atol=1e-5)


def test_of_the_shipped_network_the_places_add_up_to_the_scores() -> None:
    """It ends in a mean and a dense layer, so what its 36 places add is the score but for each digit's bias.

    The softmax takes a constant from all ten, so what is compared is how they differ from their mean; between
    two pictures the biases fall out as well. What is left is the rounding to int8.
    """
    shipped = store.load()
    added, scores = [], []
    for image in TEST.images[:4]:
        chances = np.log(shipped.probabilities(image[None])[0]) * shipped.input.temperature
        maps = shipped._forward.class_maps(scaled(image[None], "unit")[0], range(10))  # type: ignore[attr-defined]
        places = maps[:, 3:24:4, 3:24:4] / 2 + maps[:, 4:25:4, 4:25:4] / 2  # pixels 3.5, 7.5, ... 23.5
        added.append(places.sum(axis=(1, 2)))
        scores.append(chances)
    for one, other in zip(_differences(added), _differences(scores), strict=True):
        np.testing.assert_allclose(one, other, atol=0.02)


def _differences(rows: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    found = np.array(rows) - np.mean(rows, axis=1, keepdims=True)
    return found[1:] - found[:-1]


def test_where_places_lie_is_told_by_the_layers_before() -> None:
    """The middle of a place is the middle of all the pixels that it sees."""
    assert through([]) == (0.0, 1.0)
    assert through([(3, 1, 0), (3, 1, 0), (2, 2, 0), (3, 1, 1), (2, 2, 0)]) == (3.5, 4.0)


def test_what_has_no_maps_or_no_dense_layer_shows_none(tmp_path: Path) -> None:
    image = keras.Input((28, 28, 1))
    dense = keras.Model(image, layers.Dense(10)(layers.Flatten()(image)))
    dense.save(tmp_path / "dense.keras")
    model = store.load(tmp_path / "dense.keras")
    assert model.grad_cam(TEST.images[0], OF) is None
    np.testing.assert_allclose(
        model.features(TEST.images[:2]), TEST.images[:2].reshape(2, -1) / 255, atol=1e-6
    )
    only = keras.Model(image, layers.GlobalAveragePooling2D()(layers.Conv2D(10, 5)(image)))
    only.save(tmp_path / "only.keras")
    model = store.load(tmp_path / "only.keras")
    assert model.features(TEST.images[:2]) is None
    assert model.grad_cam(TEST.images[0], OF) is not None
