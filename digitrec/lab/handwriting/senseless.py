"""Draw non-digits to learn from: letters, signs, scrawls, digits lying down, two as one.

None of it is what refusing is measured by: letters of other hands, other scrawls (`nondigits`), other fonts.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting import printed
from digitrec.lab.handwriting.augment import SIDE
from digitrec.lab.handwriting.nondigits import beside
from digitrec.lab.handwriting.pen import log_uniform
from digitrec.lab.handwriting.redraw import cut_out, enlarge, rewrite
from digitrec.lab.handwriting.shapes import LEARNED, PLAIN, SIGNS
from digitrec.lab.handwriting.strokes import any_pen, put, smooth, write
from digitrec.lab.handwriting.writer import Writer

GLYPHS = (
    *("".join(LEARNED) + "ΔΛΞΠΣΦΨΩλμπφχψω" + "ДЖИЙЛПФЦШЩЫЮЯжйкмпфцшщыюя" + "אחמעצש"),
    *"∑∏√∞≈≠≤≥±÷∇∈⊕∀∃←→↔↗↺★☆♠♥♦♣✓✗♯€£¥@#%&$+=*~^{}<>",
)
"""Letters and signs that resemble no digit, in fonts that have them all; Latin letters only `LEARNED`."""

LATIN = "".join(PLAIN)
"""Letters and signs that resemble no digit and that all fonts have."""

_NONE_LYING = (3, 4)  # digits that do not look like digits when they lie on their side


def any_kind(writer: Writer, rng: np.random.Generator) -> Pixels:
    """One picture, ink high; of 28x28 where two of the writer's digits are squeezed into that.

    Raises:
        NotInstalled: Matplotlib is missing, whose fonts are printed with.
    """
    return _KINDS[rng.choice(len(_KINDS), p=_SHARES)](writer, rng)


def larger(digit: Pixels, rng: np.random.Generator) -> Pixels:
    """Draw a character of MNIST's form larger, somewhere on an empty page: square, ink high."""
    side = int(rng.integers(56, 140))
    ink = rewrite(digit, any_pen(rng), side, rng) if rng.random() < 0.5 else enlarge(digit, side)
    page = round(side * rng.uniform(1.0, 1.7))
    top, left = rng.integers(page - side + 1, size=2)
    return np.pad(ink, ((top, page - side - top), (left, page - side - left)))


def _letter(writer: Writer, rng: np.random.Generator) -> Pixels:
    return write([_LETTERS[rng.integers(len(_LETTERS))]], rng, int(rng.integers(80, 160)))


def _strokes(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Three to six bent strokes over each other."""
    paths = [smooth(rng.uniform(0, 100, (int(rng.integers(2, 6)), 2))) for _ in range(rng.integers(3, 7))]
    return put(paths, any_pen(rng), rng, int(rng.integers(80, 160)))


def _lying(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Draw a digit rotated by 90 degrees to either side."""
    digits = writer.digits
    lying = np.flatnonzero(np.isin(digits.labels, _NONE_LYING))
    return np.rot90(larger(digits.images[rng.choice(lying)], rng), rng.choice([1, 3]))


def _touching(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Two digits side by side whose strokes touch or all but do."""
    height = int(rng.integers(60, 120))
    pen = any_pen(rng) if rng.random() < 0.3 else None
    chosen = writer.digits.images[rng.integers(len(writer.digits), size=2)]
    large = [enlarge(one, height) if pen is None else rewrite(one, pen, height, rng) for one in chosen]
    left, right = (cut_out(ink, round(height * rng.uniform(0.8, 1.0))) for ink in large)
    return beside(left, right, float(rng.choice([0, rng.uniform(0, 0.15)])), rng)


def _squeezed(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Two digits squeezed into the place of one, 28x28."""
    page = np.zeros((SIDE, SIDE), np.uint8)
    width, height = int(rng.integers(9, 15)), int(rng.integers(16, 29))
    top, gap = int(rng.integers(SIDE - height + 1)), int(rng.integers(-1, 2))
    left = int(rng.integers(max(1, SIDE - 2 * width - gap + 1)))
    for place in (left, left + width + gap):
        ink = cut_out(writer.digits.images[rng.integers(len(writer.digits))], height)
        narrow = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BOX))
        part = page[top : top + height, max(place, 0) : place + width]
        np.maximum(part, narrow[:, : part.shape[1]], out=part)
    return page


def _glyph(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Draw a letter of another script or a sign, in a font that has them all."""
    fonts = [font for font in printed.fonts_to_learn() if "DejaVuSans" in font]
    return printed.redrawn(GLYPHS[rng.integers(len(GLYPHS))], fonts[rng.integers(len(fonts))], rng)


def _cast(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Draw a Latin letter in one of the writer's fonts, most of which look like handwriting."""
    return printed.redrawn(LATIN[rng.integers(len(LATIN))], writer.font(rng), rng)


def _scrawl(writer: Writer, rng: np.random.Generator) -> Pixels:
    """One thin line whose bend wanders, three to nine times round: a hand that tries its pen."""
    bends = np.cumsum(rng.normal(0, 1, 300)) * rng.uniform(0, 0.05) + 1
    headings = rng.uniform(0, 2 * np.pi) + np.cumsum(bends) * 2 * np.pi * rng.uniform(3, 9) / bends.sum()
    steps = np.stack([np.cos(headings), np.sin(headings)], axis=1) + rng.normal(0, 0.06, 2)
    pen = any_pen(rng, log_uniform(rng, 0.012, 0.05))
    return put([np.cumsum(steps, axis=0)], pen, rng, int(rng.integers(80, 160)))


_LETTERS = [*(PLAIN[letter] for letter in LEARNED), *SIGNS.values()]
_KINDS = (_letter, _glyph, _cast, _strokes, _scrawl, _lying, _touching, _squeezed)
_SHARES = (0.15, 0.15, 0.24, 0.11, 0.12, 0.04, 0.12, 0.07)
