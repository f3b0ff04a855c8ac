"""The API's answers as models for the OpenAPI description, and conversions to them."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from digitrec.answer import Failure, Number, Outcome, Sheet, SheetOutcome
from digitrec.image import PreparedImage
from digitrec.image.pixels import data_url
from digitrec.recognise.explain import Explanation, by_network, mosaic
from digitrec.recognise.pipeline import MaybePrepared
from digitrec.web import problems


class Body(BaseModel):
    """A model whose fields are described by their docstrings."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class ProblemBody(Body):
    """A problem as in RFC 9457."""

    type: str = Field(examples=["urn:digitrec:problem:too-large"])
    """Identifier of the problem; docs/api.md lists them."""
    title: str = Field(examples=["Content Too Large"])
    """The HTTP status in words."""
    status: int = Field(examples=[413])
    """The HTTP status."""
    detail: str = Field(examples=["the request is larger than 10 MB; scale the picture down"])
    """What happened and what to do."""


class Source(Body):
    """The origin of an answer."""

    provider: str
    """Name of the engine."""
    model_version: str | None
    """Version of the engine's model."""
    latency_s: float = Field(ge=0)
    """Seconds from opened picture to answer, preparation included."""
    cost_usd: float | None = Field(ge=0)
    """US dollars spent; 0 is free, null is unknown."""
    emulated: bool
    """True if an emulator answered instead of the vendor."""
    replayed: bool
    """True if the answer is an earlier, paid one from the ledger."""
    sha256: str | None
    """SHA-256 of the picture's bytes."""


class Said(Body):
    """An engine's answer about a digit."""

    prediction: int | None = Field(ge=0, le=9)
    """The digit; null if the picture shows no single digit."""
    confidence: float | None = Field(ge=0, le=1)
    """The engine's own confidence; not a chance of being right."""
    probs: list[float] | None = Field(min_length=10, max_length=10)
    """Chance of each digit 0..9; null if the engine does not give it."""
    reason: str | None
    """Why there is no digit: "blank", "more than one digit", ..."""
    calibrated: float | None = Field(ge=0, le=1)
    """Chance of being right; null if it was not measured for this engine."""
    text: str | None
    """The text as the engine spelled it."""
    left_out: list[tuple[int, int, int, int]]
    """Boxes (left, top, right, bottom, px) of ink that was not read; such ink lowers the confidence."""


class Reading(Source, Said):
    """One engine's reading of one picture."""

    seen: str | None
    """With `?seen=true`: the network's 28x28 input, a PNG data URL."""
    problem: ProblemBody | None
    """For one of several pictures: the reason for its failure."""
    asked: list[Reading]
    """For a policy: the reading of each engine that it asked; else empty."""


class Readings(Body):
    """The readings of several pictures, in the order sent."""

    predictions: list[Reading]


class ComparisonBody(Body):
    """One picture, read by several engines."""

    agree: bool | None
    """Whether all votes are equal; null for fewer than two votes."""
    consensus: int | None = Field(ge=0, le=9)
    """The digit with the most votes; null for a tie."""
    emulated: bool
    """True if only emulators answered; otherwise emulators have no vote."""
    readings: list[Reading]
    """The reading of each engine, in the order of the request."""


class Numbers(Body):
    """The numbers that an engine read on a page."""

    numbers: list[Number]
    """The numbers in reading order: line by line, from left to right."""
    size: tuple[int, int]
    """Width and height of the upright picture, px."""


class SheetBody(Source, Numbers):
    """The numbers on one picture; empty if nothing is written on it."""

    problem: ProblemBody | None
    """For an engine that a policy asked: the reason for its failure."""
    asked: list[SheetBody]
    """For a policy: the reading of each engine that it asked; else empty."""


class DoubtfulAnswer(Body):
    """An answer to review."""

    name: str
    """Name of the answer's picture."""
    label: str
    """The digit or number that the engine read, or none."""
    provider: str
    """Name of the engine."""


class DoubtfulAnswers(Body):
    """Answers to review, the least sure first, those without a confidence last."""

    pictures: list[DoubtfulAnswer]


class ProviderInfo(Body):
    """An engine that this server offers."""

    name: str
    usd_per_picture: float | None = Field(ge=0)
    """US dollars for one picture; 0 is free, null is unknown."""
    remote: bool
    """True if pictures are sent to another machine."""
    explains: bool
    """Whether `/explain` works for this engine."""
    reads_numbers: bool
    """Whether `/v1/read` works for this engine."""


class Providers(Body):
    """The engines that this server offers, the default first."""

    providers: list[ProviderInfo]
    key_needed: bool
    """Whether requests need an API key."""
    max_body_bytes: int
    """Maximum size of a request's body."""


class Health(Body):
    """The server is running."""

    status: str = Field(examples=["ok"])
    model_loaded: bool


