"""Printed characters: from fonts, and the seven segments of clocks and meters. Ink high, cut to their ink."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitrec.errors import NotInstalled, install_hint
from digitrec.lab.handwriting.redraw import cut_out, rewrite, shrink
from digitrec.lab.handwriting.strokes import any_pen

Pixels = NDArray[np.uint8]

OWN = "Pillow's own"
"""The font that comes with Pillow, Aileron: digits are measured in it, and never learned."""

SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
"""Which of the seven segments each digit lights: a on top, then clockwise b to f, g in the middle."""

_PLACES = {
    "a": ((0, 0), (1, 0)), "b": ((1, 0), (1, 1)), "c": ((1, 1), (1, 2)), "d": ((0, 2), (1, 2)),
    "e": ((0, 1), (0, 2)), "f": ((0, 0), (0, 1)), "g": ((0, 1), (1, 1)),
}  # fmt: skip


@cache
def fonts_to_learn() -> tuple[str, ...]:
    """Files of the fonts that come with Matplotlib: DejaVu, Computer Modern and STIX, free to print with.

    Raises:
        NotInstalled: Matplotlib is missing, which the extra `train` brings.
    """
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise NotInstalled(f"learning scenes needs Matplotlib's fonts: {install_hint('train')}")
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    wanted = ("DejaVuSans*", "DejaVuSerif*", "STIXGeneral*", "cm[bst][10st]*10.ttf", "cmr10.ttf")
    files = {file for pattern in wanted for file in folder.glob(pattern)}
    return tuple(str(file) for file in sorted(files) if "Display" not in file.name)


def write(text: str, font: str, size: int) -> Pixels:
    """Draw the text in a font, `OWN` or a file, with digits about `size` pixels high.

    Raises:
        OSError: the font's file is missing or damaged.
    """
    em = size / 0.72  # of most fonts, digits have this share
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
    ink = write(character, font, height)
    if rng.random() < 0.5:
        ink = rewrite(shrink(ink), any_pen(rng), height, rng)
    return np.pad(ink, round(height * rng.uniform(0.15, 0.5)))


def seven_segments(digit: int, rng: np.random.Generator, height: int) -> Pixels:
    """Draw the digit as a clock or a meter shows it: bars of any breadth, gaps, upright or slanted."""
    lit = SEGMENTS[digit]
    if digit in (6, 9, 7) and rng.random() < 0.3:
        lit = {6: "fgedc", 9: "abcfg", 7: "abcf"}[digit]  # without its tail; with a serif
    half, gap = rng.uniform(0.05, 0.11), rng.uniform(0.01, 0.05)  # of a segment's length
    size, slant, narrow = 2 * height, rng.choice([0.0, rng.uniform(0, 0.18)]), rng.uniform(0.8, 1.0)
    page = Image.new("L", (3 * height, int(2.6 * height)))
    pen = ImageDraw.Draw(page)
    for name in lit:
        outline = _bar(np.array(_PLACES[name], float), half, gap) * (narrow, 1)
        outline[:, 0] += slant * (2 - outline[:, 1])
        pen.polygon([(float(x), float(y)) for x, y in 0.4 * size * outline + 0.2 * size], fill=255)
    return cut_out(np.asarray(page), height)


def _bar(ends: NDArray[np.float64], half: float, gap: float) -> NDArray[np.float64]:
    """Return a segment with pointed ends, (6, 2), between two corners one unit apart."""
    along = ends[1] - ends[0]
    across = half * along[::-1]
    first, last = ends[0] + gap * along, ends[1] - gap * along
    inner, outer = first + half * along, last - half * along
    return np.array([first, inner + across, outer + across, last, outer - across, inner - across])
