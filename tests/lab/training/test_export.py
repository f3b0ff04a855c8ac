"""The description inside a model file; int8 weights answer like float32 ones."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.training import cnn, convert
from digitrec.lab.training.run import TrainResult
from digitrec.models import store
from digitrec.models.foreign import to_litert

DIGITS = mnist_test()[:200]


def test_a_weight_takes_one_byte() -> None:
    network = cnn.build((16, 32), seed=3)
    assert len(to_litert(network)) < 2 * network.count_params()


def test_a_trained_model_reads_the_same_in_both_forms(trained: TrainResult, tmp_path: Path) -> None:
    convert.write(trained.litert_file, tmp_path / "tiny.keras")
    litert, floating = (
        store.load(file).probabilities(DIGITS.images)
        for file in (trained.litert_file, tmp_path / "tiny.keras")
    )
    assert (litert.argmax(axis=1) == floating.argmax(axis=1)).mean() > 0.98
    assert np.abs(litert - floating).max() < 0.05


def test_any_zip_tool_reads_the_description(trained: TrainResult) -> None:
    with zipfile.ZipFile(trained.litert_file) as archive:
        about = json.loads(archive.read("digitrec.json"))
    assert about["format"] == 1
    assert about["input"] == {"form": "mnist", "scale": "unit"}
    assert about["card"]["test"]["correct"] == trained.test_correct
