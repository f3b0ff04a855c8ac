"""A training run from end to end, on a few digits and with a tiny network."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits, mnist_test
from digitrec.errors import DataError, ModelError
from digitrec.lab.handwriting import synthetic
from digitrec.lab.handwriting.augment import Augmentation
from digitrec.lab.training.run import Progress, TrainConfig, TrainResult
from digitrec.lab.training.train import split, train
from digitrec.models import store

TINY = TrainConfig(
    name="tiny", widths=(4, 8), networks=1, epochs=2, finishing=0, batch=16, validation=0.2, made=0, scenes=0
)  # fmt: skip
PLAIN = replace(TINY, epochs=10, learning_rate=0.01, widths=(8, 16), augmentation=Augmentation(clean=1.0))
DIGITS = mnist_test()[:120]


class Stopped(Exception):
    """What a user does with Ctrl-C."""


def run(config: TrainConfig, folder: Path, **how: Any) -> TrainResult:
    """Train and measure with a few test digits only."""
    return train(config, folder, limit_test=500, **how)


def test_a_run_leaves_a_model_that_predicts_its_card_and_its_history(trained: TrainResult) -> None:
    model = store.load(trained.litert_file)
    assert model.name == "tiny"
    assert model.probabilities(DIGITS.images).shape == (120, 10)
    assert trained.test_count == 9_880  # all but those that it learned
    page = trained.card_file.read_text(encoding="utf-8")
    assert "MNIST test set, but for 120 that it learned, through this file | " in page
    assert f"{trained.test_correct:,} of 9,880" in page
    assert "96 digits from digits handed over (120)" in page and "MNIST's 60,000" not in page
    with (trained.litert_file.parent / "network-1" / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2]
    assert [float(row["loss"]) for row in rows] == [epoch.loss for epoch in trained.histories[0]]


def test_a_network_that_has_hardly_learned_is_made_modest(trained: TrainResult) -> None:
    model = store.load(trained.litert_file)
    assert model.input.temperature == model.card["temperature"] > 2
    assert model.input.evidence == model.card["evidence"] > 0
    assert model.input.doubt == model.card["doubt"] == 0.95
    rest = mnist_test()[120:]
    assert trained.test_correct == (model.probabilities(rest.images).argmax(axis=1) == rest.labels).sum()


def test_it_learns(tmp_path: Path) -> None:
    result = run(PLAIN, tmp_path, digits=DIGITS)
    (history,) = result.histories
    assert history[-1].loss < 0.7 * history[0].loss
    assert result.test_correct > 150


def test_digits_held_back_are_never_learned_and_do_not_depend_on_the_seed() -> None:
    numbered = replace(DIGITS, labels=np.arange(120, dtype=np.uint8))
    learned, held_back = split(numbered, 0.2)
    assert len(held_back) == 24
    assert sorted([*learned.labels, *held_back.labels]) == list(range(120))
    assert split(numbered, 0.2)[1].labels.tolist() == held_back.labels.tolist()


def test_progress_is_told_with_an_estimate(trained: TrainResult, told: list[Progress]) -> None:
    assert [round(12 * progress.done, 6) for progress in told] == list(range(1, 13))
    assert [progress.epoch for progress in told] == [1] * 6 + [2] * 6
    assert told[0].seconds_left > told[-1].seconds_left == 0
    assert told[0].last is None and told[-1].last == trained.histories[0][0]


def test_a_stopped_run_goes_on_where_it_stopped(trained: TrainResult, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done > 0.6:
            raise Stopped

    with pytest.raises(Stopped):
        run(TINY, tmp_path, digits=DIGITS, on_progress=stop)
    result = run(TINY, tmp_path, digits=DIGITS, resume=True)
    assert len(result.histories[0]) == 2
    for whole, resumed in zip(trained.histories[0], result.histories[0], strict=True):
        assert resumed.loss == pytest.approx(whole.loss, rel=1e-3)
        assert resumed.validation_loss == pytest.approx(whole.validation_loss, rel=1e-3)


def test_finishing_sees_the_digits_alone_and_keeps_the_mean(tmp_path: Path) -> None:
    told: list[Progress] = []
    finishing = replace(TINY, made=1.05, finishing=1)
    result = run(finishing, tmp_path, digits=DIGITS, on_progress=told.append)
    (history,) = result.histories
    assert [epoch.epoch for epoch in history] == [1, 2, 3]
    assert [progress.epoch for progress in told].count(3) == 6  # 96 digits are 6 steps
    assert told[-1].done == 1
    (tmp_path / "network-1" / "finished.keras").unlink()  # as if it had been stopped while finishing
    (again,) = run(finishing, tmp_path, digits=DIGITS, resume=True).histories
    assert [epoch.epoch for epoch in again] == [1, 2, 3]
    assert again[-1].validation_loss == pytest.approx(history[-1].validation_loss, rel=1e-3)


def test_two_networks_learn_for_themselves_and_read_together(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        told.append(progress)
        if progress.network == 2 and progress.epoch == 2:
            raise Stopped

    told: list[Progress] = []
    twice = replace(PLAIN, epochs=4, networks=2, seed=3)
    with pytest.raises(Stopped):
        run(twice, tmp_path, digits=DIGITS, on_progress=stop)
    told.clear()
    result = run(twice, tmp_path, digits=DIGITS, resume=True, on_progress=told.append)
    assert {(progress.network, progress.epoch) for progress in told} == {(2, 2), (2, 3), (2, 4)}
    assert told[0].done > 0.5 and told[-1].done == 1
    assert [len(history) for history in result.histories] == [4, 4]
    alone = run(replace(PLAIN, epochs=4, seed=7), tmp_path / "alone", digits=DIGITS)
    assert alone.histories[0][-1].loss == pytest.approx(result.histories[1][-1].loss, rel=1e-2)
    joined, one = (store.load(its.litert_file).card["parameters"] for its in (result, alone))
    assert joined == 2 * one


def test_made_digits_are_learned_too_and_made_once(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        told.append(progress)
        if progress.epoch == 2:
            raise Stopped

    told: list[Progress] = []
    mixed = replace(TINY, made=1.05, scenes=1.05)
    with pytest.raises(Stopped):
        run(mixed, tmp_path, digits=DIGITS, on_progress=stop)
    assert (told[1].epoch, told[1].done) == (0, 1.0)
    assert [progress.epoch for progress in told[:2]] == [0, 0]
    assert len(told) - 3 >= 16  # 96 digits are 6 steps, about 200 more another 12

    told.clear()
    result = run(mixed, tmp_path, digits=DIGITS, resume=True, on_progress=told.append)
    assert told[0].epoch == 2
    digits = store.load(result.litert_file).card["digits"]
    assert digits["no digit"] > 25
    assert 170 <= digits["made"] + digits["no digit"] <= 200
    assert "(50% of them in scenes)" in result.card_file.read_text()


def test_by_default_it_learns_from_other_countries_too(
    tmp_path: Path, world_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitrec.lab.training.given.mnist_train", lambda: DIGITS)
    result = run(replace(TINY, epochs=1, fonts=False), tmp_path / "run")
    model = store.load(result.litert_file)
    digits = model.card["digits"]
    assert 9 <= digits["world"] <= 12  # two scans and two paths, three times each
    assert digits["writers held back"] == 4
    assert model.input.prepared == model.card["prepared"]
    assert "Alex Schroeder" in result.card_file.read_text()
    alone = run(replace(TINY, epochs=1), tmp_path / "alone", digits=DIGITS)
    assert store.load(alone.litert_file).card["digits"]["world"] == 0
    assert "Alex Schroeder" not in alone.card_file.read_text()


def test_a_network_learns_to_be_undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def noise(digits: Digits, count: int, seed: list[int]) -> Digits:
        images = np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)
        return Digits(images, np.full(count, NO_DIGIT, np.uint8))

    monkeypatch.setattr(synthetic, "make", noise)
    result = run(replace(PLAIN, made=1.05), tmp_path, digits=DIGITS)
    model = store.load(result.litert_file)
    assert not model.recognises(model.probabilities(noise(DIGITS, 50, [9]).images)).any()
    assert model.recognises(model.probabilities(DIGITS.images)).mean() > 0.9


def test_resuming_needs_a_run_with_the_same_settings(trained: TrainResult, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no stopped run"):
        run(TINY, tmp_path, digits=DIGITS, resume=True)
    copy = shutil.copytree(trained.litert_file.parent, tmp_path / "copy")
    with pytest.raises(ModelError, match="other settings"):
        run(replace(TINY, seed=1), copy, digits=DIGITS, resume=True)


def test_too_few_digits_for_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fewer than one batch"):
        run(TrainConfig(made=0, scenes=0), tmp_path, digits=DIGITS)
