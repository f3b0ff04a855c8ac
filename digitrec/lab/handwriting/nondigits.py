"""Generate pictures that show no single digit: blank pages, two digits, letters and scribbles.

The public generators measure how well digitrec refuses; a larger count only appends pictures. `any_kind`
draws training pictures with other letters, scrawls and fonts. All pictures are drawn here from a seed; the
pairs also use MNIST's digits.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting import strokes
from digitrec.lab.handwriting.augment import SIDE
from digitrec.lab.handwriting.photo import TEXTURES, clouds, ink_on_paper, photograph, random_look, texture
from digitrec.lab.handwriting.strokes import LEARNED, PLAIN, RESEMBLING, TO_LEARN, Stroke, by_share, one_of
from digitrec.lab.handwriting.writer import Writer, cut_out, enlarge, font_to_learn, in_font, redrawn, rewrite

PAGES = ("paper", "shadow", *TEXTURES, "noise", "gradient", "flat")
"""Kinds of pages without writing."""
LIKE_DIGIT = "letter like a digit"
SCRIBBLES = ("letter", LIKE_DIGIT, "scribble")
"""Kinds of writing without a digit."""
NOISES = ("even", "normal", "black and white", "coarse")
"""Kinds of noise of 28x28 pixels."""
DIGIT_WIDTH = 0.6
"""The usual width of a digit as a share of its height: the unit of the gap between two digits."""


@dataclass(frozen=True, slots=True)
class NonDigit:
    """A picture that shows no single digit."""

    pixels: Pixels = field(repr=False, compare=False)
    """uint8, (height, width, 3), or (28, 28) for kinds generated in that size."""
    kind: str
    """One of `PAGES`, `SCRIBBLES` or `NOISES`, or the two digits of a pair, such as "42"."""
    gap: float = 0.0
    """For a pair: the smallest distance between the two digits, in digits' widths, 0..1; 0: they touch."""


def pages(n: int, seed: int) -> Iterator[NonDigit]:
    """Yield `n` pictures of blank or textured surfaces, half of them paper."""
    for rng in _generators(n, seed, 1):
        kind = str(rng.choice(PAGES, p=[0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]))
        yield NonDigit(_page(kind, rng), kind)


def pairs(n: int, seed: int) -> Iterator[NonDigit]:
    """Yield `n` pictures of two digits side by side; a tenth touch, the gaps are up to a digit wide."""
    test = mnist_test()
    for rng in _generators(n, seed, 2):
        height = int(rng.integers(70, 150))
        labels, inks = _two_digits(test, height, rng)
        left, right = (cut_out(ink, round(height * rng.uniform(0.9, 1.1))) for ink in inks)
        gap = 0.0 if rng.random() < 0.1 else float(rng.uniform(0.02, 1))
        yield NonDigit(shown(beside(left, right, gap, rng), rng), labels, gap)


def scribbles(n: int, seed: int) -> Iterator[NonDigit]:
    """Yield `n` pictures: a third each of letters unlike any digit, letters like a digit, and scribbles.

    No letter is one that networks see in training.
    """
    for rng in _generators(n, seed, 3):
        kind = str(rng.choice(SCRIBBLES))
        side = int(rng.integers(80, 200))
        if kind == "scribble":
            written = strokes.put([one_of(rng, _SCRIBBLES)(rng)], strokes.any_pen(rng), rng, side)
        else:
            shapes = _UNKNOWN if kind == "letter" else list(RESEMBLING.values())
            written = strokes.write([one_of(rng, shapes)], rng, side)
        yield NonDigit(shown(written, rng), kind)


def word(letters: Sequence[str], font: str, rng: np.random.Generator) -> Pixels:
    """Return the ink of a word of two to eight letters: some of `PLAIN` by hand, or any in a font."""
    length = int(rng.integers(2, 9))
    if rng.random() < 0.5:
        chosen = [str(one) for one in rng.choice([one for one in letters if one.isalpha()], length)]
        pen = strokes.log_uniform(rng, 0.03, 0.1)
        # a generator, because each gap is drawn before the next letter
        inks = (cut_out(strokes.write([PLAIN[letter]], rng, 80, pen)) for letter in chosen)
        ink = next(inks)
        for other in inks:
            ink = cut_out(beside(ink, other, float(rng.uniform(0, 0.4)), rng))
        return ink
    return printed_word(length, font, 40, rng)


