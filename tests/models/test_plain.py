"""NumPy reads as LiteRT does, where LiteRT has no wheel."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.models import store


@pytest.fixture
def without_litert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)


@pytest.mark.usefixtures("without_litert")
def test_the_shipped_network_answers_as_with_litert(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = mnist_test().images[:40]
    by_numpy = store.load()
    monkeypatch.undo()
    by_litert = store.load()
    chances = by_numpy.probabilities(digits)
    np.testing.assert_allclose(chances, by_litert.probabilities(digits), atol=0.01)


@pytest.mark.usefixtures("without_litert")
def test_a_file_that_numpy_cannot_run_is_a_model_error(tmp_path: Path) -> None:
    file = tmp_path / "broken.tflite"
    file.write_bytes(b"no model")
    with pytest.raises(ModelError):
        store.load(file)
