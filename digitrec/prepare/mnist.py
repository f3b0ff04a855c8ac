"""Bring a digit into MNIST's form: 28x28, ink high, 20 pixels long, its centre of mass in the middle."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from digitrec.image import DigitImage, Findings, InputSpec, PreparedImage
from digitrec.image.pixels import Pixels
from digitrec.prepare.filters import Floats
from digitrec.prepare.form import SIDE, as_bytes, in_form, laid_out, placed, square, thickened

if TYPE_CHECKING:
    from digitrec.prepare.found import Ink
    from digitrec.prepare.proposals import Reading


_NOTHING = bytes(SIDE * SIDE)


def prepare_many(images: Sequence[DigitImage], spec: InputSpec) -> list[PreparedImage]:
    """Prepare many pictures; check in one step which are already in MNIST's form."""
    small = {i: grey for i, image in enumerate(images) if (grey := _of_its_size(image)) is not None}
    fits = in_form(np.array([*small.values()], np.uint8).reshape(-1, SIDE, SIDE))
    ready = set(np.array([*small])[fits].tolist())
    return [
        _unchanged(small[i], image, spec) if i in ready else _prepare(image, spec)
        for i, image in enumerate(images)
    ]


def _prepare(image: DigitImage, spec: InputSpec) -> PreparedImage:
    """Return the digit on a picture as 784 bytes, row by row, ink high, with the findings.

    Without ink all bytes are 0; of several digits the bytes show the largest. A 28x28 picture that is nearly
    in MNIST's form may have lines, specks or haze, which count as ink and shift the digit; so the full frame
    is added as `whole`.
    """
    from digitrec.prepare.found import told  # a digit in MNIST's form does not need these
    from digitrec.prepare.proposals import network

    start = time.perf_counter()
    picture, ink, findings, read = _searched(image)
    whole = None if ink.fine is None else _whole(picture, ink)
    if read is not None:
        data = read.pixels.tobytes()
        chances = {(network().version, data): read.chances}
    else:
        data, chances = (_NOTHING if ink.fine is None else laid_out(ink.fine).tobytes()), {}
    findings = told(findings, image.place)
    seconds = time.perf_counter() - start
    return PreparedImage(data, "image/x-mnist", spec, image.ref, findings, whole, chances, seconds)


def _searched(image: DigitImage) -> tuple[Image.Image, Ink, Findings, Reading | None]:
    """Search for the digit; return the searched picture, its ink, the findings and the digit's reading."""
    from digitrec.prepare.ink import GLANCE_SIDE, find_ink
    from digitrec.prepare.judge import found
    from digitrec.prepare.projection import reduced, unhidden

    known = reduced(image.picture, GLANCE_SIDE)
    picture = unhidden(image.picture, known[0])
    ink = find_ink(picture, known if picture is image.picture else None)
    return picture, ink, *found(replace(image, _held=picture), ink)


def steps(image: DigitImage, counted: bytes | None = None) -> list[tuple[str, Pixels]]:
    """Return the steps of `prepare`, each with its name and its picture, uint8 (h, w).

    Args:
        image: the prepared picture.
        counted: the 784 bytes of the reading whose steps are shown; None: the first reading.
    """
    if (grey := _of_its_size(image)) is not None and in_form(grey[None])[0]:
        return [("already in MNIST's form", grey)]
    from digitrec.prepare.closeup import close_up

    picture, ink, findings, read = _searched(image)
    fine = ink.fine if read is None else read.ink
    shown = [("ink", as_bytes(ink.mask.astype(np.float32)))]
    if fine is None:
        return shown
    if fine is not ink.fine:
        name = f"refused: {ink.reason}" if ink.reason else "found elsewhere"
        return [(name, shown[0][1]), *_shaped(fine)]
    flat = close_up(ink.picture, ink, ink.within, ink.mask.shape[::-1])
    shown.insert(0, ("paper removed", as_bytes(flat)))
    whole = _whole(picture, ink)
    if findings.reason is not None and whole is not None and whole == counted:
        return [*shown, ("read whole", square(whole))]
    if whole is not None:
        shown.append(("also read whole", square(whole)))
    return [*shown, *_shaped(fine)]


def _shaped(fine: Floats) -> list[tuple[str, Pixels]]:
    """Return the last steps: the digit's ink alone, thickened, and in MNIST's form."""
    thick = thickened(fine)
    return [("digit", as_bytes(fine)), ("strokes thickened", as_bytes(thick)), ("28x28", placed(thick))]


def _of_its_size(image: DigitImage) -> Pixels | None:
    """Return a grey picture of MNIST's size, (28, 28), also from equal channels; None for other pictures."""
    if image.size != (SIDE, SIDE):
        return None
    pixels = image.pixels
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        pixels = np.ascontiguousarray(pixels[..., 0])
    return pixels if pixels.ndim == 2 else None


_UNCHANGED = Findings(polarity="light on dark", unchanged=True)


def _unchanged(grey: Pixels, image: DigitImage, spec: InputSpec) -> PreparedImage:
    return PreparedImage(grey.tobytes(), "image/x-mnist", spec, image.ref, _UNCHANGED)


def _whole(picture: Image.Image, ink: Ink) -> bytes | None:
    """Return the full frame of a 28x28 picture without its paper; None if it is noise or has another size."""
    if picture.size != (SIDE, SIDE):
        return None
    from digitrec.prepare.background import is_noise
    from digitrec.prepare.closeup import close_up, strength

    if ink.reason is not None and is_noise(np.asarray(picture.convert("L"), np.float32)):
        return None
    contrast = close_up(picture, ink, (0, 0, SIDE, SIDE), (SIDE, SIDE))
    return as_bytes(strength(contrast, ink.level, ink.noise)).tobytes()
