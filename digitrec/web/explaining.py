"""The answer of `/explain`: its models for OpenAPI, and how an explanation becomes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from digitrec.recognise.explain import SHOWN, Explanation, Inside, by_network, mosaic
from digitrec.web.schemas import Body, Reading, data_url, reading_of


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
    picture: str = Field(
        description=f"The first {SHOWN} maps side by side, a PNG data URL; white: the layer's largest value."
    )


class InsideBody(Body):
    """What happened in the network for one reading of the picture."""

    name: str = Field(examples=["cut out"])
    """"cut out" or "as it stands"."""
    picture: str
    """The 28x28 it was given, a PNG data URL."""
    field: list[float] = Field(
        min_length=4,
        max_length=4,
        description="The part of the picture sent that those show: left, top, right, bottom, as shares of "
        "its width and height; may lie beyond its edges.",
    )
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
    saliency: list[list[float]] | None = Field(
        description="28x28: by how much hiding the ink around a place lowers the digit's log-odds; "
        "null where the picture was refused, and with `?saliency=false`."
    )
    grad_cam: list[ClassMap] | None = Field(
        description="Grad-CAM of the likeliest digit and of the next; null where the picture was refused, "
        "and for a model without feature maps."
    )
    where: list[str]
    """The parts whose ink spoke most for the digit, the strongest first."""
    inside: list[InsideBody] = Field(
        description="With `?inside=true`: each reading that the network took, that of `saliency` first; "
        "empty where the picture was refused."
    )


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
