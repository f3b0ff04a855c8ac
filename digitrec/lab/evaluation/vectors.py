"""Generate scenes with a second generator, drawn as vector paths by Matplotlib.

The code was written without looking at `lab/handwriting/scenes.py` and shares no drawing with it. If a rule
fits only the first generator, `digitrec evaluate` shows a gap between the two.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path as File
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageFilter, ImageFont
from scipy import ndimage

from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.photo import jpeg
from digitrec.lab.handwriting.strokes import log_uniform
from digitrec.providers.base import requires

with requires("Drawing scenes", "plots"):
    from matplotlib import get_data_path
    from matplotlib.figure import Figure
    from matplotlib.ft2font import FT2Font, LoadFlags
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D, Transform

Floats = NDArray[np.float64]
"""Arrays of floats; colours are red, green and blue, 0..1."""
DPI = 64
"""Pixels per inch: a power of two, so that a width in inches is exact."""
LARGEST = 150
"""Maximum height of a digit, in pixels."""
PRINTED = 0.25
"""Share of digits that are printed instead of handwritten."""
INKS = np.array([[0.06, 0.06, 0.07], [0.08, 0.13, 0.48], [0.62, 0.08, 0.1], [0.05, 0.35, 0.2], [0.3] * 3])
"""Colours of ink, and of a pencil."""


class Sheet:
    """A picture that is being drawn, in pixels; y downwards."""

    def __init__(self, size: NDArray[np.float64], ground: Floats) -> None:
        """Create a sheet in one colour."""
        self.width, self.height = (max(16, round(side)) for side in size.tolist())
        self._figure = Figure((self.width / DPI, self.height / DPI), DPI, facecolor=ground.tolist())
        self._down = Affine2D().scale(1, -1).translate(0, self.height)

    def fill(self, shape: Path, colour: Floats, alpha: float = 1.0) -> None:
        """Fill a shape."""
        self._draw(shape, facecolor=[*colour, alpha], linewidth=0)

    def line(self, path: Path, colour: Floats, breadth: float, alpha: float = 1.0) -> None:
        """Draw a line with round ends."""
        points = 72 * breadth / DPI
        self._draw(path, fill=False, edgecolor=[*colour, alpha], linewidth=points, capstyle="round")

    def _draw(self, path: Path, **how: Any) -> None:
        self._figure.add_artist(PathPatch(path, transform=self._down, **how))

    def pixels(self) -> Pixels:
        """Return uint8, (height, width, 3)."""
        file = io.BytesIO()
        self._figure.savefig(file, format="rgba", dpi=DPI)
        return np.frombuffer(file.getvalue(), np.uint8).reshape(self.height, self.width, 4)[:, :, :3]


@cache
def _fonts() -> Sequence[bytes]:
    """Return the files of two fonts that no network has learned: Aileron, and Computer Modern's italic."""
    own = ImageFont.load_default(40)
    assert isinstance(own, ImageFont.FreeTypeFont)
    return own.font_bytes, File(get_data_path(), "fonts", "ttf", "cmti10.ttf").read_bytes()


def _glyph(character: str, font: bytes) -> Path:
    """Return a character scaled so that its font's digits are 1 high, with their middle at y = 0."""
    face = FT2Font(io.BytesIO(font))
    face.set_size(100, 72)
    face.load_char(ord("8"), LoadFlags.NO_HINTING)
    digit = Path(*face.get_path()).get_extents()
    face.load_char(ord(character), LoadFlags.NO_HINTING)
    middle = Affine2D().translate(0, -(digit.y0 + digit.y1) / 2)
    return Path(*face.get_path()).transformed(middle.scale(1 / digit.height, -1 / digit.height))


def _traced(small: Pixels, rng: np.random.Generator) -> Path:
    """Return the smooth outline of one of MNIST's digits, (28, 28)."""
    fine = ndimage.zoom(np.pad(small, 2).astype(float), 4, order=3)
    level = rng.uniform(0.35, 0.5) * fine.max()
    return Figure().subplots().contourf(fine, levels=[level, 1000]).get_paths()[0]


