"""One person's hand, learned in small: a tiny network, a few pictures of digits seen in a mirror."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError, ModelError
from digitrec.lab.datasets import overlap
from digitrec.lab.training.finetune import FineTuneResult, fine_tune
from digitrec.lab.training.run import FineTuneConfig, Progress, TrainResult
from digitrec.models import store

DIGITS = mnist_test()[200:320]
MIRRORED = [
    Sample(np.ascontiguousarray(image[:, ::-1]), int(label))
    for image, label in zip(DIGITS.images, DIGITS.labels, strict=True)
]
CONFIG = FineTuneConfig(
    epochs=60, learning_rate=0.01, batch=32, own=0.5, written=30, made=10, scenes=4, validation=0.25
)


@pytest.fixture(scope="module")
def heard() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def learned(
    trained: TrainResult, heard: list[Progress], tmp_path_factory: pytest.TempPathFactory
) -> FineTuneResult:
    """MNIST cannot be had. Each picture is there twice; others are blank, none, or to be refused."""
    folder = tmp_path_factory.mktemp("hand")
    (folder / "none.png").write_bytes(b"nothing")
    blank = Sample(np.zeros((60, 60), np.uint8), 3)
    noise = Sample(DIGITS.images[0].T.copy(), None)
    samples = [*MIRRORED, *MIRRORED, blank, blank, Sample(folder / "none.png", 4), noise]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITREC_DATA", str(folder))
        return fine_tune(
            CONFIG, folder / "mine.tflite", samples, source="mine", start=trained.litert_file, limit_test=20,
            on_progress=heard.append,
        )  # fmt: skip


def test_it_reads_the_hand_better_and_keeps_what_it_was(
    learned: FineTuneResult, trained: TrainResult
) -> None:
    model, began = store.load(learned.file), store.load(trained.litert_file)
    assert learned.own is not None
    card = model.card
    assert card["start"] == began.version and card["learned_from"] == {"mine": learned.learned}
    assert model.input == began.input
    mirrored = DIGITS.images[:, :, ::-1]
    before, after = (
        (one.probabilities(np.ascontiguousarray(mirrored)).argmax(axis=1) == DIGITS.labels).sum()
        for one in (began, model)
    )
    assert after > before + 10


def test_what_was_learned_is_not_measured_with(learned: FineTuneResult, trained: TrainResult) -> None:
    own = learned.own
    assert own is not None and own.left_out > 20  # each mirrored digit is there twice
    kept, before = overlap.read(learned.file), overlap.read(trained.litert_file)
    assert kept is not None and before is not None and np.isin(before, kept).all()
    mnist = next(one for one in learned.others if one.data == "mnist-test")
    assert mnist.before.n == mnist.after.n == 20 and store.load(learned.file).card["test"]["count"] == 20
    assert [one.data for one in learned.others if one.refusing] == ["letters", "scribbles"]
    for one in (own, *learned.others):
        assert one.after.hits - one.before.hits == one.gained - one.lost


def test_the_card_tells_what_happened(learned: FineTuneResult) -> None:
    page = learned.card_file.read_text()
    assert "30 digits of a synthetic hand (MNIST's could not be had)" in page
    assert "of no digit" in page and f"{learned.learned} pictures of `mine` learned" in page
    assert "| your own, held back |" in page and "So few say little" in page
    assert "| letters, refused |" in page


def test_progress_is_told_while_pictures_are_made_and_learned(
    learned: FineTuneResult, heard: list[Progress]
) -> None:
    assert heard[0].epoch == 0 and [one.epoch for one in heard if one.epoch][-1] == CONFIG.epochs
    assert heard[-1].done == 1 and heard[-1].seconds_left == pytest.approx(0, abs=1e-6)


def test_it_learns_on_from_what_it_wrote_and_not_onto_it(learned: FineTuneResult, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is the file to begin with"):
        fine_tune(CONFIG, learned.file, MIRRORED, source="mine", start=learned.file)
    with pytest.raises(ModelError, match=r"written as \.tflite"):
        fine_tune(CONFIG, tmp_path / "mine.keras", MIRRORED, source="mine", start=learned.file)


def test_too_few_are_refused(
    learned: FineTuneResult, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    few = replace(CONFIG, validation=0.0)
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(DataError, match="mine: 9 pictures to learn from, of 10 that are not held back"),
    ):
        blank = Sample(np.zeros((60, 60), np.uint8), 3)
        fine_tune(few, tmp_path / "m.tflite", [*MIRRORED[:9], blank], source="mine", start=learned.file)
    assert "left out 1 picture in which no single digit is found" in caplog.text
