"""Feature maps, filters and class activation maps agree with Keras."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.models import store
from digitrec.models.inside import Inside
from digitrec.models.network import scaled
from digitrec.models.store import to_litert

TEST = mnist_test()
OF = (1, 4, 7)
SEVEN = TEST.images[0]
SHIPPED = store.load()
INK = scaled(TEST.images[:70], "unit")[..., None]


def one(image: keras.KerasTensor, name: str, *, channels: int) -> keras.Model:
    """Build a network that ends in the mean over 7x7 places, each four pixels wide, and a dense layer."""
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = layers.Conv2D(channels, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(x))
    mean = layers.GlobalAveragePooling2D(name="mean")(layers.MaxPooling2D(2)(x))
    return keras.Model(image, layers.Dense(10, name="scores")(mean), name=name)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """Two networks whose scores are averaged."""
    keras.utils.set_random_seed(3)
    image = keras.Input((28, 28, 1), name="image")
    parts = [one(image, "one", channels=5), one(image, "two", channels=6)]
    again = keras.Input((28, 28, 1), name="picture")
    both = layers.Average()([part(again) for part in parts])
    network = keras.Model(again, layers.Softmax()(both), name="joined")
    network.set_weights([2 * one for one in network.get_weights()])  # enlarges the compared values
    return network


@pytest.fixture(scope="module")
def files(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write the network in float32, by Keras and by LiteRT; by LiteRT also in float16 and in int8."""
    folder = tmp_path_factory.mktemp("joined")
    network.save(folder / "joined.keras")
    (folder / "joined.tflite").write_bytes(to_litert(network, quantised=False))
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations, converter.target_spec.supported_types = [tf.lite.Optimize.DEFAULT], [tf.float16]
    (folder / "float16.tflite").write_bytes(converter.convert())
    converter.representative_dataset = lambda: ([ink[None]] for ink in INK)
    converter.target_spec.supported_types = []
    (folder / "int8.tflite").write_bytes(converter.convert())
    return sorted(folder.iterdir())


def wanted_maps(network: keras.Model, place: int) -> NDArray[np.float64]:
    """Each network's maps times the weights of its dense layer, over the number of places: (N, H, W)."""
    found = []
    for name in ("one", "two"):
        inner = network.get_layer(name)
        maps = np.asarray(keras.Model(inner.input, inner.get_layer("mean").input)(INK[place : place + 1]))[0]
        weights = inner.get_layer("scores").get_weights()[0][:, OF]
        found.append(np.einsum("hwc,cn->nhw", maps, weights) / maps[..., 0].size)
    return np.mean(found, axis=0)


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
def test_a_class_map_is_the_weighted_sum_of_the_last_maps(network: keras.Model, files: list[Path]) -> None:
    for file in files:
        found = store.load(file).inside.class_maps(TEST.images[1], OF)
        if file.stem == "int8":  # its maps have no unit
            assert found is None
            continue
        wanted = wanted_maps(network, 1)
        near = (1e-4 if file.stem == "joined" else 0.01) * wanted.max()
        assert found is not None and found.shape == (3, 28, 28) and found.max() > 0.001
        np.testing.assert_allclose(found, spread(wanted), atol=near)


