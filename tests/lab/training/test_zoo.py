"""Architectures by name: every documented network, and the winner of a search."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training import export
from digitrec.lab.training.zoo import COMPARED, ZOO, find
from digitrec.models import store
from digitrec.models.foreign import to_litert

BEST = {
    "network": {"filters": 4, "depth": 1, "kernel": 3, "dense": 16, "dropout": 0.1},
    "training": {"learning_rate": 0.002, "batch": 16},
}
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
    file.write_bytes(export.described(to_litert(network), export.description("small", {})))
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


@pytest.mark.parametrize("content", ["nothing", "{}", '{"network": {}, "training": {"pace": 1}}', "[]", None])
def test_an_unknown_name_and_another_file_are_refused(tmp_path: Path, content: str | None) -> None:
    name = "lenet" if content is None else str(tmp_path / "best.json")
    if content is not None:
        Path(name).write_text(content)
    with pytest.raises(ModelError, match=name):
        find(name)
