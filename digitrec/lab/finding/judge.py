"""Train the judge's weights: draw pictures, let digitrec propose digits, learn which proposals are right.

    python -m digitrec.lab.finding.judge draw FOLDER 120
    python -m digitrec.lab.finding.judge learn FOLDER

`draw` takes one core an hour or less and resumes where it stopped; `learn` takes two minutes and writes the
weights that digitrec ships, with their card. Only digits and fonts of the training sets are used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitrec.image import DigitImage
from digitrec.image.pixels import Pixels
from digitrec.lab import stocks
from digitrec.lab.datasets.download import mnist_train
from digitrec.lab.datasets.world import LEARNED_OF_MNIST, people, swiss_cells
from digitrec.lab.handwriting.changes import CHANGES
from digitrec.lab.handwriting.nondigits import any_kind, beside, larger, pages, shown
from digitrec.lab.handwriting.photo import perhaps_on_paper
from digitrec.lab.handwriting.scenes import REFUSED, WANTED, large, page_of, scene
from digitrec.lab.handwriting.strokes import log_uniform
from digitrec.lab.handwriting.writer import Writer, font_to_learn, fonts_to_learn
from digitrec.lab.reading.compose import Composer, unstretched
from digitrec.lab.reading.hands import Hand, hands
from digitrec.prepare.ink import find_ink
from digitrec.prepare.judge import CLEAR, WEIGHTS, features
from digitrec.prepare.proposals import seen

Picture = tuple[Pixels, int | None]
"""A picture, and the digit on it; None: there is no single digit."""
SEED = 31
STOCK = 500
"""Number of pictures in a file."""
BRACKETS = ("()", "()", "[]", "{}", "<>")
"""Pairs of brackets around a digit, with which it is still a single digit."""
SIGNS = "--==++#%$&@*/abdeghkmnrtvwxyABDEFHKMNPRTX"
"""Signs and letters beside a digit, with which it is no longer a single digit."""
HANDS = 400
"""Number of hands that write numbers."""
LENGTHS = (0.5, 0.3, 0.12, 0.08)
"""Shares of numbers with 1 to 4 digits."""
NETWORKS, HIDDEN, ALPHA = 8, 48, 0.1
"""Number of small networks whose mean is the judge, their hidden units, and their L2 penalty."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The digits, fonts and cells that the pictures are made of."""

    writer: Writer
    cells: Sequence[tuple[Path, int]]
    """Files of scanned cells, and their digits."""
    hands: Sequence[Hand]
    """Hands that write numbers."""


def _scene(of: Sources, rng: np.random.Generator, kinds: tuple[str, ...] = tuple(WANTED)) -> Picture:
    one = scene(kinds[rng.integers(len(kinds))], of.writer, rng)
    return one.pixels, one.label


def _cell(of: Sources, rng: np.random.Generator) -> Picture:
    file, label = of.cells[int(rng.integers(len(of.cells)))]
    return np.asarray(Image.open(file).convert("RGB")), label


def _changed(of: Sources, rng: np.random.Generator) -> Picture:
    """Change a digit on paper, a cell or a scene in one or two ways that keep the digit."""
    pixels, label = (_cell, _tight, _scene)[rng.integers(3)](of, rng)
    for kind in rng.choice(list(CHANGES), rng.integers(1, 3), replace=False):
        pixels = np.asarray(CHANGES[str(kind)](Image.fromarray(pixels)))
    return pixels, label


def _tight(of: Sources, rng: np.random.Generator) -> Picture:
    """Crop a digit on paper so that it touches some edges, or lose up to a twelfth of it outside."""
    one = scene("plain paper", of.writer, rng)
    height, width = one.pixels.shape[:2]
    box, size = np.array(one.box), max(one.box[2] - one.box[0], one.box[3] - one.box[1])
    loose = np.where(rng.random(4) < 0.5, rng.uniform(-0.08, 0.05, 4), rng.uniform(0, 0.6, 4)) * size
    ends = np.clip(box + loose * (-1, -1, 1, 1), 0, (width, height) * 2).astype(int)
    ends[2:] = np.maximum(ends[2:], ends[:2] + 4)  # a 1 is narrow
    return one.pixels[ends[1] : ends[3], ends[0] : ends[2]], one.label


