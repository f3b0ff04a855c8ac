"""Read the named fields of a form: one number for each field."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import msgspec

from digitrec.answer import NO_NUMBER, NOT_SURE, Failure, Number, Sheet, SheetOutcome
from digitrec.engine import Engine
from digitrec.errors import DataError, NotConfigured
from digitrec.errors.schemas import built
from digitrec.errors.text import encoding
from digitrec.image import Box, ImageSource, Turned
from digitrec.image.boxes import covered
from digitrec.recognise import Digits, expected_digits
from digitrec.recognise.align import Aligned, align
from digitrec.recognise.numbers import of_boxes
from digitrec.recognise.pipeline import batches, finished, infer_numbers, open_or_fail

log = logging.getLogger(__name__)

UNALIGNED = "has no frame or lines to align by; it was read without alignment"
"""The warning about a page of a form without a frame."""
UNFRAMED = "the form's frame was not found, so no number is sure; photograph all of it"
"""The warning about a page of a form with a frame."""


@dataclass(frozen=True, slots=True)
class Form:
    """The places of a form's fields, as shares of the page's sides."""

    fields: Mapping[str, Box]
    """Left, top, right, bottom of each field, by its name."""
    frame: Box | None = None
    """Left, top, right, bottom of the printed frame; None: unknown."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The content of a fields file: each region as x, y, width, height."""

    fields: Annotated[dict[str, Box], msgspec.Meta(min_length=1)]
    frame: Box | None = None


def load_form(path: Path) -> Form:
    """Read a JSON file: ``{"fields": {"total": [x, y, width, height]}, "frame": [x, y, width, height]}``.

    ``frame`` is optional.

    Raises:
        DataError: the file cannot be read, a field is not inside the page, or two fields overlap.
    """
    try:
        data = path.read_bytes()
        read = json.loads(data.decode(encoding(data)), object_pairs_hook=_unique)
        found = msgspec.convert(read, built(_File))
    except (OSError, ValueError, RecursionError, msgspec.ValidationError) as error:
        raise DataError(f"{path}: not a file of fields ({error}); see docs/read.md") from error
    fields = {name: _box(path, name, region) for name, region in found.fields.items()}
    frame = None if found.frame is None else _box(path, "frame", found.frame)
    for (one, first), (other, second) in combinations(fields.items(), 2):
        if covered(first, second) > 0:
            raise DataError(f"{path}: the fields {one!r} and {other!r} overlap; make one of them smaller")
    return Form(fields, frame)


def read_forms(
    images: Iterable[ImageSource],
    form: Form,
    engine: Engine,
    *,
    digits: Digits = None,
    lenient: bool = False,
    at_least: float = 0.0,
    rotate: int = 0,
) -> Iterator[SheetOutcome]:
    """Yield a Sheet with one number for each field of the form, or a Failure, for each picture.

    A form that was photographed at an angle is aligned first; the engine is asked once per page. A page
    without a frame or lines is read without alignment, and the log gets a warning; if the form has a frame,
    its numbers are not sure then. Nor is a number that reaches beyond its field.

    Args:
        images, digits, lenient, at_least, rotate: as for `digitrec.read_many`.
        form: the fields.
        engine: the engine to ask.

    Raises:
        NotConfigured: the engine gives no boxes, so that no number can be assigned to a field.
    """
    name, engine, expected = engine.provider.name, engine.for_numbers, expected_digits(digits)
    boxless = NotConfigured(f"{name} gives no boxes, so it cannot fill fields; ask another engine")
    if not getattr(engine.provider, "gives_boxes", True):
        raise boxless  # before it is paid
    for image in images:
        opened = open_or_fail(Turned(image, rotate), name, engine.wants.enough)
        if isinstance(opened, Failure):
            yield opened
            continue
        aligned = align(opened, form.frame)
        is_sure = aligned is not None or form.frame is None
        if aligned is None:
            log.warning("%s: %s", opened.source, UNALIGNED if is_sure else UNFRAMED)
            aligned = Aligned(opened, None, opened.place)
        (page,) = batches([aligned.image], engine)
        places = form.fields.items()
        (outcome,) = infer_numbers(page, engine, expected=expected, lenient=lenient, fields=places)
        if isinstance(outcome, Sheet) and outcome.numbers and not any(it.box for it in outcome.numbers):
            raise boxless
        if isinstance(outcome, Sheet):
            outcome = finished(_filled(outcome, form, aligned, is_sure), at_least, rotate)
        yield outcome


def upright(image: ImageSource, form: Form) -> ImageSource:
    """Return a form's page as it is sent to an engine; a picture that cannot be opened stays as it is."""
    opened = open_or_fail(image, "")
    aligned = None if isinstance(opened, Failure) else align(opened, form.frame)
    return image if aligned is None else aligned.image


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object's members; a repeated name, of which `json` keeps the last, raises ValueError."""
    for name, times in Counter(name for name, _ in pairs).items():
        name.encode()  # raises ValueError for half a surrogate pair, which no output can hold
        if times > 1:
            raise ValueError(f"{name!r} occurs twice")
    return dict(pairs)


def _box(path: Path, name: str, region: Box) -> Box:
    left, top, width, height = region
    left, top, right, bottom = (round(side, 9) for side in (left, top, left + width, top + height))
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise DataError(
            f"{path}: the field {name!r} must lie inside the page (x, y, width, height as fractions of its "
            f"sides, 0 to 1), got {region}"
        )
    return left, top, right, bottom


def _filled(sheet: Sheet, form: Form, aligned: Aligned, is_sure: bool) -> Sheet:
    """Return the sheet with one number for each field, on the user's picture."""
    width, height = sheet.size
    numbers = []
    for name, (left, top, right, bottom) in form.fields.items():
        box = left * width, top * height, right * width, bottom * height
        found = [number for number in sheet.numbers if number.field == name]
        one = found[0] if len(found) == 1 else of_boxes(found, sheet.size)
        reason = "more than one number" if found else NO_NUMBER
        text, parts = " ".join(it.text for it in found), tuple(digit for it in found for digit in it.digits)
        number = one or Number(text, None, parts, box, reason=reason)
        if number.reason is None and not (is_sure and all(it.reason is None for it in found)):
            number = number.unless(NOT_SURE)
        digits = tuple(replace(it, box=it.box and aligned.back(it.box)) for it in number.digits)
        place = number.box and aligned.back(number.box)
        if place and (place[0] >= place[2] or place[1] >= place[3]):
            place = None  # outside the picture
        numbers.append(replace(number, field=name, digits=digits, box=place, row=None, column=None))
    return replace(sheet, numbers=tuple(numbers), size=aligned.before.size)
