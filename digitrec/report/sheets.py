"""Write sheets as a table for people, as JSON, JSON Lines or CSV, or over the picture."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any

from PIL import Image, ImageDraw, ImageFont

from digitrec.answer.prediction import Failure, chance_of
from digitrec.answer.sheet import NO_NUMBER, Number, Sheet, SheetOutcome
from digitrec.errors.text import count, percent, printable
from digitrec.image import DigitImage
from digitrec.report.predictions import LEGEND, MARK, Format
from digitrec.report.rows import Table, aligned, write_rows

COLUMNS = (
    "source", "field", "row", "column", "text", "value", "confidence", "calibrated", "reason",
    "left", "top", "right", "bottom", "provider", "number", "error",
)  # fmt: skip
"""The columns of CSV, with a row for each number, counted from 0; an image that failed has one row with its
error, and an image without numbers has one with the reason `NO_NUMBER`."""
DOUBT = 0.7
"""Minimum confidence of a number that is not marked as doubtful, 0..1."""
SURE_COLOUR, DOUBTFUL_COLOUR = "#0a7d28", "#d1400f"


def write(outcomes: Iterable[SheetOutcome], form: Format, out: IO[str] | None = None) -> None:
    """Write outcomes as they arrive.

    ``json`` is one array and ``jsonl`` one object per line, one for each image, failures included (they have
    an ``error``); ``csv`` has the columns `COLUMNS`; ``table`` is for people, in the order of the page.
    """
    out = sys.stdout if out is None else out
    if form == "csv":
        write_rows(rows(outcomes), form, out, COLUMNS)
    elif form == "table":
        _write_tables(outcomes, out)
    else:
        write_rows((outcome.as_dict() for outcome in outcomes), form, out)


def overlay(image: DigitImage, sheet: Sheet) -> Image.Image:
    """Draw the boxes and texts of a sheet's numbers over its picture; doubtful ones have a question mark.

    Args:
        image: the picture, upright and turned as the sheet's.
        sheet: the numbers.
    """
    picture = image.picture.convert("RGB")
    across, down = picture.width / sheet.size[0], picture.height / sheet.size[1]
    draw = ImageDraw.Draw(picture)
    for number in sheet.numbers:
        if number.box is None:
            continue
        left, top, right, bottom = number.box
        box = left * across, top * down, right * across, bottom * down
        is_sure = number.reason is None and number.sureness >= DOUBT
        colour, text = (SURE_COLOUR, number.text) if is_sure else (DOUBTFUL_COLOUR, f"{number.text} ?")
        size = max(12.0, min(0.6 * (box[3] - box[1]), picture.height / 20))
        font = ImageFont.load_default(size)
        draw.rectangle(box, outline=colour, width=max(2, picture.width // 500))
        place = box[0], max(0.0, box[1] - 1.2 * size)
        draw.rectangle(draw.textbbox(place, text, font), fill="white")
        draw.text(place, text, fill=colour, font=font)
    return picture


def rows(outcomes: Iterable[SheetOutcome]) -> Iterator[dict[str, Any]]:
    """Yield a row for each number, with the columns `COLUMNS`."""
    for outcome in outcomes:
        whole = {"source": outcome.image.source, "provider": outcome.provider}
        if isinstance(outcome, Failure):
            yield whole | {"error": f"{type(outcome.error).__name__}: {outcome.error}"}
        elif not outcome.numbers:
            yield whole | {"reason": NO_NUMBER}
        else:
            for place, number in enumerate(outcome.numbers):
                sides = zip(("left", "top", "right", "bottom"), number.box or (), strict=False)
                box = {side: round(at, 1) for side, at in sides}
                yield number.as_dict() | whole | box | {"number": place}


def _write_tables(outcomes: Iterable[SheetOutcome], out: IO[str]) -> None:
    marked = False
    for outcome in outcomes:
        name = printable(outcome.image.source)
        if isinstance(outcome, Failure):
            out.write(f"{name}: {type(outcome.error).__name__}\n")
            continue
        found = f"{name}: {count(len(outcome.numbers), 'number')} by {outcome.provider}"
        out.write(", ".join([found, *_notes(outcome)]) + "\n")
        numbers = Table(("field", "row", "column", "number", "sure", ""), list(map(_line, outcome.numbers)))
        out.writelines(f"  {line}\n" for line in aligned(numbers) if outcome.numbers)
        out.flush()
        marked |= any(number.calibrated is not None for number in outcome.numbers)
    if marked:
        out.write(LEGEND + "\n")


def _notes(sheet: Sheet) -> Iterator[str]:
    if sheet.turned:
        yield f"turned by {sheet.turned} degrees"
    if sheet.emulated:
        yield "emulated"
    if sheet.replayed:
        yield "replayed"


def _line(number: Number) -> list[str]:
    where = [number.field or "", *("" if at is None else str(at) for at in (number.row, number.column))]
    sure = percent(chance_of(number)) + ("" if number.calibrated is None else MARK)
    remarks = [number.reason or "", "inferred" if number.inferred else ""]
    return [*where, number.text or "-", sure, "; ".join(filter(None, remarks))]
