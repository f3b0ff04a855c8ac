"""A picture as one of MNIST's: 28x28, ink high, the digit 20 pixels long, its mass in the middle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from digitrec.image import DigitImage, Findings, InputSpec, PreparedImage
from digitrec.image.pixels import Pixels
from digitrec.prepare.components import Box, box_of, longer_side
from digitrec.prepare.filters import Floats, Mask, edges, grow, quantile, resize, steepness

if TYPE_CHECKING:
    from digitrec.prepare.found import Ink

SIDE = 28
DIGIT = 20
"""Longer side of the digit in MNIST, px."""
STROKE = 0.10
"""Strokes are at least this share of the digit's longer side; of MNIST's, 95 % are."""
PALE = 0.08
"""Ink paler than this share of the digit's is too little to count for its size."""
INKED = 0.98
"""On a picture laid out as MNIST's are the rest, one pixel of 50, is as dark as its ink."""
LAID = 16
"""What stands out on a picture laid out as MNIST's are is at least this long, px; else it is a smaller digit,
alone on its paper."""

FILLED = 40
"""A picture that a digit fills to all four edges is at most so large, px: as classifiers are given them."""
LEAST = 8
"""And at least so large, or no digit is to be told on it."""
STRONG = 64.0
"""And its ink differs from its paper by so many of 255 steps."""

_NOTHING = bytes(SIDE * SIDE)


def prepare(image: DigitImage, spec: InputSpec) -> PreparedImage:
    """The digit on a picture as 784 bytes, row by row, ink high, with what was found on the way.

    Where nothing was found the bytes are all 0; where several digits were, they show the largest. A picture
    of 28x28 that is not quite in MNIST's form may be so but for lines, specks or haze, which would be taken
    for ink and move the digit: it is also given as a `whole`.
    """
    if _is_in_form(image):
        return _unchanged(image, spec)
    from digitrec.prepare.ink import find_ink  # a digit in MNIST's form needs none of it

    picture = image.picture
    ink = find_ink(picture)
    others = _filled(picture, ink)
    first, second = _readings(image, ink, bool(others))
    findings = Findings(
        None if others else first.reason, len(first.boxes), first.boxes, first.polarity,
        left_out=first.left_out, share=first.share,
    )  # fmt: skip
    if first.fine is None:
        return PreparedImage(_NOTHING, "image/x-mnist", spec, image.ref, findings, others=others)
    rival = None if second is None or second.fine is None else _laid_out(second.fine).tobytes()
    return PreparedImage(
        _laid_out(first.fine).tobytes(), "image/x-mnist", spec, image.ref, findings,
        _whole(picture, ink), rival, others,
    )  # fmt: skip


def _readings(image: DigitImage, ink: Ink, has_others: bool = False) -> tuple[Ink, Ink | None]:
    """What is seen on a picture, the likelier first: as it stands, and looked at in another way.

    A cell that shows a digit plainly is meant where the picture shows none. On a small picture, of which
    there may be others besides, edges and polarity tell less.
    """
    other, small = ink.other, max(image.size) <= FILLED
    if other is None or other.reason is not None:
        return ink, None
    if ink.reason is not None:
        return (other if other.plain and not has_others else ink), None
    return (other, ink) if other.meant and not small else (ink, other)


def _filled(picture: Image.Image, ink: Ink) -> tuple[bytes, ...]:
    """All of a small picture that its digit may fill, as light ink and as dark; empty: it does not."""
    width, height = picture.size
    if max(height, width) > FILLED or (height, width) == (SIDE, SIDE) or min(height, width) < LEAST:
        return ()
    grey = np.asarray(picture.convert("L"), np.float32)
    low, high = float(grey.min()), float(grey.max())
    box = ink.box or (0, 0, width, height)
    fills = min(box[2] - box[0], box[3] - box[1]) >= min(height, width) - 1
    if high - low < STRONG or not (fills or ink.reason):
        return ()
    light = (grey - low) / (high - low)
    touched = [[bool((edge > 0.5).any()), bool((edge < 0.5).any())] for edge in edges(light)]
    if not any(all(either) for either in zip(*touched, strict=True)):
        return ()
    return tuple(_placed(values).tobytes() for values in (light, 1 - light))


def steps(image: DigitImage, counted: bytes | None = None) -> list[tuple[str, Pixels]]:
    """How `prepare` came to its 28x28 pixels: the name and the picture, uint8 (h, w), of each step.

    Args:
        image: what was prepared.
        counted: of several readings the one whose steps are shown; None: the first.
    """
    if _is_in_form(image):
        return [("already in MNIST's form", image.pixels)]
    from digitrec.prepare.closeup import close_up
    from digitrec.prepare.ink import find_ink

    picture = image.picture
    seen = find_ink(picture)
    ink, other = _readings(image, seen)
    if other is not None and other.fine is not None and _laid_out(other.fine).tobytes() == counted:
        ink, other = other, ink
    flat = close_up(ink.picture, ink, ink.within, ink.mask.shape[::-1])
    shown = [("paper removed", _bytes(flat)), ("ink", _bytes(ink.mask.astype(np.float32)))]
    if ink.fine is None:
        return shown
    whole = _whole(picture, seen)
    if len(ink.digits) > 1:
        many = len(ink.digits)
        shown[1:] = [(f"no. {i} of {many}", _laid_out(one.fine)) for i, one in enumerate(ink.digits, 1)]
    if ink.reason is not None and whole is not None and whole == counted:
        return [*shown, ("read whole", _square(whole))]
    if len(ink.digits) > 1:
        return shown
    if other is not None and other.fine is not None:
        shown.append((f"also read {other.way}", _laid_out(other.fine)))
    if whole is not None:
        shown.append(("also read whole", _square(whole)))
    thick = _thickened(ink.fine)
    last = [("digit", _bytes(ink.fine)), ("strokes thickened", _bytes(thick)), ("28x28", _placed(thick))]
    return [*shown, *last]


