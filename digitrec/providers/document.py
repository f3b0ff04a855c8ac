"""Parse a vendor's document, and validate it as a whole against a schema before anything is made of it.

Each provider has the schema of its vendor's document (docs/decisions.md). A schema
names the fields that digitrec uses; all others may hold anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec

from digitrec.answer import DEEPEST, Box, is_deeper, no_json
from digitrec.errors import BadAnswer
from digitrec.providers.translate import Problem, Service

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(min_length=1)]
"""A text of at least one character."""
Score = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A confidence from 0 to 1; NaN is rejected."""


def decoded(body: bytes) -> Any:
    """Return the JSON value in ``body``: strict UTF-8, finite numbers, limited nesting.

    Raises:
        ValueError: the body is not such JSON.
    """
    try:
        value = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
        deep = is_deeper(value, DEEPEST)
    except RecursionError:
        deep = True
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"no JSON: {error}" if body.strip() else "an empty body") from None
    if deep:
        raise ValueError(f"JSON nested more than {DEEPEST} deep")
    return value


def document(raw: Any, schema: type[T], service: Service) -> T:
    """Return a document as the objects of its schema; ``raw`` is any JSON value, as `decoded` returns it.

    Raises:
        BadAnswer: it does not follow the schema; the message names the place and shows no content.
    """
    why = no_json(raw)
    if why is not None:
        raise service.error(Problem(BadAnswer, f"the document {why}"))  # what cannot be kept is not shown
    try:
        return msgspec.convert(raw, schema)
    except msgspec.ValidationError as error:
        refuse(str(error).replace("`", ""), raw, service)


def refuse(said: str, raw: Any, service: Service, todo: str = "") -> NoReturn:
    """Raise a BadAnswer that says what is wrong with a document, and what to do if that is known."""
    raise service.error(Problem(BadAnswer, said, raw=raw, todo=todo))


def box_around(corners: Sequence[tuple[float, float]]) -> Box | None:
    """Return the upright rectangle around points (x, y), or None without points."""
    if not corners:
        return None
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
