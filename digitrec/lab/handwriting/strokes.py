"""Draw characters with a synthetic hand: shapes (data/shapes.tsv), pens, and strokes with random variation.

MNIST was written in one country: its ones have no up-stroke, few of its sevens are crossed, and its nines are
straight. These shapes add other habits; no person's handwriting is copied.

A shape's form is a string of strokes, separated by "/". A stroke is a list of points "x y", separated by ",":
x grows to the right, y downwards from 0 at the top to 100 at the bottom. The pen passes smoothly through the
points; "!" marks a corner. A shape is one form, or two with the same points and all forms between the two.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.photo import clouds

Stroke = NDArray[np.float64]
"""(N, 2): x to the right and y downwards, as shares of the image's side."""

T = TypeVar("T")
_FINE = 3  # draw at three times the resolution, then average


@dataclass(frozen=True, slots=True)
class Pen:
    """The pen that draws a line."""

    width: float = 0.08
    """Breadth of the line as a share of the image's side, > 0."""
    pressure: float = 0.15
    """Variation of the breadth along the line, 0..1."""
    flat: float = 1.0
    """Thickness of the nib as a share of its breadth: 1 is round, 0.3 is a chisel."""
    angle: float = 0.7
    """Angle of a flat nib, radians from the horizontal."""


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number from `low` to `high`; all ratios are equally likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def one_of(rng: np.random.Generator, things: Sequence[T]) -> T:
    """Return one of the things; all are equally likely."""
    return things[int(rng.integers(len(things)))]


def by_share(rng: np.random.Generator, shares: Mapping[T, float]) -> T:
    """Return one of the keys; its share is its chance, and all shares sum to 1."""
    return list(shares)[rng.choice(len(shares), p=list(shares.values()))]


def rotation(angle: float) -> NDArray[np.float64]:
    """Return the matrix that turns columns x, y by an angle, radians, from x towards y."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def ink(strokes: Sequence[Stroke], pen: Pen, side: int, rng: np.random.Generator) -> Pixels:
    """Draw each stroke with the pen: (side, side), ink high, edges smooth."""
    step = max(0.35 * pen.width * min(1.0, pen.flat + 0.2), 0.3 / (side * _FINE))
    return stamp(np.concatenate([resample(stroke, step) for stroke in strokes]), pen, side, rng)


def stamp(points: Stroke, pen: Pen, side: int, rng: np.random.Generator) -> Pixels:
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


def _nib(pen: Pen) -> Stroke:
    """Return the outline of a flat nib with half breadth 1."""
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    nib = np.stack([np.cos(turns), pen.flat * np.sin(turns)], axis=1)
    return np.asarray(nib @ rotation(-pen.angle))


def resample(path: Stroke, step: float) -> Stroke:
    """Return the same line as points at most `step` apart."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    count = max(2, int(np.ceil(along[-1] / step)) + 1)
    at = np.linspace(0, along[-1], count)
    return np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to write a character."""

    form: str
    """The shape's strokes."""
    other: str = ""
    """The other end of the shape's variation; empty if it does not vary."""
    weight: float = 1.0
    """The shape's frequency relative to the character's other shapes."""


