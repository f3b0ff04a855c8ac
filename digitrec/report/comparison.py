"""Comparisons as a table, JSON, JSON Lines, CSV or Markdown; `comparison_page` makes the page."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import IO, TYPE_CHECKING, Any, Literal

from digitrec.answer.prediction import Failure, Outcome, Prediction, short
from digitrec.comparison import Comparison
from digitrec.errors.text import aligned, padded, printable, shortened, width
from digitrec.report import words
from digitrec.report.predictions import terminal
from digitrec.report.rows import csv_rows
from digitrec.report.table import markdown_row

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

Format = Literal["table", "json", "jsonl", "csv", "markdown"]

CELLS = (
    "digit",
    "confidence",
    "calibrated",
    "reason",
    "latency_s",
    "cost_usd",
    "emulated",
    "replayed",
    "error",
)
"""The columns of CSV for each engine, after its name and a dot."""
NAME_WIDTH = 44
"""Longer names of pictures are cut at the left on a terminal, in columns."""


def write(comparisons: Iterable[Comparison], form: Format, out: IO[str] | None = None) -> None:
    """Write comparisons as they come (``json`` and ``table``: when all are there).

    ``table`` and ``markdown`` have one row for each picture and one column for each engine, ``csv`` the
    columns `CELLS` for each engine, ``json`` one array and ``jsonl`` one object per line, with all that
    every engine said.
    """
    WRITERS[form](comparisons, sys.stdout if out is None else out)


def verdict(comparison: Comparison) -> str:
    """What the engines say together, in a few words; what emulators say is marked or left out."""
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
    if comparison.agree:
        return f"all say {_answer(votes[0].digit)}"
    by_confidence = _say("by confidence", comparison.weighted)
    if not comparison.dissenters:
        return f"undecided; {by_confidence}"
    others = ", ".join(
        f"{name} says {_answer(outcome.digit)}"
        for name, outcome in zip(comparison.engines, comparison.outcomes, strict=True)
        if name in comparison.dissenters and isinstance(outcome, Prediction)
    )
    most = len(votes) > 2 * len(comparison.dissenters)
    answer = _answer(comparison.consensus)
    said = (f"most say {answer}" if most else f"{answer} has the most votes") + f", but {others}"
    return said if comparison.weighted == comparison.consensus else f"{said}; {by_confidence}"


def _answer(digit: int | None) -> str:
    return "no digit" if digit is None else str(digit)


def _say(what: str, digit: int | None) -> str:
    return f"{what} undecided" if digit is None else f"{what} {digit}"


def _cell(outcome: Outcome) -> list[str]:
    """Digit and confidence; time and cost; what else there is to say."""
    if isinstance(outcome, Failure):
        return ["!", words.duration(outcome.latency_s), type(outcome.error).__name__]
    sure = words.percent(outcome.confidence)
    if outcome.calibrated is not None:
        sure += f", calibrated {words.percent(outcome.calibrated)}"
    spent = f"{words.duration(outcome.latency_s)}, {words.dollars(outcome.cost_usd)}"
    return [f"{short(outcome)}  {sure}".rstrip(), spent, *map(printable, words.remarks(outcome))]


def _write_table(comparisons: Iterable[Comparison], out: IO[str]) -> None:
    found = list(comparisons)
    if out.isatty():
        _write_terminal(found, out)
        return
    rows = [["image", *found[0].engines, "together"]] if found else []
    for comparison in found:
        cells = ["; ".join(_cell(outcome)) for outcome in comparison.outcomes]
        rows.append([comparison.image.source, *cells, verdict(comparison)])
    for line in [*aligned([[printable(cell) for cell in row] for row in rows]), *_time_apart(found)]:
        out.write(line + "\n")


def _time_apart(comparisons: Sequence[Comparison]) -> list[str]:
    """Say what is in no engine's time: opening the pictures, which all share, and loading each engine."""
    opened = [comparison.image.opening_s for comparison in comparisons]
    loaded = {answer.provider: answer.loading_s for it in comparisons for answer in it.predictions}
    loading = [f"{name} {words.duration(seconds)}" for name, seconds in loaded.items() if seconds]
    if not any(opened) and not loading:
        return []
    apart = [f"opening a picture, {words.duration(median(opened))}", *loading]
    return [f"In no time above: {'; loading '.join(apart[:2])}{''.join(f', {one}' for one in apart[2:])}."]


