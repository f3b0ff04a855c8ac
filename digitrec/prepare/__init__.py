"""From a picture to exactly what a provider wants, and what was seen on the way."""

from __future__ import annotations

from collections.abc import Sequence

from digitrec.image import DigitImage, InputSpec, PreparedImage
from digitrec.prepare import encode, mnist

__all__ = ["prepare", "prepare_many"]


def prepare(image: DigitImage, spec: InputSpec) -> PreparedImage:
    """The image in the form that ``spec`` names.

    Raises:
        ImageError: it cannot be brought into that form (too large for the vendor's byte limit).
    """
    if spec.encoding == "mnist":
        return mnist.prepare(image, spec)
    return encode.prepare(image, spec)


def prepare_many(images: Sequence[DigitImage], spec: InputSpec) -> list[PreparedImage]:
    """The same for many images; 28x28 arrays already in MNIST's form are recognised all at once."""
    if spec.encoding == "mnist":
        return mnist.prepare_many(images, spec)
    return [encode.prepare(image, spec) for image in images]
