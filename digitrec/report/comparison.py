"""Write comparisons as a table, JSON, JSON Lines or CSV."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any

from digitrec.answer.prediction import Failure, Outcome, short
from digitrec.answer.sheet import NO_NUMBER
from digitrec.comparison import Comparison
from digitrec.errors.text import dollars, duration, padded, percent, printable, width
from digitrec.report.predictions import Format, remarks
from digitrec.report.rows import write_rows

CELLS = (
    "digit", "confidence", "calibrated", "reason", "latency_s", "cost_usd", "emulated", "replayed", "error",
)  # fmt: skip
"""The columns of CSV for each engine, after its name and a dot."""


def write(comparisons: Iterable[Comparison], form: Format, out: IO[str] | None = None) -> None:
    """Write comparisons as they arrive.

    ``table`` has a line for each picture and engine, ``csv`` a row for each picture with the columns `CELLS`
    for each engine, ``json`` one array and ``jsonl`` one object per line, with all that every engine said.
    """
    out = sys.stdout if out is None else out
    if form == "csv":
        write_rows(map(_csv_row, comparisons), form, out)
    elif form == "table":
        for comparison in comparisons:
            out.writelines(f"{line}\n" for line in _lines(comparison))
            out.flush()
    else:
        write_rows((comparison.as_dict() for comparison in comparisons), form, out)


def verdict(comparison: Comparison) -> str:
    """Return the engines' common verdict; mark that of emulators, or leave it out beside real engines."""
    if not comparison.predictions:
        return "nobody answered"
    said = _together(comparison)
    if comparison.emulated:
        return f"{said} (emulated)"
    all_count = len(comparison.counted) == len(comparison.predictions)
    return said if all_count else f"{said} (emulated: not counted)"


def _together(comparison: Comparison) -> str:
    votes = comparison.counted
    if comparison.agree is None:
        return "one answer only"
    nothing = "no digit" if comparison.number is None else NO_NUMBER
    if comparison.agree:
        return f"all say {_answer(votes[0], nothing)}"
    weighted = "undecided" if comparison.weighted is None else comparison.weighted
    if not comparison.dissenters:
        return f"undecided; by confidence {weighted}"
    others = ", ".join(
        f"{name} says {_answer(outcome, nothing)}"
        for name, outcome in comparison.by_engine if name in comparison.dissenters and outcome in votes
    )  # fmt: skip
    answer = nothing if comparison.consensus is None else comparison.consensus
    most = len(votes) > 2 * len(comparison.dissenters)
    said = f"most say {answer}, but {others}" if most else f"{answer} has the most votes, but {others}"
    return said if comparison.weighted == comparison.consensus else f"{said}; by confidence {weighted}"


def _answer(outcome: Outcome, nothing: str) -> str:
    return nothing if short(outcome) == "-" else short(outcome)


def _lines(comparison: Comparison) -> Iterator[str]:
    """Yield the picture with its verdict, and a line for each engine below."""
    yield f"{printable(comparison.name)}  {verdict(comparison)}"
    widest = max(map(width, comparison.engines))
    for name, outcome in comparison.by_engine:
        yield f"  {padded(name, widest)}  {'; '.join(_cell(outcome))}"


def _cell(outcome: Outcome) -> list[str]:
    """Return digit and confidence, time and cost, and remarks."""
    if isinstance(outcome, Failure):
        return ["!", duration(outcome.latency_s), type(outcome.error).__name__]
    sure = percent(outcome.confidence)
    if outcome.calibrated is not None:
        sure += f", calibrated {percent(outcome.calibrated)}"
    spent = f"{duration(outcome.latency_s)}, {dollars(outcome.cost_usd)}"
    return [f"{short(outcome)}  {sure}".rstrip(), spent, *map(printable, remarks(outcome))]


def _csv_row(comparison: Comparison) -> dict[str, Any]:
    row = comparison.as_dict()
    row |= {"dissenters": " ".join(comparison.dissenters)}
    cells = CELLS if comparison.number is None else ("text", *CELLS[1:])
    for name, outcome in row.pop("outcomes").items():
        if error := outcome.get("error"):
            outcome["error"] = f"{error['type']}: {error['message']}"
        row |= {f"{name}.{cell}": outcome.get(cell) for cell in cells}
    return row
