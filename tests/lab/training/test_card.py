"""The facts on a model card."""

from __future__ import annotations

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
WORLD = ("(c) 2017 Alex Schroeder, MIT", "E. Alpaydin, F. Alimoglu", "CC BY 4.0", "87.50 % of 9")
FONTS = ("103 drawn like handwriting, 35 like print", "fontsource.org", "SIL Open Font")
OTHERS = ("Yann LeCun", "train-images", "MIT licence, with")


@pytest.mark.parametrize(("given", "settings", "has", "lacks"), [
    ({}, {}, ("Yann LeCun", "train-images", "0.5 for a picture in MNIST's form", "0.75 for", *FONTS), WORLD),
    ({}, {"world": 3}, WORLD, ()),
    ({}, {"fonts": False}, ("those that come with Matplotlib",), FONTS),
    ({"learned_from": {"my.npz": 40}}, {}, ("my.npz | 40 |", "- my.npz: "), OTHERS),
    ({"learned_from": {"mnist-test": 500, "my.npz": 40}}, {}, ("mnist-test | 500 |", "Yann LeCun"), ()),
    ({"test": PART}, {}, ("MNIST test set, 500 learned digits excluded, through this file | 90.00 % (90 of "
     "100) |", "500 learned test digits"), ()),
    ({"test": PART | {"on": "mine"}}, {}, ("| mine, 500 learned",), ("fifteen of the test set",)),
])  # fmt: skip
def test_a_card_names_sources_licences_and_test_set(
    given: dict[str, Any], settings: dict[str, Any], has: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    found = page(given, settings)
    assert [said for said in has if said not in found] == []
    assert [said for said in lacks if said in found] == []


def test_the_licences_that_ask_for_it_stand_beside_the_weights() -> None:
    text = store.SHIPPED.with_name("LICENCES.txt").read_text(encoding="utf-8")
    for said in ("Copyright (c) 2017 Alex Schroeder", "Permission is hereby granted", "10.24432/C5MG6K"):
        assert said in text


def test_the_environment_names_what_a_result_depends_on() -> None:
    where = card.environment()
    assert set(where["versions"]) == {"python", "tensorflow", "keras", "ai-edge-litert", "numpy"}
    assert where["cores"] >= 1
