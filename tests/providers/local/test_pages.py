"""How well our own reader finds the numbers of pages that were drawn for this test only."""

from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import digitrec
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.image import Box
from digitrec.image.boxes import covered
from digitrec.lab.handwriting.writer import cut_out, enlarge

Numbers = list[tuple[str, Box]]
WORDS = ("Name", "Total", "AMOUNT", "Date", "of", "Points", "Room", "Team B", "Meter", "HOURS", "Signature")
PAGES = 4


class Page:
    """A page of print and handwriting, and the numbers on it."""

    def __init__(self, size: tuple[int, int], rng: np.random.Generator) -> None:
        self.image, self.rng = Image.new("L", size, 240), rng
        self.pen, self.shade = ImageDraw.Draw(self.image), int(rng.integers(20, 140))
        self.numbers: Numbers = []

    def word(self, x: float, y: float, height: float) -> None:
        self.pen.text((x, y), WORDS[self.rng.integers(len(WORDS))], 50, ImageFont.load_default(height), "lm")

    def number(self, text: str, x: float, y: float, height: float) -> None:
        """Write digits of MNIST's test set around (x, y)."""
        test, inks = mnist_test(), []
        for char in text:
            one = int(self.rng.choice(np.flatnonzero(test.labels == int(char))))
            inks.append(cut_out(enlarge(test.images[one], round(1.4 * height))))
        lowest = max(map(len, inks))
        ink = np.hstack([np.pad(one, ((lowest - len(one), 0), (1, 3))) for one in inks])
        left, top = round(x - ink.shape[1] / 2), round(y - lowest / 2)
        self.image.paste(30, (left, top), Image.fromarray(ink))
        self.numbers.append((text, (left, top, left + ink.shape[1], top + lowest)))

    def photographed(self) -> Image.Image:
        """Return the page in uneven light, with noise."""
        width, height = self.image.size
        light = np.linspace(1, self.rng.uniform(0.75, 1), width)[None]
        noisy = np.asarray(self.image) * light + self.rng.normal(0, 3, (height, width))
        return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def any_number(rng: np.random.Generator, most: int) -> str:
    return "".join(map(str, rng.integers(0, 10, rng.integers(1, most + 1))))


def form(rng: np.random.Generator) -> Page:
    """Draw fields: a word, and a box that is empty or holds a number."""
    page, tall, thick = Page((1000, 1200), rng), rng.uniform(28, 44), int(rng.integers(1, 4))
    page.pen.rectangle((30, 30, 970, 1170), outline=page.shade, width=thick)
    for x, y in product((60, 520), range(100, 1100, 110)):
        page.word(x, y, tall * 0.6)
        page.pen.rectangle((x + 160, y - tall, x + 390, y + tall), outline=page.shade, width=thick)
        if rng.random() < 0.7:
            page.number(any_number(rng, 5), x + 275 + rng.normal(0, 15), y + rng.normal(0, 2), tall)
    return page


def scores(rng: np.random.Generator) -> Page:
    """Draw a table with one or two digits in each cell; some digits touch the rules."""
    page, cell, thick = Page((1000, 600), rng), 78, int(rng.integers(1, 4))
    across, down = range(250, 960, cell), range(120, 560, cell)
    for x in across:
        page.pen.line((x, down[0], x, down[-1]), page.shade, thick)
    for y in down:
        page.pen.line((50, y, across[-1], y), page.shade, thick)
    for top, bottom in pairwise(down):
        page.word(60, (top + bottom) / 2, 22)
        for left, right in pairwise(across):
            if rng.random() < 0.85:
                x, y = (left + right + rng.normal(0, 8)) / 2, (top + bottom) / 2
                page.number(any_number(rng, 2), x, y, cell * 0.52)
    return page


def boxes(rng: np.random.Generator) -> Page:
    """Draw rows of boxes that are empty or hold a digit, as for a date or an account number."""
    page, tall, thick = Page((1000, 1100), rng), rng.uniform(24, 40), int(rng.integers(1, 4))
    high, wide = tall * rng.uniform(1.4, 1.8), tall * rng.uniform(1.2, 1.6)
    step = wide + rng.uniform(thick + 2, 0.4 * wide)
    for y in range(100, 1050, 110):
        page.word(60, y, tall * 0.5)
        for x in np.arange(200, 200 + 7.5 * step, step).tolist():
            page.pen.rectangle((x, y - high / 2, x + wide, y + high / 2), outline=page.shade, width=thick)
            if rng.random() < 0.8:
                page.number(any_number(rng, 1), x + wide / 2 + rng.normal(0, 2), y + rng.normal(0, 2), tall)
    return page


def columns(rng: np.random.Generator) -> Page:
    """Draw columns of small numbers; from afar each column may look like large digits."""
    page = Page((1240, 1650), rng)
    for x, y in product((180, 480, 780, 1080), range(80, 1600, 62)):
        if rng.random() < 0.8:
            page.number(any_number(rng, 5), x + rng.normal(0, 10), y + rng.normal(0, 3), 24)
    return page


def dense(rng: np.random.Generator) -> Page:
    """Draw rows of small numbers close together, which from afar look like larger digits."""
    page = Page((2000, 260), rng)
    for x, y in product(range(30, 1980, 40), range(20, 250, 22)):
        page.number(any_number(rng, 2), x, y, 14)
    return page


def wide(rng: np.random.Generator) -> Page:
    """Draw a large scan with small numbers, which from afar are specks."""
    page = Page((6000, 1700), rng)
    for x, y in product(range(200, 5900, 400), range(60, 1660, 160)):
        page.number(any_number(rng, 4), x, y, 24)
    return page


@pytest.mark.parametrize(("draw", "recall", "precision"), [
    (form, 0.9, 0.9), (scores, 0.95, 0.95), (boxes, 0.9, 0.95), (columns, 0.9, 0.9), (dense, 0.9, 0.9),
    (wide, 0.9, 0.9),
])  # fmt: skip
def test_most_numbers_are_found_and_few_are_invented(
    draw: Callable[[np.random.Generator], Page], recall: float, precision: float
) -> None:
    pages = [draw(np.random.default_rng((seed, 17))) for seed in range(PAGES)]
    right = found = 0
    for page in pages:
        numbers = digitrec.read(page.photographed()).numbers
        found += len(numbers)
        right += sum(any(one.text == text and one.box and covered(box, one.box) > 0.5 for one in numbers)
                     for text, box in page.numbers)  # fmt: skip
    assert right >= recall * sum(len(page.numbers) for page in pages)
    assert right >= precision * found


PROSE = (
    "A committee of three met on a Friday to look over the old school and to say what should be done with "
    "it. So far as I know nobody had been inside for a year, and the key was lost. In the end the door gave "
    "way to a push. It was as cold as a cellar; a map of the world hung on one wall, and by the window stood "
    "a globe. "
)


def test_a_page_of_words_gives_hardly_any_number() -> None:
    font, words = ImageFont.load_default(24), (6 * PROSE).split()
    page, (x, y) = Page((1000, 1000), np.random.default_rng(17)), (60.0, 80)
    for word in words:
        if x + font.getlength(word) > 940:
            x, y = 60, y + 38
        page.pen.text((x, y), word, 40, font, "ls")
        x += font.getlength(f"{word} ")
    assert y < 960
    assert len(digitrec.read(page.photographed()).numbers) <= 2
