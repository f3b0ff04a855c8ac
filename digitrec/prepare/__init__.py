"""Find the digit in a picture and prepare each provider's input."""

from __future__ import annotations

from collections.abc import Sequence

from digitrec.image import DigitImage, InputSpec, PreparedImage
from digitrec.prepare import mnist

__all__ = ["PREPARATIONS", "prepare", "prepare_many"]

PREPARATIONS = ("plain", "enlarged", "repeated")
"""How a picture may be prepared for an engine that is sent one; `digitrec.prepare.encode` does it."""


def prepare(image: DigitImage, spec: InputSpec) -> PreparedImage:
    """Prepare a picture in the form that ``spec`` names.

    Raises:
        ImageError: it cannot be sent in that form, because it exceeds the vendor's byte limit.
    """
    return prepare_many([image], spec)[0]


def prepare_many(images: Sequence[DigitImage], spec: InputSpec) -> list[PreparedImage]:
    """Prepare many pictures; 28x28 arrays already in MNIST's form are recognised all at once."""
    if spec.encoding == "mnist":
        return mnist.prepare_many(images, spec)
    if spec.encoding == "rgb":
        return [_as_it_is(image, spec) for image in images]
    from digitrec.prepare import encode  # our own network does not need it

    return [encode.prepare(image, spec) for image in images]


def _as_it_is(image: DigitImage, spec: InputSpec) -> PreparedImage:
    data = image.picture.convert("RGB").tobytes()
    return PreparedImage(data, "image/x-rgb", spec, image.ref, size=image.size, place=image.place)
