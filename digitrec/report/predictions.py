"""Outcomes as text: a table for people, JSON, JSON Lines and CSV for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import IO, TYPE_CHECKING, Any, Literal

from digitrec.answer.prediction import Failure, Prediction
from digitrec.errors.text import padded, percent, printable, shortened, width
from digitrec.report.rows import csv_rows

if TYPE_CHECKING:
    from rich.console import Console

Format = Literal["table", "json", "jsonl", "csv"]
Outcome = Prediction | Failure

BARS = "▁▂▃▄▅▆▇█"
"""From no probability to all of it."""
ASCII_BARS = "_.:-=+*#"
"""The same for a terminal that cannot show blocks."""
MARK = "*"
"""Stands behind a calibrated chance."""
LEGEND = f"{MARK} calibrated: the chance of being right; else the engine's own confidence"
"""What the mark says, below a table in which it stands."""
NAME_WIDTH = 44
"""Longer names of images are cut at the left on a terminal, in columns; a narrow one cuts earlier."""
NARROW = 56
"""A terminal with fewer columns has no room for the bars."""
COLUMNS = ["source", "sha256", *(item.name for item in fields(Prediction) if item.name != "image"), "error"]
"""The columns of CSV: every field of a Prediction, the image as source and SHA-256, then the error."""


def write(
    outcomes: Iterable[Outcome], form: Format, out: IO[str] | None = None, *, names: Iterable[str] = ()
) -> None:
    """Write outcomes as they come.

    ``json`` is always one array and ``jsonl`` one object per line, both with failures included (they
    have an ``error``); ``csv`` has a header and the columns `COLUMNS`; ``table`` is for people, with a
    bar for each probability on a terminal and plain text in a pipe, where the first column is wide enough
    for all of ``names``, the images to come. Where there is a calibrated chance it stands in the place of
    the confidence, marked, and `LEGEND` below all.
    """
    out = sys.stdout if out is None else out
    if form != "table":
        WRITERS[form](outcomes, out)
        return
    marked: list[Outcome] = []
    _write_table(_marked(outcomes, marked), out, names)
    if marked:
        out.write(LEGEND + "\n")


def _marked(outcomes: Iterable[Outcome], found: list[Outcome]) -> Iterator[Outcome]:
    """The outcomes as they come; the first that shows a calibrated chance is kept."""
    for outcome in outcomes:
        if not found and MARK in "".join(map(sure, (outcome, *_asked(outcome)))):
            found.append(outcome)
        yield outcome


def _asked(outcome: Outcome) -> tuple[Outcome, ...]:
    return outcome.asked if isinstance(outcome, Prediction) else ()


def sure(outcome: Outcome) -> str:
    """How sure it is: the calibrated chance, marked, else the engine's own confidence; "" without either."""
    if isinstance(outcome, Prediction) and outcome.calibrated is not None:
        return percent(outcome.calibrated) + MARK
    if isinstance(outcome, Prediction) and outcome.confidence is not None:
        return percent(outcome.confidence) + " "
    return ""


def error_line(failure: Failure) -> str:
    """One line for a person: which image, what happened, what to do."""
    message = str(failure.error)
    source = failure.image.source
    return printable(message if message.startswith(source) else f"{source}: {message}")


def _write_json(outcomes: Iterable[Outcome], out: IO[str]) -> None:
    opening = "[\n"
    for outcome in outcomes:
        out.write(opening + _json(outcome))
        opening = ",\n"
    out.write("[]\n" if opening == "[\n" else "\n]\n")


def _write_jsonl(outcomes: Iterable[Outcome], out: IO[str]) -> None:
    for outcome in outcomes:
        out.write(_json(outcome) + "\n")
        out.flush()


def _json(outcome: Outcome) -> str:
    return json.dumps(outcome.as_dict(), default=str)


def _write_csv(outcomes: Iterable[Outcome], out: IO[str]) -> None:
    write_row = csv_rows(out)
    write_row(COLUMNS)
    for outcome in outcomes:
        row = outcome.as_dict()
        row.update(row.pop("image"))
        write_row(_cell(row.get(name)) for name in COLUMNS)


