"""The Pareto front: whoever is beaten at nothing by anyone at everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from digitrec.answer.prediction import Outcome
from digitrec.comparison.benchmark.scorecard import Scorecard, pareto_front, scorecard


def test_only_those_that_nobody_beats_at_everything(said: Callable[..., list[Outcome]]) -> None:
    def card(name: str, right: int, price: float | None, seconds: float) -> Scorecard:
        outcomes = [
            replace(outcome, latency_s=seconds) for outcome in said(*[1] * right, *[2] * (10 - right))
        ]
        return scorecard(name, outcomes, [1] * 10, prices={"e": price})

    cards = [
        card("best", 10, 0.1, 2.0),
        card("cheap", 8, 0.0, 2.0),
        card("fast", 8, 0.1, 0.1),
        card("beaten", 8, 0.1, 2.0),
        card("unknown price", 9, None, 3.0),
        card("never right", 0, 0.1, 2.0),
        replace(card("unknown time", 8, 0.1, 0.0), latency=None),
        replace(card("emulated", 10, 0.0, 0.01), emulated=True),
    ]
    assert [found.engine for found in pareto_front(cards)] == ["best", "cheap", "fast"]
