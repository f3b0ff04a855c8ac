"""Compatibility with earlier versions: files and public names of 0.1.0 still work.

The files in landed/0.1.0 were written by digitrec 0.1.0 itself: the ledger and the recording by ``predict
--emulate`` with two samples and four clouds, the calibration by ``calibrate mnist-test``, the models (a tiny
network in three forms, and a classifier) by its own export. model.json holds that version's answers.
"""

import json
import shutil
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from terminal import run

import digitrec
from digitrec.answer import Prediction
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.models import store
from digitrec.recognise import calibration

LANDED = Path(__file__).parent / "landed" / "0.1.0"
SAMPLES = Path(__file__).parents[1] / "samples"
PICTURES = {"drawing-28x28.png": 2, "pencil.jpg": 8}


@pytest.mark.parametrize("name", ["model.tflite", "model.keras", "model.h5", "model.skops"])
def test_a_model_file_is_read_as_it_was(name: str) -> None:
    expected = json.loads((LANDED / "model.json").read_text("utf-8"))[name]
    model = store.load(LANDED / name)
    assert (model.version, model.name, model.card) == (
        expected["version"], "landed", {"note": "written by 0.1.0"}
    )  # fmt: skip
    assert (model.input.temperature, model.input.evidence) == (expected["temperature"], expected["evidence"])
    found = model.probabilities(mnist_test()[:5].images)
    np.testing.assert_allclose(found, expected["probabilities"], atol=2e-5)


@pytest.mark.parametrize(("option", "name"), [
    ("--ledger", "ledger.sqlite"), ("--replay", "ledger.sqlite"), ("--replay", "recording.jsonl"),
])  # fmt: skip
@pytest.mark.parametrize("cloud", ("google", "aws", "azure", "azure-analysis"))
def test_what_was_paid_for_is_not_asked_again(cloud: str, option: str, name: str, tmp_path: Path) -> None:
    file = shutil.copy(LANDED / name, tmp_path)
    emulated = ["--emulate"] if option == "--ledger" else []
    shown = [SAMPLES / picture for picture in PICTURES]
    arguments = [*shown, "-p", cloud, option, file, *emulated, "--output", "json"]
    answers = json.loads(run("predict", *arguments, code=0).stdout)
    assert [answer["digit"] for answer in answers] == list(PICTURES.values())
    assert all(answer["replayed"] and answer["emulated"] for answer in answers)
    assert all(answer["attempts"] == 0 and answer["cost_usd"] == 0 for answer in answers)


def test_a_calibration_is_found_and_used() -> None:
    folder = calibration.folder()
    folder.mkdir(parents=True)
    (written,) = LANDED.glob("local-*.json")
    shutil.copy(written, folder)
    ((key, found),) = calibration.known().items()
    assert (key.provider, key.preparation, found.digitrec) == ("local", "mnist", "0.1.0")
    answer = Prediction(
        digitrec.predict(SAMPLES / "pencil.jpg").image, "local", 8, found.scores[0],
        model_version=key.model_version, preparation="mnist",
    )  # fmt: skip
    assert calibration.apply(answer, calibration.known()).calibrated == found.chances[0]


NAMES = {
    "digitrec": "Answer Candidate Comparison Consensus DigitImage DigitrecError Engine Failure Fallback "
                "ImageError Options Prediction Provider ProviderError __version__ compare compare_many "
                "open_provider predict predict_many stream",
    "digitrec.answer": "Answer Candidate checked", "digitrec.emulator": "Emulator Picture",
    "digitrec.emulator.kit": "FakeProvider Line LocalProviderContract ProviderContract drawn_seven",
    "digitrec.emulator.pytest_plugin": "digitrec_emulator", "digitrec.engine": "Engine Options",
    "digitrec.image": "DigitImage InputSpec PreparedImage frames", "digitrec.prepare": "prepare",
    "digitrec.providers.base": "BaseProvider Price Resumable Status checked_endpoint checked_key "
                               "not_installed",
    "digitrec.providers.translate": "Problem Rule Service from_http",
}  # fmt: skip


@pytest.mark.parametrize("module", NAMES)
def test_the_public_names_are_where_they_were(module: str) -> None:
    assert [name for name in NAMES[module].split() if not hasattr(import_module(module), name)] == []


def test_the_entry_points_are_where_they_were() -> None:
    assert {point.name: point.value for point in entry_points(group="digitrec.providers")}.items() >= {
        "local": "digitrec.providers.local:Local", "google": "digitrec.providers.google:Google",
        "aws": "digitrec.providers.aws:Aws", "azure": "digitrec.providers.azure:Azure",
        "azure-analysis": "digitrec.providers.azure:AzureAnalysis",
        "tesseract": "digitrec.providers.tesseract:Tesseract",
        "rapidocr": "digitrec.providers.rapidocr:RapidOcr",
    }.items()  # fmt: skip
    (script,) = [point for point in entry_points(group="console_scripts") if point.name == "digitrec"]
    assert script.value == "digitrec.__main__:run"  # which runs `main`
