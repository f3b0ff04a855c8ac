"""A benchmark as tables of words; text, Markdown and HTML are made of the same ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from digitrec.answer.prediction import short
from digitrec.comparison.benchmark.measures import Reliability
from digitrec.comparison.benchmark.pareto import pareto_front
from digitrec.comparison.benchmark.run import Benchmark
from digitrec.comparison.benchmark.scorecard import Scorecard
from digitrec.report import words
from digitrec.report.table import Table

MOST_PICTURES = 60
"""Pictures shown or listed at most; the JSON has them all."""
NONE = "none"
"""Heads the row and the column of "no digit" in a confusion matrix."""


def tables(benchmark: Benchmark) -> Iterator[Table]:
    """The tables of a report, the most important first."""
    yield leaderboard(benchmark)
    yield time_and_money(benchmark.cards, benchmark.opening_s)
    yield confidence(benchmark.cards)
    if benchmark.pairs:
        yield differences(benchmark)
        yield agreement(benchmark)
    yield digits(benchmark.cards)


def leaderboard(benchmark: Benchmark) -> Table:
    """Who is right how often."""
    front = {card.engine for card in pareto_front(benchmark.cards)}
    rows = [
        (
            card.name, words.percent(card.accuracy.share), _interval(card),
            str(card.correct - card.refused_rightly), str(card.wrong),
            f"{card.refused_rightly} / {card.refused_wrongly}", str(card.failed),
            words.duration(card.latency.p50) if card.latency else "", words.dollars(card.cost_per_1000),
            "yes" if card.engine in front else "",
        )
        for card in benchmark.cards
    ]  # fmt: skip
    return Table(
        "Leaderboard",
        "Right: digits named and pictures without a digit refused, among all that were answered; failures "
        "are counted apart. Front: no other engine is at once more accurate, cheaper and faster.",
        ("engine", "right", "95% interval", "digits right", "wrong", "refused rightly / wrongly", "failed",
         "median time", "per 1,000", "front"),
        tuple(rows), range(1, 9),
    )  # fmt: skip


def _interval(card: Scorecard) -> str:
    low, high = card.accuracy.low, card.accuracy.high
    return "" if low is None else f"{words.percent(low)} to {words.percent(high)}"


def time_and_money(cards: Sequence[Scorecard], opening_s: float) -> Table:
    """How long answers take, and what they cost; ``opening_s`` is spent once for all engines."""
    rows = []
    for card in cards:
        spent = card.latency
        times = [words.duration(it) for it in (spent.p50, spent.p95, spent.p99)] if spent else ["", "", ""]
        speed = "" if card.throughput is None else f"{card.throughput:.3g}"
        costs = [words.dollars(it) for it in (card.cost_per_1000, card.cost_per_correct, card.cost_usd)]
        loading = words.duration(card.loading_s) if card.loading_s else ""
        rows.append((card.name, *times, loading, speed, *costs))
    return Table(
        "Time and money",
        "Times are from the opened picture to the answer, preparation included, without the answers that "
        "came from the ledger. An engine that reads many pictures at once (the CNN) has the mean of each "
        "batch as every picture's time. Opening a picture took "
        f"{words.duration(opening_s)} (median), once for all engines. Loading: before the first picture, in "
        "no other time. Engines worked side by side, so those on this machine slowed each other. Prices are "
        "list prices before any free allowance.",
        ("engine", "median", "95 of 100", "99 of 100", "loading", "prepared and read a second", "per 1,000",
         "per right answer", "paid in this run"),
        tuple(rows), range(1, 9),
    )  # fmt: skip


def confidence(cards: Sequence[Scorecard]) -> Table:
    """Whether confidences are chances."""
    rows = [(card.name, *_fit(card.reliability), *_fit(card.calibrated)) for card in cards]
    return Table(
        "Confidence",
        "ECE: mean distance between confidence and share right, in ten bins. Brier: mean squared distance "
        "between confidence and outcome. 0 is best. Calibrated: after `digitrec calibrate`.",
        ("engine", "ECE", "Brier", "ECE calibrated", "Brier calibrated"), tuple(rows), range(1, 5),
    )  # fmt: skip


def _fit(found: Reliability | None) -> tuple[str, str]:
    return ("", "") if found is None else (f"{found.ece:.3f}", f"{found.brier:.3f}")


def differences(benchmark: Benchmark) -> Table:
    """Which differences are more than chance."""
    rows = [
        (
            benchmark.called(pair.first), benchmark.called(pair.second),
            str(pair.n), str(pair.only_first), str(pair.only_second),
            words.percent(pair.agreement), "" if pair.kappa is None else f"{pair.kappa:.2f}",
            _p_value(pair.p), _p_value(pair.p_corrected),
            "not tested" if pair.emulated else pair.better or "not shown",
        )
        for pair in benchmark.pairs
    ]  # fmt: skip
    return Table(
        "Differences",
        "McNemar's exact test on the pictures that both answered, p-values corrected by Holm's method over "
        "all tested pairs; below 0.05 a difference is shown. Kappa: agreement of the answers beyond chance. "
        "An emulated engine is not tested: its answers are not the vendor's.",
        ("first", "second", "both answered", "only first right", "only second right", "same answer", "kappa",
         "p", "corrected p", "better"),
        tuple(rows), range(2, 9),
    )  # fmt: skip


def _p_value(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def agreement(benchmark: Benchmark) -> Table:
    """How often every two engines say the same."""
    share = {frozenset((pair.first, pair.second)): words.percent(pair.agreement) for pair in benchmark.pairs}
    cards = benchmark.cards
    rows = [
        (one.name, *(share.get(frozenset((one.engine, other.engine)), "") for other in cards))
        for one in cards
    ]
    return Table(
        "Agreement", "Share of the pictures answered by both on which both say the same.",
        ("engine", *(card.name for card in cards)), tuple(rows), range(1, len(cards) + 1),
    )  # fmt: skip


def digits(cards: Sequence[Scorecard]) -> Table:
    """How each digit fares."""
    rows = [
        (
            str(digit), str(max((card.digits[digit].pictures for card in cards), default=0)),
            *(_both(card.digits[digit].precision, card.digits[digit].recall) for card in cards),
        )
        for digit in range(10)
    ]  # fmt: skip
    return Table(
        "Digits", "Precision / recall: how many of the answers with this digit were right, how many of its "
        "pictures were read as it.",
        ("digit", "pictures", *(card.name for card in cards)), tuple(rows), range(1, len(cards) + 2),
    )  # fmt: skip


def _both(precision: float | None, recall: float | None) -> str:
    return f"{words.percent(precision) or '-'} / {words.percent(recall) or '-'}"


def confusion(card: Scorecard) -> Table:
    """What was taken for what by one engine."""
    heads = (*map(str, range(10)), NONE)
    rows = [
        (head, *(str(count) if count else "" for count in counts))
        for head, counts in zip(heads, card.confusion, strict=True) if any(counts)
    ]  # fmt: skip
    return Table(card.name, "", ("shows", *heads), tuple(rows), range(1, 12))


def splitting(benchmark: Benchmark) -> Table:
    """The pictures on which engines do not say the same."""
    shown = sample(benchmark, benchmark.splitting)
    rows = [
        (
            benchmark.title(place), NONE if benchmark.labels[place] is None else str(benchmark.labels[place]),
            *(short(said[place]) for said in benchmark.outcomes.values()),
        )
        for place in shown
    ]  # fmt: skip
    return Table(
        "Pictures that split the engines",
        f"{how_many(shown, benchmark.splitting)} -: no digit, !: no answer.",
        ("picture", "shows", *map(benchmark.called, benchmark.outcomes)), tuple(rows),
    )  # fmt: skip


def sample(benchmark: Benchmark, places: Sequence[int]) -> list[int]:
    """At most `MOST_PICTURES` of these places, in their order, of each label as large a share as of all.

    Drawn by chance, and always the same: within each label the places are shuffled, and stand at equal
    distances between 0 and 1; those nearest to 0 are taken.
    """
    dice, strata = np.random.default_rng(0), defaultdict(list)
    for place in places:
        strata[benchmark.labels[place]].append(place)
    rank: dict[int, float] = {}
    for label in sorted(strata, key=str):
        alike = dice.permutation(strata[label]).tolist()
        rank |= {place: (number + dice.random()) / len(alike) for number, place in enumerate(alike)}
    drawn = set(sorted(places, key=lambda place: rank[place])[:MOST_PICTURES])
    return [place for place in places if place in drawn]


def how_many(shown: Sequence[int], places: Sequence[int]) -> str:
    """How many of how many are shown, in a sentence."""
    if len(shown) == len(places):
        return f"All {len(places)} of them." if len(places) > 1 else "One picture."
    return f"{len(shown)} of {len(places)}, drawn by chance, of each digit in proportion."
