"""Provide characters to draw with: digits enlarged or redrawn, printed, or of the synthetic hand."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import NotInstalled, install_hint
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.strokes import Pen, Stroke, any_pen, draw, one_of, stamp

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom exclusive."""
_FINE = 112  # the side at which lines are thinned, four times MNIST's


LEVEL = 0.42
"""Level of smoothed ink at a digit's edge, 0..1."""


def enlarge(digit: Pixels, side: int) -> Pixels:
    """Enlarge the digit with smooth, sharp edges: from (28, 28) to (side, side), ink high in both."""
    large = _smooth(digit, side)
    edge = min(28 / side, LEVEL)  # the change of level across about one pixel; more would make paper grey
    sharp = np.clip((large - LEVEL) / (2 * edge) + 0.5, 0, 1)
    return np.asarray(np.rint(255 * sharp), np.uint8)


def rewrite(digit: Pixels, pen: Pen, side: int, rng: np.random.Generator) -> Pixels:
    """Redraw the digit along its middle line with `pen`: from (28, 28) to (side, side), ink high in both."""
    return stamp(centreline(digit), pen, side, rng)


def shrink(ink: Pixels) -> Pixels:
    """Fit the writing into the middle 20x20 pixels of (28, 28), ink high in both."""
    small = Image.fromarray(ink)
    small.thumbnail((20, 20))
    page = Image.new("L", (28, 28))
    page.paste(small, ((28 - small.width) // 2, (28 - small.height) // 2))
    return np.asarray(page)


def cut_out(written: Pixels, height: int | None = None) -> Pixels:
    """Crop the writing, ink high, to its bounding box and scale it to a height, px; None: unscaled."""
    ink = Image.fromarray(written).crop(box_of(written))
    if height is None:
        return np.asarray(ink)
    width = max(1, round(ink.width * height / ink.height))
    return np.asarray(ink.resize((width, height), Image.Resampling.BICUBIC))


def box_of(ink: Pixels) -> Box:
    """Return the bounding box of the ink, (H, W), ink high."""
    rows, columns = (np.flatnonzero((ink > 127).any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def sized(ink: Pixels, side: int, least: int = 1) -> Pixels:
    """Crop to the ink and scale its longer side to `side` pixels, its shorter side to at least `least`."""
    found = Image.fromarray(cut_out(ink) if ink.max() > 127 else ink)
    scale = side / max(found.size)
    size = (max(least, round(found.width * scale)), max(least, round(found.height * scale)))
    return np.asarray(found.resize(size, Image.Resampling.BICUBIC))


def without_paper(scan: Pixels, reach: float) -> Pixels:
    """Remove the paper's tone from a scan, ink high; `reach` is the share of its contrast that is kept."""
    ink = scan.astype(np.float32)
    low, high = np.quantile(ink, 0.5), ink.max()
    strength = (ink - low - 0.2 * (high - low)) / (reach * (high - low) + 1)
    return np.asarray(np.clip(strength, 0, 1) * 255, np.uint8)


def moved(
    ink: Image.Image, forth: NDArray[np.float64], size: tuple[int, int], at: NDArray[np.float64],
    how: Image.Resampling = Image.Resampling.BICUBIC,
) -> Image.Image:  # fmt: skip
    """Return a picture of a size, px, with the ink mapped by `forth`, (2, 2), and centred `at` x, y."""
    back = np.linalg.inv(forth)
    start = np.array(ink.size) / 2 - back @ at
    data = (back[0, 0], back[0, 1], start[0], back[1, 0], back[1, 1], start[1])
    return ink.transform(size, Image.Transform.AFFINE, data, how)


def centreline(digit: Pixels) -> Stroke:
    """Return points along the middle of the strokes, (N, 2), x and y as shares of the side, unordered."""
    points = np.argwhere(_thin(_smooth(digit, _FINE) > 0.5))[:, ::-1] + 0.5
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    near = np.exp(-apart / (2 * 2.5**2))  # smooths the steps of the pixels
    smooth = near @ points / near.sum(axis=1, keepdims=True) / _FINE
    first, second = np.nonzero(np.triu(apart <= 2))
    share = np.linspace(0, 1, 6)[:, None, None]
    return np.asarray((smooth[first] * (1 - share) + smooth[second] * share).reshape(-1, 2))


def _smooth(digit: Pixels, side: int) -> NDArray[np.float32]:
    """Enlarge the digit without steps, (side, side), 0..1; about 0.5 on its edges, even faint ones."""
    small = Image.fromarray(digit)
    around = small.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.GaussianBlur(1.5))
    size = (side, side)
    large = np.asarray(small.resize(size, Image.Resampling.BICUBIC), np.float32)
    strongest = np.asarray(around.resize(size, Image.Resampling.BICUBIC), np.float32)
    even = np.clip(255 * large / np.maximum(strongest, 40), 0, 255).astype(np.uint8)
    soft = Image.fromarray(even).filter(ImageFilter.GaussianBlur(0.65 * side / 28))
    return np.asarray(soft, np.float32) / np.float32(255)


def _thin(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Thin a mask to lines one pixel wide along its middle.

    T. Y. Zhang and C. Y. Suen, "A fast parallel algorithm for thinning digital patterns", 1984.
    """
    mask = np.pad(mask, 1)
    while True:
        before = mask.sum()
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            ring = np.stack([np.roll(mask, shift, (0, 1)) for shift in _CLOCKWISE])
            neighbours = ring.sum(axis=0)
            rises = (~ring & np.roll(ring, -1, axis=0)).sum(axis=0)
            edge = ~(ring[list(first)].all(axis=0) | ring[list(second)].all(axis=0))
            mask = mask & ~((neighbours >= 2) & (neighbours <= 6) & (rises == 1) & edge)
        if mask.sum() == before:
            return mask[1:-1, 1:-1]


_CLOCKWISE = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
# shifts that bring a pixel's eight neighbours onto it, clockwise from the one above


OWN = "Pillow's own"
"""The font that comes with Pillow, Aileron; it is used for measuring and never for training."""

SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
"""Segments of each digit on a seven-segment display: a on top, b to f clockwise, g in the middle."""

_PLACES = {
    "a": ((0, 0), (1, 0)), "b": ((1, 0), (1, 1)), "c": ((1, 1), (1, 2)), "d": ((0, 2), (1, 2)),
    "e": ((0, 1), (0, 2)), "f": ((0, 0), (0, 1)), "g": ((0, 1), (1, 1)),
}  # fmt: skip


@cache
def fonts_to_learn() -> tuple[str, ...]:
    """Return files of the fonts that come with Matplotlib: DejaVu, Computer Modern and STIX, all free to use.

    Raises:
        NotInstalled: Matplotlib, part of the extra `train`, is missing.
    """
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise NotInstalled(f"learning scenes needs Matplotlib's fonts: {install_hint('train')}")
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    wanted = ("DejaVuSans*", "DejaVuSerif*", "STIXGeneral*", "cm[bst][10st]*10.ttf", "cmr10.ttf")
    files = {file for pattern in wanted for file in folder.glob(pattern)}
    return tuple(str(file) for file in sorted(files) if "Display" not in file.name)


def font_to_learn(rng: np.random.Generator, family: str = "") -> str:
    """Return one of `fonts_to_learn`, or of those of a family."""
    return one_of(rng, [font for font in fonts_to_learn() if family in font])


def in_font(text: str, font: str, size: int) -> Pixels:
    """Draw the text in a font, `OWN` or a file, with digits about `size` pixels high.

    Raises:
        OSError: the font's file is missing or damaged.
    """
    em = size / 0.72  # in most fonts, digits have this share of the em
    face = ImageFont.load_default(em) if font == OWN else ImageFont.truetype(font, em)
    left, top, right, bottom = face.getbbox(text)
    page = Image.new("L", (int(right - left) + 20, int(bottom - top) + 20))
    ImageDraw.Draw(page).text((10 - left, 10 - top), text, fill=255, font=face)
    return cut_out(np.asarray(page))


def redrawn(character: str, font: str, rng: np.random.Generator) -> Pixels:
    """Draw a character on an empty page, in its font or with a pen along its middle line.

    Raises:
        OSError: the font's file is missing or damaged.
    """
    height = int(rng.integers(56, 140))
    ink = in_font(character, font, height)
    if rng.random() < 0.5:
        ink = rewrite(shrink(ink), any_pen(rng), height, rng)
    return np.pad(ink, round(height * rng.uniform(0.15, 0.5)))


def seven_segments(
    rng: np.random.Generator, height: int, trace: float = 0.0, most: float = 0.05
) -> tuple[int, Pixels]:
    """Draw a digit as on a clock or meter: bars of random breadth with gaps, upright or slanted.

    Args:
        rng: draws everything else.
        height: height of the digit, pixels.
        trace: share of ink of the bars that are not lit, 0..1.
        most: maximum gap at a bar's end, as a share of its length.
    """
    digit = int(rng.integers(10))
    lit = SEGMENTS[digit]
    if digit in (6, 9, 7) and rng.random() < 0.3:
        lit = {6: "fgedc", 9: "abcfg", 7: "abcf"}[digit]  # a 6 or 9 without its tail, a 7 with a serif
    half, gap = rng.uniform(0.05, 0.11), rng.uniform(0.01, most)  # as shares of a segment's length
    size, slant, narrow = 2 * height, rng.choice([0.0, rng.uniform(0, 0.18)]), rng.uniform(0.8, 1.0)
    page = Image.new("L", (3 * height, int(2.6 * height)))
    pen = ImageDraw.Draw(page)
    for name in sorted(_PLACES if trace else lit, key=lit.count):
        outline = _bar(np.array(_PLACES[name], float), half, gap) * (narrow, 1)
        outline[:, 0] += slant * (2 - outline[:, 1])
        pen.polygon(
            [(float(x), float(y)) for x, y in 0.4 * size * outline + 0.2 * size],
            round(255 if name in lit else 255 * trace),
        )
    return digit, cut_out(np.asarray(page), height)


def _bar(ends: NDArray[np.float64], half: float, gap: float) -> NDArray[np.float64]:
    """Return a segment with pointed ends, (6, 2), between two corners one unit apart."""
    along = ends[1] - ends[0]
    across = half * along[::-1]
    first, last = ends[0] + gap * along, ends[1] - gap * along
    inner, outer = first + half * along, last - half * along
    return np.array([first, inner + across, outer + across, last, outer - across, inner - across])


@dataclass(frozen=True, slots=True)
class Writer:
    """Provides digits; writers for training and for measuring share neither digits nor fonts."""

    digits: Digits
    """Digits in MNIST's form."""
    fonts: tuple[str, ...] = (OWN,)
    """Fonts as for `write`; at least one."""
    varied: float = 0.0
    """Share of digits drawn by the synthetic hand, 0..0.5, and share of the other digits that is redrawn."""

    def digit(self, rng: np.random.Generator, height: int) -> tuple[int, Pixels]:
        """Return a digit and its ink, cropped, about `height` pixels high; a quarter are printed."""
        drawn, side = rng.random(), round(1.4 * height)
        label = int(rng.integers(10))
        if drawn < 0.25:
            return label, in_font(str(label), self.font(rng), height)
        breadth = rng.uniform(0.03, 0.1)
        if drawn < 0.25 + self.varied:
            return label, cut_out(draw(label, rng, side, breadth), height)
        at = int(rng.integers(len(self.digits)))
        small, label = self.digits.images[at], int(self.digits.labels[at])
        again = rng.random() < self.varied
        ink = rewrite(small, any_pen(rng, breadth), side, rng) if again else enlarge(small, side)
        return label, cut_out(ink, height)

    def font(self, rng: np.random.Generator) -> str:
        """Return a random font."""
        return one_of(rng, self.fonts)