def _small(of: Sources, rng: np.random.Generator) -> Picture:
    """Write one or two small digits on a large page."""
    height, side = round(log_uniform(rng, 14, 90)), rng.integers(300, 1200)
    digit, ink = of.writer.digit(rng, height)
    label = None if rng.random() < 0.25 else digit
    if label is None:
        ink = beside(ink, of.writer.digit(rng, height)[1], float(rng.uniform(0, 2)), rng)
    around = side / height / 2
    return shown(page_of(ink, rng, 0.2 * around, around), rng), label


def _beside_a_thing(of: Sources, rng: np.random.Generator) -> Picture:
    """Lay a pen, a pencil or another straight thing beside a digit on paper, or on both sides.

    A pen is 7 to 11 mm broad and digits are 5 to 50 mm high, so a pen may be as broad as a digit is high. It
    is longer than a digit: a stroke of a digit's length may be a 1.
    """
    one = scene("plain paper", of.writer, rng)
    picture, (left, top, right, bottom) = Image.fromarray(one.pixels), one.box
    length = max(right - left, bottom - top)
    for _ in range(int(rng.integers(1, 3))):
        angle, width = rng.uniform(0, 2 * np.pi), length * log_uniform(rng, 0.04, 1.2)
        away = np.array([np.cos(angle), np.sin(angle)])
        along = np.array([-away[1], away[0]]) + rng.normal(0, 0.2, 2)
        gap = length * rng.uniform(0.55, 1.1) + width / 2
        middle = np.array([left + right, top + bottom]) / 2 + gap * away
        _lay(picture, middle + length * rng.uniform((-4, 0.2), (-1.5, 1.2))[:, None] * along, width, rng)
    return np.asarray(picture), one.label


def _lay(picture: Image.Image, ends: NDArray[np.float64], width: float, rng: np.random.Generator) -> None:
    """Draw a straight thing between two points, (2, 2), mostly with print or shine, often with a dark tip."""
    pen = ImageDraw.Draw(picture)
    for share in (1, rng.uniform(0.1, 0.6))[: rng.integers(1, 3)]:
        pen.line(ends.ravel().tolist(), _colour(rng, (130, 256)[rng.integers(2)]), round(share * width))
    along = ends[1] - ends[0]
    along *= width / np.hypot(*along)
    across, tip = along[::-1] * (-0.5, 0.5), ends[1] + rng.uniform(0.7, 3) * along
    if rng.random() < 0.6:
        sides = np.stack([ends[1] - across, ends[1] + across])
        for share, brightest in ((1, 256), (rng.uniform(0.15, 0.5), 60)):
            corners = [*(tip + share * (sides - tip)), tip]
            pen.polygon(np.concatenate(corners).tolist(), _colour(rng, brightest))


def _colour(rng: np.random.Generator, brightest: int) -> tuple[int, ...]:
    return tuple(rng.integers(0, brightest, 3).tolist())


def _beside_a_sign(of: Sources, rng: np.random.Generator) -> Picture:
    """Draw a minus, an equals sign or a plus before or after a digit on paper, by hand."""
    one = scene("plain paper", of.writer, rng)
    picture, (left, top, right, bottom) = Image.fromarray(one.pixels), one.box
    height, ink = bottom - top, one.pixels[top:bottom, left:right].min(axis=(0, 1))
    half, down = height * log_uniform(rng, 0.08, 0.3), np.array([0, height * rng.uniform(0.06, 0.12)])
    gap = half + height * rng.uniform(0.06, 0.5)
    middle = (left - gap, right + gap)[rng.integers(2)], (top + bottom) / 2 + height * rng.normal(0, 0.08)
    if not half < middle[0] < picture.width - half:
        return one.pixels, one.label
    level = np.array([(-half, 0), (half, 0)])
    minus, equals, plus = [level], [level - down, level + down], [level, level[:, ::-1]]
    for stroke in (minus, minus, equals, plus)[rng.integers(4)]:
        ends = middle + stroke + rng.normal(0, 0.08 * half, (2, 2))
        width = max(1, round(height * log_uniform(rng, 0.03, 0.1)))
        ImageDraw.Draw(picture).line(list(map(tuple, ends)), tuple(ink.tolist()), width)
    return np.asarray(picture), None


