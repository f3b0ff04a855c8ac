"""The networks of the zoo: the published one to the parameter, the others by what they take and give."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from digitrec.lab.training import networks


def described(layer: keras.layers.Layer) -> str:
    """A layer in short, with everything that decides what it computes."""
    match layer:
        case keras.layers.Conv2D():
            bias = "" if layer.use_bias else " without bias"
            side, kind = layer.kernel_size[0], layer.activation.__name__
            return f"{layer.filters} of {side}x{side} {layer.padding} {kind}{bias}"
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
    return [f"{width} of {side}x{side} same linear without bias", "norm 0.9", "ReLU"]


POOL, OUT = "pool 2x2", "10 softmax"
ALL = [
    (networks.tutorial_cnn, "tutorial-cnn", 225_034, [
        "32 of 3x3 valid relu", POOL, "drop 0.25", "64 of 3x3 valid relu", POOL, "drop 0.25",
        "Flatten", "128 relu", "drop 0.5", OUT,
    ]),
    (networks.simple_cnn, "convolutional", 332_162, [
        *stage(24, 5), POOL, *stage(48, 5), POOL, "Flatten", "128 relu", "drop 0.4", OUT,
    ]),
    (networks.complex_cnn, "complex-cnn", 437_546, [
        *stage(32), *stage(32), POOL, "drop 0.2", *stage(64), *stage(64), POOL, "drop 0.2",
        *stage(128), POOL, "drop 0.2", "Flatten", "256 relu", "drop 0.4", OUT,
    ]),
    (networks.mlp, "mlp", 538_122, [
        "Flatten", "512 linear without bias", "norm 0.9", "ReLU", "drop 0.3",
        "256 linear without bias", "norm 0.9", "ReLU", "drop 0.3", OUT,
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("build", "name", "parameters", "layers"), ALL)
def test_the_published_and_ours_are_what_their_pages_say(
    build: Callable[[], keras.Model], name: str, parameters: int, layers: list[str]
) -> None:
    network = build()
    assert (network.name, network.inputs[0].name) == (name, "image")
    assert [described(layer) for layer in network.layers] == layers
    assert network.count_params() == parameters
    answers = np.asarray(network(np.zeros((2, 28, 28, 1), np.float32)))
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


def test_what_tuning_searches_over_changes_the_network() -> None:
    plain = {"filters": 4, "depth": 2, "kernel": 3, "dense": 16, "dropout": 0.5}
    sizes = {networks.convolutional(**plain).count_params()}
    for name, value in (("filters", 8), ("depth", 3), ("kernel", 5), ("dense", 32)):
        sizes.add(networks.convolutional(**(plain | {name: value})).count_params())
    assert len(sizes) == 5
