"""Generate training pictures besides MNIST's own digits.

They are digits as people elsewhere write them, photographed or damaged, and non-digits. Non-digits teach a
network to be undecided, even about kinds that it has never seen (Dan Hendrycks, Mantas Mazeika and Thomas
Dietterich, "Deep Anomaly Detection with Outlier Exposure", ICLR 2019). All pictures go through our own
preparation, so that training uses the same input as predicting.

Six of MNIST-C's fifteen corruptions resemble kinds of `DAMAGES`, which are drawn differently; nothing here
uses `corruptions`.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits
from digitrec.image import DigitImage
from digitrec.image.boxes import shared
from digitrec.image.pixels import Pixels
from digitrec.lab.datasets.digits import cropped
from digitrec.lab.datasets.world import Paths
from digitrec.lab.handwriting.augment import SIDE
from digitrec.lab.handwriting.nondigits import any_kind, larger, pages
from digitrec.lab.handwriting.photo import Floats, clouds, ink_on_paper, perhaps_on_paper
from digitrec.lab.handwriting.scenes import READ, scene
from digitrec.lab.handwriting.strokes import Stroke, any_pen, by_another_hand, by_share, draw, one_of, put
from digitrec.lab.handwriting.writer import Writer, redrawn
from digitrec.prepare.filters import grow, smooth

Damage = Callable[[Floats, np.random.Generator], Floats]

_FINE = 4  # strokes across a digit are drawn at this many times the picture's size


def damage(digit: Pixels, rng: np.random.Generator) -> Pixels:
    """Damage a copy of a digit in MNIST's form, of any polarity: square, uint8, 28 to 56 pixels a side."""
    side = int(rng.integers(29, 57)) if rng.random() < 0.35 else len(digit)
    enlarged = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    ink = np.asarray(enlarged, np.float32) / np.float32(255)
    damaged = np.clip(by_share(rng, DAMAGES)(ink, rng), 0, 1)
    darkest = rng.uniform(0, 0.5) if rng.random() < 0.4 else 0.0
    brightest = rng.uniform(darkest + 0.3, 1.0) if rng.random() < 0.4 else 1.0
    seen = darkest + (brightest - darkest) * damaged
    return np.asarray(np.rint(255 * (1 - seen if rng.random() < 0.3 else seen)), np.uint8)


def _band(ink: Floats, rng: np.random.Generator) -> Floats:
    """Invert a band of random place, width and direction, or everything outside the band."""
    angle = rng.choice([0, np.pi / 2]) if rng.random() < 0.6 else rng.uniform(0, np.pi)
    side = len(ink)
    y, x = np.mgrid[:side, :side] / (side - 1) - 0.5
    across = x * np.cos(angle) + y * np.sin(angle)
    band = np.abs(across - rng.uniform(-0.5, 0.5)) < rng.uniform(0.08, 0.4)
    if rng.random() < 0.3:
        band = np.abs(across - rng.uniform(-0.15, 0.15)) < rng.uniform(0.15, 0.4)
    return np.where(band if rng.random() < 0.5 else ~band, 1 - ink, ink)


def _haze(ink: Floats, rng: np.random.Generator) -> Floats:
    """Add clouds of random size, up to three times as bright as the ink."""
    side = len(ink)
    veil = np.zeros_like(ink)
    finer = rng.uniform(0.3, 0.75)  # strength of each finer layer of clouds
    for layer in range(5):
        cells = rng.uniform(0.7, 1.4) * 2**layer
        veil += np.float32(finer**layer) * clouds(rng, side, side, (cells, cells))
    veil = (veil - veil.min()) / max(float(np.ptp(veil)), 1e-6)
    strength = rng.uniform(0.3, 3.0)
    return np.asarray((ink + strength * veil) / (1 + strength), np.float32)


def _hollow(ink: Floats, rng: np.random.Generator) -> Floats:
    """Keep only the outline, thin and hard or a little softer, just inside the ink's edge or just outside."""
    soft = smooth(ink) if rng.random() < 0.7 else ink
    solid = soft > rng.uniform(0.2, 0.6)
    inside = rng.random() < 0.5
    outline = solid & ~grow(solid, 1, np.minimum) if inside else grow(solid, 1) & ~solid
    line = outline.astype(np.float32)
    return line if rng.random() < 0.7 else np.minimum(2 * smooth(line), 1, dtype=np.float32)


