"""Which engines are worth a thought: those that no other beats at everything."""

from __future__ import annotations

from collections.abc import Sequence

from digitrec.comparison.benchmark.scorecard import Scorecard


def pareto_front(cards: Sequence[Scorecard]) -> list[Scorecard]:
    """The engines that no other beats in accuracy, cost and latency together.

    Unknown figures count as worst. Emulated engines take no part: their figures are not the vendor's.
    """
    real = [card for card in cards if not card.emulated and card.accuracy.n]
    return [card for card in real if not any(_beats(other, card) for other in real)]


def _beats(one: Scorecard, other: Scorecard) -> bool:
    """At least as good in all three, and better in one."""
    pairs = list(zip(_merits(one), _merits(other), strict=True))
    return all(mine >= theirs for mine, theirs in pairs) and any(mine > theirs for mine, theirs in pairs)


def _merits(card: Scorecard) -> tuple[float, float, float]:
    worst = -float("inf")
    cost = worst if card.cost_per_1000 is None else -card.cost_per_1000
    return card.accuracy.share or 0.0, cost, worst if card.latency is None else -card.latency.p50
