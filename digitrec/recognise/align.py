"""Align a form that was photographed at an angle, by its frame or else by its printed lines."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digitrec.image import Box, DigitImage, Place
from digitrec.prepare.components import components

WORKING_SIDE = 800
"""Longer side of the reduced picture that is searched for a frame and lines, in pixels."""
DARK = 0.85
"""Maximum brightness of a line, as a share of the brightness around it."""
LARGE = 0.2
"""Minimum area of a form's frame, as a share of the picture's."""
INKED = 0.7
"""Minimum share of each side of a frame, and of each printed line, that has ink."""
LINE = 0.4
"""Minimum length of a printed line, as a share of the picture's width."""
STEEPEST, STEP = 15.0, 0.5
"""Largest angle of printed lines, and the step between the angles that are tried, in degrees."""
LEVEL = 0.005
"""A form whose corners are off by less than this share of the picture's longer side is not moved."""

Corners = NDArray[np.float64]
"""Top left, top right, bottom right and bottom left, (4, 2): x and y."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A form turned upright."""

    image: DigitImage
    """The form's picture after it was aligned."""
    _to_picture: tuple[float, ...] | None
    """The eight coefficients from its pixels to those of the original; None: the form was not moved."""
    before: Place
    """Where the original picture lies on the user's picture."""

    def back(self, box: Box) -> Box:
        """Return the smallest box on the user's picture around a box on the form, in pixels."""
        if self._to_picture is None:
            return box
        places = moved(rectangle(box), self._to_picture)
        (left, top), (right, bottom) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
        return self.before.box((left, top, right, bottom))


def align(image: DigitImage, frame: Box | None) -> Aligned | None:
    """Return the form upright; None if it has neither a frame nor printed lines.

    Args:
        image: the form's picture.
        frame: left, top, right, bottom of the frame on the page, as shares of the page's sides; None: the
            frame keeps its place on the picture.
    """
    seen = image.thumbnail(WORKING_SIDE).convert("L")
    dark = _dark(seen)
    found = _frame(dark)
    if found is None:
        if (found := _by_lines(dark)) is None:
            return None
        frame = 0.0, 0.0, 1.0, 1.0
    corners = found * (np.array(image.size) / seen.size)
    target = _upright(corners) if frame is None else rectangle(frame) * image.size
    if (np.abs(corners - target) < LEVEL * max(image.size)).all():
        return Aligned(image, None, image.place)
    coefficients = perspective(target, corners)
    picture = image.picture.transform(
        image.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC, fillcolor="white"
    )
    level = replace(image, _held=picture, _place=None, _view=f"{image._view} aligned {frame}")
    return Aligned(level, coefficients, image.place)


def _dark(grey: Image.Image) -> NDArray[np.bool_]:
    """Return a mask, (h, w), of the pixels darker than their surroundings, grown by a pixel on each side."""
    around = grey.filter(ImageFilter.BoxBlur(max(grey.size) // 40))
    ink = np.asarray(grey, np.float32) < DARK * np.asarray(around, np.float32)
    return np.asarray(Image.fromarray(ink).convert("L").filter(ImageFilter.MaxFilter(3))) > 0


def _frame(dark: NDArray[np.bool_]) -> Corners | None:
    """Return the corners of the largest connected ink if its four sides are straight lines, else None."""
    parts = components(dark)
    if not len(parts):
        return None
    largest = int(np.argmax(parts.width * parts.height))
    ys, xs = np.nonzero(parts.drawn(np.arange(len(parts)) == largest))
    ends = [np.argmin(xs + ys), np.argmax(xs - ys), np.argmax(xs + ys), np.argmin(xs - ys)]
    corners = np.array([(xs[end], ys[end]) for end in ends], float)
    if np.linalg.det(corners[2:] - corners[:2]) < 2 * LARGE * dark.size:  # twice the area, by the diagonals
        return None
    near = np.asarray(Image.fromarray(dark).convert("L").filter(ImageFilter.MaxFilter(5))) > 0
    sides = np.linspace(corners, np.roll(corners, -1, axis=0), 100).round().astype(int)
    inked = near[sides[..., 1], sides[..., 0]].mean(axis=0)  # the share with ink within two pixels
    return corners if (inked >= INKED).all() else None


def _by_lines(dark: NDArray[np.bool_]) -> Corners | None:
    """Return the corners of a level page on the picture, found by its printed lines; None without lines."""
    small = Image.fromarray(dark).convert("L")
    small.thumbnail((WORKING_SIDE // 2, WORKING_SIDE // 2))
    best, angle = 0.0, 0.0
    for degrees in np.arange(-STEEPEST, STEEPEST + STEP, STEP):
        rows = (np.asarray(small.rotate(degrees)) > 0).mean(axis=1)
        if (sharpness := float((rows**4).sum())) > best and rows.max() >= LINE:
            best, angle = sharpness, np.radians(degrees)
    if best == 0:
        return None
    size = np.array(dark.shape[::-1], float)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray((rectangle((0, 0, 1, 1)) - 0.5) * size @ turn + size / 2)


def _upright(corners: Corners) -> Corners:
    """Return the upright rectangle with the same centre and the mean lengths of opposite sides."""
    top, right, bottom, left = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    size = (top + bottom) / 2, (left + right) / 2
    return np.asarray(corners.mean(axis=0) + (rectangle((0, 0, 1, 1)) - 0.5) * size)


def rectangle(box: Box) -> Corners:
    """Return the corners of a box."""
    left, top, right, bottom = box
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


def perspective(source: Corners, target: Corners) -> tuple[float, ...]:
    """Return the eight coefficients, in Pillow's order, that map four points to four others."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source.tolist(), target.tolist(), strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        values += [u, v]
    return tuple(np.linalg.solve(np.array(rows), np.array(values)).tolist())


def moved(points: Corners, by: tuple[float, ...]) -> Corners:
    """Return where points, (n, 2), lie after a `perspective`."""
    places = np.column_stack([points, np.ones(len(points))]) @ np.reshape([*by, 1.0], (3, 3)).T
    return np.asarray(places[:, :2] / places[:, 2:])