def _table() -> dict[str, dict[str, tuple[Shape, ...]]]:
    """Return the shapes of each character of each set, in the order of the file."""
    file = resources.files("digitrec.lab.handwriting") / "data" / "shapes.tsv"
    found: dict[str, dict[str, tuple[Shape, ...]]] = {}
    rows = csv.DictReader(file.read_text("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    for row in rows:
        characters = found.setdefault(row["set"], {})
        shape = Shape(row["form"], row["other"], float(row["weight"]))
        characters[row["character"]] = (*characters.get(row["character"], ()), shape)
    return found


_TABLE = _table()

DIGITS = tuple(_TABLE["digit"].values())
"""The shapes of 0 to 9, in that order."""
RARE = _TABLE["rare"]
"""Unusual shapes of some digits, which can be read only beside others."""
PLAIN = {character: shape for character, (shape,) in _TABLE["plain"].items()}
"""Letters and signs that resemble no digit."""
LEARNED = tuple("AEHKMRWXaehkmwx&?")
"""Characters of `PLAIN` used in training; the others measure how a network handles unknown ones."""
SIGNS = {character: shape for character, (shape,) in _TABLE["sign"].items()}
"""Signs and letters of other scripts unlike any digit, used for training only."""
TO_LEARN = [*(PLAIN[character] for character in LEARNED), *SIGNS.values()]
"""The shapes of `LEARNED` and `SIGNS`."""
RESEMBLING = {character: shape for character, (shape,) in _TABLE["resembling"].items()}
"""Letters that some people write as others write a digit."""


def draw(digit: int, rng: np.random.Generator, side: int = 112, width: float | None = None) -> Pixels:
    """Draw one digit in one of its shapes: (side, side), uint8, ink high.

    Args:
        digit: 0..9.
        rng: the source of all random choices.
        side: side of the picture, pixels.
        width: breadth of the line as a share of the side, > 0; None: random.
    """
    return write(DIGITS[digit], rng, side, width)


def write(shapes: Sequence[Shape], rng: np.random.Generator, side: int, width: float | None = None) -> Pixels:
    """Draw a character in one of the given shapes: (side, side), uint8, ink high."""
    weights = np.array([shape.weight for shape in shapes])
    shape = shapes[rng.choice(len(shapes), p=weights / weights.sum())]
    return put(by_hand(shape, rng), any_pen(rng, width), rng, side)


def any_pen(rng: np.random.Generator, width: float | None = None) -> Pen:
    """Return a pen of the given breadth, or of a random breadth from hair-thin to a thick brush."""
    breadth = width or log_uniform(rng, 0.009, 0.16)
    flat = float(rng.uniform(0.35, 1.0)) if rng.random() < 0.25 else 1.0
    return Pen(breadth, float(rng.uniform(0, 0.4)), flat, float(rng.normal(0.7, 0.4)))


def put(paths: Sequence[Stroke], pen: Pen, rng: np.random.Generator, side: int) -> Pixels:
    """Draw strokes of any scale, fitted into the image: (side, side), uint8, ink high."""
    points = np.concatenate(paths)
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    breadth = pen.width * (1 + pen.pressure)
    scale = (rng.uniform(0.6, 0.92) - breadth) / size.max()
    rest = 1 - breadth - scale * size
    place = breadth / 2 + rest * np.clip(rng.normal(0.5, 0.12, 2), 0, 1)
    return ink([(path - corner) * scale + place for path in paths], pen, side, rng)


def by_hand(shape: Shape, rng: np.random.Generator) -> list[Stroke]:
    """Return the strokes of a shape with one writer's variation: (N, 2) each, in the units of `Shape`."""
    reach = rng.uniform(-0.1, 1.1)
    unrest = rng.gamma(2.0, 1.1)  # the points' standard deviation, 2 on average
    round_off = rng.random() < 0.3
    strokes = []
    for form, other in zip(_strokes(shape.form), _strokes(shape.other or shape.form), strict=True):
        share = reach + rng.normal(0, 0.15)
        points = form[:, :2] + share * (other[:, :2] - form[:, :2]) + rng.normal(0, unrest, (len(form), 2))
        strokes.append(_tremble(_curve(points, form[:, 2] > 0, round_off, rng), rng))
    return _leaning(strokes, rng)


def by_another_hand(digit: Sequence[Stroke], rng: np.random.Generator) -> list[Stroke]:
    """Vary the strokes of a digit, its height 100, as its writer might have drawn them another time."""
    strokes = [_tremble(smooth(stroke), rng) if len(stroke) > 2 else stroke for stroke in digit]
    return _leaning(strokes, rng) if rng.random() < 0.7 else strokes


def _strokes(form: str) -> list[NDArray[np.float64]]:
    """Return the points of each stroke: x, y, and 1 at corners or 0 elsewhere."""
    return [
        np.array(
            [[*map(float, point.rstrip("! ").split()), point.endswith("!")] for point in stroke.split(",")]
        )
        for stroke in form.replace("! ", "!").split("/")
    ]


def _curve(points: Stroke, corners: NDArray[np.bool_], round_off: bool, rng: np.random.Generator) -> Stroke:
    """Draw a line through the points, smooth except at corners, which some writers round."""
    if round_off:
        points, corners = _cut(points, corners, rng.uniform(0.08, 0.25)), np.zeros(0, np.bool_)
    ends = [0, *np.flatnonzero(corners), len(points) - 1]
    return np.concatenate([smooth(_bow(points[a : b + 1], rng)) for a, b in pairwise(ends) if b > a])


def _cut(points: Stroke, corners: NDArray[np.bool_], share: float) -> Stroke:
    """Replace each corner by two points, one on each side of it."""
    out = []
    for at, point in enumerate(points):
        beside = (points[at - 1], points[at + 1]) if corners[at] else ()
        out += [point + share * (other - point) for other in beside] or [point]
    return np.array(out)


def _bow(points: Stroke, rng: np.random.Generator) -> Stroke:
    """Bend a straight line in the middle, since nobody draws with a ruler."""
    if len(points) > 2:
        return points
    along = points[1] - points[0]
    middle = points.mean(axis=0) + rng.normal(0, 0.035) * along[::-1] * (1, -1)
    return np.stack([points[0], middle, points[1]])


def smooth(points: Stroke) -> Stroke:
    """Return the Catmull-Rom curve through the points, with nine more points between each two."""
    ends = 2 * points[[0, -1]] - points[[1, -2]]
    p = np.concatenate([ends[:1], points, ends[1:]])[:, None]
    t = np.linspace(0, 1, 10, endpoint=False)[None, :, None]
    before, start, stop, after = p[:-3], p[1:-2], p[2:-1], p[3:]
    straight, bend = stop - before, 2 * before - 5 * start + 4 * stop - after
    curve = start + 0.5 * t * (straight + t * (bend + t * (3 * (start - stop) + after - before)))
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def _tremble(path: Stroke, rng: np.random.Generator) -> Stroke:
    """Draw the same line with an unsteady hand, sometimes slightly shortened at its ends."""
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    knots = np.arange(0, lengths[-1] + 12, rng.uniform(5, 12))
    shake = rng.normal(0, abs(rng.normal(0, 0.4)), (2, len(knots)))
    path = path + np.stack([np.interp(lengths, knots, axis) for axis in shake], axis=1)
    if rng.random() < 0.3:
        kept = (lengths >= rng.uniform(0, 5)) & (lengths <= lengths[-1] - rng.uniform(0, 5))
        path = path[kept] if kept.sum() >= 4 else path
    return path


def _leaning(strokes: list[Stroke], rng: np.random.Generator) -> list[Stroke]:
    """Apply one slant, proportion and turn to all strokes, on a slightly warped sheet."""
    slant, stretch, turn = rng.normal(0.1, 0.2), np.exp(rng.normal(0, 0.15)), rng.normal(0, 0.08)
    lean = np.array([[stretch, 0], [-slant, 1]])
    waves, phases = rng.normal(0, 0.025, (2, 2)), rng.uniform(0, 2 * np.pi, 2)
    depth = rng.normal(0, 1.8, 2)
    warped = (stroke + depth * np.sin(stroke @ waves + phases) for stroke in strokes)
    return [stroke @ lean @ rotation(-turn) for stroke in warped]