def _digit(rng: np.random.Generator) -> tuple[int, Path]:
    """Return a label and its digit's shape: one unit high, centred on (0, 0), slightly turned."""
    if rng.random() < PRINTED:
        label = int(rng.integers(10))
        shape = _glyph(str(label), _fonts()[int(rng.integers(2))])
    else:
        test = mnist_test()
        at = int(rng.integers(len(test)))
        label, shape = int(test.labels[at]), _traced(test.images[at], rng)
    shape = shape.transformed(Affine2D().rotate_deg(rng.uniform(-5, 5)))
    box = shape.get_extents()
    middle = Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2)
    return label, shape.transformed(middle.scale(1 / box.height))


def _tone(rng: np.random.Generator, low: float, high: float, tint: float = 0.02) -> Floats:
    """Return a tinted grey."""
    return np.clip(rng.uniform(low, high) + rng.normal(0, tint, 3), 0, 1)


def _framed(shapes: Sequence[Path], to: Affine2D, margins: Floats, ground: Floats) -> tuple[Sheet, Transform]:
    """Return a sheet around shapes, and the map from their units to its pixels.

    Args:
        shapes: all shapes that must lie on the sheet.
        to: the map without the translation.
        margins: left, right, top and bottom, px; of two opposite margins the smaller is exact.
        ground: colour of the sheet.
    """
    boxes = np.array([to.transform_path(one).get_extents().get_points() for one in shapes])
    start, end = boxes.min(axis=(0, 1)), boxes.max(axis=(0, 1))
    left, right, above, below = margins
    sheet = Sheet(end - start + (left + right, above + below), ground)
    x = left - start[0] if left <= right else sheet.width - right - end[0]
    y = above - start[1] if above <= below else sheet.height - below - end[1]
    return sheet, to + Affine2D().translate(x, y)


def _on_paper(
    shape: Path, rng: np.random.Generator, size: float, margins: Floats, brackets: Sequence[Path] = (),
    pen: float = 0.0,
) -> tuple[Sheet, Transform]:  # fmt: skip
    """Write a digit, `size` pixels high, and brackets: shapes, or lines as broad as `pen` times `size`."""
    sheet, place = _framed((shape, *brackets), Affine2D().scale(size), margins, _tone(rng, 0.8, 0.97))
    colour, alpha = rng.choice(INKS), rng.uniform(0.75, 1)
    sheet.fill(place.transform_path(shape), colour, alpha)
    for one in brackets:
        if pen:
            sheet.line(place.transform_path(one), colour, pen * size, alpha)
        else:
            sheet.fill(place.transform_path(one), colour, alpha)
    return sheet, place


def _plain(shape: Path, rng: np.random.Generator, brackets: Sequence[Path] = (), pen: float = 0.0) -> Sheet:
    size = log_uniform(rng, 36, LARGEST)
    return _on_paper(shape, rng, size, size * rng.uniform(0.25, 1.2, 4), brackets, pen)[0]


def _around(shape: Path, pair: Sequence[Path], gap: float, slant: float, both: bool) -> list[Path]:
    """Place a pair of brackets around a digit, or only the right bracket."""
    box, placed = shape.get_extents(), []
    for bracket, is_left in zip(pair, (True, False), strict=True):
        leaning = bracket.transformed(Affine2D().skew_deg(slant, 0))
        own = leaning.get_extents()
        move = box.x0 - gap - own.x1 if is_left else box.x1 + gap - own.x0
        placed.append(leaning.transformed(Affine2D().translate(move, 0)))
    return placed if both else placed[1:]


def _bracket_of_font(shape: Path, rng: np.random.Generator) -> Sheet:
    font, height, slant = _fonts()[int(rng.integers(2))], rng.uniform(0.85, 1.3), rng.uniform(-15, 15)
    wide = Affine2D().scale(height * rng.uniform(0.8, 1.2), height)
    pair = [_glyph(sign, font).transformed(wide) for sign in rng.choice(["()", "()", "[]"])]
    slanted, both = rng.random(2) < 0.5
    return _plain(shape, rng, _around(shape, pair, rng.uniform(0.08, 0.4), slant * slanted, both))


def _bracket_by_hand(shape: Path, rng: np.random.Generator) -> Sheet:
    square, both = rng.random(2) < (0.25, 0.5)
    pair = [_bent(rng, way * rng.uniform(0.12, 0.4), square) for way in (-1, 1)]
    brackets = _around(shape, pair, rng.uniform(0.12, 0.5), rng.uniform(-15, 15), both)
    return _plain(shape, rng, brackets, rng.uniform(0.03, 0.11))