def spread(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 7, 7) interpolated over the pixels, one axis after the other; the first centre is at 1.5."""
    at = (np.arange(28) - 1.5) / 4
    down = np.apply_along_axis(lambda column: np.interp(at, np.arange(7), column), 1, maps)
    return np.apply_along_axis(lambda row: np.interp(at, np.arange(7), row), 2, down)


def test_the_places_of_the_shipped_network_add_up_to_its_scores() -> None:
    """The last layers are a mean and a dense layer, so a score is the sum of 36 places and the digit's bias.

    The softmax subtracts one constant from all ten scores, so their differences from the mean are compared;
    between two pictures the biases cancel too. The remaining difference is the rounding to int8. The maps are
    of the first network, which alone reads pictures that were prepared.
    """
    added, scores = [], []
    for image in TEST.images[:4]:
        chances = np.log(SHIPPED.probabilities(image[None], [True])[0]) * (SHIPPED.input.prepared or 0)
        maps = SHIPPED.inside.class_maps(image, range(10))
        assert maps is not None
        places = maps[:, 3:24:4, 3:24:4] / 2 + maps[:, 4:25:4, 4:25:4] / 2  # pixels 3.5, 7.5, ... 23.5
        added.append(places.sum(axis=(1, 2)))
        scores.append(chances)
    for one, other in zip(_differences(added), _differences(scores), strict=True):
        np.testing.assert_allclose(one, other, atol=0.02)


@pytest.mark.parametrize("inner", [
    [layers.MaxPooling2D(3)], [layers.ZeroPadding2D(3), layers.MaxPooling2D(3)],
    [layers.Conv2D(1, 3, 2, "same")],
    [layers.ZeroPadding2D(1), layers.DepthwiseConv2D(3, dilation_rate=2), layers.MaxPooling2D(1, 3)],
    [layers.Resizing(56, 56), layers.AveragePooling2D(6)],
])  # fmt: skip
def test_a_class_map_lies_on_the_pixels_that_its_places_see(inner: list[layers.Layer]) -> None:
    ends = layers.Conv2D(2, 1), layers.GlobalAveragePooling2D(), layers.Dense(10)
    network = keras.Sequential([keras.Input((28, 28, 1)), *inner, *ends])
    network.set_weights([np.ones(one.shape) for one in network.weights])
    picture = np.zeros((28, 28), np.uint8)
    picture[19, 7] = 255
    found = Inside(to_litert(network, quantised=False)).class_maps(picture, [0])
    assert found is not None and divmod(int(found.argmax()), 28) == (19, 7)


def _differences(rows: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    found = np.array(rows) - np.mean(rows, axis=1, keepdims=True)
    return found[1:] - found[:-1]


def test_a_network_of_another_end_has_no_class_maps(tmp_path: Path) -> None:
    image = keras.Input((28, 28, 1))
    dense = keras.Model(image, layers.Dense(10)(layers.Flatten()(image)))
    only = keras.Model(image, layers.GlobalAveragePooling2D()(layers.Conv2D(10, 5)(image)))
    for network in (dense, only):
        network.save(tmp_path / "other.keras")
        model = store.load(tmp_path / "other.keras")
        assert model.inside.class_maps(TEST.images[0], OF) is None
    (weights,) = model.inside.weights()
    assert np.array_equal(weights.kernel, only.layers[1].get_weights()[0])


def test_the_filters_are_those_that_make_the_first_maps() -> None:
    stages, ink = dict(SHIPPED.inside.stages(SEVEN)), SEVEN / np.float32(255)
    kernels = [one.kernel for one in SHIPPED.inside.weights()]
    first = [kernel[:, :, 0] for kernel in kernels if kernel.ndim == 4 and kernel.shape[2] == 1]
    sides = [(26, 24), (24, 24), (12, 24), (12, 80), (12, 80), (6, 80), (6, 192), (6, 192)]
    assert [maps.shape for maps in stages.values()] == 2 * [(side, side, count) for side, count in sides]
    windows = np.lib.stride_tricks.sliding_window_view(ink, (3, 3))
    for network, filters in zip(("network_1", "network_2"), first, strict=True):
        found = np.einsum("xyhw,hwc->xyc", windows, filters)
        maps = stages[f"{network}/relu_1a"]
        strong = [channel for channel in range(24) if maps[..., channel].max() > 0.3]
        assert len(strong) > 8
        for one, ours in ((maps[..., channel], found[..., channel]) for channel in strong):
            bias = np.median((one - ours)[one > 0.05])
            assert np.abs(np.maximum(ours + bias, 0) - one).max() < 0.05  # LiteRT computes in int8


def test_looking_changes_no_answer_and_many_may_look() -> None:
    before = SHIPPED.probabilities(TEST.images[:4])
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(SHIPPED.inside.stages, TEST.images[:8]))
    assert np.array_equal(SHIPPED.probabilities(TEST.images[:4]), before)
    for picture, found in zip(TEST.images[:8], together, strict=True):
        alone = SHIPPED.inside.stages(picture)
        assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found, alone, strict=True))


@pytest.mark.parametrize("batch", [None, 1])
def test_a_strangers_maps_are_what_keras_computes(tmp_path: Path, batch: int | None) -> None:
    image = keras.Input((28, 28, 1), batch_size=batch)
    first = layers.Conv2D(5, 3, strides=2, activation="relu", name="edges")(image)
    deep = layers.DepthwiseConv2D(3, name="each")(first)  # weights of (1, 3, 3, 5), as maps might be
    ten = layers.Dense(10, activation="softmax")(layers.Flatten()(deep))
    file = tmp_path / "theirs.tflite"
    file.write_bytes(to_litert(keras.Model(image, ten)))
    stages = dict(store.load(file).inside.stages(SEVEN))
    assert list(stages) == ["edges", "each"]
    ink = SEVEN[None, :, :, None].astype(np.float32) / 255
    for name, wanted in (("edges", first), ("each", deep)):
        assert np.allclose(stages[name], np.asarray(keras.Model(image, wanted)(ink))[0], atol=1e-4)
