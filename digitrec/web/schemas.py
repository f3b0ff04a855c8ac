"""The API's answers: models for the OpenAPI description, and how an engine's outcome becomes one."""

from __future__ import annotations

import base64
import io
from dataclasses import fields
from typing import Any

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from digitrec.answer.prediction import Failure, Outcome
from digitrec.image import PreparedImage
from digitrec.recognise.pipeline import MaybePrepared
from digitrec.web import problems


class Body(BaseModel):
    """A model whose fields are described by their docstrings."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class ProblemBody(Body):
    """RFC 9457."""

    type: str = Field(examples=["urn:digitrec:problem:too-large"])
    """Which problem; docs/api.md lists them."""
    title: str = Field(examples=["Content Too Large"])
    """The HTTP status in words."""
    status: int = Field(examples=[413])
    """The HTTP status."""
    detail: str = Field(examples=["the request is larger than 10 MB; scale the picture down"])
    """What happened and what to do."""


class Reading(Body):
    """One engine's reading of one picture."""

    prediction: int | None = Field(ge=0, le=9)
    """The digit; null when there is no single digit."""
    confidence: float | None = Field(ge=0, le=1)
    """What the engine said; not a chance of being right."""
    probs: list[float] | None = Field(min_length=10, max_length=10)
    """Chance of each digit 0..9; null where the engine gives none."""
    reason: str | None
    """Why there is no digit: "blank", "more than one digit", ..."""
    calibrated: float | None = Field(ge=0, le=1)
    """Chance of being right, where that was measured."""
    text: str | None
    """What the engine read, as it spelled it."""
    left_out: list[tuple[int, int, int, int]]
    """Boxes (left, top, right, bottom, px) of ink that was not read; it lowers confidence."""
    provider: str
    """Which engine."""
    model_version: str | None
    """Which model of it."""
    latency_s: float = Field(ge=0)
    """Seconds from opened picture to answer, preparation included."""
    cost_usd: float | None = Field(ge=0)
    """US dollars spent; 0 is free, null is unknown."""
    emulated: bool
    """True when an emulator answered instead of the vendor."""
    replayed: bool
    """True when an earlier, paid answer was found in the ledger."""
    sha256: str | None
    """SHA-256 of the picture's bytes."""
    seen: str | None
    """With `?seen=true`: the 28x28 the network was given, a PNG data URL."""
    problem: ProblemBody | None
    """Among several readings: why this one failed."""
    asked: list[Reading]
    """Of a policy: what each engine said that it asked; else empty."""


class Readings(Body):
    """The readings of several pictures, in the order sent."""

    predictions: list[Reading]


class ComparisonBody(Body):
    """One picture, read by several engines."""

    agree: bool | None
    """Whether all who vote said the same; null for fewer than two."""
    consensus: int | None = Field(ge=0, le=9)
    """The digit most engines named; null when level."""
    emulated: bool
    """True when only emulators answered; else they have no vote."""
    readings: list[Reading]
    """One for each engine, in the order asked."""


class Kept(Body):
    """A picture that a visitor labelled was kept."""

    label: str = Field(examples=["7"])


class LabelledPicture(Body):
    """A picture that a visitor labelled."""

    name: str
    """Of its file."""
    label: str
    """What the visitor said: 0 to 9, or none."""
    said: dict[str, str]
    """What each engine said."""


class Labels(Body):
    """What waits for the owner, that from which most engines dissent first."""

    pictures: list[LabelledPicture]


class ProviderInfo(Body):
    """An engine that this server offers."""

    name: str
    usd_per_picture: float | None = Field(ge=0)
    """0 is free, null is unknown."""
    remote: bool
    """True when pictures are sent to another company's servers."""
    explains: bool
    """Whether `/explain` can say why it says what it says."""


class Providers(Body):
    """The engines that this server offers, the default first."""

    providers: list[ProviderInfo]
    key_needed: bool
    """Whether questions need an API key."""
    max_body_bytes: int
    """How large a request may be."""
    collects: bool
    """Whether pictures may be labelled, and are kept then, by `/label`."""


class Health(Body):
    """Alive."""

    status: str = Field(examples=["ok"])
    model_loaded: bool


class Ready(Body):
    """Whether it makes sense to send questions now."""

    ready: bool


OWN_NAMES = {"digit": "prediction", "probabilities": "probs"}
"""Fields of an outcome that the API calls otherwise."""


def reading_of(outcome: Outcome, prepared: MaybePrepared | None = None, *, seen: bool = False) -> Reading:
    """Return one outcome as the API answers it; a failure contains its problem.

    Args:
        outcome: the engine's.
        prepared: the engine's input.
        seen: also show the input, where it is the 28x28 picture of a network.
    """
    values = dict.fromkeys(Reading.model_fields) | {"left_out": [], "emulated": False, "replayed": False}
    for field in fields(outcome):
        values[OWN_NAMES.get(field.name, field.name)] = getattr(outcome, field.name)
    values["sha256"] = outcome.image.sha256
    values["asked"] = [reading_of(one) for one in getattr(outcome, "asked", ())]
    if isinstance(outcome, Failure):
        values["problem"] = problems.from_error(outcome.error).body()
    if seen and isinstance(prepared, PreparedImage) and prepared.media_type == "image/x-mnist":
        values["seen"] = data_url(prepared.picture())
    return Reading.model_validate(values)


def png(picture: Image.Image) -> bytes:
    """Return the picture as a PNG."""
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def data_url(picture: Image.Image) -> str:
    """Return the picture as a PNG data URL."""
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


_EXAMPLE_URL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABwAAAAcAQAAAABaduI5AAAASUlEQVR42nXNsQ3CMBQFwPtPLlyyAYyS0VMy"
    "jukoLD59pDTXXjWfwJWuKWxhGNVvYQqn8KD7ucJLNOEQP/TuFZso4kuEWNRd+QfccxT44vdacgAAAABJRU5ErkJggg=="
)
"""A 7 of 28x28 pixels."""
_BINARY = {"type": "string", "format": "binary"}
_FILES = {"type": "array", "minItems": 1, "items": _BINARY, "description": "One file or several."}
_BASE64 = {"image": {"type": "string", "minLength": 1},
           "images": {"type": "array", "minItems": 1, "items": {"type": "string"}}}  # fmt: skip
_JSON = [
    {"type": "object", "required": [name], "additionalProperties": False, "properties": {name: schema}}
    for name, schema in _BASE64.items()
]
_EXAMPLES = {"a data URL": {"value": {"image": _EXAMPLE_URL}}}
PICTURES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": _FILES}}
            },
            "application/json": {"schema": {"oneOf": _JSON}, "examples": _EXAMPLES},
            "image/*": {"schema": _BINARY},
            "application/octet-stream": {"schema": _BINARY},
        },
    }
}
"""How pictures are sent, for OpenAPI."""


def problem(text: str) -> dict[str, Any]:
    """Return an answer with a problem body, for OpenAPI."""
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: problem("The form is malformed."),
    401: problem("A key is needed."),
    402: problem("The budget is spent."),
    403: problem("Another site's page asked."),
    408: problem("The request arrived too slowly."),
    413: problem("Too large, or too many pictures."),
    422: problem("Not a picture, or not a request we know."),
    429: problem("Too many requests from this client."),
    502: problem("A remote engine failed."),
    503: problem("Busy; come back after Retry-After."),
    504: problem("No answer in time."),
}
"""The errors that reading a picture may be answered with, for OpenAPI."""
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "The picture."}}
"""A picture as the answer, for OpenAPI."""
