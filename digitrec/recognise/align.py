"""Align a form that was photographed at an angle, by its frame or else by its printed lines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digitrec.image import Box, DigitImage, Place
from digitrec.image.pixels import Pixels
from digitrec.prepare.components import components

WORKING_SIDE = 800
"""Longer side of the reduced picture that is searched for a frame and lines, in pixels."""
DARK = 0.85
"""Maximum brightness of a line, as a share of the brightness around it."""
LARGE = 0.2
"""Minimum area of a form's frame, as a share of the picture's."""
INKED = 0.7
"""Minimum share of each side of a frame, and of each printed line, that has ink."""
UNEVEN = 0.3
"""Minimum length of a frame's side, as a share of the opposite one; a triangle has a shorter side."""
OUTSIDE = 0.015
"""How far outside a frame the paper is looked for, as a share of the distance from its middle."""
EDGE = 0.02
"""Maximum distance of a line around the page from where its edge must be, as a share of the longer side."""
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
    """Return the form upright; None if it has no such frame, or neither a frame nor printed lines.

    Args:
        image: the form's picture.
        frame: left, top, right, bottom of the frame on the page, as shares of the page's sides; None: the
            frame, if there is one, keeps its place on the picture.
    """
    seen = image.thumbnail(WORKING_SIDE).convert("L")
    dark = _dark(seen)
    found = _frame(dark, np.asarray(seen), frame)
    if found is None:
        if frame is not None or (found := _by_lines(dark)) is None:
            return None
        frame = 0.0, 0.0, 1.0, 1.0
    corners, size = found * (np.array(image.size) / seen.size), image.size
    if frame is None:
        target = _upright(corners)
    else:
        size = _size_of_page(corners, frame, size)
        target = rectangle(frame) * size
    if size == image.size and (np.abs(corners - target) < LEVEL * max(size)).all():
        return Aligned(image, None, image.place)
    coefficients = perspective(target, corners)
    picture = image.picture.transform(
        size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC, fillcolor="white"
    )
    level = replace(image, _held=picture, _place=None, _view=f"{image._view} aligned {frame}")
    return Aligned(level, coefficients, image.place)


def _size_of_page(corners: Corners, frame: Box, most: tuple[int, int]) -> tuple[int, int]:
    """Return the page's width and height, in pixels; its area is at most that of the picture.

    Args:
        corners: the frame's corners on the picture.
        frame: the frame on the page, as shares of the page's sides.
        most: the picture's width and height; about equal sizes count as equal.
    """
    level = _upright(corners)
    page = (level[2] - level[0]) / (frame[2] - frame[0], frame[3] - frame[1])
    if (np.abs(page - most) < LEVEL * max(most)).all():
        return most
    width, height = page * min(1.0, float(np.sqrt(np.prod(most) / np.prod(page))))
    return max(1, round(width)), max(1, round(height))


def _dark(grey: Image.Image) -> NDArray[np.bool_]:
    """Return a mask, (h, w), of the pixels darker than their surroundings, grown by a pixel on each side."""
    around = grey.filter(ImageFilter.BoxBlur(max(grey.size) // 40))
    ink = np.asarray(grey, np.float32) < DARK * np.asarray(around, np.float32)
    return np.asarray(Image.fromarray(ink).convert("L").filter(ImageFilter.MaxFilter(3))) > 0


def _frame(dark: NDArray[np.bool_], grey: Pixels, on_page: Box | None) -> Corners | None:
    """Return the corners of the largest frame, if possible one with as light a ground outside as inside.

    A frame inside another is taken if the outer one is where the page's edge must be.

    Args:
        dark: (h, w), see `_dark`.
        grey: brightness, (h, w).
        on_page: the frame's place on the page; None: the edge of the paper on a darker table will do, too.
    """
    seen = [(corners, *_levels(corners, grey)) for corners in _frames(dark)]
    on_paper = [corners for corners, outside, _, inside in seen if outside >= DARK * inside]
    lines = [corners for corners, outside, line, inside in seen if 2 * outside >= line + inside]
    usable = on_paper or lines or [corners for corners, *_ in seen if on_page is None]
    if on_page is not None:
        edge, near = rectangle((0, 0, 1, 1)), EDGE * max(dark.shape)
        for inner in usable[1:]:
            page = moved(edge, perspective(rectangle(on_page), inner))
            if any((np.abs(page - outer) < near).all() for outer, *_ in seen):
                return inner
    return usable[0] if usable else None


def _frames(dark: NDArray[np.bool_]) -> Iterator[Corners]:
    """Yield the corners of each large connected ink, the largest first, until a side is not straight."""
    parts = components(dark)
    area, owner = parts.width * parts.height, parts.drawn(1 + np.arange(len(parts)))
    near = np.asarray(Image.fromarray(dark).convert("L").filter(ImageFilter.MaxFilter(5))) > 0
    for part in np.argsort(-area)[: np.count_nonzero(area >= LARGE * dark.size)]:
        ys, xs = np.nonzero(owner == part + 1)
        ends = [np.argmin(xs + ys), np.argmax(xs - ys), np.argmax(xs + ys), np.argmin(xs - ys)]
        corners = np.array([(xs[end], ys[end]) for end in ends], float)
        lengths = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
        is_even = (lengths >= UNEVEN * np.roll(lengths, 2)).all()
        area_twice = np.linalg.det(corners[2:] - corners[:2])  # by the diagonals
        inked = _along(near, corners).mean(axis=0)  # the share of each side with ink within two pixels
        if not is_even or area_twice < 2 * LARGE * dark.size or (inked < INKED).any():
            return  # a table inside a damaged frame is no frame
        yield corners


def _levels(corners: Corners, grey: Pixels) -> tuple[float, float, float]:
    """Return the brightness outside a frame, of its darkest line, and inside.

    Beyond the edge of a paper it is as dark as the edge, outside a printed line lighter than the line.
    """
    border = round(OUTSIDE * WORKING_SIDE)
    around = np.pad(grey, border, constant_values=255)  # nothing is dark beyond the picture
    darkest = np.asarray(Image.fromarray(around).filter(ImageFilter.MinFilter(5)))
    middle = corners.mean(axis=0)
    out, own, *into = (border + middle + k * (corners - middle) for k in (1 + OUTSIDE, 1, 0.9, 0.7, 0.5))
    inside = np.median([_along(around, each) for each in into])
    return float(np.median(_along(around, out))), float(np.median(_along(darkest, own))), float(inside)


def _along(values: NDArray[Any], corners: Corners) -> NDArray[Any]:
    """Return the values, of (h, w), at 100 places of each side, (100, 4)."""
    x, y = np.moveaxis(np.linspace(corners, np.roll(corners, -1, axis=0), 100).round().astype(int), 2, 0)
    return np.asarray(values[y, x])


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
