"""Find the digit in a picture and prepare each provider's input."""

from collections.abc import Mapping, Sequence
from typing import Any

from digitrec.image import DigitImage, InputSpec, PreparedImage
from digitrec.prepare import mnist

__all__ = ["PREPARATIONS", "prepare", "prepare_many"]

PREPARATIONS: Mapping[str, Mapping[str, Any]] = {
    "plain": {"crop": False, "margin": 0.1, "repeat": 1},
    "enlarged": {"crop": True, "margin": 0.5, "repeat": 1},
    "repeated": {"crop": True, "margin": 0.5, "repeat": 3},
}
"""The preparations for engines that take an encoded picture (see `digitrec.prepare.encode`), with the fields
of `InputSpec` that each sets; three copies are enough for a majority."""


def prepare(image: DigitImage, spec: InputSpec) -> PreparedImage:
    """Prepare a picture in the form that ``spec`` names.

    Raises:
        ImageError: the picture exceeds the vendor's byte limit in that form.
    """
    return prepare_many([image], spec)[0]


def prepare_many(images: Sequence[DigitImage], spec: InputSpec) -> list[PreparedImage]:
    """Prepare many pictures; check in one step which 28x28 arrays are already in MNIST's form."""
    if spec.encoding == "mnist":
        return mnist.prepare_many(images, spec)
    if spec.encoding == "rgb":
        return [_as_it_is(image, spec) for image in images]
    from digitrec.prepare import encode  # our own network does not need it

    return [encode.prepare(image, spec) for image in images]


def _as_it_is(image: DigitImage, spec: InputSpec) -> PreparedImage:
    data = image.picture.convert("RGB").tobytes()
    return PreparedImage(data, "image/x-rgb", spec, image.ref, size=image.size, place=image.place)
