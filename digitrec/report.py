"""Outcomes as text: a table for people, JSON, JSON Lines and CSV for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Literal

from digitrec.prediction import Failure, Prediction

if TYPE_CHECKING:
    from rich.console import Console

Format = Literal["table", "json", "jsonl", "csv"]
Outcome = Prediction | Failure

BARS = "▁▂▃▄▅▆▇█"
"""From no probability to all of it."""
ASCII_BARS = "_.:-=+*#"
"""The same for a terminal that cannot show blocks."""
NAME_WIDTH = 44
"""Longer names of images are cut at the left in a table, in characters; a narrow terminal cuts earlier."""
COLUMNS = ["source", "sha256", *(item.name for item in fields(Prediction) if item.name != "image"), "error"]
"""The columns of CSV: every field of a Prediction, the image as source and SHA-256, then the error."""


def write(outcomes: Iterable[Outcome], form: Format, out: IO[str] | None = None) -> None:
    """Write outcomes as they come.

    ``json`` is always one array and ``jsonl`` one object per line, both with failures included (they
    have an ``error``); ``csv`` has a header and the columns `COLUMNS`; ``table`` is for people, with a
    bar for each probability on a terminal and plain text in a pipe.
    """
    WRITERS[form](outcomes, sys.stdout if out is None else out)


def write_records(records: Sequence[Any], form: Literal["table", "json"], out: IO[str] | None = None) -> None:
    """Write dataclasses of one kind: a JSON array, or columns under their fields' names."""
    out = sys.stdout if out is None else out
    rows = [asdict(record) for record in records]
    if form == "json":
        out.write(json.dumps(rows, indent=2, default=str) + "\n")
        return
    if not rows:
        out.write("nothing yet\n")
        return
    lines = [list(rows[0]), *([_word(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        out.write("  ".join(cells).rstrip() + "\n")


def _word(value: Any) -> str:
    """A value in a column: short hashes, times to the second, "-" for None."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    text = str(value)
    return text[:12] if len(text) == 64 else text


def error_line(failure: Failure) -> str:
    """One line for a person: which image, what happened, what to do."""
    message = str(failure.error)
    source = failure.image.source
    return printable(message if message.startswith(source) else f"{source}: {message}")


def printable(text: str) -> str:
    """The text in one line, its control characters escaped: a file's name may not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


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
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for outcome in outcomes:
        row = outcome.as_dict()
        row.update(row.pop("image"))
        writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    """Lists and objects as JSON; None as an empty cell."""
    return json.dumps(value, default=str) if isinstance(value, list | dict) else value


def _write_table(outcomes: Iterable[Outcome], out: IO[str]) -> None:
    if out.isatty():
        from rich.console import Console  # a pipe never needs it, and it takes as long as the network

        _write_terminal(outcomes, Console(file=out, highlight=False))
        return
    for outcome in outcomes:
        out.write("  ".join(_words(outcome, NAME_WIDTH)).rstrip() + "\n")
        out.flush()


def _words(outcome: Outcome, width: int) -> list[str]:
    """Name in ``width`` characters, digit, confidence in eight, and what else there is to say."""
    source = printable(outcome.image.source)
    name = f"{source:<{width}}" if len(source) <= width else "..." + source[3 - width :]
    if isinstance(outcome, Failure):
        return [name, "!", f"{'failed':>8}", type(outcome.error).__name__]
    digit = "-" if outcome.digit is None else str(outcome.digit)
    sure = "" if outcome.confidence is None else f"{outcome.confidence:.1%}"
    return [name, digit, f"{sure:>8}", "; ".join(_remarks(outcome))]


def _remarks(prediction: Prediction) -> Iterator[str]:
    if prediction.reason is not None:
        yield prediction.reason
    if prediction.text not in (None, str(prediction.digit), str(prediction.unsure_digit)):
        yield f"read {prediction.text!r}"
    if prediction.unsure_digit is not None:
        yield f"perhaps {prediction.unsure_digit}"
    if prediction.turned:
        yield f"turned by {prediction.turned} degrees"
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
    return "no digit" if said.digit is None else str(said.digit)


def _write_terminal(outcomes: Iterable[Outcome], console: Console) -> None:
    from rich.text import Text

    bars = BARS if "utf" in console.encoding.lower() else ASCII_BARS
    width = max(12, min(NAME_WIDTH, console.width - 40))  # 40: all columns to the right of the name
    console.print(Text(f"{'image':<{width}}  digit      sure  0 1 2 3 4 5 6 7 8 9", style="dim"))
    for outcome in outcomes:
        name, digit, sure, remarks = _words(outcome, width)
        style = "bold red" if isinstance(outcome, Failure) else "bold green" if digit != "-" else "yellow"
        line = Text(no_wrap=True, overflow="ellipsis").append(f"{name}  ").append(f"{digit:^5}", style=style)
        line.append(f"  {sure}  ")
        if isinstance(outcome, Prediction) and outcome.probabilities is not None:
            line.append(" ".join(_bar(share, bars) for share in outcome.probabilities) + "  ", style="cyan")
        console.print(line.append(remarks, style="yellow"))


def _bar(share: float, bars: str) -> str:
    return bars[min(round(share * (len(bars) - 1)), len(bars) - 1)]


WRITERS: dict[Format, Callable[[Iterable[Outcome], IO[str]], None]] = {
    "table": _write_table,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