def printed_word(length: int, font: str, height: int, rng: np.random.Generator) -> Pixels:
    """Return the ink of a word of random letters in a font, its capitals about ``height`` px high."""
    text = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), length))
    return in_font(text.capitalize() if rng.random() < 0.5 else text, font, height)


def squeezed(n: int, seed: int) -> Iterator[NonDigit]:
    """Yield `n` pictures of 28x28, ink high, with two of MNIST's test digits side by side at half width."""
    test = mnist_test()
    for rng in _generators(n, seed, 4):
        chosen = test[rng.integers(0, len(test), 2)]
        near = int(rng.integers(0, 5))  # columns of each digit that are cut off where the two meet
        both = np.hstack([chosen.images[0][:, : 28 - near], chosen.images[1][:, near:]])
        small = Image.fromarray(both).resize((28, 28), Image.Resampling.BOX)
        yield NonDigit(np.asarray(small), "".join(map(str, chosen.labels)))


def noise(n: int, seed: int) -> Iterator[NonDigit]:
    """Yield `n` pictures of 28x28 in which every pixel, or every small block, has a random brightness."""
    for rng in _generators(n, seed, 5):
        kind = str(rng.choice(NOISES))
        side = 28 if kind != "coarse" else int(rng.choice([7, 14]))
        values = rng.uniform(0, 1, (side, side))
        if kind == "normal":
            values = rng.normal(rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.4), (side, side))
        if kind == "black and white":
            values = (values < rng.uniform(0.1, 0.9)).astype(float)
        pixels = np.asarray(255 * np.clip(values, 0, 1), np.uint8)
        yield NonDigit(pixels.repeat(28 // side, axis=0).repeat(28 // side, axis=1), kind)


def _generators(n: int, seed: int, stream: int) -> Iterator[np.random.Generator]:
    return (np.random.default_rng((seed, stream, number)) for number in range(n))


def _page(kind: str, rng: np.random.Generator) -> Pixels:
    height, width = (int(side) for side in rng.integers(100, 360, 2))
    look = random_look(rng)
    if kind in ("paper", "shadow"):
        shadow = float(rng.uniform(0.3, 0.7)) if kind == "shadow" else 0.0
        return ink_on_paper(np.zeros((height, width), np.uint8), rng, replace(look, shadow=shadow))
    if kind in ("noise", "gradient", "flat"):
        grey = 255 * np.clip(_tone(kind, rng, height, width), 0, 1)
        return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)
    return photograph(texture(rng, height, width, kind), rng, look)


def _tone(kind: str, rng: np.random.Generator, height: int, width: int) -> NDArray[np.floating]:
    """Return grey levels, (height, width), about 0..1, unlike any photograph."""
    if kind == "noise":
        cells = rng.uniform(0.05, 1.0)
        return 0.5 + rng.uniform(0.1, 0.5) * clouds(rng, height, width, (cells * height, cells * width))
    if kind == "gradient":
        first, lower, right = rng.random(3)
        down, across = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)
        return np.asarray(first + (lower - first) * down + (right - first) * across)
    return np.full((height, width), rng.choice([0, 1, rng.random()]))


def _two_digits(test: Digits, side: int, rng: np.random.Generator) -> tuple[str, list[Pixels]]:
    """Return labels and ink of two of MNIST's test digits, or of two synthetic digits by one pen."""
    if rng.random() < 0.5:
        chosen = test[rng.integers(0, len(test), 2)]
        return "".join(map(str, chosen.labels)), [enlarge(digit, side) for digit in chosen.images]
    labels, width = rng.integers(0, 10, 2), rng.uniform(0.02, 0.1)
    return "".join(map(str, labels)), [strokes.draw(int(label), rng, side, width) for label in labels]


