"""The conclusion claims a difference only where the test supports one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from digitrec import calibration
from digitrec.benchmark import Benchmark, benchmark, conclusion
from digitrec.benchmark.pairs import SIGNIFICANCE, holm, mcnemar
from digitrec.calibration.fit import fit
from digitrec.datasets.samples import Sample
from digitrec.engine import Engine
from digitrec.prediction import Prediction

BETTER = re.compile(r"^(\w+) reads these pictures better than (\w+):")


@pytest.fixture
def found(samples: list[Sample], fake: Callable[..., Engine]) -> Benchmark:
    engines = {
        "twin": fake("twin", 0.95, 1),
        "sister": fake("sister", 0.95, 2),
        "worse": fake("worse", 0.6, 3),
    }
    return benchmark(samples, engines, data="fakes")


def test_two_equal_engines_and_a_worse_one(found: Benchmark) -> None:
    said = conclusion(found)
    claims = {match.groups() for sentence in said if (match := BETTER.match(sentence))}
    assert claims == {("twin", "worse"), ("sister", "worse")}
    assert [sentence for sentence in said if "No difference is shown between twin and sister (" in sentence]


def test_between_equals_a_difference_is_claimed_in_less_than_one_benchmark_in_twenty() -> None:
    rng = np.random.default_rng(5)
    claimed = 0
    for _ in range(400):
        right = rng.random((3, 200)) < 0.9
        splits = [(right[a] & ~right[b], right[b] & ~right[a]) for a, b in [(0, 1), (0, 2), (1, 2)]]
        p_values = [mcnemar(int(one.sum()), int(other.sum())) for one, other in splits]
        claimed += min(holm(p_values)) < SIGNIFICANCE
    assert claimed <= 400 / 20


def test_nothing_is_claimed_of_an_emulated_engine(samples: list[Sample], fake: Callable[..., Engine]) -> None:
    engines = {"twin": fake("twin", 0.95, 1), "worse": fake("worse", 0.6, 3, emulated=True)}
    said = conclusion(benchmark(samples, engines, data="fakes"))
    assert [sentence for sentence in said if "worse" in sentence] == [
        "Emulated: worse. An emulator's figures say nothing about the vendor's."
    ]


def test_chances_that_were_fitted_on_these_very_pictures_are_told(
    samples: list[Sample], fake: Callable[..., Engine]
) -> None:
    def measured(pictures: list[Sample]) -> Benchmark:
        engines = {"known": fake("known", 0.8, 1), "other": fake("other", 0.8, 2)}
        return benchmark(pictures, engines, data="fakes")

    before = measured(samples)
    answers = before.outcomes["known"]
    assert all(isinstance(answer, Prediction) for answer in answers)
    for fitted in fit(answers, before.labels, "fakes"):  # type: ignore[arg-type]
        calibration.save(fitted)
    warning = "The calibrated chances of known were fitted on these very pictures"
    assert [len([it for it in conclusion(found) if it.startswith(warning)])
            for found in (before, measured(samples), measured(samples[:100]))] == [0, 1, 0]  # fmt: skip


def test_failures_are_told(found: Benchmark) -> None:
    cards = tuple(replace(card, failed=3) if card.engine == "twin" else card for card in found.cards)
    said = conclusion(replace(found, cards=cards))
    assert "twin gave no answer on 3 of 112 pictures; its accuracy leaves them out." in said


def test_the_best_is_named_with_its_interval(found: Benchmark) -> None:
    best = found.cards[0].accuracy
    assert conclusion(found)[0] == (
        f"{found.cards[0].engine} was right on {best.share:.1%} (95% interval {best.low:.1%} to "
        f"{best.high:.1%}) of the 112 pictures of fakes that it answered."
    )


def test_an_engine_that_never_answered_is_not_the_best(
    samples: list[Sample], fake: Callable[..., Engine]
) -> None:
    found = benchmark(samples[:20], {"a": fake("a", 0.9, 1)}, data="x")
    silent = replace(
        found.cards[0], accuracy=replace(found.cards[0].accuracy, hits=0, n=0, low=None, high=None)
    )
    assert conclusion(replace(found, cards=(silent,))) == []
    assert isinstance(found.outcomes["a"][0], Prediction)
