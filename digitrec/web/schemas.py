"""What the API says: the models in its OpenAPI description, and how an engine's outcome becomes one."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image
from pydantic import BaseModel, Field

from digitrec.answer.prediction import Failure
from digitrec.image import PreparedImage
from digitrec.recognise.pipeline import MaybePrepared
from digitrec.web import inference, problems


class ProblemBody(BaseModel):
    """RFC 9457."""

    type: str = Field(
        description="Which problem; docs/api.md lists them.", examples=["urn:digitrec:problem:too-large"]
    )
    title: str = Field(description="The HTTP status in words.", examples=["Content Too Large"])
    status: int = Field(description="The HTTP status.", examples=[413])
    detail: str = Field(
        description="What happened and what to do.",
        examples=["the request is larger than 10 MB; scale the picture down"],
    )


class Reading(BaseModel):
    """One engine's reading of one picture."""

    prediction: int | None = Field(ge=0, le=9, description="The digit; null when there is no single digit.")
    confidence: float | None = Field(
        ge=0, le=1, description="What the engine said; not a chance of being right."
    )
    probs: list[float] | None = Field(
        min_length=10,
        max_length=10,
        description="Chance of each digit 0..9; null where the engine gives none.",
    )
    reason: str | None = Field(description='Why there is no digit: "blank", "more than one digit", ...')
    calibrated: float | None = Field(
        ge=0, le=1, description="Chance of being right, where that was measured."
    )
    text: str | None = Field(description="What the engine read, as it spelled it.")
    left_out: list[tuple[int, int, int, int]] = Field(
        description="Boxes (left, top, right, bottom, px) of ink that was not read; it lowers confidence."
    )
    provider: str = Field(description="Which engine.")
    model_version: str | None = Field(description="Which model of it.")
    latency_s: float = Field(ge=0, description="Seconds from opened picture to answer, preparation included.")
    cost_usd: float | None = Field(ge=0, description="US dollars spent; 0 is free, null is unknown.")
    emulated: bool = Field(description="True when an emulator answered instead of the vendor.")
    replayed: bool = Field(description="True when an earlier, paid answer was found in the ledger.")
    sha256: str | None = Field(description="SHA-256 of the picture's bytes.")
    seen: str | None = Field(
        description="With `?seen=true`: the 28x28 the network was given, a PNG data URL."
    )
    problem: ProblemBody | None = Field(description="Among several readings: why this one failed.")
    asked: list[Reading] = Field(description="Of a policy: what each engine said that it asked; else empty.")


class Readings(BaseModel):
    """The readings of several pictures, in the order sent."""

    predictions: list[Reading]


class ComparisonBody(BaseModel):
    """One picture, read by several engines."""

    agree: bool | None = Field(description="Whether all who vote said the same; null for fewer than two.")
    consensus: int | None = Field(ge=0, le=9, description="The digit most engines named; null when level.")
    emulated: bool = Field(description="True when only emulators answered; else they have no vote.")
    readings: list[Reading] = Field(description="One for each engine, in the order asked.")


class Kept(BaseModel):
    """A picture that a visitor labelled was kept."""

    label: str = Field(examples=["7"])


class LabelledPicture(BaseModel):
    """A picture that a visitor labelled."""

    name: str = Field(description="Of its file.")
    label: str = Field(description="What the visitor said: 0 to 9, or none.")
    said: dict[str, str] = Field(description="What each engine said.")


class Labels(BaseModel):
    """What waits for the owner, that from which most engines dissent first."""

    pictures: list[LabelledPicture]


class ProviderInfo(BaseModel):
    """An engine that this server offers."""

    name: str
    usd_per_picture: float | None = Field(ge=0, description="0 is free, null is unknown.")
    remote: bool = Field(description="True when pictures are sent to another company's servers.")
    explains: bool = Field(description="Whether `/explain` can say why it says what it says.")


class Providers(BaseModel):
    """The engines that this server offers, the default first."""

    providers: list[ProviderInfo]
    key_needed: bool = Field(description="Whether questions need an API key.")
    max_body_bytes: int = Field(description="How large a request may be.")
    collects: bool = Field(description="Whether pictures may be labelled, and are kept then, by `/label`.")