def beside(left: Pixels, right: Pixels, gap: float, rng: np.random.Generator) -> Pixels:
    """Put both on one field with a margin, with `gap` as the smallest distance between their ink."""
    high = max(len(left), len(right))
    first, second = (_placed(ink, high, rng.random()) for ink in (left, right))
    ends = left.shape[1] - (first > 127)[:, ::-1].argmax(axis=1)
    starts = (second > 127).argmax(axis=1)
    both = (first > 127).any(axis=1) & (second > 127).any(axis=1)
    move = max(0, round(gap * DIGIT_WIDTH * high) + int((ends - starts)[both].max()) - 1)
    field = np.zeros((high, max(left.shape[1], move + right.shape[1])), np.uint8)
    field[:, : left.shape[1]] = first
    field[:, move : move + right.shape[1]] = np.maximum(field[:, move : move + right.shape[1]], second)
    return np.pad(field, round(high * rng.uniform(0.15, 0.8)))


def _placed(ink: Pixels, height: int, share: float) -> Pixels:
    """Place the ink on a field of the given height, with `share` of the spare rows above it."""
    above = round(share * (height - len(ink)))
    return np.pad(ink, ((above, height - len(ink) - above), (0, 0)))


def shown(written: Pixels, rng: np.random.Generator) -> Pixels:
    """Show the writing as a photograph or, a quarter of the time, as a drawing on a screen."""
    if rng.random() < 0.75:
        return ink_on_paper(written, rng, replace(random_look(rng), shadow=0.0))
    drawing = written if rng.random() < 0.3 else 255 - written
    return np.repeat(drawing[:, :, None], 3, axis=2)


def _tangle(rng: np.random.Generator) -> Stroke:
    """Draw a line through random points."""
    return strokes.smooth(rng.uniform(0, 100, (int(rng.integers(7, 30)), 2)))


def _coil(rng: np.random.Generator) -> Stroke:
    """Draw loops that move on or inwards."""
    turns = np.linspace(0, 2 * np.pi * rng.uniform(3, 8), 200)
    radius = np.linspace(40, rng.uniform(2, 40), 200)
    middle = np.linspace(0, rng.uniform(0, 120), 200)
    return np.stack([middle + radius * np.cos(turns), radius * np.sin(turns)], axis=1)


def _hatching(rng: np.random.Generator) -> Stroke:
    """Draw a line back and forth, as people strike out a mistake."""
    count = int(rng.integers(6, 24))
    x = np.linspace(0, 100, count) + rng.normal(0, 3, count)
    y = np.where(np.arange(count) % 2, 0, rng.uniform(30, 90)) + rng.normal(0, 5, count)
    return np.stack([x, y], axis=1)


def _star(rng: np.random.Generator) -> Stroke:
    """Draw a star in one line."""
    points, skip = one_of(rng, ((5, 2), (7, 3), (8, 3)))
    angles = 2 * np.pi * skip * np.arange(points + 1) / points
    return 50 * np.stack([np.sin(angles), -np.cos(angles)], axis=1) + rng.normal(0, 3, (points + 1, 2))


_UNKNOWN = [shape for letter, shape in PLAIN.items() if letter not in LEARNED]
_SCRIBBLES: tuple[Callable[[np.random.Generator], Stroke], ...] = (_tangle, _coil, _hatching, _star)


GLYPHS = (
    *("".join(LEARNED) + "ΔΛΞΠΣΦΨΩλμπφχψω" + "ДЖИЙЛПФЦШЩЫЮЯжйкмпфцшщыюя" + "אחמעצש"),
    *"∑∏√∞≈≠≤≥±÷∇∈⊕∀∃←→↔↗↺★☆♠♥♦♣✓✗♯€£¥@#%&$+=*~^{}<>",
)
"""Letters and signs unlike any digit, for fonts that have all of them; the Latin letters are `LEARNED`."""

LATIN = "".join(PLAIN)
"""Letters and signs unlike any digit that all fonts have."""


