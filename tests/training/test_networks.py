"""The networks of the zoo: the published one to the parameter, the others by what they take and give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest

from digitrec.training import networks


def test_the_tutorials_network_is_the_published_one() -> None:
    network = networks.tutorial_cnn()
    assert network.count_params() == 225_034
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == [
        "Conv2D", "MaxPooling2D", "Dropout", "Conv2D", "MaxPooling2D", "Dropout",
        "Flatten", "Dense", "Dropout", "Dense",
    ]  # fmt: skip
    first, second, hidden, last = (layer for layer in network.layers if hasattr(layer, "activation"))
    assert (first.filters, first.kernel_size, second.filters, second.kernel_size) == (32, (3, 3), 64, (3, 3))
    assert (hidden.units, last.units, last.activation.__name__) == (128, 10, "softmax")
    assert (first.activation.__name__, hidden.activation.__name__) == ("relu", "relu")
    assert [described(layer) for layer in network.layers if "drop" in layer.name] == [
        "drop 0.25", "drop 0.25", "drop 0.5",
    ]  # fmt: skip
    assert (network.name, network.inputs[0].name) == ("tutorial-cnn", "image")


def described(layer: keras.layers.Layer) -> str:
    """A layer in short, with everything that decides what it computes."""
    match layer:
        case keras.layers.Conv2D():
            bias = "" if layer.use_bias else " without bias"
            return f"{layer.filters} of {layer.kernel_size[0]}x{layer.kernel_size[1]} {layer.padding}{bias}"
        case keras.layers.Dense():
            bias = "" if layer.use_bias else " without bias"
            return f"{layer.units} {layer.activation.__name__}{bias}"
        case keras.layers.BatchNormalization():
            return f"norm {layer.momentum}"
        case keras.layers.MaxPooling2D():
            return f"pool {layer.pool_size[0]}x{layer.pool_size[1]}"
        case keras.layers.Dropout():
            return f"drop {layer.rate}"
        case _:
            return type(layer).__name__


def stage(width: int, side: int = 3) -> list[str]:
    return [f"{width} of {side}x{side} same without bias", "norm 0.9", "ReLU"]


POOL, OUT = "pool 2x2", "10 softmax"
OURS = [
    (networks.simple_cnn, "convolutional", [
        *stage(24, 5), POOL, *stage(48, 5), POOL, "Flatten", "128 relu", "drop 0.4", OUT,
    ]),
    (networks.complex_cnn, "complex-cnn", [
        *stage(32), *stage(32), POOL, "drop 0.2", *stage(64), *stage(64), POOL, "drop 0.2",
        *stage(128), POOL, "drop 0.2", "Flatten", "256 relu", "drop 0.4", OUT,
    ]),
    (networks.mlp, "mlp", [
        "Flatten", "512 linear without bias", "norm 0.9", "ReLU", "drop 0.3",
        "256 linear without bias", "norm 0.9", "ReLU", "drop 0.3", OUT,
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("build", "name", "layers"), OURS)
def test_ours_are_what_their_pages_say_and_give_probabilities(
    build: Callable[[], keras.Model], name: str, layers: list[str]
) -> None:
    network = build()
    assert (network.name, network.inputs[0].name) == (name, "image")
    assert [described(layer) for layer in network.layers] == layers
    answers = np.asarray(network(np.zeros((2, 28, 28, 1), np.float32)))
    assert answers.shape == (2, 10)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


def test_what_tuning_searches_over_changes_the_network() -> None:
    plain = {"filters": 4, "depth": 2, "kernel": 3, "dense": 16, "dropout": 0.5}
    sizes = {networks.convolutional(**plain).count_params()}
    for name, value in (("filters", 8), ("depth", 3), ("kernel", 5), ("dense", 32)):
        sizes.add(networks.convolutional(**(plain | {name: value})).count_params())
    assert len(sizes) == 5


BACKBONES = [
    (networks.resnet, "resnet", "resnet50v2", keras.applications.resnet_v2),
    (networks.vgg, "vgg", "vgg16", keras.applications.vgg16),
    (networks.efficientnet, "efficientnet", "efficientnetb0", keras.applications.efficientnet),
]


@pytest.mark.parametrize(("build", "name", "body", "published"), BACKBONES)
def test_a_backbone_sees_the_digit_as_its_authors_prepared_their_pictures(
    build: Callable[[], keras.Model], name: str, body: str, published: ModuleType
) -> None:
    network = build()
    assert network.name == name
    (scaling,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Rescaling))
    assert [layer.name for layer in network.layers[-2:]] == [body, "probabilities"]
    assert network.get_layer(body).output.shape == (None, network.get_layer(body).output.shape[-1])
    assert network.output.shape == (None, 10)
    assert described(network.layers[-1]) == "10 softmax"
    shades = np.broadcast_to(np.reshape([0.0, 0.25, 1.0], (3, 1, 1, 1)), (3, 28, 28, 1))
    seen = np.asarray(keras.Model(network.input, scaling.output)(shades))
    grey = np.broadcast_to(255 * shades[:, :1, :1], (3, 224, 224, 3)).astype(np.float32)
    np.testing.assert_allclose(seen, published.preprocess_input(grey.copy()), atol=1e-3)


@pytest.mark.parametrize("build", [networks.resnet, networks.vgg, networks.efficientnet])
def test_a_backbone_takes_its_weights_from_the_file_that_is_given(
    build: Callable[[Path], keras.Model], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="weights file to be loaded"):
        build(tmp_path / "none.weights.h5")


def test_a_backbone_stands_between_an_enlargement_and_ten_digits(tmp_path) -> None:
    network = networks.efficientnet()
    assert network.input_shape == (None, 28, 28, 1) and network.output_shape == (None, 10)
    body = next(layer for layer in network.layers if "efficientnet" in layer.name)
    assert body.input_shape == (None, 224, 224, 3)
    file = tmp_path / "notop.weights.h5"
    body.save_weights(file)
    again = next(layer for layer in networks.efficientnet(file).layers if "efficientnet" in layer.name)
    for one, other in zip(body.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