class Health(BaseModel):
    """Alive."""

    status: str = Field(examples=["ok"])
    model_loaded: bool


class Ready(BaseModel):
    """Whether it makes sense to send questions now."""

    ready: bool


def reading_of(read: inference.Reading, *, seen: bool = False) -> Reading:
    """One reading; a failure has its problem in it.

    Args:
        seen: also show what the network was given.
    """
    outcome = read.outcome
    picture = _seen(read.prepared) if seen else None
    if isinstance(outcome, Failure):
        problem = ProblemBody(**problems.from_error(outcome.error).body())
        return Reading(
            prediction=None, confidence=None, probs=None, reason=None, calibrated=None, text=None,
            left_out=[], provider=outcome.provider, model_version=None, latency_s=outcome.latency_s,
            cost_usd=outcome.cost_usd, emulated=False, replayed=False, sha256=outcome.image.sha256,
            seen=picture, problem=problem, asked=[],
        )  # fmt: skip
    return Reading(
        prediction=outcome.digit, confidence=outcome.confidence,
        probs=None if outcome.probabilities is None else list(outcome.probabilities),
        reason=outcome.reason, calibrated=outcome.calibrated, text=outcome.text,
        left_out=list(outcome.left_out),
        provider=outcome.provider, model_version=outcome.model_version, latency_s=outcome.latency_s,
        cost_usd=outcome.cost_usd, emulated=outcome.emulated, replayed=outcome.replayed,
        sha256=outcome.image.sha256, seen=picture, problem=None,
        asked=[reading_of(inference.Reading(said, None)) for said in outcome.asked],
    )  # fmt: skip


def _seen(prepared: MaybePrepared | None) -> str | None:
    """The 28x28 picture as a PNG data URL; None where no network of ours was given one."""
    if not isinstance(prepared, PreparedImage) or prepared.media_type != "image/x-mnist":
        return None
    return data_url(prepared.picture())


def png(picture: Image.Image) -> bytes:
    """The picture as a PNG."""
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def data_url(picture: Image.Image) -> str:
    """The picture as a PNG data URL."""
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


_EXAMPLE_URL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABwAAAAcAQAAAABaduI5AAAASUlEQVR42nXNsQ3CMBQFwPtPLlyyAYyS0VMy"
    "jukoLD59pDTXXjWfwJWuKWxhGNVvYQqn8KD7ucJLNOEQP/TuFZso4kuEWNRd+QfccxT44vdacgAAAABJRU5ErkJggg=="
)
"""A 7 of 28x28 pixels."""
_BINARY = {"type": "string", "format": "binary"}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "array", "minItems": 1, "items": _BINARY, "description": "One file or several."}
    },
}
_JSON = {
    "oneOf": [
        {
            "type": "object",
            "required": [name],
            "additionalProperties": False,
            "properties": {name: schema},
        }
        for name, schema in (
            ("image", {"type": "string", "minLength": 1}),
            ("images", {"type": "array", "minItems": 1, "items": {"type": "string"}}),
        )
    ]
}

PICTURES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FORM},
            "application/json": {
                "schema": _JSON,
                "examples": {"a data URL": {"value": {"image": _EXAMPLE_URL}}},
            },
            "image/*": {"schema": _BINARY},
            "application/octet-stream": {"schema": _BINARY},
        },
    }
}
"""How pictures are sent, for OpenAPI."""


def problem(text: str) -> dict[str, Any]:
    """An answer with a problem body, for OpenAPI."""
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: problem(text)
    for status, text in {
        400: "The form is malformed.",
        401: "A key is needed.",
        402: "The budget is spent.",
        403: "Another site's page asked.",
        408: "The request arrived too slowly.",
        413: "Too large, or too many pictures.",
        422: "Not a picture, or not a request we know.",
        429: "Too many requests from this client.",
        502: "A remote engine failed.",
        503: "Busy; come back after Retry-After.",
        504: "No answer in time.",
    }.items()
}
"""What else a question may be answered with, for OpenAPI."""