def _square(data: bytes) -> Pixels:
    return np.frombuffer(data, np.uint8).reshape(SIDE, SIDE)


def prepare_many(images: Sequence[DigitImage], spec: InputSpec) -> list[PreparedImage]:
    """The same for many pictures; those already in MNIST's form are recognised all at once."""
    small = [i for i, image in enumerate(images) if _is_its_size(image)]
    fits = in_form(np.array([images[i].pixels for i in small], np.uint8).reshape(-1, SIDE, SIDE))
    ready = set(np.array(small)[fits].tolist())
    return [_unchanged(x, spec) if i in ready else prepare(x, spec) for i, x in enumerate(images)]


def _is_in_form(image: DigitImage) -> bool:
    return _is_its_size(image) and bool(in_form(image.pixels[None])[0])


def _is_its_size(image: DigitImage) -> bool:
    """Whether it is grey and of MNIST's size."""
    return image.size == (SIDE, SIDE) and image.pixels.ndim == 2


_UNCHANGED = Findings(polarity="light on dark", unchanged=True)


def _unchanged(image: DigitImage, spec: InputSpec) -> PreparedImage:
    return PreparedImage(image.pixels.tobytes(), "image/x-mnist", spec, image.ref, _UNCHANGED)


def in_form(stack: Pixels) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which images of a stack, (N, 28, 28), are made as MNIST's are.

    That is: the ink's box is 20 pixels long (19 in 13 of the 60,000 training images), and its centre of
    mass is in the middle to half a pixel, as rounding left it.
    """
    ink = stack.astype(np.float32)
    down, across = ink @ _ONES, _ONES @ ink
    longer = np.maximum(_length(down > 0), _length(across > 0))
    mass = np.maximum(down.sum(axis=1), 1)
    at = np.arange(SIDE, dtype=np.float32)
    off_y, off_x = down @ at / mass - SIDE / 2, across @ at / mass - SIDE / 2
    middle = (np.abs(off_y) < 0.6) & (np.abs(off_x) < 0.6)
    return np.asarray((longer >= DIGIT - 1) & (longer <= DIGIT) & middle)


_ONES = np.ones(SIDE, np.float32)
"""A product with it is a sum over rows or columns, several times as quick as np.sum over 28 numbers."""


def _length(inked: Mask) -> np.ndarray[Any, np.dtype[np.intp]]:
    """From the first to the last that is inked, for each line of (N, 28)."""
    return np.asarray(SIDE - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1))


def _whole(picture: Image.Image, ink: Ink) -> bytes | None:
    """All that stands out from the paper of a 28x28 picture, where it is; None: no digit can be laid so."""
    if picture.size != (SIDE, SIDE):
        return None
    from digitrec.prepare.background import is_noise
    from digitrec.prepare.closeup import close_up, strength

    if ink.reason is not None and is_noise(np.asarray(picture.convert("L"), np.float32)):
        return None
    contrast = close_up(picture, ink, (0, 0, SIDE, SIDE), (SIDE, SIDE))
    inked = strength(contrast, quantile(contrast, INKED), ink.noise)
    return _bytes(inked).tobytes() if longer_side(_extent(inked)) >= LAID else None


def _laid_out(fine: Floats) -> Pixels:
    """A digit's ink alone as one of MNIST's."""
    return _placed(_thickened(fine))


def _stroke(fine: Floats) -> float:
    """Mean width of the strokes, px: the ink's area is width times length, its outline twice the length.

    The outline is measured as total variation, which blur does not change.
    """
    return 2 * float(fine.sum()) / max(float(steepness(fine).sum()), 1e-6)


def _thickened(fine: Floats) -> Floats:
    """Strokes brought to at least MNIST's width."""
    missing = (STROKE * longer_side(_extent(fine)) - _stroke(fine)) / 2
    if missing <= 0:
        return fine
    radius = int(np.ceil(missing))
    fine = np.pad(fine, radius)
    inner = grow(fine, radius - 1)
    return np.asarray(inner + np.float32(missing - (radius - 1)) * (grow(fine, radius) - inner))


def _extent(fine: Floats) -> Box:
    """Return the box of the ink; all of it if there is none."""
    return box_of(fine > PALE) or (0, 0, fine.shape[1], fine.shape[0])


def _placed(fine: Floats) -> Pixels:
    """Scaled to 20 pixels and laid on 28x28 with the centre of mass in the middle."""
    left, top, right, bottom = box = _extent(fine)
    scale = DIGIT / longer_side(box)
    width, height = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    small = _bytes(resize(fine, width, height, box, Image.Resampling.BOX))
    mass = max(int(small.sum()), 1)
    y = round(SIDE / 2 - float(small.sum(axis=1) @ np.arange(height)) / mass)
    x = round(SIDE / 2 - float(small.sum(axis=0) @ np.arange(width)) / mass)
    y, x = min(max(y, 0), SIDE - height), min(max(x, 0), SIDE - width)
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[y : y + height, x : x + width] = small
    return canvas


def _bytes(values: Floats) -> Pixels:
    return (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
