"""The description inside a model file; int8 weights answer like float32 ones."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.training import cnn, export
from digitrec.lab.training.run import TrainResult
from digitrec.models import store
from digitrec.models.kerasfile import to_litert

DIGITS = mnist_test()[:200]


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return cnn.build((16, 32), seed=3)


def test_a_weight_takes_one_byte(network: keras.Model) -> None:
    assert len(to_litert(network)) < 2 * network.count_params()


def test_a_trained_model_reads_the_same_in_both_forms(trained: TrainResult) -> None:
    litert, floating = (
        store.load(file).probabilities(DIGITS.images) for file in (trained.litert_file, trained.keras_file)
    )
    assert (litert.argmax(axis=1) == floating.argmax(axis=1)).mean() > 0.98
    assert np.abs(litert - floating).max() < 0.05


def test_any_zip_tool_reads_the_description(trained: TrainResult) -> None:
    for file in (trained.litert_file, trained.keras_file):
        with zipfile.ZipFile(file) as archive:
            about = json.loads(archive.read("digitrec.json"))
        assert about["format"] == 1
        assert about["input"] == {"form": "mnist", "scale": "unit"}
        assert about["card"]["test"]["correct"] == trained.test_correct


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_keras_files_carry_it_too(network: keras.Model, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"one{ending}"
    export.save_keras(network, path, export.description("one", {"a": 1}, scale="byte"))
    model = store.load(path)
    assert (model.name, model.card) == ("one", {"a": 1})
    assert model.input == store.ModelInput(scale="byte")
    if ending == ".h5":
        with h5py.File(path) as file:
            assert json.loads(file.attrs["digitrec.json"])["name"] == "one"
