"""Draw photographed tables of numbers and words, printed or by hand, to train the judge of readings."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
from PIL import Image, ImageDraw

from digitrec.image import Box
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.nondigits import word
from digitrec.lab.handwriting.photo import Floats, paper, photograph, put_ink, random_look
from digitrec.lab.handwriting.strokes import LEARNED, log_uniform
from digitrec.lab.handwriting.writer import Writer, cut_out, in_font, redrawn

NOT_ONE = (":", "/")
"""Signs that divide digits into several numbers, so a cell with one holds no number."""
SIGNS = (("$", ""), ("€", ""), ("£", ""), ("#", ""), ("", "€"), ("", "%"), ("(", ")"), ("[", "]"))
"""Signs before and after a number."""
OTHERS = list("ABEFHKMNPRTWXYadefhkmnrtwx+#*%")
"""Letters and signs in a box where a digit should be."""


def table(writer: Writer, rng: np.random.Generator) -> tuple[Pixels, list[tuple[str, Box]]]:
    """Return a photographed table, and the digits and the box of each number in it.

    Each cell holds a number or, as in a sudoku, one digit, or it is empty.
    """
    words = 0.95 if rng.random() < 0.15 else 0.05  # the share of cells with a word
    tall, single, filled = log_uniform(rng, 12, 40), rng.random() < 0.5 and words < 0.5, rng.uniform(0.3, 0.9)
    high = tall * rng.uniform(1.2, 2.2)
    wide = high * rng.uniform(0.8, 1.2) if single else tall * rng.uniform(2.5, 7)
    rows, columns = rng.integers(3, 10, 2).tolist()
    y, x = (tall * rng.uniform(0.5, 4, 2)).tolist()
    ink = np.zeros((round(2 * y + rows * high), round(2 * x + columns * wide)), np.uint8)
    font, printed = writer.font(rng), float(rng.choice([0, 0.5, 1]))
    header, names = (rng.random(2) < 0.4).tolist()
    numbers = []
    for row, column in np.ndindex(rows, columns):
        own = font if rng.random() < printed else None
        is_label = (header and not row) or (names and not column)
        if is_label or rng.random() < words:
            size = tall * (1 if is_label else 1.5)
            text, part = "", cut_out(word(LEARNED, font, rng), round(size * rng.uniform(0.4, 0.9)))
        else:
            text, part = _cell(writer, own, tall, single, rng)
            if not single and rng.random() < 0.2:
                part = _signed(part, font, tall, rng)
        if part.shape[1] > wide or not (is_label or rng.random() < filled):
            continue
        off_y, off_x = rng.normal(0, 0.08 * tall, 2)
        top = max(0, round(y + (row + 0.5) * high - len(part) / 2 + off_y))
        left = max(0, round(x + (column + 0.5) * wide - part.shape[1] / 2 + off_x))
        box = _put(part, ink, top, left)
        if text:
            numbers.append((text, box))
    across, down = x + wide * np.arange(columns + 1), y + high * np.arange(rows + 1)
    rules = _rules(ink, across, down, tall, rng) if rng.random() < 0.8 else np.zeros_like(ink)
    look = replace(random_look(rng), ruling="plain")
    other = replace(random_look(rng), strength=float(rng.uniform(0.2, 0.95)), grain=0.0)
    page = paper(rng, *ink.shape, look=look)
    page = put_ink(page, rules, rng, other if rng.random() < 0.5 else look)
    return photograph(put_ink(page, ink, rng, look), rng, look), numbers


def boxes(writer: Writer, rng: np.random.Generator) -> tuple[Pixels, list[tuple[str, Box]]]:
    """Return a row of boxes cut out of a form, the number in them, the digit in each, and their places.

    The first and last boxes may be empty. If one holds a letter, the row has no number.
    """
    tall, count, font = log_uniform(rng, 14, 80), int(rng.integers(2, 9)), writer.font(rng)
    high, wide, y, x = (tall * rng.uniform((1.15, 0.95, 0.05, 0.05), (1.9, 1.7, 0.7, 0.7))).tolist()
    step = wide * (1 if rng.random() < 0.5 else rng.uniform(1.05, 1.5))
    ink = np.zeros((round(2 * y + high), round(2 * x + (count - 1) * step + wide)), np.uint8)
    frames, width = Image.fromarray(ink.copy()), max(1, round(tall * rng.uniform(0.02, 0.09)))
    top = y if rng.random() < 0.7 else y + high * rng.uniform(0.4, 0.8)
    first, last = sorted(rng.integers(0, count + 1, 2).tolist()) if rng.random() < 0.2 else (0, count)
    odd, printed = rng.integers(count) if rng.random() < 0.15 else -1, float(rng.choice([0, 0, 0.5, 1]))
    digits: list[tuple[str, Box]] = []
    for at in range(count):
        left = x + at * step
        sides = [(left, top), (left, y + high), (left + wide, y + high), (left + wide, top)]
        ImageDraw.Draw(frames).line(sides if top > y else [*sides, sides[0]], 255, width)
        if not first <= at < last:
            continue
        if at == odd:
            text, part = "", cut_out(redrawn(str(rng.choice(OTHERS)), font, rng), round(0.8 * tall))
        else:
            text, part = _cell(writer, font if rng.random() < printed else None, 0.9 * tall, True, rng)
        part = part[: round(high), : round(wide)]
        off_y, off_x = rng.uniform(0.2, 0.8, 2) * (high - len(part), wide - part.shape[1])
        digits.append((text, _put(part, ink, round(y + off_y), round(left + off_x))))
    numbers = [one for one in digits if one[0]]
    if len(digits) == len(numbers) > 1:
        lefts, tops, rights, bottoms = zip(*(box for _, box in digits), strict=True)
        number = "".join(text for text, _ in digits)
        numbers.append((number, (min(lefts), min(tops), max(rights), max(bottoms))))
    look = replace(random_look(rng), vignette=0.0)  # dark corners would hide the ends of a wide strip
    other = replace(random_look(rng), strength=float(rng.uniform(0.2, 0.95)), grain=0.0)
    page = put_ink(paper(rng, *ink.shape, look=look), np.asarray(frames), rng, other)
    return photograph(put_ink(page, ink, rng, look), rng, look), numbers


def _put(part: Pixels, ink: Pixels, top: int, left: int) -> Box:
    """Put a part into the ink, as far as it fits, and return its box."""
    place = ink[top : top + len(part), left : left + part.shape[1]]
    np.maximum(place, part[: len(place), : place.shape[1]], out=place)
    return float(left), float(top), float(left + place.shape[1]), float(top + len(place))


def _cell(
    writer: Writer, font: str | None, tall: float, single: bool, rng: np.random.Generator
) -> tuple[str, Pixels]:
    """Return the digits and the ink of a cell; no digits if these are no number."""
    length = 1 if single else int(rng.integers(1, 7))
    at = int(rng.integers(1, length)) if length > 1 and rng.random() < 0.22 else length
    sign = str(rng.choice((*NOT_ONE, *8 * "."))) if at < length else ""
    if font is not None:
        text = "".join(map(str, rng.integers(0, 10, length)))
        ink = in_font(f"{text[:at]}{sign}{text[at:]}", font, round(tall))
        return "" if sign in NOT_ONE else text, ink
    digits = [writer.digit(rng, round(tall * rng.uniform(0.9, 1.1))) for _ in range(length)]
    gap, inks = max(1, round(tall * rng.uniform(0.02, 0.25))), [ink for _, ink in digits]
    if sign == ".":
        dot = round(tall * rng.uniform(0.08, 0.16))
        inks.insert(at, np.pad(np.full((dot, dot), 255, np.uint8), ((0, 0), (gap, gap))))
    elif sign:
        inks.insert(at, in_font(sign, writer.font(rng), round(tall)))
    text = "" if sign in NOT_ONE else "".join(str(digit) for digit, _ in digits)
    return text, _in_a_row(inks, gap)


def _in_a_row(inks: Sequence[Pixels], gap: int) -> Pixels:
    """Put inks side by side on a base line, ``gap`` pixels apart."""
    high = max(map(len, inks))
    return np.hstack([np.pad(ink, ((high - len(ink), 0), (0, gap))) for ink in inks])[:, : -gap or None]


def _signed(number: Pixels, font: str, tall: float, rng: np.random.Generator) -> Pixels:
    """Put signs before and after a number."""
    before, after = (
        [cut_out(redrawn(sign, font, rng), round(tall * rng.uniform(0.8, 1.3))) for sign in signs]
        for signs in rng.choice(SIGNS)
    )
    return _in_a_row([*before, number, *after], round(tall * rng.uniform(0.03, 0.4)))


def _rules(ink: Pixels, across: Floats, down: Floats, tall: float, rng: np.random.Generator) -> Pixels:
    """Return the lines of a table, its frame alone or a box for each cell, on a page like that of the ink."""
    page = Image.fromarray(np.zeros_like(ink))
    pen, every, thick = ImageDraw.Draw(page), int(rng.integers(1, 4)), tall * rng.uniform(0.03, 0.08)
    style = rng.random()
    if style < 0.45:
        beside, above = rng.uniform(0.01, 0.15, 2) * (across[1] - across[0], down[1] - down[0])
        for (left, right), (top, bottom) in product(pairwise(across), pairwise(down)):
            box = left + beside, top + above, right - beside, bottom - above
            pen.rectangle(box, outline=255, width=max(1, round(thick)))
        return np.asarray(page)
    if style < 0.55:
        across, down = across[[0, -1]], down[[0, -1]]
    for at, x in enumerate(across.tolist()):
        pen.line((x, down[0], x, down[-1]), 255, max(1, round(thick * (1 + (at % every == 0)))))
    for at, y in enumerate(down.tolist()):
        pen.line((across[0], y, across[-1], y), 255, max(1, round(thick * (1 + (at % every == 0)))))
    return np.asarray(page)