def _cell(value: Any) -> Any:
    """Lists and objects as JSON; None as an empty cell."""
    return json.dumps(value, default=str) if isinstance(value, list | dict) else value


def terminal(out: IO[str]) -> Console:
    """The terminal that ``out`` leads to; one that says it has no columns (COLUMNS=0) is given 80."""
    from rich.console import Console  # a pipe never needs it, and it takes as long as the network

    plain = bool(os.environ.get("NO_COLOR"))  # rich alone would keep bold and dim
    console = Console(file=out, highlight=False, color_system=None if plain else "auto")
    if console.width < 1:
        console.width = 80
    return console


def _write_table(outcomes: Iterable[Outcome], out: IO[str], names: Iterable[str]) -> None:
    if out.isatty():
        _write_terminal(outcomes, terminal(out))
        return
    name = max([len("image"), *(width(printable(name)) for name in names)])
    out.write(f"{'image':<{name}}  digit      sure\n")
    for outcome in outcomes:
        source, digit, trust, remarks = _words(outcome)
        name = max(name, width(source))
        out.write(f"{padded(source, name)}  {digit:^5}  {trust}  {remarks}".rstrip() + "\n")
        out.flush()


def _words(outcome: Outcome) -> list[str]:
    """Name, digit, confidence in eight columns, and what else there is to say; all in one line."""
    name = printable(outcome.image.source)
    if isinstance(outcome, Failure):
        return [name, "!", f"{'failed':>8}", type(outcome.error).__name__]
    digit = "-" if outcome.digit is None else str(outcome.digit)
    return [name, digit, f"{sure(outcome):>8}", printable("; ".join(_remarks(outcome)))]


def _remarks(prediction: Prediction) -> Iterator[str]:
    if prediction.reason is not None:
        yield prediction.reason
    if prediction.text not in (None, str(prediction.digit), str(prediction.unsure_digit)):
        yield f"read {prediction.text!r}"
    if prediction.unsure_digit is not None:
        yield f"perhaps {prediction.unsure_digit}"
    if prediction.turned:
        yield f"turned by {prediction.turned} degrees"
    if prediction.left_out:
        yield "other ink left out"
    if prediction.inferred:
        yield "inferred"
    if prediction.asked:
        yield "asked " + ", ".join(f"{said.provider}: {_answer(said)}" for said in prediction.asked)
    if prediction.emulated:
        yield "emulated"
    if prediction.replayed:
        yield "replayed"


def _answer(said: Outcome) -> str:
    if isinstance(said, Failure):
        return type(said.error).__name__
    if said.digit is None:
        return "no digit"
    return str(said.digit) if said.calibrated is None else f"{said.digit} ({sure(said)})"


def _write_terminal(outcomes: Iterable[Outcome], console: Console) -> None:
    from rich.text import Text

    bars = BARS if "utf" in console.encoding.lower() else ASCII_BARS
    narrow = console.width < NARROW
    name = max(16, min(NAME_WIDTH, console.width - 40))  # 40: all columns to the right of the name
    head = f"{'image':<{name}}  digit      sure" + ("" if narrow else "  0 1 2 3 4 5 6 7 8 9")
    console.print(Text(head, style="dim"), soft_wrap=narrow)
    for outcome in outcomes:
        source, digit, trust, remarks = _words(outcome)
        style = "bold red" if isinstance(outcome, Failure) else "bold green" if digit != "-" else "yellow"
        line = Text(no_wrap=True, overflow="ellipsis").append(f"{padded(shortened(source, name), name)}  ")
        line.append(f"{digit:^5}", style=style).append(f"  {trust}  ")
        if isinstance(outcome, Prediction) and outcome.probabilities is not None and not narrow:
            line.append(" ".join(_bar(share, bars) for share in outcome.probabilities) + "  ", style="cyan")
        # What does not fit into a narrow terminal is wrapped by it; in a wide one the bars stay in columns.
        console.print(line.append(remarks, style="yellow"), soft_wrap=narrow)


def _bar(share: float, bars: str) -> str:
    return bars[min(round(share * (len(bars) - 1)), len(bars) - 1)]


WRITERS: dict[Format, Callable[[Iterable[Outcome], IO[str]], None]] = {
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
