"""The figures on the card."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from digitrec.models import store
from digitrec.training import card
from digitrec.training.run import TrainConfig


@pytest.mark.parametrize(
    ("correct", "count", "low", "high"),
    [
        (9950, 10_000, 99.34, 99.62),
        (10_000, 10_000, 99.96, 100.0),
        (0, 10, 0.0, 27.75),
        (81, 263, 25.53, 36.62),
    ],
)
def test_wilson_interval_against_published_values(correct: int, count: int, low: float, high: float) -> None:
    """The last is Newcombe's (1998) example; the others were worked out by hand from Wilson's formula."""
    said = card.measured(correct, count)
    assert said["interval"] == pytest.approx([low, high], abs=0.006)
    assert said["percent"] == pytest.approx(100 * correct / count, abs=0.006)


@pytest.mark.parametrize("world", [0, 3])
def test_the_card_names_those_from_whom_it_learned(world: int) -> None:
    digits = {
        "learned": 1,
        "world": world,
        "made": 0,
        "no digit": 0,
        "held back": 1,
        "writers held back": 3 * world,
    }
    page = card.markdown("net", {
        "test": card.measured(1, 1), "settings": asdict(TrainConfig(world=world)), "digits": digits,
        "environment": card.environment(), "validation_accuracy": 1.0, "writers_accuracy": 0.875,
        "architecture": "", "parameters": 1, "kilobytes": 1, "temperature": 0.5, "prepared": 0.75,
        "evidence": 1.5, "training_seconds": 1,
    })  # fmt: skip
    assert "Yann LeCun" in page
    assert "temperature before" in page and "0.5 for a picture in MNIST's form" in page and "0.75" in page
    for said in ("(c) 2017 Alex Schroeder, MIT", "E. Alpaydin, F. Alimoglu", "CC BY 4.0", "87.50 % of 9"):
        assert (said in page) == bool(world)


def test_the_licences_that_ask_for_it_stand_beside_the_weights() -> None:
    text = store.SHIPPED.with_name("LICENCES.txt").read_text(encoding="utf-8")
    for said in ("Copyright (c) 2017 Alex Schroeder", "Permission is hereby granted", "10.24432/C5MG6K"):
        assert said in text


def test_the_environment_names_what_a_result_depends_on() -> None:
    where = card.environment()
    assert set(where["versions"]) == {"python", "tensorflow", "keras", "ai-edge-litert", "numpy"}
    assert where["cores"] >= 1
