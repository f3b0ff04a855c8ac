"""The figures on the card."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from digitrec.lab.training import card
from digitrec.lab.training.run import TrainConfig
from digitrec.models import store


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
        "evidence": 1.5, "doubt": 0.95, "training_seconds": 1,
    })  # fmt: skip
    assert "Yann LeCun" in page
    assert "temperature before" in page and "0.5 for a picture in MNIST's form" in page and "0.75" in page
    for said in ("(c) 2017 Alex Schroeder, MIT", "E. Alpaydin, F. Alimoglu", "CC BY 4.0", "87.50 % of 9"):
        assert (said in page) == bool(world)


def facts(**given: object) -> dict[str, object]:
    digits = {"learned": 1, "world": 0, "made": 0, "no digit": 0, "held back": 1, "writers held back": 0}
    return {
        "test": card.measured(1, 1), "settings": asdict(TrainConfig(world=0)), "digits": digits,
        "environment": card.environment(), "validation_accuracy": 1.0, "writers_accuracy": 0.875,
        "architecture": "", "parameters": 1, "kilobytes": 1, "temperature": 0.5, "prepared": 0.75,
        "evidence": 1.5, "doubt": 0.95, "training_seconds": 1,
    } | given  # fmt: skip


def test_the_card_names_the_fonts_that_were_learned_and_no_others() -> None:
    with_fonts = card.markdown("net", facts(settings=asdict(TrainConfig(world=0))))
    without = card.markdown("net", facts(settings=asdict(TrainConfig(world=0, fonts=False))))
    for said in ("103 drawn like handwriting, 35 like print", "fontsource.org", "SIL Open Font"):
        assert said in " ".join(with_fonts.split()) and said not in " ".join(without.split())
    assert "those that come with Matplotlib" in " ".join(without.split())


def test_a_card_is_made_of_what_happened() -> None:
    own = card.markdown("net", facts(learned_from={"my.npz": 40}))
    assert "MNIST's 60,000" not in own and "Yann LeCun" not in own and "train-images" not in own
    assert "1 digits from my.npz (40)" in own
    both = card.markdown("net", facts(learned_from={"mnist-test": 500, "my.npz": 40}))
    assert "from mnist-test (500) and my.npz (40)" in both
    assert "Yann LeCun" in both and "and from my.npz: " in both


def test_a_card_says_what_it_was_tested_on() -> None:
    part = card.measured(90, 100) | {"on": "mnist-test", "left_out": 500}
    page = card.markdown("net", facts(learned_from={"mnist-test": 500}, test=part))
    assert "| MNIST test set, but for 500 that it learned, through this file | 90.00 % (90 of 100) |" in page
    assert "500 test digits are among those learned, and were not measured with." in page
    other = card.markdown("net", facts(test=card.measured(90, 100) | {"on": "mine"}))
    assert "| mine, through this file | 90.00 %" in other and "Fifteen of the test set" not in other


def test_the_licences_that_ask_for_it_stand_beside_the_weights() -> None:
    text = store.SHIPPED.with_name("LICENCES.txt").read_text(encoding="utf-8")
    for said in ("Copyright (c) 2017 Alex Schroeder", "Permission is hereby granted", "10.24432/C5MG6K"):
        assert said in text


def test_the_environment_names_what_a_result_depends_on() -> None:
    where = card.environment()
    assert set(where["versions"]) == {"python", "tensorflow", "keras", "ai-edge-litert", "numpy"}
    assert where["cores"] >= 1
