"""A training run from end to end, on a few digits and with a tiny network."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits, mnist_test
from digitrec.errors import DataError
from digitrec.lab.handwriting import synthetic
from digitrec.lab.handwriting.augment import Augmentation
from digitrec.lab.handwriting.writer import Writer
from digitrec.lab.training.run import TrainConfig, TrainResult, given, split
from digitrec.lab.training.train import WANTED, DigitAccuracy, Material, tensors, train
from digitrec.models import store

pytestmark = pytest.mark.usefixtures("eagerly")
TINY = TrainConfig(
    name="tiny", widths=(4, 8), networks=1, epochs=2, finishing=0, batch=16, validation=0.2, made=0, scenes=0,
    world=0, fonts=False, second=(),
)  # fmt: skip
DIGITS = mnist_test()[:120]


def run(config: TrainConfig, folder: Path, **how: Any) -> TrainResult:
    """Train on a few digits, and measure with a few test digits only."""
    return train(config, folder, given(DIGITS, limit_test=500), **how)


def test_a_run_leaves_a_model_its_card_and_its_history(trained: TrainResult) -> None:
    model = store.load(trained.litert_file)
    rest = mnist_test()[120:]
    assert store.load(trained.litert_file).card["test"]["count"] == len(rest) == 9_880  # none learned
    assert trained.test_correct == (model.probabilities(rest.images).argmax(axis=1) == rest.labels).sum()
    assert model.input.temperature == model.card["temperature"] > 2  # untrained, so high
    assert model.input.evidence == model.card["evidence"] > 0
    page = trained.card_file.read_text(encoding="utf-8")
    assert "mnist-test, through this file | " in page and "excluded | 120 |" in page
    assert f"{trained.test_correct:,} of 9,880" in page and "digits handed over | 120" in page
    assert (trained.litert_file.parent / "network-1" / "history.csv").is_file()


def test_digits_held_back_are_never_learned_and_do_not_depend_on_the_seed() -> None:
    numbered = replace(DIGITS, labels=np.arange(120, dtype=np.uint8))
    learned, held_back = split(numbered, 0.2)
    assert len(held_back) == 24
    assert sorted([*learned.labels, *held_back.labels]) == list(range(120))
    assert split(numbered, 0.2)[1].labels.tolist() == held_back.labels.tolist()
    learned, held_back = split(numbered + numbered, 0.2)
    assert len(held_back) == 48 and not {*learned.labels} & {*held_back.labels}, "copies stay together"


@pytest.mark.usefixtures("trained")
def test_progress_is_reported(told: list[tuple[float, str]]) -> None:
    assert [round(12 * done, 6) for done, _ in told] == list(range(1, 13))
    assert [remark.split(",")[0] for _, remark in told] == ["epoch 1/2"] * 6 + ["epoch 2/2"] * 6
    assert "held back" not in told[0][1] and "held back" in told[-1][1]


def test_two_networks_learn_generated_pictures_and_finish_without_and_a_third_learns_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noise(writer: Writer, count: int, seed: list[int]) -> Digits:
        images = np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)
        return Digits(images, np.arange(count, dtype=np.uint8) % (NO_DIGIT + 1))

    monkeypatch.setattr(synthetic, "make", noise)
    told: list[tuple[float, str]] = []
    config = replace(TINY, networks=2, seed=3, epochs=1, batch=48, made=1.05, finishing=1, second=(4,))
    result = run(config, tmp_path, on_progress=lambda done, remark: told.append((done, remark)))
    assert told[0] == (1, "generating digits") and told[1][1].startswith("network 1/3, epoch 1/2")
    seen = [remark.partition(", loss")[0] for _, remark in told]
    assert seen.count("network 1/3, epoch 2/2") == 2  # 96 digits, none generated
    assert seen.count("network 3/3, epoch 1/2") == seen.count("network 3/3, epoch 2/2") == 2
    assert [[row.epoch for row in history] for history in result.histories] == [[1, 2]] * 3
    model = store.load(result.litert_file)
    assert (model.card["digits"]["no digit"], model.card["digits"]["made"]) == (18, 182)
    assert model.second is not None and "also one of 2 x 4 channels" in result.card_file.read_text()


def test_other_countries_are_learned_by_default(tmp_path: Path, world_folder: Path) -> None:
    result = run(replace(TINY, epochs=1, world=3), tmp_path / "run")
    model = store.load(result.litert_file)
    digits = model.card["digits"]
    assert 9 <= digits["world"] <= 12  # two scans and two paths, three times each
    assert digits["writers held back"] == 4
    assert model.input.prepared == model.card["prepared"]
    assert "| writers held back, Swiss and Turkish |" in result.card_file.read_text()


def test_too_few_digits_for_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one batch of 128"):
        run(TrainConfig(made=0, scenes=0), tmp_path)


CONFIG = TrainConfig(epochs=3, batch=10, seen=0.5, finishing_seen=0.25, augmentation=Augmentation(clean=1.0))


def numbered(first: int, count: int) -> Digits:
    """Return blank pictures, labelled with consecutive numbers."""
    return Digits(np.zeros((count, 28, 28), np.uint8), np.arange(first, first + count, dtype=np.uint8))


MATERIAL = Material(CONFIG, numbered(0, 40), numbered(100, 20), numbered(200, 30))


def test_an_epoch_sees_all_of_its_own_digits_and_a_part_of_those_from_abroad() -> None:
    seen = MATERIAL.epoch(2).labels
    assert sorted(seen[seen < 100]) == list(range(40)) and sorted(seen[seen >= 200]) == list(range(200, 230))
    assert len(seen) == 80 == len(set(seen.tolist()))
    assert MATERIAL.steps() == 8


def test_while_finishing_nothing_is_seen_of_what_was_made() -> None:
    seen = MATERIAL.epoch(CONFIG.epochs + 1).labels
    assert len(seen) == 45 and (seen < 200).all()
    assert MATERIAL.steps(finishing=True) == 4


def test_of_what_is_no_digit_a_network_learns_to_be_undecided() -> None:
    images, wanted = tensors(Digits(mnist_test().images[:2], np.array([3, NO_DIGIT], np.uint8)))
    assert images.shape == (2, 28, 28, 1) and images.max() == 1
    np.testing.assert_allclose(wanted, [np.eye(10)[3], np.full(10, 0.1)])


def test_accuracy_is_of_the_pictures_with_a_digit() -> None:
    accuracy = DigitAccuracy()
    accuracy.update_state(WANTED[[7, 4, NO_DIGIT]], np.eye(10)[[7, 3, 2]])
    assert float(accuracy.result()) == 0.5
