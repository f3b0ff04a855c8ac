"""Without LiteRT, NumPy gives the same answers."""

import sys
from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.models import store
from digitrec.models.graph import Graph
from digitrec.models.network import runner


@pytest.fixture
def without_litert(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ai_edge_litert", "ai_edge_litert.interpreter"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("graph", "inside"):  # so that they import the package `tflite`
        monkeypatch.delitem(sys.modules, f"digitrec.models.{name}", raising=False)


@pytest.mark.usefixtures("without_litert")
def test_the_shipped_network_answers_as_with_litert(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = mnist_test().images[:40]
    by_numpy = store.load()
    chances, stages = by_numpy.probabilities(digits), by_numpy.inside.stages(digits[0])
    monkeypatch.undo()
    by_litert = store.load()
    np.testing.assert_allclose(chances, by_litert.probabilities(digits), atol=0.001)
    for (name, ours), (same, theirs) in zip(stages, by_litert.inside.stages(digits[0]), strict=True):
        assert name == same
        np.testing.assert_allclose(ours, theirs, atol=0.01)


@pytest.mark.parametrize("file", sorted(store.SHIPPED.parent.glob("*.tflite")), ids=lambda file: file.stem)
def test_numpy_runs_each_network_of_the_package(file: Path) -> None:
    content = file.read_bytes()
    litert, numpy = runner(content), Graph(content)
    shapes = (zip(one.shape, (1, 64, 96, 1), strict=False) for one in litert.takes)
    sides = ([other if side == -1 else side for side, other in shape] for shape in shapes)
    inputs = [np.random.default_rng(0).random(each, np.float32) for each in sides]
    for ours, theirs in zip(numpy.run(*inputs), litert.run(*inputs), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.05 * np.abs(theirs).max())


@pytest.mark.parametrize("content", [b"no model", store.SHIPPED.read_bytes()[:5000]], ids=["text", "cut off"])
@pytest.mark.usefixtures("without_litert")
def test_a_file_that_numpy_cannot_run_is_a_model_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.tflite"
    file.write_bytes(content)
    with pytest.raises(ModelError):
        store.load(file)
