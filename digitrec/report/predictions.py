"""Write predictions, sheets of numbers and comparisons as a table for people, as JSON, JSON Lines or CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from math import ceil
from typing import IO, TYPE_CHECKING, Any, Literal

from digitrec.answer import (
    NO_NUMBER,
    NOT_SURE,
    Failure,
    Number,
    Outcome,
    Prediction,
    Sheet,
    SheetOutcome,
    chance_of,
    field_names,
    short,
)
from digitrec.errors.text import count, dollars, duration, padded, percent, printable, width
from digitrec.report.rows import Table, aligned, write_rows

if TYPE_CHECKING:
    from PIL import Image

    from digitrec.comparison import Comparison
    from digitrec.image import DigitImage

Format = Literal["table", "json", "jsonl", "csv"]

MARK = "*"
"""Suffix of a calibrated chance."""
LEGEND = f"{MARK} calibrated: the chance of being right; else the engine's own confidence"
"""Line below a table with a calibrated chance."""
COLUMNS = ["source", "sha256", *(name for name in field_names(Prediction) if name != "image"), "error"]
"""The columns of CSV: every field of a Prediction, the image as source and SHA-256, then the error."""
SHEET_COLUMNS = (
    "source", "field", "row", "column", "text", "value", "confidence", "calibrated", "reason",
    "left", "top", "right", "bottom", "provider", "number", "inferred", "emulated", "replayed", "error",
)  # fmt: skip
"""The columns of a sheet's CSV. Each number, counted from 0, has a row; a failed image has one row with its
error, and an image without numbers one row with the reason `NO_NUMBER`."""
COMPARED = (
    "digit", "confidence", "calibrated", "reason", "latency_s", "cost_usd", "emulated", "replayed", "error",
)  # fmt: skip
"""The columns of a comparison's CSV for each engine, prefixed with its name and a dot."""
DOUBT = 0.7
"""Numbers with a lower confidence are marked as doubtful, 0..1."""
SMALLEST_OVERLAY = 200
"""Minimum longer side of an overlay, in pixels: a small picture is enlarged, or its labels would hide it."""
SURE_COLOUR, DOUBTFUL_COLOUR = "#0a7d28", "#d1400f"


def write(
    outcomes: Iterable[Outcome], form: Format, out: IO[str] | None = None, *, names: Iterable[str] = ()
) -> None:
    """Write outcomes as they arrive.

    ``json`` is one array and ``jsonl`` one object per line, including failures, which have an ``error``;
    ``csv`` has the columns `COLUMNS`; ``table`` is for people, and its first column is wide enough for all
    ``names`` of the pictures. A calibrated chance replaces the confidence and is marked; `LEGEND` explains
    the mark.
    """
    rows = (outcome.as_dict() for outcome in outcomes)
    if form == "csv":
        rows = (row | row["image"] for row in rows)
    write_rows(rows, form, out, COLUMNS, _lines(outcomes, names))


def sure(answer: Outcome | Number) -> str:
    """Format the calibrated chance with its mark, else the engine's own confidence, else ""."""
    if isinstance(answer, Failure):
        return ""
    return percent(chance_of(answer)) + (" " if answer.calibrated is None else MARK)


def error_line(failure: Failure) -> str:
    """Return a failure in one line: the image, what happened, what to do."""
    message, source = str(failure.error), printable(failure.image.source)
    return message if message.startswith(source) else f"{source}: {message}"


def remarks(prediction: Prediction) -> list[str]:
    """Return remarks after digit and confidence: the reason, the text, and the source of the answer."""
    is_plain = prediction.text in (None, str(prediction.answer), str(prediction.unsure_digit))
    asked = ", ".join(f"{said.provider}: {_answer(said)}" for said in prediction.asked)
    found = [
        prediction.reason,
        None if is_plain else f"read {prediction.text!r}",
        None if prediction.unsure_digit is None else f"perhaps {prediction.unsure_digit}",
        f"turned by {prediction.turned} degrees" if prediction.turned else None,
        "other ink left out" if prediction.left_out else None,
        "inferred" if prediction.inferred else None,
        f"asked {asked}" if asked else None,
        "emulated" if prediction.emulated else None,
        "replayed" if prediction.replayed else None,
    ]
    return [remark for remark in found if remark is not None]


