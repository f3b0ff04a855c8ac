"""Bring a digit into MNIST's form: 28x28, ink high, 20 pixels long, its centre of mass in the middle."""

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
"""Longer side of a digit in MNIST, in pixels."""
STROKE = 0.10
"""Least width of a stroke as a share of the digit's longer side; 95 % of MNIST's are wider."""
PALE = 0.08
"""Ink paler than this does not count for the digit's size, 0..1."""
INKED = 0.98
"""Quantile of a 28x28 picture's contrast that is taken for the darkness of its ink."""
LAID = 16
"""Least length of the ink, in pixels, for the full-frame pass of a 28x28 picture; a smaller digit is one on
its paper."""

FILLED = 40
"""Largest side of a picture that its digit may fill to the edges, in pixels, as in data sets."""
LEAST = 8
"""Smallest side of such a picture, in pixels."""
STRONG = 64.0
"""Least difference between ink and paper of such a picture, 0..255."""

_NOTHING = bytes(SIDE * SIDE)


def prepare_many(images: Sequence[DigitImage], spec: InputSpec) -> list[PreparedImage]:
    """Prepare many pictures; those already in MNIST's form are recognised all at once."""
    small = [i for i, image in enumerate(images) if _is_its_size(image)]
    fits = in_form(np.array([images[i].pixels for i in small], np.uint8).reshape(-1, SIDE, SIDE))
    ready = set(np.array(small)[fits].tolist())
    return [_unchanged(x, spec) if i in ready else _prepare(x, spec) for i, x in enumerate(images)]


def _prepare(image: DigitImage, spec: InputSpec) -> PreparedImage:
    """Return the digit on a picture as 784 bytes, row by row, ink high, with the findings.

    Without ink all bytes are 0; of several digits they show the largest. A 28x28 picture that is not quite in
    MNIST's form may only have lines, specks or haze, which count as ink and shift the digit: its `whole` is
    the full frame.
    """
    from digitrec.prepare.ink import find_ink  # a digit in MNIST's form does not need it

    picture = image.picture
    ink = find_ink(picture)
    others = _filled(picture, ink)
    first, second = _readings(image, ink, bool(others))
    findings = Findings(
        None if others else first.reason, len(first.boxes), first.boxes, first.polarity,
        left_out=first.left_out, share=first.share,
    )  # fmt: skip
    found = _second_opinion(image, findings)
    if found is not None:
        return PreparedImage(_laid_out(found[1]).tobytes(), "image/x-mnist", spec, image.ref, found[0])
    if first.fine is None:
        return PreparedImage(_NOTHING, "image/x-mnist", spec, image.ref, findings, others=others)
    rival = None if second is None or second.fine is None else _laid_out(second.fine).tobytes()
    return PreparedImage(
        _laid_out(first.fine).tobytes(), "image/x-mnist", spec, image.ref, findings,
        _whole(picture, ink), rival, others,
    )  # fmt: skip


def _readings(image: DigitImage, ink: Ink, has_others: bool = False) -> tuple[Ink, Ink | None]:
    """Return what was found on a picture, the likelier first, and the other way to see it, if any.

    If the picture as it stands shows no digit, a cell that plainly shows one counts. On a small picture edges
    and polarity say less.
    """
    other, small = ink.other, max(image.size) <= FILLED
    if other is None or other.reason is not None:
        return ink, None
    if ink.reason is not None:
        return (other if other.plain and not has_others else ink), None
    return (other, ink) if other.meant and not small else (ink, other)


def _filled(picture: Image.Image, ink: Ink) -> tuple[bytes, ...]:
    """Return a small picture that its digit may fill, once as light ink and once as dark; else nothing."""
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
    """Return the steps of `prepare`: the name and the picture, uint8 (h, w), of each.

    Args:
        image: the prepared picture.
        counted: the 784 bytes of the reading whose steps are shown; None: the first reading.
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
    found = _second_opinion(image, Findings(ink.reason))
    if found is not None and _laid_out(found[1]).tobytes() == counted:
        return [(f"refused: {ink.reason}", _bytes(ink.mask.astype(np.float32))), *_shaped(found[1])]
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
    return [*shown, *_shaped(ink.fine)]


def _shaped(fine: Floats) -> list[tuple[str, Pixels]]:
    """Return the last steps: the digit's ink alone, thickened, and in MNIST's form."""
    thick = _thickened(fine)
    return [("digit", _bytes(fine)), ("strokes thickened", _bytes(thick)), ("28x28", _placed(thick))]


def _second_opinion(image: DigitImage, findings: Findings) -> tuple[Findings, Floats] | None:
    """Return what the finder sees where the rules refuse a picture; None if that is no single digit."""
    if findings.reason is None or image.size == (SIDE, SIDE):
        return None
    from digitrec.prepare.opinion import second_opinion

    return second_opinion(image, findings)


def _square(data: bytes) -> Pixels:
    return np.frombuffer(data, np.uint8).reshape(SIDE, SIDE)


def _is_in_form(image: DigitImage) -> bool:
    return _is_its_size(image) and bool(in_form(image.pixels[None])[0])


def _is_its_size(image: DigitImage) -> bool:
    """Return whether a picture is grey and of MNIST's size."""
    return image.size == (SIDE, SIDE) and image.pixels.ndim == 2


_UNCHANGED = Findings(polarity="light on dark", unchanged=True)


def _unchanged(image: DigitImage, spec: InputSpec) -> PreparedImage:
    return PreparedImage(image.pixels.tobytes(), "image/x-mnist", spec, image.ref, _UNCHANGED)


def in_form(stack: Pixels) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which images of a stack, (N, 28, 28), are in MNIST's form.

    The ink's box is 20 pixels long (19 in 13 of the 60,000 training images), and its centre of mass is in the
    middle to half a pixel, because MNIST rounded it.
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
"""A product with it sums rows or columns several times faster than np.sum does for 28 numbers."""


def _length(inked: Mask) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the length from the first to the last inked place in each row of (N, 28)."""
    return np.asarray(SIDE - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1))


def _whole(picture: Image.Image, ink: Ink) -> bytes | None:
    """Return the full frame of a 28x28 picture without its paper; None if its ink cannot be a whole digit."""
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
    """Return a digit's ink alone in MNIST's form."""
    return _placed(_thickened(fine))


def _stroke(fine: Floats) -> float:
    """Return the mean width of the strokes, in pixels: twice the ink's area by the length of its outline.

    The outline is measured as total variation, which blur does not change.
    """
    return 2 * float(fine.sum()) / max(float(steepness(fine).sum()), 1e-6)


def _thickened(fine: Floats) -> Floats:
    """Thicken strokes to at least MNIST's width."""
    missing = (STROKE * longer_side(_extent(fine)) - _stroke(fine)) / 2
    if missing <= 0:
        return fine
    radius = int(np.ceil(missing))
    fine = np.pad(fine, radius)
    inner = grow(fine, radius - 1)
    return np.asarray(inner + np.float32(missing - (radius - 1)) * (grow(fine, radius) - inner))


def _extent(fine: Floats) -> Box:
    """Return the box of the ink; the whole picture if there is no ink."""
    return box_of(fine > PALE) or (0, 0, fine.shape[1], fine.shape[0])


def _placed(fine: Floats) -> Pixels:
    """Scale to 20 pixels and place on 28x28 with the centre of mass in the middle."""
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