def _short(name: str) -> str:
    return shortened(printable(name), NAME_WIDTH)


def _write_terminal(comparisons: Sequence[Comparison], out: IO[str]) -> None:
    """A column for each engine where the terminal is wide enough for all of them, else a line for each."""
    console = terminal(out)
    columns = _columns(comparisons)
    needed = console.measure(columns, options=console.options.update(max_width=10_000)).maximum
    console.print(columns if needed <= console.width else _lines(comparisons))
    for line in _time_apart(comparisons):
        console.print(line, style="dim", highlight=False)


def _columns(comparisons: Sequence[Comparison]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("image", *(comparisons[0].engines if comparisons else ()), "together"):
        table.add_column(name)
    for comparison in comparisons:
        cells = [Text("\n".join(_cell(outcome)), style=_style(outcome)) for outcome in comparison.outcomes]
        table.add_row(Text(_short(comparison.image.source)), *cells, Text(verdict(comparison)))
    return table


def _lines(comparisons: Sequence[Comparison]) -> Text:
    from rich.text import Text

    text = Text()
    for comparison in comparisons:
        text.append(f"{_short(comparison.image.source)}  ", style="bold").append(f"{verdict(comparison)}\n")
        widest = max(map(width, comparison.engines))
        for name, outcome in zip(comparison.engines, comparison.outcomes, strict=True):
            text.append(f"  {padded(name, widest)}  ")
            text.append("; ".join(_cell(outcome)) + "\n", style=_style(outcome))
    return text


def _style(outcome: Outcome) -> str:
    if isinstance(outcome, Failure):
        return "red"
    return "yellow" if outcome.digit is None else "green"


def _write_json(comparisons: Iterable[Comparison], out: IO[str]) -> None:
    json.dump([comparison.as_dict() for comparison in comparisons], out, default=str, indent=1)
    out.write("\n")


def _write_jsonl(comparisons: Iterable[Comparison], out: IO[str]) -> None:
    for comparison in comparisons:
        out.write(json.dumps(comparison.as_dict(), default=str) + "\n")
        out.flush()


def _write_csv(comparisons: Iterable[Comparison], out: IO[str]) -> None:
    write_row = csv_rows(out)
    for number, comparison in enumerate(comparisons):
        if not number:
            columns = [f"{name}.{cell}" for name in comparison.engines for cell in CELLS]
            together = ["source", "sha256", "agree", "consensus", "weighted", "dissenters", "emulated"]
            write_row([*together, *columns])
        row = comparison.as_dict()
        common = [row[name] for name in ("source", "sha256", "agree", "consensus", "weighted")]
        dissenters = " ".join(comparison.dissenters)
        write_row([*common, dissenters, row["emulated"], *_csv_cells(row["outcomes"].values())])


def _csv_cells(outcomes: Iterable[dict[str, Any]]) -> Iterator[Any]:
    for outcome in outcomes:
        error = outcome.get("error")
        values = outcome | {"error": f"{error['type']}: {error['message']}" if error else None}
        yield from (values.get(cell) for cell in CELLS)


def _write_markdown(comparisons: Iterable[Comparison], out: IO[str]) -> None:
    for number, comparison in enumerate(comparisons):
        if not number:
            out.write(markdown_row("image", *comparison.engines, "together"))
            out.write(markdown_row(*["---"] * (len(comparison.engines) + 2)))
        cells = ["; ".join(_cell(outcome)) for outcome in comparison.outcomes]
        out.write(markdown_row(printable(comparison.image.source), *cells, verdict(comparison)))


WRITERS: dict[Format, Callable[[Iterable[Comparison], IO[str]], None]] = {
    "table": _write_table,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "markdown": _write_markdown,
}
