"""Digits from a synthetic hand: the shapes of `shapes`, never drawn twice alike.

MNIST was written in one country: its ones have no up-stroke, few of its sevens are crossed, its nines hang
straight. These digits add what it lacks; no person's handwriting is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitrec.lab.handwriting.pen import Path, Pen, ink, log_uniform
from digitrec.lab.handwriting.shapes import DIGITS, Shape

Pixels = NDArray[np.uint8]

_STEPS = 10  # points drawn between two points of a shape


def draw(digit: int, rng: np.random.Generator, side: int = 112, width: float | None = None) -> Pixels:
    """One digit in one of its shapes: (side, side), uint8, ink high.

    Args:
        digit: 0..9.
        rng: where everything that is not given comes from.
        side: pixels.
        width: breadth of the line as a share of the side, > 0; None: any pen's.
    """
    return write(DIGITS[digit], rng, side, width)


def write(shapes: Sequence[Shape], rng: np.random.Generator, side: int, width: float | None = None) -> Pixels:
    """Draw a character in one of the given shapes: (side, side), uint8, ink high."""
    weights = np.array([shape.weight for shape in shapes])
    shape = shapes[rng.choice(len(shapes), p=weights / weights.sum())]
    return put(by_hand(shape, rng), any_pen(rng, width), rng, side)


def any_pen(rng: np.random.Generator, width: float | None = None) -> Pen:
    """Return a pen of the given breadth, or of any from hair-thin to a thick brush."""
    breadth = width or log_uniform(rng, 0.009, 0.16)
    flat = float(rng.uniform(0.35, 1.0)) if rng.random() < 0.25 else 1.0
    return Pen(breadth, float(rng.uniform(0, 0.4)), flat, float(rng.normal(0.7, 0.4)))


def put(paths: Sequence[Path], pen: Pen, rng: np.random.Generator, side: int) -> Pixels:
    """Draw strokes of any scale so that they lie within the image: (side, side), uint8, ink high."""
    points = np.concatenate(paths)
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    breadth = pen.width * (1 + pen.pressure)
    scale = (rng.uniform(0.6, 0.92) - breadth) / size.max()
    rest = 1 - breadth - scale * size
    place = breadth / 2 + rest * np.clip(rng.normal(0.5, 0.12, 2), 0, 1)
    return ink([(path - corner) * scale + place for path in paths], pen, side, rng)


def by_hand(shape: Shape, rng: np.random.Generator) -> list[Path]:
    """Return the strokes of a shape as one hand draws them once: (N, 2) each, in the units of `shapes`."""
    reach = rng.uniform(-0.1, 1.1)
    unrest = rng.gamma(2.0, 1.1)  # how far this hand misses its points, 2 on average
    round_off = rng.random() < 0.3
    strokes = []
    for form, other in zip(_strokes(shape.form), _strokes(shape.other or shape.form), strict=True):
        share = reach + rng.normal(0, 0.15)
        points = form[:, :2] + share * (other[:, :2] - form[:, :2]) + rng.normal(0, unrest, (len(form), 2))
        strokes.append(_tremble(_curve(points, form[:, 2] > 0, round_off, rng), rng))
    return _leaning(strokes, rng)


def by_another_hand(digit: Sequence[Path], rng: np.random.Generator) -> list[Path]:
    """Vary the strokes of a digit, its height 100, as its writer might have drawn them another time."""
    strokes = [_tremble(smooth(stroke), rng) if len(stroke) > 2 else stroke for stroke in digit]
    return _leaning(strokes, rng) if rng.random() < 0.7 else strokes


def _strokes(form: str) -> list[NDArray[np.float64]]:
    """Return the points of each stroke: x, y and 1 at corners, 0 elsewhere."""
    return [
        np.array(
            [[*map(float, point.rstrip("! ").split()), point.endswith("!")] for point in stroke.split(",")]
        )
        for stroke in form.replace("! ", "!").split("/")
    ]


def _curve(points: Path, corners: NDArray[np.bool_], round_off: bool, rng: np.random.Generator) -> Path:
    """Draw a line through the points, smooth but for its corners, which some hands cut."""
    if round_off:
        points, corners = _cut(points, corners, rng.uniform(0.08, 0.25)), np.zeros(0, np.bool_)
    ends = [0, *np.flatnonzero(corners), len(points) - 1]
    pieces = [smooth(_bow(points[a : b + 1], rng)) for a, b in pairwise(ends) if b > a]
    return np.concatenate(pieces)


def _cut(points: Path, corners: NDArray[np.bool_], share: float) -> Path:
    """Two points in place of each corner, on the ways to it and from it."""
    out = []
    for at, point in enumerate(points):
        beside = (points[at - 1], points[at + 1]) if corners[at] else ()
        out += [point + share * (other - point) for other in beside] or [point]
    return np.array(out)


def _bow(points: Path, rng: np.random.Generator) -> Path:
    """Bend a straight line in the middle: no hand draws with a ruler."""
    if len(points) > 2:
        return points
    along = points[1] - points[0]
    middle = points.mean(axis=0) + rng.normal(0, 0.035) * along[::-1] * (1, -1)
    return np.stack([points[0], middle, points[1]])


def smooth(points: Path) -> Path:
    """Return the Catmull-Rom curve through the points."""
    ends = 2 * points[[0, -1]] - points[[1, -2]]
    p = np.concatenate([ends[:1], points, ends[1:]])[:, None]
    t = np.linspace(0, 1, _STEPS, endpoint=False)[None, :, None]
    before, start, stop, after = p[:-3], p[1:-2], p[2:-1], p[3:]
    straight, bend = stop - before, 2 * before - 5 * start + 4 * stop - after
    curve = start + 0.5 * t * (straight + t * (bend + t * (3 * (start - stop) + after - before)))
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def _tremble(path: Path, rng: np.random.Generator) -> Path:
    """Draw the same line with an unsteady hand, sometimes a little short at its ends."""
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    knots = np.arange(0, lengths[-1] + 12, rng.uniform(5, 12))
    shake = rng.normal(0, abs(rng.normal(0, 0.4)), (2, len(knots)))
    path = path + np.stack([np.interp(lengths, knots, axis) for axis in shake], axis=1)
    if rng.random() < 0.3:
        kept = (lengths >= rng.uniform(0, 5)) & (lengths <= lengths[-1] - rng.uniform(0, 5))
        path = path[kept] if kept.sum() >= 4 else path
    return path


def _leaning(strokes: list[Path], rng: np.random.Generator) -> list[Path]:
    """All strokes with one slant, proportion and turn, on a slightly warped sheet."""
    slant, stretch, turn = rng.normal(0.1, 0.2), np.exp(rng.normal(0, 0.15)), rng.normal(0, 0.08)
    lean = np.array([[stretch, 0], [-slant, 1]])
    rotate = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    waves, phases = rng.normal(0, 0.025, (2, 2)), rng.uniform(0, 2 * np.pi, 2)
    depth = rng.normal(0, 1.8, 2)
    warped = (stroke + depth * np.sin(stroke @ waves + phases) for stroke in strokes)
    return [stroke @ lean @ rotate for stroke in warped]
