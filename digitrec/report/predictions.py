"""Write outcomes as a table for people, or as JSON, JSON Lines or CSV."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Literal

from digitrec.answer.prediction import Failure, Outcome, Prediction, field_names, short
from digitrec.errors.text import padded, percent, printable, shortened, width
from digitrec.report.rows import write_rows

if TYPE_CHECKING:
    from rich.console import Console

Format = Literal["table", "json", "jsonl", "csv"]

MARK = "*"
"""Suffix of a calibrated chance."""
LEGEND = f"{MARK} calibrated: the chance of being right; else the engine's own confidence"
"""Line below a table with a calibrated chance."""
NAME_WIDTH = 44
"""Maximum width of a picture's name on a terminal, in columns; longer names are cut at the left."""
NARROW = 56
"""Minimum width of a terminal, in columns, whose lines are cut and not wrapped."""
COLUMNS = ["source", "sha256", *(name for name in field_names(Prediction) if name != "image"), "error"]
"""The columns of CSV: every field of a Prediction, the image as source and SHA-256, then the error."""


def write(
    outcomes: Iterable[Outcome], form: Format, out: IO[str] | None = None, *, names: Iterable[str] = ()
) -> None:
    """Write outcomes as they arrive.

    ``json`` is one array and ``jsonl`` one object per line, failures included (they have an ``error``);
    ``csv`` has the columns `COLUMNS`; ``table`` is for people, with colours on a
    terminal and plain text in a pipe, where the first column is wide enough for all ``names`` of the
    pictures to come. A calibrated chance replaces the confidence and is marked; `LEGEND` explains it.
    """
    out = sys.stdout if out is None else out
    if form == "table":
        _write_table(outcomes, out, names)
        return
    rows = (outcome.as_dict() for outcome in outcomes)
    write_rows((row | row["image"] for row in rows) if form == "csv" else rows, form, out, COLUMNS)


def sure(outcome: Outcome) -> str:
    """Format the calibrated chance, marked, else the engine's own confidence; "" without either."""
    if isinstance(outcome, Prediction) and outcome.calibrated is not None:
        return percent(outcome.calibrated) + MARK
    if isinstance(outcome, Prediction) and outcome.confidence is not None:
        return percent(outcome.confidence) + " "
    return ""


def error_line(failure: Failure) -> str:
    """Return a failure in one line: the image, what happened, what to do."""
    message = str(failure.error)
    source = failure.image.source
    return printable(message if message.startswith(source) else f"{source}: {message}")


def remarks(prediction: Prediction) -> Iterator[str]:
    """Yield remarks beside digit and confidence: the reason, the text read, and the answer's source."""
    if prediction.reason is not None:
        yield prediction.reason
    if prediction.text not in (None, str(prediction.answer), str(prediction.unsure_digit)):
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


def terminal(out: IO[str]) -> Console:
    """Return a console on ``out``; assume 80 columns if it reports 0 (COLUMNS=0)."""
    from rich.console import Console  # a pipe never needs it, and it takes as long as the network

    plain = bool(os.environ.get("NO_COLOR"))  # rich alone would keep bold and dim
    console = Console(file=out, highlight=False, color_system=None if plain else "auto")
    if console.width < 1:
        console.width = 80
    return console


def _write_table(outcomes: Iterable[Outcome], out: IO[str], names: Iterable[str]) -> None:
    console = terminal(out) if out.isatty() else None
    if console is None:
        name = max([len("image"), *(width(printable(name)) for name in names)])
    else:
        name = max(16, min(NAME_WIDTH, console.width - 40))  # 40: all columns to the right of the name
    _write_line([(f"{'image':<{name}}  digit      sure", "dim")], console, out)
    marked = False
    for outcome in outcomes:
        if console is None:
            name = max(name, width(printable(outcome.image.source)))
        _write_line(list(_parts(outcome, name)), console, out)
        shown = [outcome, *outcome.asked] if isinstance(outcome, Prediction) else []
        marked |= any(sure(it).endswith(MARK) for it in shown)
    if marked:
        out.write(LEGEND + "\n")


def _parts(outcome: Outcome, name: int) -> Iterator[tuple[str, str]]:
    """Yield name, digit, confidence in eight columns and remarks, each with its style."""
    yield padded(shortened(printable(outcome.image.source), name), name) + "  ", ""
    if isinstance(outcome, Failure):
        yield "  !  ", "bold red"
        yield f"  {'failed':>8}  {type(outcome.error).__name__}", ""
        return
    yield f"{short(outcome):^5}", "yellow" if outcome.digit is None else "bold green"
    yield f"  {sure(outcome):>8}  ", ""
    yield printable("; ".join(remarks(outcome))), "yellow"


def _write_line(parts: Sequence[tuple[str, str]], console: Console | None, out: IO[str]) -> None:
    """Write texts with their styles; a narrow terminal wraps what does not fit, a wide one cuts it."""
    if console is None:
        out.write("".join(text for text, _ in parts).rstrip() + "\n")
        out.flush()
        return
    from rich.text import Text

    line = Text.assemble(*parts, no_wrap=True, overflow="ellipsis")
    console.print(line, soft_wrap=console.width < NARROW)
