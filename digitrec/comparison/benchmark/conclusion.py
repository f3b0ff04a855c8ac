"""Conclude a benchmark in sentences; claim a difference only if the test shows one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from digitrec.comparison.benchmark.measures import Proportion
from digitrec.comparison.benchmark.recommend import Recommendation
from digitrec.comparison.benchmark.run import Benchmark, Pair
from digitrec.comparison.benchmark.scorecard import Scorecard
from digitrec.errors import text
from digitrec.errors.text import count


def conclusion(benchmark: Benchmark) -> list[str]:
    """Return sentences: the best engine, significant differences, undecided pairs, and caveats.

    Emulated engines are named without claims.
    """
    real = [card for card in benchmark.cards if not card.emulated and card.accuracy.n]
    compared = [pair for pair in benchmark.pairs if not pair.emulated and pair.n]
    return [
        *(_accuracy(card, benchmark.data) for card in real[:1]),
        *_shown(compared, benchmark.test),
        *_undecided(compared),
        *([] if benchmark.recommendation is None else [_recommended(benchmark.recommendation)]),
        *_caveats(benchmark),
    ]


def _accuracy(best: Scorecard, data: str) -> str:
    return (
        f"{best.engine} was right on {percent(best.accuracy)} of the {count(best.accuracy.n, 'picture')} of "
        f"{data} that it answered."
    )


def percent(share: Proportion) -> str:
    """Format a share with its interval."""
    return f"{text.percent(share.share)} (95% interval {share.interval()})" if share.n else "nothing"


def _shown(compared: Sequence[Pair], test: str) -> Iterator[str]:
    for pair in compared:
        if pair.better is None or pair.p_corrected is None:
            continue
        worse = pair.second if pair.better == pair.first else pair.first
        won, lost = sorted((pair.only_first, pair.only_second), reverse=True)
        yield (
            f"{pair.better} reads these pictures better than {worse}: it alone was right on {won} of "
            f"{pair.n}, {worse} alone on {lost} ({test}, corrected p {_p(pair.p_corrected)})."
        )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _undecided(compared: Sequence[Pair]) -> Iterator[str]:
    level = [pair for pair in compared if pair.better is None]
    if level:
        named = ", ".join(f"{pair.first} and {pair.second}" for pair in level)
        least = min(pair.p_corrected for pair in level if pair.p_corrected is not None)
        more = " or more" if len(level) > 1 else ""
        yield (
            f"No difference is shown between {named} (corrected p {_p(least)}{more}); "
            "more pictures might show one."
        )


def _recommended(advice: Recommendation) -> str:
    if not advice.tried:
        return "Nothing is recommended: every engine was emulated."
    chosen, target = advice.chosen, f"{100 * advice.target:g}%"
    if chosen is None:
        return f"No option fits the budget: {advice.tried} were compared, all have unknown or higher cost."
    figures = (
        f"{percent(chosen.right)} on the {chosen.right.n} pictures it was not chosen on, "
        f"{text.dollars(chosen.cost_per_1000)} for 1,000, {text.duration(chosen.latency_s)} a picture"
    )
    if advice.reached:
        return f"{chosen.name} reaches {target}: {figures}."
    how = "more pictures would not show it either, because fewer were right"
    if (needed := advice.pictures_needed) is not None:
        how = f"about {2 * needed:,} pictures of which as many are right would show it"
    return (
        f"{target} is not shown on this much data; {how}. The nearest of {advice.tried} options is "
        f"{chosen.name}: {figures}."
    )


def _caveats(benchmark: Benchmark) -> Iterator[str]:
    if benchmark.fitted_here:
        named = ", ".join(benchmark.fitted_here)
        yield (
            f"The calibrated chances of {named} were fitted on the same pictures, so they fit better here "
            "than elsewhere: judge them on other pictures."
        )
    if emulated := [card.engine for card in benchmark.cards if card.emulated]:
        yield f"Emulated: {', '.join(emulated)}. An emulator's figures say nothing about the vendor's."
    for card in benchmark.cards:
        if card.failed and not card.emulated:
            yield (
                f"{card.engine} gave no answer on {card.failed} of {count(card.n, 'picture')}; its accuracy "
                "leaves them out."
            )