class Ready(Body):
    """Whether the server accepts requests now."""

    ready: bool


OWN_NAMES = {"digit": "prediction", "probabilities": "probs"}
"""Fields of an outcome that have another name in the API."""


def reading_of(outcome: Outcome, prepared: MaybePrepared | None = None, *, seen: bool = False) -> Reading:
    """Convert one outcome to the API's form; a failure contains its problem.

    Args:
        outcome: the engine's outcome.
        prepared: the engine's input.
        seen: also include the input if it is the 28x28 picture of a network.
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


def sheet_of(outcome: SheetOutcome) -> dict[str, Any]:
    """Return the fields of a `SheetBody`, as JSON-like values; a failure contains its problem."""
    values = Sheet(outcome.image, outcome.provider).as_dict() | outcome.as_dict() | {"problem": None}
    values["sha256"] = outcome.image.sha256
    values["asked"] = [sheet_of(one) for one in getattr(outcome, "asked", ())]
    if isinstance(outcome, Failure):
        values["problem"] = problems.from_error(outcome.error).body()
    return {name: values[name] for name in SheetBody.model_fields}


_DESCRIPTION = json.loads((Path(__file__).parent / "description.json").read_text("utf-8"))
PICTURES: dict[str, Any] = _DESCRIPTION["pictures"]
"""The ways to send one or several pictures, for OpenAPI."""
ONE_PICTURE: dict[str, Any] = json.loads(
    json.dumps(PICTURES), object_hook=lambda one: one | {"maxItems": 1} if "minItems" in one else one
)
"""The ways to send one picture, for OpenAPI."""


def problem(text: str) -> dict[str, Any]:
    """Return the description of an answer with a problem body, for OpenAPI."""
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    int(status): problem(text) for status, text in _DESCRIPTION["problems"].items()
}
"""The errors that may occur when a picture is read, for OpenAPI."""
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "The picture."}}
"""A picture as the answer, for OpenAPI."""


class Step(Body):
    """One step from the picture to the network's input."""

    name: str = Field(examples=["paper removed"])
    picture: str
    """The result of the step, a PNG data URL."""


class ClassMap(Body):
    """Where the network's last feature maps look like a digit (Grad-CAM)."""

    digit: int = Field(ge=0, le=9)
    map: list[list[float]]
    """28x28, >= 0: how much each place adds to the digit's score."""


class Layer(Body):
    """The feature maps of one layer of a network."""

    network: str
    """Name of the network in the file; empty if the file has only one."""
    name: str = Field(examples=["relu_1a"])
    maps: int = Field(ge=1)
    """Number of feature maps."""
    side: int = Field(ge=1)
    """Number of rows, and of columns, of each map."""
    picture: str
    """The first 256 maps side by side, a PNG data URL; white: the layer's largest value."""


class ExplanationBody(Body):
    """How the network came to its answer."""

    reading: Reading
    steps: list[Step]
    """The steps of the preparation; the last one is the network's input."""
    saliency: list[list[float]] | None
    """28x28: how much hiding the ink around a place lowers the digit's log-odds; null if the
    network did not run, and with `?saliency=false`."""
    grad_cam: list[ClassMap] | None
    """Class maps of the two likeliest digits; null if the network did not run, and for a model without
    feature maps."""
    where: list[str]
    """The parts of the picture whose ink contributed most to the digit, strongest first."""
    field: list[float] | None = Field(min_length=4, max_length=4)
    """Left, top, right, bottom of the part of the picture in the network's input, as shares of the picture;
    may exceed its edges. Null if the network did not run."""
    layers: list[Layer]
    """With `?inside=true`: the layers in the order of computation; empty if the network did not run, and for
    a model that shows none."""


def explanation_of(found: Explanation) -> ExplanationBody:
    """Convert an explanation to the API's form."""
    layers = [
        Layer(
            network=network, name=name, maps=maps.shape[2], side=maps.shape[0],
            picture=data_url(Image.fromarray(mosaic(maps))),
        )
        for network, stages in by_network(found.stages).items() for name, maps in stages
    ]  # fmt: skip
    seen = [] if found.grad_cam is None else zip(found.likeliest, found.grad_cam, strict=True)
    class_maps = [ClassMap(digit=digit, map=_rows(each)) for digit, each in seen]
    return ExplanationBody(
        reading=reading_of(found.prediction),
        steps=[Step(name=name, picture=data_url(Image.fromarray(pixels))) for name, pixels in found.steps],
        saliency=_rows(found.saliency),
        grad_cam=class_maps or None,
        where=found.where,
        field=None if found.field is None else list(found.field),
        layers=layers,
    )


def _rows(found: NDArray[np.floating[Any]] | None) -> Any:
    return None if found is None else found.astype(np.float64).round(4).tolist()