def _answer(said: Outcome) -> str:
    if isinstance(said, Failure):
        return type(said.error).__name__
    if said.digit is None:
        return "no digit"
    return str(said.digit) if said.calibrated is None else f"{said.digit} ({sure(said)})"


def _lines(outcomes: Iterable[Outcome], names: Iterable[str]) -> Iterator[str]:
    name = max([len("image"), *(width(printable(name)) for name in names)])
    yield f"{'image':<{name}}  digit      sure"
    marked = False
    for outcome in outcomes:
        name = max(name, width(printable(outcome.image.source)))
        yield _row(outcome, name)
        shown = [outcome, *outcome.asked] if isinstance(outcome, Prediction) else []
        marked |= any(sure(it).endswith(MARK) for it in shown)
    if marked:
        yield LEGEND


def _row(outcome: Outcome, name: int) -> str:
    """Format name, digit, confidence and remarks; ``name`` is the width of the first column."""
    cells = padded(printable(outcome.image.source), name), f"{short(outcome):^5}"
    if isinstance(outcome, Failure):
        return "  ".join([*cells, f"{'failed':>8}", type(outcome.error).__name__])
    return "  ".join([*cells, f"{sure(outcome):>8}", printable("; ".join(remarks(outcome)))]).rstrip()


def write_sheets(outcomes: Iterable[SheetOutcome], form: Format, out: IO[str] | None = None) -> None:
    """Write sheets as they arrive.

    ``json`` is one array and ``jsonl`` one object per line, one for each image, including failures, which
    have an ``error``; ``csv`` has the columns `SHEET_COLUMNS`; ``table`` is for people, in page order.
    """
    rows = _sheet_rows(outcomes) if form == "csv" else (outcome.as_dict() for outcome in outcomes)
    write_rows(rows, form, out, SHEET_COLUMNS, _sheet_lines(outcomes))


def _sheet_rows(outcomes: Iterable[SheetOutcome]) -> Iterator[dict[str, Any]]:
    """Yield a row for each number, with the columns `SHEET_COLUMNS`."""
    for outcome in outcomes:
        whole = outcome.as_dict() | {"source": outcome.image.source}
        if isinstance(outcome, Failure):
            yield whole | {"error": f"{type(outcome.error).__name__}: {outcome.error}"}
        elif not outcome.numbers:
            yield whole | {"reason": NO_NUMBER}
        else:
            for place, number in enumerate(outcome.numbers):
                sides = zip(("left", "top", "right", "bottom"), number.box or (), strict=False)
                box = {side: round(at, 1) for side, at in sides}
                yield number.as_dict() | whole | box | {"number": place}


def _sheet_lines(outcomes: Iterable[SheetOutcome]) -> Iterator[str]:
    """Yield each sheet's name and numbers; at the end the legend, where a chance is calibrated."""
    marked = False
    for outcome in outcomes:
        name = printable(outcome.image.source)
        if isinstance(outcome, Failure):
            yield f"{name}: {type(outcome.error).__name__}"
            continue
        notes = [
            f"{name}: {count(len(outcome.numbers), 'number')} by {outcome.provider}",
            *(f"{one.provider}: {_answer(one)}" for one in outcome.asked if isinstance(one, Failure)),
            f"turned by {outcome.turned} degrees" if outcome.turned else "",
            "emulated" if outcome.emulated else "",
            "replayed" if outcome.replayed else "",
        ]
        yield ", ".join(filter(None, notes))
        numbers = Table(("field", "row", "column", "number", "sure", ""), list(map(_line, outcome.numbers)))
        yield from (f"  {line}" for line in aligned(numbers) if outcome.numbers)
        marked |= any(number.calibrated is not None for number in outcome.numbers)
    if marked:
        yield LEGEND


def _line(number: Number) -> list[str]:
    where = [number.field or "", *("" if at is None else str(at) for at in (number.row, number.column))]
    remarks = [number.reason or "", "inferred" if number.inferred else ""]
    return [*where, number.text or "-", sure(number).rstrip(), "; ".join(filter(None, remarks))]


