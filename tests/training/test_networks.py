"""The networks of the zoo: the published one to the parameter, the others by what they take and give."""

from __future__ import annotations

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
    assert [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)] == [
        0.25,
        0.25,
        0.5,
    ]


@pytest.mark.parametrize("build", [networks.simple_cnn, networks.complex_cnn, networks.mlp])
def test_ours_give_probabilities(build) -> None:
    answers = np.asarray(build()(np.zeros((2, 28, 28, 1), np.float32)))
    assert answers.shape == (2, 10)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


def test_what_tuning_searches_over_changes_the_network() -> None:
    plain = {"filters": 4, "depth": 2, "kernel": 3, "dense": 16, "dropout": 0.5}
    sizes = {networks.convolutional(**plain).count_params()}
    for name, value in (("filters", 8), ("depth", 3), ("kernel", 5), ("dense", 32)):
        sizes.add(networks.convolutional(**(plain | {name: value})).count_params())
    assert len(sizes) == 5


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
