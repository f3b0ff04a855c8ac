"""A pen: turns the path of a hand into ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from digitrec.lab.handwriting.paper import clouds

Path = NDArray[np.float64]
"""(N, 2): x to the right and y downwards, the image's side being 1."""

_FINE = 3  # drawn at three times the resolution and averaged


@dataclass(frozen=True, slots=True)
class Pen:
    """What the line is drawn with."""

    width: float = 0.08
    """Breadth of the line as a share of the image's side, > 0."""
    pressure: float = 0.15
    """How much the breadth varies along the line, 0..1."""
    flat: float = 1.0
    """Thickness of the nib against its breadth: 1 is round, 0.3 a chisel."""
    angle: float = 0.7
    """How a flat nib is held, radians against the horizontal."""


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number from `low` to `high`, every ratio equally likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def ink(strokes: Sequence[Path], pen: Pen, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw each stroke with the pen: (side, side), ink high, edges smooth."""
    step = max(0.35 * pen.width * min(1.0, pen.flat + 0.2), 0.3 / (side * _FINE))
    points = np.concatenate([resample(stroke, step) for stroke in strokes])
    return stamp(points, pen, side, rng)


def stamp(points: Path, pen: Pen, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Press the nib down at each of the points: (side, side), ink high, edges smooth."""
    large = side * _FINE
    canvas = Image.new("L", (large, large))
    draw = ImageDraw.Draw(canvas)
    press = clouds(rng, 64, 64, (5, 5))
    rows, columns = np.clip((points[:, ::-1] * 64).astype(int), 0, 63).T
    radii = np.maximum(0.5 * pen.width * (1 + pen.pressure * press[rows, columns]) * large, 0.7)
    centres = points * large
    if pen.flat < 1:
        nibs = centres[:, None] + radii[:, None, None] * _nib(pen)
        for outline in nibs.reshape(len(nibs), -1).tolist():
            draw.polygon(outline, fill=255)
    else:
        reach = radii[:, None]
        for box in np.concatenate([centres - reach, centres + reach], axis=1).tolist():
            draw.ellipse(box, fill=255)
    return np.asarray(canvas.reduce(_FINE))


def _nib(pen: Pen) -> Path:
    """Return the outline of a flat nib of half breadth 1."""
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    cos, sin = np.cos(pen.angle), np.sin(pen.angle)
    nib = np.stack([np.cos(turns), pen.flat * np.sin(turns)], axis=1)
    return np.asarray(nib @ np.array([[cos, sin], [-sin, cos]]))


def resample(path: Path, step: float) -> Path:
    """Return the same line as points at most `step` apart."""
    lengths = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    count = max(2, int(np.ceil(along[-1] / step)) + 1)
    at = np.linspace(0, along[-1], count)
    return np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)