def overlay(image: DigitImage, sheet: Sheet) -> Image.Image:
    """Draw the boxes and texts of a sheet's numbers on its picture; doubtful numbers get a question mark.

    Args:
        image: the picture, upright and turned like the sheet.
        sheet: the numbers.
    """
    from PIL import ImageDraw, ImageFont

    picture = image.picture.convert("RGB")
    times = ceil(SMALLEST_OVERLAY / max(picture.size))
    picture = picture.resize((times * picture.width, times * picture.height))
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
        draw.rectangle(box, outline=colour, width=max(2, min(picture.size) // 300))
        x, above = min(box[0], picture.width - font.getlength(text)), box[1] - 1.2 * size
        y = above if above >= 0 else min(box[3], picture.height - 1.2 * size)  # below the box
        place = max(0.0, x), max(0.0, y)
        draw.rectangle(draw.textbbox(place, text, font), fill="white")
        draw.text(place, text, fill=colour, font=font)
    return picture


def write_comparisons(
    comparisons: Iterable[Comparison], form: Format, out: IO[str] | None = None, *, numbers: bool = False
) -> None:
    """Write comparisons as they arrive.

    ``table`` has a line for each picture and engine, ``csv`` a row for each picture with the columns
    `COMPARED` for each engine, ``json`` one array and ``jsonl`` one object per line, with all outcomes. With
    ``numbers`` a row of CSV is about one number and has its text and its place.
    """
    rows = (_compared_row(one, numbers) if form == "csv" else one.as_dict() for one in comparisons)
    write_rows(rows, form, out, table=chain.from_iterable(map(_compared_lines, comparisons)))


def verdict(comparison: Comparison) -> str:
    """Return the engines' common verdict; mark that of emulators, which do not count beside real engines."""
    if not comparison.predictions:
        return "nobody answered"
    said = _together(comparison)
    if comparison.emulated:
        return f"{said} (emulated)"
    has_emulated = any(one.emulated for one in comparison.predictions)
    return f"{said} (emulated: not counted)" if has_emulated else said


def _together(comparison: Comparison) -> str:
    if comparison.agree is None:
        return "one answer only" if comparison.counted else NOT_SURE
    if not comparison.agree and not comparison.dissenters:
        return "undecided"
    answer = comparison.consensus
    if answer is None:
        is_digit = comparison.number is None and comparison.counted[0].reason != NO_NUMBER
        answer = "no digit" if is_digit else NO_NUMBER
    return f"{'all' if comparison.agree else 'most'} say {answer}"


def _compared_lines(comparison: Comparison) -> Iterator[str]:
    """Yield the picture with its verdict, and a line for each engine below."""
    yield f"{printable(comparison.name)}  {verdict(comparison)}"
    widest = max(map(width, comparison.engines))
    for name, outcome in comparison.by_engine:
        yield f"  {padded(name, widest)}  {'; '.join(_cell(outcome, comparison.number))}"


def _cell(outcome: Outcome, place: int | None) -> list[str]:
    """Return digit and confidence, remarks, and time and cost, which only a sheet's first number has."""
    spent = [] if place else [duration(outcome.latency_s)]
    if isinstance(outcome, Failure):
        return ["!", *spent, type(outcome.error).__name__]
    sure = percent(outcome.confidence)
    if outcome.calibrated is not None:
        sure += f", calibrated {percent(outcome.calibrated)}"
    spent = [f"{time}, {dollars(outcome.cost_usd)}" for time in spent]
    return [f"{short(outcome)}  {sure}".rstrip(), *spent, *map(printable, remarks(outcome))]


def _compared_row(comparison: Comparison, numbers: bool) -> dict[str, Any]:
    place = ("number", "box") if numbers else ()
    row = dict.fromkeys(("source", "sha256", *place)) | comparison.as_dict()
    row |= {"dissenters": " ".join(comparison.dissenters)}
    cells = ("text", *COMPARED[1:]) if numbers else COMPARED
    for name, outcome in row.pop("outcomes").items():
        if error := outcome.get("error"):
            outcome["error"] = f"{error['type']}: {error['message']}"
        row |= {f"{name}.{cell}": outcome.get(cell) for cell in cells}
    return row
