"""Draw photographed tables of numbers and words, printed or by hand, to train the judge of readings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from digitrec.image import Box
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.nondigits import word
from digitrec.lab.handwriting.photo import Floats, paper, photograph, put_ink, random_look
from digitrec.lab.handwriting.strokes import LEARNED, log_uniform
from digitrec.lab.handwriting.writer import Writer, cut_out, in_font

FILLED, WORDS = 0.5, 0.05
"""Share of cells with a digit if each cell has at most one, and share of cells with a word."""


def table(writer: Writer, rng: np.random.Generator) -> tuple[Pixels, list[tuple[str, Box]]]:
    """Return a photographed table, and the digits and the box of each number in it.

    Most cells hold a number; or, as in a sudoku, about half of them hold one digit.
    """
    tall, single = log_uniform(rng, 12, 40), bool(rng.random() < 0.6)
    high = tall * rng.uniform(1.2, 2.2)
    wide = high * rng.uniform(0.8, 1.2) if single else tall * rng.uniform(2.5, 5)
    rows, columns = rng.integers(3, 10, 2).tolist()
    y, x = (tall * rng.uniform(0.5, 4, 2)).tolist()
    ink = np.zeros((round(2 * y + rows * high), round(2 * x + columns * wide)), np.uint8)
    font, printed = writer.font(rng), float(rng.choice([0, 0.5, 1]))
    numbers = []
    for row, column in np.ndindex(rows, columns):
        own = font if rng.random() < printed else None
        text, part = _cell(writer, own, tall, single, rng)
        if part.shape[1] > wide:
            continue
        off_y, off_x = rng.normal(0, 0.08 * tall, 2)
        top = max(0, round(y + (row + 0.5) * high - len(part) / 2 + off_y))
        left = max(0, round(x + (column + 0.5) * wide - part.shape[1] / 2 + off_x))
        place = ink[top : top + len(part), left : left + part.shape[1]]
        np.maximum(place, part[: len(place), : place.shape[1]], out=place)
        if text:
            box = float(left), float(top), float(left + place.shape[1]), float(top + len(place))
            numbers.append((text, box))
    rules = np.zeros_like(ink)
    if rng.random() < (0.9 if single else 0.5):
        across, down = x + wide * np.arange(columns + 1), y + high * np.arange(rows + 1)
        rules = _rules((rules.shape[1], rules.shape[0]), across, down, tall, rng)
    return _photographed(ink, rules, rng), numbers


def _cell(
    writer: Writer, font: str | None, tall: float, single: bool, rng: np.random.Generator
) -> tuple[str, Pixels]:
    """Return the digits and the ink of a cell; an empty cell has a single pixel without ink."""
    kind = rng.random()
    if kind < WORDS:
        return "", cut_out(word(LEARNED, writer.font(rng), rng), round(tall * rng.uniform(0.7, 1.2)))
    if kind > WORDS + (FILLED if single else 0.8):
        return "", np.zeros((1, 1), np.uint8)
    length = 1 if single else int(rng.integers(1, 5))
    if font is not None:
        text = "".join(map(str, rng.integers(0, 10, length)))
        return text, in_font(text, font, round(tall))
    digits = [writer.digit(rng, round(tall * rng.uniform(0.9, 1.1))) for _ in range(length)]
    lowest = max(len(ink) for _, ink in digits)
    gap = max(1, round(tall * rng.uniform(0.02, 0.25)))
    inks = [np.pad(ink, ((lowest - len(ink), 0), (0, gap))) for _, ink in digits]
    return "".join(str(digit) for digit, _ in digits), np.hstack(inks)[:, :-gap]


def _rules(
    size: tuple[int, int], across: Floats, down: Floats, tall: float, rng: np.random.Generator
) -> Pixels:
    """Return the lines of a table on a page of a width and height, (H, W); some lines are thicker."""
    page = Image.new("L", size)
    pen, every, thick = ImageDraw.Draw(page), int(rng.integers(1, 4)), tall * rng.uniform(0.03, 0.08)
    for at, x in enumerate(across.tolist()):
        pen.line((x, down[0], x, down[-1]), 255, max(1, round(thick * (1 + (at % every == 0)))))
    for at, y in enumerate(down.tolist()):
        pen.line((across[0], y, across[-1], y), 255, max(1, round(thick * (1 + (at % every == 0)))))
    return np.asarray(page)


def _photographed(ink: Pixels, rules: Pixels, rng: np.random.Generator) -> Pixels:
    """Photograph writing and lines, half of the time each in its own colour."""
    look = replace(random_look(rng), ruling="plain")
    other = replace(random_look(rng), strength=float(rng.uniform(0.2, 0.95)), grain=0.0)
    page = paper(rng, *ink.shape, look=look)
    page = put_ink(page, rules, rng, other if rng.random() < 0.5 else look)
    return photograph(put_ink(page, ink, rng, look), rng, look)
