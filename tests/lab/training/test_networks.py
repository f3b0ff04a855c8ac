"""Networks as built, and architectures by name."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training.card import description
from digitrec.lab.training.networks import describe, digitrec_cnn, efficientnet, together
from digitrec.lab.training.zoo import COMPARED, ZOO, find
from digitrec.models import store
from digitrec.models.network import described
from digitrec.models.store import to_litert

BEST = {"network": {"filters": 4, "depth": 1, "kernel": 3, "dense": 16, "dropout": 0.1},
        "training": {"learning_rate": 0.002, "batch": 16}}  # fmt: skip
PARAMETERS = {
    "tutorial-cnn": 225_034, "simple-cnn": 332_162, "complex-cnn": 437_546, "mlp": 538_122,
    "resnet-small": 78_426,
}  # fmt: skip


@pytest.mark.parametrize("arch", PARAMETERS)
def test_a_network_is_as_large_as_its_page_says_and_gives_probabilities(arch: str) -> None:
    network = find(arch).build()
    assert (network.input_shape, network.inputs[0].name) == ((None, 28, 28, 1), "image")
    assert network.count_params() == PARAMETERS[arch]
    answers = np.asarray(network(np.zeros((2, 28, 28, 1), np.float32)))
    np.testing.assert_allclose(answers.sum(axis=1), [1, 1], rtol=1e-5)


def test_a_network_of_many_kinds_of_layers_is_converted(tmp_path: Path) -> None:
    network, images = find("resnet-small").build(), mnist_test().images[:20]
    file = tmp_path / "small.tflite"
    file.write_bytes(described(to_litert(network), description("small", {})))
    answers = np.asarray(network(images[..., None] / np.float32(255)))
    np.testing.assert_allclose(store.load(file).probabilities(images), answers, atol=0.02)


def test_every_name_is_found_and_the_compared_are_among_them() -> None:
    assert [find(name).name for name in ZOO] == list(ZOO)
    assert set(COMPARED) < set(ZOO)
    assert {find(name).complexity for name in COMPARED} == {"Low", "Medium", "High"}


def test_the_winner_of_a_search_is_an_architecture(tmp_path: Path) -> None:
    file = tmp_path / "best.json"
    file.write_text(json.dumps(BEST))
    kind = find(str(file))
    assert (kind.name, kind.family, kind.learning_rate, kind.batch) == ("best", "keras", 0.002, 16)
    assert kind.build().layers[0].filters == 4


OTHERS = [("x", 8), (float("nan"), 8), (1, 0), (1, 8.0), (1, "8")]
CHANGED = [json.dumps(BEST | {"training": {"learning_rate": rate, "batch": batch}}) for rate, batch in OTHERS]


@pytest.mark.parametrize("content", ["nothing", "{}", "[]", None, *CHANGED])
def test_an_unknown_name_and_another_file_are_refused(tmp_path: Path, content: str | None) -> None:
    name = "lenet" if content is None else str(tmp_path / "best.json")
    if content is not None:
        Path(name).write_text(content)
    with pytest.raises(ModelError, match=name):
        find(name)


def test_size_and_shapes_are_as_documented() -> None:
    network = digitrec_cnn()
    assert network.count_params() == 554_594
    answers = np.asarray(network(np.zeros((3, 28, 28, 1), np.float32)))
    assert answers.shape == (3, 10)
    assert np.allclose(answers.sum(axis=1), 1)


def test_the_seed_decides_the_first_weights() -> None:
    first, same, other = (digitrec_cnn((4, 8), seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_networks_joined_answer_with_their_mean_score() -> None:
    images = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
    first, second = (digitrec_cnn((4, 8), seed=seed) for seed in (1, 2))
    product = np.sqrt(np.asarray(first(images)) * np.asarray(second(images)))
    joined = together([first, second])
    assert np.asarray(joined(images)) == pytest.approx(product / product.sum(axis=1, keepdims=True), abs=1e-6)
    assert joined.count_params() == 2 * first.count_params()
    assert together([first]) is first
    assert "2 networks" in describe((4, 8), 2) and "networks" not in describe((4, 8))


def test_efficientnet_sees_the_digit_as_its_authors_prepared_their_pictures() -> None:
    network = efficientnet()
    assert network.input_shape == (None, 28, 28, 1)
    assert network.get_layer("efficientnetb0").input_shape == (None, 224, 224, 3)
    last = network.layers[-1]
    assert (last.units, last.activation.__name__, network.output.shape) == (10, "softmax", (None, 10))
    (scaling,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Rescaling))
    shades = np.broadcast_to(np.reshape([0.0, 0.25, 1.0], (3, 1, 1, 1)), (3, 28, 28, 1))
    seen = np.asarray(keras.Model(network.input, scaling.output)(shades))
    grey = np.broadcast_to(255 * shades[:, :1, :1], (3, 224, 224, 3)).astype(np.float32)
    np.testing.assert_allclose(seen, keras.applications.efficientnet.preprocess_input(grey.copy()), atol=1e-3)