def _beside_print(of: Sources, rng: np.random.Generator) -> Picture:
    """Print brackets beside a digit on paper, or signs and letters, which make it no single digit."""
    one = scene("plain paper", of.writer, rng)
    picture, (left, top, right, bottom) = Image.fromarray(one.pixels), one.box
    height = bottom - top
    font = ImageFont.truetype(font_to_learn(rng), height * rng.uniform(0.9, 1.6))
    pen, ink = ImageDraw.Draw(picture), one.pixels[top:bottom, left:right].min(axis=(0, 1))
    is_bracket, sides, label = rng.random() < 0.65, rng.integers(1, 4), one.label
    signs = list(BRACKETS[rng.integers(len(BRACKETS))]) if is_bracket else rng.choice(list(SIGNS), 2).tolist()
    middle = (top + bottom) / 2 + height * rng.normal(0, 0.08)
    for side, sign, anchor, edge, away in ((1, signs[0], "rm", left, -1), (2, signs[1], "lm", right, 1)):
        at = edge + away * height * rng.uniform(0.08, 0.45)
        if sides & side and 0 < at + away * 0.6 * font.getlength(sign) < picture.width:
            pen.text((at, middle), sign, tuple(ink.tolist()), font, anchor)
            label = label if is_bracket else None
    return np.asarray(picture), label


def _large(of: Sources, rng: np.random.Generator) -> Picture:
    one = large(of.writer, rng)
    return one.pixels, one.label


def _page(of: Sources, rng: np.random.Generator) -> Picture:
    return next(pages(1, int(rng.integers(2**31)))).pixels, None


def _pair(of: Sources, rng: np.random.Generator) -> Picture:
    """Write two digits; a third of the pairs get a 1, because a 1 looks like a bracket or a pen."""
    height = int(rng.integers(70, 150))
    inks = [of.writer.digit(rng, round(height * rng.uniform(0.9, 1.1)))[1] for _ in range(2)]
    if rng.random() < 0.33:
        digits = (of.writer.digit(rng, height) for _ in itertools.count())
        inks[rng.integers(2)] = next(ink for label, ink in digits if label == 1)
    left, right = inks
    return shown(beside(left, right, float(rng.uniform(0, 2)), rng), rng), None


def _number(of: Sources, rng: np.random.Generator) -> Picture:
    """Write a number of one or more digits as in a logbook, small or enlarged."""
    view, text = Composer(of.hands, rng, lengths=LENGTHS).number()
    picture = unstretched(view, log_uniform(rng, 1, 4) if rng.random() < 0.5 else 1)
    return np.asarray(picture), int(text) if len(text) == 1 else None


