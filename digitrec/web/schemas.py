"""The API's answers: models for the OpenAPI description, and how outcomes and explanations become one."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from digitrec.answer import Failure, Number, Outcome, Sheet
from digitrec.image import PreparedImage
from digitrec.recognise.explain import Explanation, Inside, by_network, mosaic
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


class Source(Body):
    """Where an answer comes from."""

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


class Said(Body):
    """What an engine said about a digit."""

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


class Reading(Source, Said):
    """One engine's reading of one picture."""

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


class Numbers(Body):
    """What an engine read on a page."""

    numbers: list[Number]
    """In reading order: line by line, from left to right."""
    size: tuple[int, int]
    """Width and height of the upright picture, px."""


class SheetBody(Source, Numbers):
    """The numbers on one picture; none if nothing is written on it."""


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
    """Whether `/explain` works for this engine."""
    reads_numbers: bool
    """Whether `/v1/read` can ask it."""


class Providers(Body):
    """The engines that this server offers, the default first."""

    providers: list[ProviderInfo]
    key_needed: bool
    """Whether questions need an API key."""
    max_body_bytes: int
    """How large a request may be."""


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


def sheet_of(sheet: Sheet) -> dict[str, Any]:
    """Return the fields of a `SheetBody`, as JSON-like values."""
    values = sheet.as_dict() | {"sha256": sheet.image.sha256}
    return {name: values[name] for name in SheetBody.model_fields}


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


class Step(Body):
    """One step on the way from the picture to what the network was given."""

    name: str = Field(examples=["paper removed"])
    picture: str
    """What it made, a PNG data URL."""


class ClassMap(Body):
    """Where the network's last feature maps look like a digit (Grad-CAM)."""

    digit: int = Field(ge=0, le=9)
    map: list[list[float]]
    """28x28, >= 0: what each place adds to the digit's score."""


class Layer(Body):
    """What one layer of a network found."""

    network: str
    """Which network of the file; empty where it holds but one."""
    name: str = Field(examples=["relu_1a"])
    maps: int = Field(ge=1)
    """How many feature maps it has."""
    side: int = Field(ge=1)
    """Each has as many rows and columns."""
    picture: str
    """The first 256 maps side by side, a PNG data URL; white: the layer's largest value."""


class InsideBody(Body):
    """What happened in the network for one reading of the picture."""

    name: str = Field(examples=["cut out"])
    """"cut out" or "as it stands"."""
    picture: str
    """The 28x28 it was given, a PNG data URL."""
    field: list[float] = Field(min_length=4, max_length=4)
    """Left, top, right, bottom of what those show, as shares of the picture; may lie beyond its edges."""
    saliency: list[list[float]] | None
    """28x28, of this reading; null without it."""
    grad_cam: list[ClassMap] | None
    """Of this reading."""
    layers: list[Layer]
    """In the order of the work; empty where the model shows none."""


class ExplanationBody(Body):
    """Why the network says what it says."""

    reading: Reading
    """The answer that is explained."""
    steps: list[Step]
    """The steps of the preparation, the last is what the network was given."""
    saliency: list[list[float]] | None
    """28x28: how much hiding the ink around a place lowers the digit's log-odds; null for a refusal."""
    grad_cam: list[ClassMap] | None
    """Of the likeliest digit and of the next; null for a refusal, and for a model without feature maps."""
    where: list[str]
    """The parts whose ink spoke most for the digit, the strongest first."""
    inside: list[InsideBody]
    """With `?inside=true`: each reading of the network, that of `saliency` first; empty for a refusal."""


def explanation_of(found: Explanation) -> ExplanationBody:
    """Return an explanation as the API answers it."""
    return ExplanationBody(
        reading=reading_of(found.prediction),
        steps=[Step(name=name, picture=data_url(Image.fromarray(pixels))) for name, pixels in found.steps],
        saliency=_rows(found.saliency),
        grad_cam=_class_maps(found.likeliest, found.grad_cam),
        where=found.where,
        inside=[_inside_of(look, found.likeliest) for look in found.inside],
    )


def _class_maps(digits: Sequence[int], maps: NDArray[np.float32] | None) -> list[ClassMap] | None:
    if maps is None:
        return None
    return [ClassMap(digit=digit, map=_rows(one)) for digit, one in zip(digits, maps, strict=True)]


def _inside_of(look: Inside, likeliest: Sequence[int]) -> InsideBody:
    layers = [
        Layer(
            network=network, name=name, maps=maps.shape[2], side=maps.shape[0],
            picture=data_url(Image.fromarray(mosaic(maps))),
        )
        for network, stages in by_network(look.stages).items() for name, maps in stages
    ]  # fmt: skip
    return InsideBody(
        name=look.name, picture=data_url(Image.fromarray(look.digit)), field=list(look.field),
        saliency=_rows(look.saliency), grad_cam=_class_maps(likeliest, look.grad_cam), layers=layers,
    )  # fmt: skip


def _rows(found: NDArray[np.floating[Any]] | None) -> Any:
    return None if found is None else found.astype(np.float64).round(4).tolist()
