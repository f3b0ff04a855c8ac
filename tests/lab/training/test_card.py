"""The facts on a model card."""

from dataclasses import asdict
from typing import Any

import pytest

from digitrec.comparison.benchmark.measures import proportion
from digitrec.lab.training import card
from digitrec.lab.training.run import TrainConfig
from digitrec.models import store


def page(given: dict[str, Any], settings: dict[str, Any]) -> str:
    """Return a card in one line."""
    run = TrainConfig(**({"world": 0} | settings))
    writers = 9 if run.world else 0
    facts = {
        "test": card.measured(proportion(1, 1), "mnist-test", 0), "settings": asdict(run),
        "environment": card.environment(),
        "digits": {"world": 0, "made": 0, "no digit": 0, "held back": 1, "writers held back": writers},
        "learned_from": {"mnist-train": 60_000}, "validation_accuracy": 1.0, "writers_accuracy": 0.875,
        "architecture": "", "parameters": 1, "kilobytes": 1, "temperature": 0.5, "prepared": 0.75,
        "evidence": 1.5, "doubt": 0.95, "training_seconds": 1,
    }  # fmt: skip
    return " ".join(card.markdown("net", facts | given).split())


PART = card.measured(proportion(90, 100), "mnist-test", 500)


@pytest.mark.parametrize(("given", "settings", "has"), [
    ({}, {}, ("mnist-train | 60,000 |", "0.5 in MNIST's form, 0.75 for others", "setting: world | 0 |")),
    ({}, {"world": 3}, ("87.50 % of 9", "Alex Schroeder", "E. Alpaydin, F. Alimoglu", "CC BY 4.0")),
    ({"learned_from": {"mnist-test": 500, "my.npz": 40}}, {}, ("mnist-test | 500 |", "my.npz | 40 |")),
    ({"test": PART}, {}, ("mnist-test, through this file | 90.00 % (90 of 100) |", "excluded | 500 |")),
])  # fmt: skip
def test_a_card_names_sources_settings_and_test_set(
    given: dict[str, Any], settings: dict[str, Any], has: tuple[str, ...]
) -> None:
    found = page(given, settings)
    assert [said for said in has if said not in found] == []


def test_the_licences_that_ask_for_it_stand_beside_the_weights() -> None:
    for said in ("Copyright (c) 2017 Alex Schroeder", "Permission is hereby granted", "10.24432/C5MG6K"):
        assert said in store.SHIPPED.with_name("LICENCES.txt").read_text(encoding="utf-8")