def _bent(rng: np.random.Generator, depth: float, square: bool) -> Path:
    """Return the line of a bracket; a positive depth puts its back on the right."""
    half = rng.uniform(0.5, 0.75)
    corners = np.array([(0, -half), (depth, -half), (depth, half), (0, half)])
    corners += rng.normal(0, 0.04, (4, 2))
    if square:
        return Path(corners)
    corners[[1, 2]] *= (4 / 3, rng.uniform(0.3, 0.8))
    return Path(corners, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])


def _at_edge(low: float, high: float, shape: Path, rng: np.random.Generator) -> Sheet:
    """Place the digit near an edge of the picture, `low` pixels or more away."""
    size = log_uniform(rng, 20, LARGEST)
    margins = size * rng.uniform(0.15, 0.7, 4)
    margins[rng.integers(4)] = low + size * rng.uniform(0, high)
    return _on_paper(shape, rng, size, margins)[0]


def _pen(shape: Path, rng: np.random.Generator) -> Sheet:
    """Lay a pen or a pencil beside the digit, across the line that connects the two."""
    breadth, angle, box = rng.uniform(0.25, 0.8), rng.uniform(0, 2 * np.pi), shape.get_extents()
    away = np.hypot(box.width, box.height) / 2 + breadth / 2 + rng.uniform(0.1, 0.5)
    x, y = np.cos(angle), np.sin(angle)
    size, room = log_uniform(rng, 36, LARGEST), (away + breadth / 2) * np.clip([-x, x, -y, y], 0, 1)
    sheet, place = _on_paper(shape, rng, size, size * (room + rng.uniform(0.2, 1.2, 4)))
    lying = Affine2D().scale(breadth).translate(rng.uniform(-1.5, 0.5), 0)
    lying.rotate(angle + np.pi / 2 * rng.choice([-1, 1])).translate(away * x, away * y)
    for corners, colour, alpha in _pen_parts(rng):
        sheet.fill((lying + place).transform_path(_closed(corners)), colour, alpha)
    return sheet


def _closed(corners: ArrayLike) -> Path:
    return Path(np.vstack([corners, (0, 0)]), closed=True)


def _pen_parts(rng: np.random.Generator) -> Iterator[tuple[ArrayLike, Floats, float]]:
    """Yield corners, colour and opacity of each part of a pen of breadth 1 along the x axis, its tip at 0."""
    end, wooden, body = rng.uniform(6, 12), rng.random() < 0.5, rng.uniform(0.05, 0.9, 3)
    metal = np.array([0.85, 0.7, 0.5]) if wooden else _tone(rng, 0.3, 0.8)
    for low in rng.uniform(0.5, 0.8, 3):
        yield [(1, 0), (end, 0), (end + 0.2, low), (2, low)], np.zeros(3), 0.12  # the pen's shadow
    yield [(0.4, -0.12), (1.8, -0.5), (1.8, 0.5), (0.4, 0.12)], metal, 1
    yield [(0, 0), (0.5, -0.14), (0.5, 0.14)], _tone(rng, 0.05, 0.3), 1
    for low, light in ((-0.5, 1), (-0.17, 1.25), (0.17, 0.65)):
        stripe = [(1.8, low), (end, low), (end, low + 0.33), (1.8, low + 0.33)]
        yield stripe, np.clip(body * light, 0, 1), 1
    start, high = (end - 1, 0.5) if wooden else (end - 4, 0.12)  # the pencil's metal end, or the pen's clip
    yield [(start, -high), (end, -high), (end, high), (start, high)], metal, 1


