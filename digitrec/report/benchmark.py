"""Write a benchmark as text, Markdown or JSON, and conclude it; `benchmark_page` writes HTML."""

import json
import sys
from typing import IO, Literal

from digitrec.answer import Failure
from digitrec.comparison.benchmark import Benchmark, Pair, Recommendation
from digitrec.comparison.benchmark.measure import Scorecard, is_same
from digitrec.comparison.benchmark.measures import Label, Proportion
from digitrec.comparison.datasets.loader import NONE
from digitrec.errors.text import count, dollars, duration, percent, printable
from digitrec.report.rows import Table, aligned, markdown_section

Format = Literal["table", "markdown", "json"]


def write(benchmark: Benchmark, form: Format, out: IO[str] | None = None) -> None:
    """Write a benchmark.

    ``table`` is the leaderboard and the conclusion, ``markdown`` the whole report, ``json`` also the answers.
    """
    concluded = conclusion(benchmark)
    sentences = map(printable, concluded)
    if form == "json":
        text = json.dumps(benchmark.as_dict() | {"conclusion": concluded}, indent=1, default=str)
    elif form == "markdown":
        title, said = printable(heading(benchmark)), "\n".join(f"- {it}" for it in sentences)
        text = "\n\n".join([f"# {title}", said, *map(markdown_section, tables(benchmark))])
    else:
        text = "\n".join([*aligned(leaderboard(benchmark)), "", *sentences])
    (out or sys.stdout).write(f"{text}\n")


def heading(benchmark: Benchmark) -> str:
    """Return the title: the numbers of engines and pictures, and the data set."""
    engines = count(len(benchmark.cards), "engine")
    return f"{engines} on {count(len(benchmark.samples), 'picture')} of {benchmark.data}"


def provenance(benchmark: Benchmark) -> Table:
    """Return the date, the pictures, the models, the settings and the versions of a benchmark."""
    labelled = sum(label is not None for label in benchmark.labels)
    rows = [
        ("date", benchmark.started),
        ("pictures", f"{len(benchmark.samples)} of {benchmark.data}, {labelled} with a {benchmark.kind}"),
        ("took", duration(benchmark.seconds)),
        *benchmark.settings.items(),
    ]
    for card in benchmark.cards:
        prepared = [f"prepared: {name}" for name in card.preparations]
        asked = [f"asked at {place}" for place in card.endpoints]
        rows.append((card.name, ", ".join([*card.model_versions, *prepared, *asked])))
    rows += benchmark.versions.items()
    return Table(("what", "value"), rows, title="How it was measured")


def tables(benchmark: Benchmark) -> list[Table]:
    """Return the tables of a report, the most important first."""
    return [
        leaderboard(benchmark),
        time_and_money(benchmark),
        confidence(benchmark),
        *([differences(benchmark)] if benchmark.pairs else []),
        *([numbers(benchmark)] if benchmark.numbers else map(confusion, filter(_answered, benchmark.cards))),
        provenance(benchmark),
    ]


def _answered(card: Scorecard) -> bool:
    return card.failed < card.n


def _per_1000(card: Scorecard) -> str:
    return dollars(card.cost_per_1000) if _answered(card) else ""


def leaderboard(benchmark: Benchmark) -> Table:
    """Return each engine's accuracy, errors, latency and price."""
    rows = [
        (
            card.name, percent(card.accuracy.share), card.accuracy.interval(),
            str(card.correct - card.refused_rightly), str(card.wrong),
            f"{card.refused_rightly} / {card.refused_wrongly}", str(card.failed),
            duration(card.latency.p50) if card.latency else "",
            _per_1000(card),
        )
        for card in benchmark.cards
    ]  # fmt: skip
    header = ("engine", "right", "95% interval", f"{benchmark.kind}s right", "wrong",
              "refused rightly / wrongly", "failed", "median time", "per 1,000")  # fmt: skip
    right = (
        "all numbers of a picture as written, without extra ones; no number on a picture without one"
        if benchmark.numbers else "correct digits, and refused pictures without a digit"
    )  # fmt: skip
    note = f"Right: {right}, among all answers; failures are counted apart." + (
        " Intervals keep whole groups together." if benchmark.is_grouped else ""
    )
    return Table(header, rows, range(1, 9), "Leaderboard", note)