def any_kind(writer: Writer, rng: np.random.Generator, *, pairs: bool = True) -> Pixels:
    """Draw one picture, ink high; two digits of the writer squeezed into one picture have 28x28 pixels.

    Without ``pairs`` never draw two digits.

    Raises:
        NotInstalled: Matplotlib, whose fonts are used, is missing.
    """
    draw = by_share(rng, _KINDS)
    return draw(writer, rng) if pairs or draw not in _PAIRS else any_kind(writer, rng, pairs=False)


def larger(digit: Pixels, rng: np.random.Generator) -> Pixels:
    """Draw a character in MNIST's form larger, somewhere on an empty page: square, ink high."""
    side = int(rng.integers(56, 140))
    ink = rewrite(digit, strokes.any_pen(rng), side, rng) if rng.random() < 0.5 else enlarge(digit, side)
    page = round(side * rng.uniform(1.0, 1.7))
    top, left = rng.integers(page - side + 1, size=2)
    return np.pad(ink, ((top, page - side - top), (left, page - side - left)))


def _letter(writer: Writer, rng: np.random.Generator) -> Pixels:
    return strokes.write([one_of(rng, TO_LEARN)], rng, int(rng.integers(80, 160)))


def _strokes(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Draw three to six bent strokes over each other."""
    paths = [strokes.smooth(rng.uniform(0, 100, (rng.integers(2, 6), 2))) for _ in range(rng.integers(3, 7))]
    return strokes.put(paths, strokes.any_pen(rng), rng, int(rng.integers(80, 160)))


def _lying(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Draw a digit rotated by 90 degrees to either side."""
    digits = writer.digits
    lying = np.flatnonzero(np.isin(digits.labels, (3, 4)))  # others may look like a digit on their side
    return np.rot90(larger(digits.images[rng.choice(lying)], rng), rng.choice([1, 3]))


def _touching(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Draw two digits side by side whose strokes touch or nearly touch."""
    height = int(rng.integers(60, 120))
    pen = strokes.any_pen(rng) if rng.random() < 0.3 else None
    chosen = writer.digits.images[rng.integers(len(writer.digits), size=2)]
    large = [enlarge(one, height) if pen is None else rewrite(one, pen, height, rng) for one in chosen]
    left, right = (cut_out(ink, round(height * rng.uniform(0.8, 1.0))) for ink in large)
    return beside(left, right, float(rng.choice([0, rng.uniform(0, 0.15)])), rng)


def _squeezed(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Squeeze two digits into the place of one, 28x28."""
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
    """Draw a letter of another script or a sign, in a font that has all of `GLYPHS`."""
    return redrawn(one_of(rng, GLYPHS), font_to_learn(rng, "DejaVuSans"), rng)


def _cast(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Draw a Latin letter in one of the writer's fonts, most of which look like handwriting."""
    return redrawn(one_of(rng, LATIN), writer.font(rng), rng)


def _scrawl(writer: Writer, rng: np.random.Generator) -> Pixels:
    """Draw one thin line with changing bends, three to nine turns long, like a pen being tried."""
    bends = np.cumsum(rng.normal(0, 1, 300)) * rng.uniform(0, 0.05) + 1
    headings = rng.uniform(0, 2 * np.pi) + np.cumsum(bends) * 2 * np.pi * rng.uniform(3, 9) / bends.sum()
    steps = np.stack([np.cos(headings), np.sin(headings)], axis=1) + rng.normal(0, 0.06, 2)
    pen = strokes.any_pen(rng, strokes.log_uniform(rng, 0.012, 0.05))
    return strokes.put([np.cumsum(steps, axis=0)], pen, rng, int(rng.integers(80, 160)))


_KINDS = {
    _letter: 0.15, _glyph: 0.15, _cast: 0.24, _strokes: 0.11, _scrawl: 0.12, _lying: 0.04, _touching: 0.12,
    _squeezed: 0.07,
}  # fmt: skip
_PAIRS = (_touching, _squeezed)
