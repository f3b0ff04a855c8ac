"""Fine-tuning in small: a tiny network, a few mirrored digits."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.loader import Sample, sampled
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError, ModelError
from digitrec.lab.datasets.digits import read_keys
from digitrec.lab.training.finetune import OWN, FineTuneResult, fine_tune
from digitrec.lab.training.run import FineTuneConfig, TrainResult
from digitrec.models import store

DIGITS = mnist_test()[200:320]
MIRRORED = [Sample(np.ascontiguousarray(image[:, ::-1]), int(label))
            for image, label in zip(DIGITS.images, DIGITS.labels, strict=True)]  # fmt: skip
CONFIG = FineTuneConfig(epochs=20, learning_rate=0.01, batch=32, own=0.9, written=30, made=10, scenes=4,
                        validation=0.25)  # fmt: skip


@pytest.fixture(scope="module")
def heard() -> list[tuple[float, str]]:
    return []


@pytest.fixture(scope="module")
def learned(
    trained: TrainResult, heard: list[tuple[float, str]], tmp_path_factory: pytest.TempPathFactory
) -> FineTuneResult:
    """Fine-tune without MNIST, on duplicates, blank pictures, a broken file and one picture to refuse."""
    folder = tmp_path_factory.mktemp("hand")
    (folder / "none.png").write_bytes(b"nothing")
    blank = Sample(np.zeros((60, 60), np.uint8), 3)
    noise = Sample(DIGITS.images[0].T.copy(), None)
    samples = [*MIRRORED, *MIRRORED, blank, blank, Sample(folder / "none.png", 4), noise]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITREC_DATA", str(folder))
        return fine_tune(
            CONFIG, folder / "mine.tflite", samples, source="mine", start=trained.litert_file, limit_test=20,
            on_progress=lambda *seen: heard.append(seen),
        )  # fmt: skip


def test_the_fine_tuned_network_reads_the_hand_better(learned: FineTuneResult, trained: TrainResult) -> None:
    model, began = store.load(learned.file), store.load(trained.litert_file)
    card = model.card
    assert card["start"] == began.version and card["learned_from"] == {"mine": learned.learned}
    assert card["parameters"] == began.card["parameters"]
    assert model.input == began.input
    mirrored = DIGITS.images[:, :, ::-1]
    before, after = ((one.probabilities(np.ascontiguousarray(mirrored)).argmax(axis=1) == DIGITS.labels).sum()
                     for one in (began, model))  # fmt: skip
    assert after > before + 20


def test_what_was_learned_is_not_measured_with(learned: FineTuneResult, trained: TrainResult) -> None:
    own, *others = learned.changes
    assert own.data == OWN and own.left_out > 20  # each mirrored digit is there twice
    kept, before = read_keys(learned.file), read_keys(trained.litert_file)
    assert kept is not None and before is not None and np.isin(before, kept).all()
    assert len(kept) > len(before) + len(MIRRORED) + 1  # rehearsed digits are learned, too
    mnist = next(one for one in others if one.data == "mnist-test")
    assert mnist.before.n == mnist.after.n == 20 and store.load(learned.file).card["test"]["count"] == 20
    assert [one.data for one in others if one.refusing] == ["letters", "scribbles"]
    for one in learned.changes:
        assert one.after.hits - one.before.hits == one.gained - one.lost


def test_card_and_progress_say_what_happened(learned: FineTuneResult, heard: list[tuple[float, str]]) -> None:
    card = store.load(learned.file).card
    assert card["rehearsed"]["synthetic hand"] == 30 and card["rehearsed"]["no digit"] > 0
    assert [row["data"] for row in card["changes"]] == [one.data for one in learned.changes]
    assert heard[0][1] == "generating digits"
    assert heard[-1][0] == 1 and heard[-1][1].startswith("epoch 20/20, loss ")


@pytest.mark.usefixtures("eagerly")
def test_a_set_that_was_learned_whole_has_no_accuracy(trained: TrainResult, data_folder: Path) -> None:
    whole = mnist_test()
    digits = whole[sampled(whole.labels, 20)]
    samples = [Sample(image, int(label)) for image, label in zip(digits.images, digits.labels, strict=True)]
    few = replace(CONFIG, epochs=1, validation=0.0)
    start = Path(shutil.copy(trained.litert_file, data_folder))  # without the list of what it learned
    done = fine_tune(few, data_folder / "m.tflite", samples, source="m", start=start, limit_test=3)
    assert done.changes[0].row[:2] == ("mnist-test (3 learned pictures excluded)", " of 0")
    assert read_keys(done.file) is None
    assert "test" not in store.load(done.file).card


def test_wrong_arguments(learned: FineTuneResult, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def refused(out: Path, samples: list[Sample], error: type[Exception], says: str) -> None:
        with pytest.raises(error, match=says):
            fine_tune(replace(CONFIG, validation=0.0), out, samples, source="mine", start=learned.file)

    blank = Sample(np.zeros((60, 60), np.uint8), 3)
    refused(learned.file, MIRRORED, ModelError, r"mine\.tflite")
    refused(tmp_path / "mine.keras", MIRRORED, ModelError, r"\.tflite")
    with caplog.at_level(logging.WARNING):
        refused(tmp_path / "m.tflite", [*MIRRORED[:9], blank], DataError, "mine: 9 pictures.* of 10")
    assert "1 picture" in caplog.text