def _crossed(ink: Floats, rng: np.random.Generator) -> Floats:
    """Draw zigzags and straight or broken lines across the digit, in any direction."""
    size = _FINE * len(ink)
    drawing = Image.new("L", (size, size))
    pen = ImageDraw.Draw(drawing)
    for _ in range(int(rng.choice([1, 2, 3], p=[0.75, 0.18, 0.07]))):
        points = size * _zigzag(rng)
        width = max(1, round(size / 28 * rng.uniform(0.4, 1.6)))
        on, period = int(rng.integers(2, 7)), int(rng.integers(6, 13))
        broken = rng.random() < 0.4
        for step, (first, last) in enumerate(pairwise(points)):
            if not broken or step % period < on:
                pen.line([*first, *last], fill=int(rng.integers(110, 256)), width=width)
    lines = np.asarray(drawing.reduce(_FINE), np.float32) / np.float32(255)
    return np.asarray(np.maximum(ink, lines))


def _zigzag(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return points along a zigzag or straight line, (N, 2), x and y as shares of the picture's side."""
    ends = rng.uniform(0, 1, (2, 2))
    ends[:, int(rng.integers(2))] = rng.uniform(-0.1, 0.15), rng.uniform(0.85, 1.1)
    along = np.linspace(0, 1, 113)[:, None]
    teeth = rng.uniform(1, 6)
    height = rng.uniform(0.03, 0.15) if rng.random() < 0.7 else 0.0
    wave = height * (4 * np.abs((along * teeth + rng.random()) % 1 - 0.5) - 1)
    direction = ends[1] - ends[0]
    normal = np.array([-direction[1], direction[0]]) / np.hypot(*direction)
    return np.asarray(ends[0] + along * direction + wave * normal)


def _specks(ink: Floats, rng: np.random.Generator) -> Floats:
    """Make single pixels black, white or grey, and add noise."""
    chance = rng.random(ink.shape)
    share = rng.uniform(0.01, 0.22)
    grain = ink + np.float32(rng.uniform(0, 0.2)) * rng.standard_normal(ink.shape, np.float32)
    return np.where(chance < share / 2, 0, np.where(chance < share, rng.uniform(0.5, 1), grain))


def _spots(ink: Floats, rng: np.random.Generator) -> Floats:
    """Put drops paler than the ink over it."""
    side = len(ink)
    cells = rng.uniform(4, 14)
    height = clouds(rng, side, side, (cells, cells))
    wet = height > np.percentile(height, rng.uniform(60, 97))
    return np.where(wet, np.float32(rng.uniform(0.05, 0.5)), ink)


DAMAGES: dict[Damage, float] = {
    _band: 0.25, _haze: 0.22, _hollow: 0.16, _crossed: 0.22, _specks: 0.11, _spots: 0.04,
}  # fmt: skip
"""The kinds of damage, functions from ink, (side, side) in 0..1, and a generator to damaged ink; and the
share of each."""


SHARES = 0.13, 0.11, 0.05, 0.15, 0.03
"""Shares of the pictures that `make` returns: digits of a synthetic hand, of fonts, photographed; non-digits;
empty pages. The rest is damaged. Few empty pages remain: only those in which the preparation finds ink."""


TO_REFUSE = ("crossed out", "crossed out", "printed signs")
"""Scenes that a network learns to refuse; "crossed out" is twice as frequent. The other scenes of `REFUSED`
may contain a part of a digit."""
REFUSED_SHARE = 0.3
"""Share of scenes with writing to refuse."""
SAME = 0.6
"""Two boxes show the same thing if they have more than this share of their union in common."""


def make(writer: Writer, count: int, seed: int | list[int]) -> Digits:
    """Generate at most `count` pictures of the kinds `drawn`, `lettered`, ..., `damaged`.

    Pictures in which the preparation finds no single character are left out.

    Raises:
        NotInstalled: Matplotlib, whose fonts are used, is missing.
    """
    rng = np.random.default_rng(seed)
    by_hand, in_fonts, on_paper, none, blank = (round(count * share) for share in SHARES)
    made = drawn(by_hand, rng) + lettered(writer, in_fonts, rng) + photographed(writer.digits, on_paper, rng)
    made = made + senseless(writer, none, rng) + empty(blank, int(rng.integers(2**31)))
    return made + damaged(writer.digits, count - by_hand - in_fonts - on_paper - none - blank, rng)


def staged(writer: Writer, count: int, seed: int | list[int]) -> Digits:
    """Put the writer's digits in scenes; a share, `REFUSED_SHARE`, is writing to refuse, labelled `NO_DIGIT`.

    Leave out pictures whose crop is not the subject of the scene: a card must not be learned as a 3.
    """
    rng = np.random.default_rng(seed)
    images, labels = [np.zeros((0, SIDE, SIDE), np.uint8)], []
    for _ in range(count):
        kinds = TO_REFUSE if rng.random() < REFUSED_SHARE else tuple(READ)
        one = scene(one_of(rng, kinds), writer, rng)
        crop, findings = cropped(DigitImage(one.pixels, "<synthetic>", ""))
        if findings.reason is None and shared(findings.boxes[0], one.box) > SAME:
            images.append(crop[None])
            labels.append(NO_DIGIT if one.label is None else one.label)
    return Digits(np.concatenate(images), np.array(labels, np.uint8))


def written(paths: Paths, rng: np.random.Generator) -> Digits:
    """Redraw each of the pen paths with a random pen, half of them on photographed paper."""
    inks = (traced(by_another_hand(digit, rng), rng) for digit in paths.strokes)
    return prepared((perhaps_on_paper(ink, rng) for ink in inks), paths.labels)


def traced(digit: Sequence[Stroke], rng: np.random.Generator) -> Pixels:
    """Draw a digit along its strokes with a random pen: (112, 112), ink high."""
    return put(digit, any_pen(rng), rng, 112)


def drawn(count: int, rng: np.random.Generator) -> Digits:
    """Draw digits with the synthetic hand of `strokes`, half of them on photographed paper."""
    labels = (np.arange(count) % 10).astype(np.uint8)
    inks = (draw(int(label), rng) for label in labels)
    return prepared((perhaps_on_paper(ink, rng) for ink in inks), labels)


def lettered(writer: Writer, count: int, rng: np.random.Generator) -> Digits:
    """Draw digits in the writer's fonts, half with another pen, half on photographed paper."""
    labels = (np.arange(count) % 10).astype(np.uint8)
    inks = (redrawn(str(label), writer.font(rng), rng) for label in labels)
    return prepared((perhaps_on_paper(ink, rng) for ink in inks), labels)


def photographed(digits: Digits, count: int, rng: np.random.Generator) -> Digits:
    """Photograph some of the given digits on paper, half of them redrawn with another pen."""
    chosen = digits[rng.integers(len(digits), size=count)]
    return prepared((ink_on_paper(larger(image, rng), rng) for image in chosen.images), chosen.labels)


def damaged(digits: Digits, count: int, rng: np.random.Generator) -> Digits:
    """Put something over some of the given digits, or keep only their outlines; see `damage`.

    Ones are taken twice as often as other digits, because damage easily turns a single stroke into the
    shape of another digit.
    """
    often = np.where(digits.labels == 1, 2.0, 1.0)
    chosen = digits[rng.choice(len(digits), count, p=often / often.sum())]
    return prepared((damage(image, rng) for image in chosen.images), chosen.labels)


def empty(count: int, seed: int) -> Digits:
    """Draw blank and textured pages; the preparation leaves few of them."""
    return prepared((page.pixels for page in pages(count, seed)), np.full(count, NO_DIGIT, np.uint8))


def senseless(writer: Writer, count: int, rng: np.random.Generator) -> Digits:
    """Draw non-digits with `any_kind`; photograph half of those larger than 28x28."""
    pictures = (any_kind(writer, rng) for _ in range(count))
    labels = np.full(count, NO_DIGIT, np.uint8)
    seen = (ink if ink.shape == (SIDE, SIDE) else perhaps_on_paper(ink, rng) for ink in pictures)
    return prepared(seen, labels)


def prepared(pictures: Iterable[Pixels], labels: NDArray[np.uint8]) -> Digits:
    """Prepare the pictures for a network; leave out pictures without a single character."""
    crops = [cropped(DigitImage(pixels, "<synthetic>", "")) for pixels in pictures]
    images = np.array([crop for crop, _ in crops], np.uint8).reshape(-1, SIDE, SIDE)
    single = [findings.reason is None for _, findings in crops]
    return Digits(images, labels)[np.flatnonzero(single)]