def _reduced(of: Sources, rng: np.random.Generator) -> Picture:
    """Reduce another picture to 8 to 48 pixels, often to a square or to black and white."""
    kinds = (_tight, _tight, _tight, _senseless, _page, _pair, _number, _form)
    pixels, label = kinds[rng.integers(len(kinds))](of, rng)
    shape = np.array(pixels.shape[1::-1]) if rng.random() < 0.4 else np.ones(2)
    size = np.rint(log_uniform(rng, 8, 48) / shape.min() * shape).astype(int)
    small = np.asarray(Image.fromarray(pixels).convert("L").resize(size.tolist(), Image.Resampling.BOX))
    if rng.random() < 0.4:
        small = np.where(small > (int(small.min()) + int(small.max())) // 2, 255, 0).astype(np.uint8)
    return small, label


def _senseless(of: Sources, rng: np.random.Generator) -> Picture:
    ink = any_kind(of.writer, rng)
    return perhaps_on_paper(larger(ink, rng) if min(ink.shape) <= 28 else ink, rng), None


def _form(of: Sources, rng: np.random.Generator) -> Picture:
    """Cut a cell out of a table, mostly with its lines and a little of its neighbours; half are empty."""
    label = None
    side, dark, tilt = round(log_uniform(rng, 90, 300)), rng.integers(80, 256, 2), rng.normal(0, 0.02)
    table = Image.new("L", (3 * side, 3 * side))
    for at, upright in np.ndindex(2, 2):
        off = side * 1.5 * tilt * (1 - 2 * upright)
        ends = [(0, side * (at + 1) - off), (3 * side, side * (at + 1) + off)]
        if rng.random() < 0.9:
            width = max(1, round(side * log_uniform(rng, 0.01, 0.1)))
            ImageDraw.Draw(table).line([end[:: 1 - 2 * upright] for end in ends], int(dark[0]), width)
    for place in np.ndindex(3, 3):
        if rng.random() < 0.5:
            digit, ink = of.writer.digit(rng, round(side * rng.uniform(0.35, 0.8)))
            middle = side * (np.array(place) + rng.normal(0.5, 0.05, 2)) - np.array(ink.shape[::-1]) / 2
            table.paste(int(dark[1]), (int(middle[0]), int(middle[1])), Image.fromarray(ink))
            label = digit if place == (1, 1) else label
    loose = side * (rng.uniform(-0.08, 0.25) + rng.normal(0, 0.03, 4))
    cell = table.crop(tuple((np.array([1, 1, 2, 2]) * side + loose * (-1, -1, 1, 1)).astype(int)))
    picture = Image.fromarray(perhaps_on_paper(np.asarray(cell), rng))
    smaller = rng.uniform(1, min(picture.size) / 40) if rng.random() < 0.4 else 1
    return np.asarray(picture.resize([round(n / smaller) for n in picture.size], Image.Resampling.BOX)), label


KINDS: dict[Callable[[Sources, np.random.Generator], Picture], float] = {
    _scene: 0.1, _changed: 0.08, _beside_a_thing: 0.07, _beside_print: 0.1, _beside_a_sign: 0.03,
    _tight: 0.05, _cell: 0.04, _small: 0.05, _large: 0.05, partial(_scene, kinds=tuple(REFUSED)): 0.1,
    _page: 0.05, _pair: 0.05, _number: 0.05, _reduced: 0.04, _senseless: 0.05, _form: 0.09,
}  # fmt: skip
"""The kinds of pictures, and the share of each."""


def draw(folder: Path, count: int) -> None:
    """Write one file of proposals for measuring and ``count`` for training, from `STOCK` pictures each.

    Raises:
        DataError: MNIST or a set of `datasets.world` is missing.
    """
    writer = Writer(mnist_train()[:LEARNED_OF_MNIST], fonts_to_learn(), varied=0.3)
    of = Sources(writer, swiss_cells("learned"), list(hands(people("learned"), HANDS, SEED)))
    stocks.fill(folder, count, partial(drawn, of))


def drawn(of: Sources, number: int, count: int = STOCK) -> stocks.Stock:
    """Return the features of the clear proposals for a file's pictures, and whether each is right."""
    rows, right, kinds = [], [], list(KINDS)
    for at in range(count):
        rng = np.random.default_rng((SEED, number, at))
        pixels, label = kinds[int(rng.choice(len(kinds), p=list(KINDS.values())))](of, rng)
        image = DigitImage.open(np.ascontiguousarray(pixels))
        found = seen(image, find_ink(image.picture))
        clear = [one for one in found.proposals if one.reading.evidence >= CLEAR]
        rows += [features(found, one) for one in clear]
        right += [one.reading.digit == label for one in clear]
    return {"rows": np.array(rows, np.float32), "right": np.array(right)}


def learn(folder: Path, weights: Path = WEIGHTS) -> None:
    """Train on all files; write the weights, and their card beside them."""
    stocks.learn_committee(
        folder, weights, networks=NETWORKS, hidden=HIDDEN, alpha=ALPHA, recipe="digitrec.lab.finding.judge",
        purpose="Estimates the chance that a proposal is the picture's digit.",
        features="a proposal: `digitrec.prepare.judge.features`", seed=SEED,
    )  # fmt: skip


if __name__ == "__main__":
    stocks.main({"draw": draw, "learn": learn})