def time_and_money(benchmark: Benchmark) -> Table:
    """Return each engine's latency and cost."""
    rows = []
    for card in benchmark.cards:
        spent = card.latency
        times = [duration(it) for it in (spent.p50, spent.p95, spent.p99)] if spent else ["", "", ""]
        costs = _per_1000(card), dollars(card.cost_usd)
        rows.append((card.name, *times, duration(card.loading_s) if card.loading_s else "", *costs))
    header = ("engine", "median", "95 of 100", "99 of 100", "loading", "per 1,000", "paid in this run")
    note = (
        "Times are from the opened picture to the answer, without answers from the ledger. In a batch on "
        "this machine the network's time is shared equally; in a request for several pictures (google) each "
        f"has the whole request's. Not included: opening a picture, {duration(benchmark.opening_s)} "
        "(median), and loading. Engines on this machine slowed each other down. Prices are list prices "
        "before any free allowance."
    )
    return Table(header, rows, range(1, 7), "Time and money", note)


def confidence(benchmark: Benchmark) -> Table:
    """Return each engine's calibration error."""
    rows = []
    for card in benchmark.cards:
        both = (card.reliability, card.calibrated)
        fits = [("", "") if one is None else (f"{one.ece:.3f}", f"{one.brier:.3f}") for one in both]
        rows.append((card.name, *fits[0], *fits[1]))
    header = ("engine", "ECE", "Brier", "ECE calibrated", "Brier calibrated")
    note = (
        "ECE: mean distance between confidence and share right, in ten bins. Brier: mean squared distance "
        "between confidence and outcome. 0 is best. Calibrated: after `digitrec calibrate`."
    )
    return Table(header, rows, range(1, 5), "Confidence", note)


def differences(benchmark: Benchmark) -> Table:
    """Return the tests of every two engines."""
    rows = [
        (
            benchmark.called(pair.first), benchmark.called(pair.second),
            str(pair.n), str(pair.only_first), str(pair.only_second),
            percent(pair.agreement),
            *("" if value is None else f"{value:.3g}" for value in (pair.p, pair.p_corrected)),
            "not tested" if pair.p is None else pair.better or "not shown",
        )
        for pair in benchmark.pairs
    ]  # fmt: skip
    header = ("first", "second", "both answered", "only first right", "only second right", "same answer",
              "p", "corrected p", "better")  # fmt: skip
    note = (
        f"{benchmark.test} on the pictures that both answered, p-values corrected by Holm's method over "
        "all tested pairs; below 0.05 a difference is shown. "
        "An emulated engine is not tested: its answers are not the vendor's."
    )
    return Table(header, rows, range(2, 8), "Differences", note)


def numbers(benchmark: Benchmark) -> Table:
    """Return each engine's measures of numbers: values, characters, recall, precision and cells."""
    rows = [
        (benchmark.called(one.engine), *_share(one.value), percent(one.character_errors),
         *_share(one.recall), *_share(one.precision), *(_share(one.cells) if one.cells.n else ("", "")))
        for one in benchmark.numbers
    ]  # fmt: skip
    interval = "95% interval"
    header = ("engine", "values right", interval, "character errors", "recall", interval, "precision",
              interval, "cells right", interval)  # fmt: skip
    note = (
        "Values right: pictures whose values are all right, 7.5 for 7.50. Character errors: characters to "
        "insert, delete or replace for each that is labelled, on pictures with one number that was read as "
        "one. Recall: labelled numbers that were read. Precision: numbers read that are labelled. Cells "
        "right: numbers that were read in the labelled row and column. Intervals keep the numbers of a "
        "picture together."
    )
    return Table(header, rows, range(1, 10), "Numbers", note)


def _share(share: Proportion) -> tuple[str, str]:
    return percent(share.share), share.interval()


def confusion(card: Scorecard) -> Table:
    """Return one engine's confusion matrix."""
    heads = (*map(str, range(10)), NONE)
    rows = [
        (head, *(str(number or "") for number in counts))
        for head, counts in zip(heads, card.confusion, strict=True) if any(counts)
    ]  # fmt: skip
    note = "Rows: what the picture shows. Columns: what was answered."
    return Table(("shows", *heads), rows, range(1, 12), f"Confusion: {card.name}", note)


