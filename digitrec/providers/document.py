"""A vendor's document against its schema: checked as a whole before anything is made of it.

Each vendor's schema stands in a module of its own (``google_answer`` and its like), imported only when an
answer has come: it needs msgspec. A schema names what is used of a document; all else may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec

from digitrec.answer import no_json
from digitrec.errors import BadAnswer
from digitrec.providers.wire.translate import Problem, Service

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(min_length=1)]
"""A text of at least one character."""
Score = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A confidence; NaN is none."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

WORDS = {
    "object": "an object",
    "array": "a list",
    "str": "a text",
    "float": "a number",
    "int": "a whole number",
    "bool": "a boolean",
    "null": "null",
}
"""What msgspec calls the types of JSON, and what our users call them."""
TYPES = re.compile(r"`([a-z]+(?: \| [a-z]+)*)`")
PLACE = re.compile(r"(.*) - at `\$\.?(.*)`")


def document(raw: Any, schema: type[T], service: Service) -> T:
    """A document as its schema's objects; ``raw`` is any JSON value, as `json.loads` gives it.

    Raises:
        BadAnswer: it does not follow the schema; the message names the place, and shows nothing of what
            stands there.
    """
    why = no_json(raw)
    if why is not None:
        raise service.error(Problem(BadAnswer, f"the document {why}"))  # what cannot be kept is not shown
    try:
        return msgspec.convert(raw, schema)
    except msgspec.ValidationError as error:
        refuse(_said(str(error)), raw, service)


def refuse(said: str, raw: Any, service: Service) -> NoReturn:
    """Raise the BadAnswer that says what is wrong with a document."""
    raise service.error(Problem(BadAnswer, said, raw=raw))


def box_around(corners: Sequence[tuple[float, float]]) -> Box | None:
    """The upright rectangle around points (x, y); None where there are none."""
    if not corners:
        return None
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _said(message: str) -> str:
    """The message of msgspec, with the place first and in the words of JSON."""
    found = PLACE.fullmatch(message)
    what, place = found.groups() if found else (message, "")
    what = TYPES.sub(lambda named: " or ".join(WORDS.get(it, it) for it in named[1].split(" | ")), what)
    return f"{place or 'the document'}: {what[:1].lower()}{what[1:]}".replace("`", "")
