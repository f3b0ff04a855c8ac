"""Train the judge's weights: draw pictures, let digitrec propose digits, learn which proposals are right.

    python -m digitrec.lab.finding.judge draw FOLDER 100
    python -m digitrec.lab.finding.judge learn FOLDER

`draw` takes one core 40 minutes and resumes where it stopped; `learn` takes two and writes the weights that
digitrec ships, with their card. Only digits and fonts of the training sets are used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitrec.image import DigitImage
from digitrec.image.pixels import Pixels
from digitrec.lab import stocks
from digitrec.lab.datasets.download import mnist_train
from digitrec.lab.datasets.world import LEARNED_OF_MNIST, swiss_cells
from digitrec.lab.handwriting.changes import CHANGES
from digitrec.lab.handwriting.nondigits import any_kind, beside, larger, pages, shown
from digitrec.lab.handwriting.photo import perhaps_on_paper
from digitrec.lab.handwriting.scenes import REFUSED, WANTED, large, page_of, scene
from digitrec.lab.handwriting.strokes import log_uniform
from digitrec.lab.handwriting.writer import Writer, font_to_learn, fonts_to_learn
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
NETWORKS, HIDDEN, ALPHA = 8, 48, 0.1
"""Number of small networks whose mean is the judge, their hidden units, and their L2 penalty."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The digits, fonts and cells that the pictures are made of."""

    writer: Writer
    cells: Sequence[tuple[Path, int]]
    """Files of scanned cells, and their digits."""


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
    """Lay a pen or another straight thing beside a digit on paper, or on both sides."""
    one = scene("plain paper", of.writer, rng)
    picture, (left, top, right, bottom) = Image.fromarray(one.pixels), one.box
    length = max(right - left, bottom - top)
    for _ in range(int(rng.integers(1, 3))):
        angle, gap = rng.uniform(0, 2 * np.pi), length * rng.uniform(0.55, 1.1)
        away = np.array([np.cos(angle), np.sin(angle)])
        along = np.array([-away[1], away[0]]) + rng.normal(0, 0.2, 2)
        middle = np.array([left + right, top + bottom]) / 2 + gap * away
        ends = [tuple(middle + share * length * along) for share in rng.uniform((-2, 0.2), (-0.2, 2))]
        width = round(length * log_uniform(rng, 0.04, 0.2))
        if gap > 0.5 * length + width:
            ImageDraw.Draw(picture).line(ends, tuple(rng.integers(0, 130, 3).tolist()), width)
    return np.asarray(picture), one.label


def _beside_print(of: Sources, rng: np.random.Generator) -> Picture:
    """Print brackets beside a digit on paper, or signs and letters, which make it no single digit."""
    one = scene("plain paper", of.writer, rng)
    picture, (left, top, right, bottom) = Image.fromarray(one.pixels), one.box
    height = bottom - top
    font = ImageFont.truetype(font_to_learn(rng), height * rng.uniform(0.9, 1.6))
    pen, ink = ImageDraw.Draw(picture), one.pixels[top:bottom, left:right].min(axis=(0, 1))
    is_bracket, sides, label = rng.random() < 0.6, rng.integers(1, 4), one.label
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
    height = int(rng.integers(70, 150))
    left, right = (of.writer.digit(rng, round(height * rng.uniform(0.9, 1.1)))[1] for _ in range(2))
    return shown(beside(left, right, float(rng.uniform(0, 1)), rng), rng), None


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
    _scene: 0.15, _changed: 0.13, _beside_a_thing: 0.06, _beside_print: 0.07, _tight: 0.05, _cell: 0.05,
    _small: 0.06, _large: 0.06, partial(_scene, kinds=tuple(REFUSED)): 0.11, _page: 0.05, _pair: 0.07,
    _senseless: 0.05, _form: 0.09,
}  # fmt: skip
"""The kinds of pictures, and the share of each."""


def draw(folder: Path, count: int) -> None:
    """Write one file of proposals for measuring and ``count`` for training, from `STOCK` pictures each.

    Raises:
        DataError: MNIST or the scanned cells are missing.
    """
    writer = Writer(mnist_train()[:LEARNED_OF_MNIST], fonts_to_learn(), varied=0.3)
    stocks.fill(folder, count, partial(drawn, Sources(writer, swiss_cells("learned"))))


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