def conclusion(benchmark: Benchmark) -> list[str]:
    """Return sentences: the best engine, failed engines, significant differences, and caveats.

    A difference is claimed only if the test shows one. Emulated engines are named without claims.
    """
    said = []
    compared = [pair for pair in benchmark.pairs if pair.p is not None]
    for best in [card for card in benchmark.cards if not card.emulated and card.accuracy.n][:1]:
        said.append(
            f"{best.engine} was right on {_with_interval(best.accuracy)} of the "
            f"{count(best.accuracy.n, 'picture')} of {benchmark.data} that it answered."
        )
    for engine, outcomes in benchmark.outcomes.items():
        errors = [one.error for one in outcomes if isinstance(one, Failure)]
        if errors and len(errors) == len(outcomes):
            said.append(f"{benchmark.called(engine)} failed on every picture; the first error: {errors[0]}.")
    said += [_shown(pair, benchmark.test) for pair in compared if pair.better is not None]
    if level := [pair for pair in compared if pair.better is None]:
        named = ", ".join(f"{pair.first} and {pair.second}" for pair in level)
        least = _p(min(pair.p_corrected or 0.0 for pair in level))
        more = " or more" if len(level) > 1 else ""
        said.append(
            f"No difference is shown between {named} (corrected p {least}{more}); "
            f"more {'groups' if benchmark.is_grouped else 'pictures'} might show one."
        )
    if benchmark.recommendation is not None:
        said.append(_recommended(benchmark.recommendation, is_grouped=benchmark.is_grouped))
    if benchmark.fitted_here:
        said.append(
            f"The calibrated chances of {', '.join(benchmark.fitted_here)} were fitted on these pictures, or "
            "some of them, so they fit better here than elsewhere: judge them on other pictures."
        )
    hashes = [one.image.sha256 for one in next(iter(benchmark.outcomes.values()), ()) if one.image.sha256]
    if copies := len(hashes) - len({*hashes}):
        same = count(copies, "picture")
        said.append(f"{same} of {len(hashes)} repeated another one, so the intervals are too narrow.")
    said += _contradicted(benchmark)
    if emulated := [card.engine for card in benchmark.cards if card.emulated]:
        said.append(f"Emulated: {', '.join(emulated)}. An emulator's figures say nothing about the vendor's.")
    return said


def _contradicted(benchmark: Benchmark) -> list[str]:
    """Return a sentence about the first two equal pictures with different labels, if there are any."""
    seen: dict[str, tuple[str, Label]] = {}
    for outcome, sample in zip(next(iter(benchmark.outcomes.values()), ()), benchmark.samples, strict=False):
        source, label = sample.name or outcome.image.source, sample.truth
        first, other = seen.setdefault(outcome.image.sha256 or source, (source, label))
        if not is_same(other, label):
            labels = f"{NONE if other is None else other} and {NONE if label is None else label}"
            return [f"{first} and {source} are the same picture, labelled {labels}: correct the labels."]
    return []


def _with_interval(share: Proportion) -> str:
    return f"{percent(share.share)} (95% interval {share.interval()})" if share.n else "nothing"


def _shown(pair: Pair, test: str) -> str:
    won, lost = sorted((pair.only_first, pair.only_second), reverse=True)
    worse = pair.second if pair.better == pair.first else pair.first
    return (
        f"{pair.better} reads these pictures better than {worse}: it alone was right on {won} of {pair.n}, "
        f"{worse} alone on {lost} ({test}, corrected p {_p(pair.p_corrected or 0.0)})."
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _recommended(advice: Recommendation, *, is_grouped: bool) -> str:
    left_out = f"the budget ended before {count(advice.left_out, 'picture')} were asked about"
    if not advice.tried:
        why = f"{left_out}; raise --max-cost" if advice.left_out else "every engine was emulated"
        return f"Nothing is recommended: {why}."
    chosen, target = advice.chosen, f"{100 * advice.target:g}%"
    if chosen is None:
        return (
            f"None of {advice.tried} options was chosen: they gave no answer, or their cost is unknown or "
            "above the budget."
        )
    took = "" if chosen.latency_s is None else f"; {duration(chosen.latency_s)} a picture"
    figures = (
        f"{_with_interval(chosen.right)} on {chosen.right.n} pictures that the choice did not use; "
        f"1,000 pictures cost: {dollars(chosen.cost_per_1000)}{took}"
    )
    figures += f"; {left_out}" if advice.left_out else ""
    if advice.reached:
        return f"{chosen.name} reaches {target}: {figures}."
    chosen_from = f"{chosen.name}, chosen from {count(advice.tried, 'option')},"
    # Another option may reach it: only the chosen one is measured on this half.
    is_near = advice.enough and not is_grouped
    more = f" As accurate on {advice.enough:,} pictures, it would be shown to." if is_near else ""
    return f"{chosen_from} is not shown to reach {target}: {figures}.{more}"