def _card(shape: Path, rng: np.random.Generator) -> Sheet:
    """Write the digit on a card on a table of wood or cloth."""
    box = np.array(shape.get_extents().get_points())
    (left, above), (right, below) = box + [[-1], [1]] * rng.uniform(0.2, 1, (2, 2))
    corners = np.array([(left, above), (right, above), (right, below), (left, below)])
    card, size = _closed(corners + rng.normal(0, 0.03, (4, 2))), log_uniform(rng, 36, LARGEST)
    turned = Affine2D().scale(size).rotate_deg(rng.uniform(-20, 20))
    sheet, place = _framed([card], turned, size * rng.uniform(0.1, 1, 4), _tone(rng, 0.1, 0.55, 0.08))
    grain = rng.uniform(0, 180)
    for angle in (grain, grain + 90)[: rng.integers(1, 3)]:
        across = Affine2D().rotate_deg(angle).translate(sheet.width / 2, sheet.height / 2)
        for at in rng.uniform(-1, 1, 50) * (sheet.width + sheet.height):
            thread = Path([(-2000, at + rng.uniform(-40, 40)), (2000, at)])
            sheet.line(across.transform_path(thread), _tone(rng, 0, 0.7), rng.uniform(0.5, 3), 0.2)
    for offset in rng.uniform(0, 0.06, 3):
        shade = (place + Affine2D().translate(offset * size, offset * size)).transform_path(card)
        sheet.fill(shade, np.zeros(3), 0.15)
    sheet.fill(place.transform_path(card), _tone(rng, 0.82, 0.98))
    sheet.fill(place.transform_path(shape), rng.choice(INKS), rng.uniform(0.75, 1))
    return sheet


def _shadow(shape: Path, rng: np.random.Generator) -> Sheet:
    """Let the wavy edge of a shadow run across the page, through the digit or beside it."""
    size, angle, offset = log_uniform(rng, 36, LARGEST), rng.uniform(0, 360), rng.uniform(-0.8, 0.8)
    sheet, place = _on_paper(shape, rng, size, size * rng.uniform(0.25, 1.2, 4))
    along = np.linspace(-9, 9, 200)
    wave = rng.uniform(0, 0.25) * np.sin(rng.uniform(0.5, 3) * along + rng.uniform(0, 6))
    layers, soft, dark = rng.choice([1, 6]), rng.uniform(0.02, 0.3), rng.uniform(0.25, 0.6)
    for depth in np.linspace(0, soft, layers):
        edge = np.vstack([np.stack([along, wave + offset + depth], axis=1), [(9, 9), (-9, 9)]])
        shade = (Affine2D().rotate_deg(angle) + place).transform_path(_closed(edge))
        sheet.fill(shade, np.zeros(3), 1 - (1 - dark) ** (1 / layers))
    return sheet


def _photographed(drawn: Pixels, rng: np.random.Generator) -> Pixels:
    """Light the drawing unevenly, blur it a little, add noise and, mostly, compress it."""
    height, width = drawn.shape[:2]
    corners = Image.fromarray(rng.uniform(0.8, 1.04, (3, 3)).astype(np.float32))
    light = np.asarray(corners.resize((width, height), Image.Resampling.BICUBIC))[:, :, None]
    noise = rng.normal(0, rng.uniform(0, 6), drawn.shape)
    softness = rng.uniform(0, 0.006) * max(width, height)
    blurred = Image.fromarray(drawn).filter(ImageFilter.GaussianBlur(softness))
    pixels = np.clip(np.asarray(blurred) * light + noise, 0, 255).astype(np.uint8)
    return jpeg(pixels, int(rng.integers(50, 96))) if rng.random() < 0.7 else pixels


KINDS: Mapping[str, tuple[str, Callable[[Path, np.random.Generator], Sheet]]] = {
    "plain": ("plain paper", _plain),
    "card": ("card on a dark table", _card),
    "bracket of a font": ("bracket beside it", _bracket_of_font),
    "bracket by hand": ("bracket beside it", _bracket_by_hand),
    "pen or pencil": ("pen beside it", _pen),
    "shadow": ("edge of a shadow", _shadow),
    "touching an edge": ("cropped to the digit", partial(_at_edge, -0.7, 0.0)),
    "nearly touching an edge": ("cropped to the digit", partial(_at_edge, 1.0, 0.05)),
}
"""For each kind the most similar scene of the first generator, and the drawing function."""


def scenes(kind: str, count: int, seed: int) -> Iterator[Sample]:
    """Yield pictures of one of `KINDS` with their digits; a larger count only appends pictures."""
    for number in range(count):
        rng = np.random.default_rng((seed, *kind.encode(), number))
        label, shape = _digit(rng)
        sheet = KINDS[kind][1](shape, rng)
        yield Sample(_photographed(sheet.pixels(), rng), label)
