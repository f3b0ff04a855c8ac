"""Measure how well an engine reads whole numbers, and whether it invents numbers.

Numbers of held-out writers, numbers with signs, words and drawings are generated; other pictures are read
from the folders `numbers-dev` and `photos-dev` in the folder of DIGITREC_DATA.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from digitrec.answer import SURE, Number, Sheet
from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.datasets.loader import read_samples
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.engine import Engine
from digitrec.image import DigitImage, ImageSource
from digitrec.lab.datasets.download import existing
from digitrec.lab.evaluation.accuracy import SEED, data_sets
from digitrec.lab.handwriting.nondigits import LIKE_DIGIT, scribbles, shown, word
from digitrec.lab.handwriting.strokes import PLAIN
from digitrec.lab.handwriting.writer import OWN, Writer, in_font
from digitrec.lab.reading.compose import Labelled, held_back
from digitrec.recognise import predict_many, read_many
from digitrec.recognise.align import moved, perspective, rectangle

COUNT = 1000
"""Number of generated pictures in a set."""
LARGE = 1600
"""Shorter side of an enlarged photo, in pixels: phones take larger photos than those of photos-dev."""

ROWS, ROW, HEIGHT = 8, 80, 40
"""Numbers on a page of numbers with signs, the height of their rows and their own height, in pixels."""
Signs = Sequence[tuple[str, str, str]]
"""Signs before, inside and after a number."""
SIGNS: Signs = (("$", "", ""), ("#", "", ""), ("", "", "%"), ("(", "", ")"))
"""Signs of these numbers."""
DIVIDED, BARE = (("", ":", ""), ("", "/", "")), (("", "", ""),)
"""Signs of times and fractions, which are not one number; and no signs."""
CORNERS = np.array([[0, 0], [0, 9], [9, 9], [9, 0]], float)
"""Corners of a sudoku, in cells."""


Rows = tuple[NDArray[np.uint8], list[str]]
"""A photographed page, and the digits in each of its rows."""


@dataclass(frozen=True, slots=True)
class Share:
    """A measured share."""

    name: str
    """The set, and what was counted."""
    found: Proportion
    goal: float | None = None
    """The required share, 0..1; None: no goal."""
    at_most: bool = False
    """Whether the goal is a maximum."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal or a picture."""
        share = self.found.share
        if self.goal is None or share is None:
            return None
        return share <= self.goal if self.at_most else share >= self.goal


def _labels(name: str) -> list[dict[str, str]]:
    """Return the rows of labels.csv in a folder of numbers-dev, with the paths of its pictures."""
    folder = existing("numbers-dev", name)
    if folder is None:
        return []
    rows = csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines())
    return [row | {"file": str(folder / row["file"])} for row in rows]


def _is_upright(row: dict[str, str]) -> bool:
    """Return whether a labelled photo is shown as it is stored.

    Seven photos of `sudoku_print` are stored upright but marked as turned, so programs show them turned.
    Their labels describe the upright page.
    """
    with Image.open(row["file"]) as picture:
        return bool(picture.getexif().get(ExifTags.Base.Orientation, 1) == 1)


def words(count: int) -> Iterator[NDArray[np.uint8]]:
    """Yield photographed words of two to eight letters, by hand or in print."""
    for number in range(count):
        rng = np.random.default_rng((SEED, 6, number))
        yield shown(word(list(PLAIN), OWN, rng), rng)


def signed(count: int, signs: Signs = SIGNS, *, squares: bool = False) -> Iterator[Rows]:
    """Yield photographed pages with a number in each row, such as "$12" or "5%", and the numbers' digits.

    With ``squares`` the paper is squared.
    """
    writer, least = Writer(mnist_test()), 2 if signs is DIVIDED else 1
    for number in range(count):
        rng = np.random.default_rng((SEED, 7, number))
        page, texts = np.zeros((ROWS * ROW, 6 * ROW), np.uint8), []
        for row in range(ROWS):
            digits = [writer.digit(rng, HEIGHT) for _ in range(rng.integers(least, 5))]
            before, inside, after = (
                [in_font(one, OWN, HEIGHT) for one in part] for part in rng.choice(signs)
            )
            left, bottom = ROW, round((row + 0.8) * ROW)
            inks, middle = [ink for _, ink in digits], len(digits) // 2
            for ink in (*before, *inks[:middle], *inside, *inks[middle:], *after):
                page[bottom - len(ink) : bottom, left : left + ink.shape[1]] = ink
                left += ink.shape[1] + int(rng.integers(3, 10))
            texts.append("".join(str(label) for label, _ in digits))
        if squares:
            step, shade = round(HEIGHT * rng.uniform(0.55, 1)), int(rng.integers(60, 160))
            for rules in (page[::step], page[:, ::step]):
                np.maximum(rules, shade, out=rules)
        yield shown(page, rng), texts


def in_boxes(count: int) -> Iterator[Rows]:
    """Yield photographed pages with a digit in each box of a row, as for a date, and the rows' digits."""
    for page, texts, _ in _boxed(count, SEED, 8):
        yield page, texts


def boxes_cut_out(count: int) -> Iterator[Labelled]:
    """Yield the rows of `count` such pages, each cut out, and their digits."""
    for page, texts, ends in _boxed(count, SEED, 9):
        for row, (text, end) in enumerate(zip(texts, ends, strict=True)):
            top, beside = row * ROW, ROW // 5
            yield page[top : top + ROW, ROW - beside : end + beside], text


def _boxed(count: int, *seed: int) -> Iterator[tuple[NDArray[np.uint8], list[str], list[int]]]:
    """Yield pages of such rows, and for each row its digits and where its last box ends, in pixels.

    The boxes stand apart or adjoin; of some only the base and a part of the sides are printed.
    """
    writer, high = Writer(mnist_test()), round(1.6 * HEIGHT)
    for number in range(count):
        rng, texts, ends = np.random.default_rng((*seed, number)), [], []
        page = np.zeros((ROWS * ROW, 10 * ROW), np.uint8)
        wide, apart, thick = round(HEIGHT * rng.uniform(1.15, 1.7)), rng.random() < 0.6, rng.integers(1, 4)
        step = wide + round(wide * rng.uniform(0.1, 0.4)) if apart else wide
        sides = high if rng.random() < 0.7 else round(high * rng.uniform(0.2, 0.5))
        shade = rng.integers(90, 255)
        for row in range(ROWS):
            digits = [writer.digit(rng, HEIGHT) for _ in range(rng.integers(2, 8))]
            bottom = (row + 1) * ROW - 8
            for left, (_, ink) in zip(range(ROW, 10 * ROW, step), digits, strict=False):
                box = page[bottom - sides : bottom, left : left + wide + thick]
                box[-thick:] = box[:, :thick] = box[:, -thick:] = shade
                box[: thick if sides == high else 0] = shade
                top, start = bottom - (high + len(ink)) // 2, left + (wide - ink.shape[1]) // 2
                place = page[top : top + len(ink), start : start + ink.shape[1]]
                np.maximum(place, ink, out=place)
            texts.append("".join(str(label) for label, _ in digits))
            ends.append(ROW + (len(digits) - 1) * step + wide)
        yield shown(page, rng), texts, ends


def measure_numbers(engine: Engine, limit: int | None = None) -> Iterator[Share]:
    """Measure every available set.

    Args:
        engine: the engine.
        limit: maximum number of pictures of each set; None: all.
    """
    if {"swiss-dev", "turkish-dev"} <= {one.name for one in data_sets()}:
        composed = list(held_back(limit or COUNT, SEED))
        yield from _numbers("numbers of writers held back", composed, engine, None)
    if rows := _labels("cells")[:limit]:
        cells = [(Path(row["file"]), row["text"]) for row in rows]
        yield from _numbers("cells of logbooks", cells, engine, 0.88)
        several = [file for file, text in cells if len(_digits(text)) > 1]
        yield _refused("cells of logbooks: more than one digit, refused", several, engine)
    if folder := existing("photos-dev"):
        photos = [(one.image, str(one.label)) for one in read_samples(folder, limit)]
        yield from _numbers("photos of one digit", photos, engine, 0.99)
        large = [_read([_enlarged(photo)], engine)[0] for photo, _ in photos]  # all take gigabytes
        right = [_are(numbers, text) for numbers, (_, text) in zip(large, photos, strict=True)]
        yield _share(f"such photos enlarged to {LARGE:,} pixels: exact digits", right, 0.99)
    for name in ("sudoku_hand", "sudoku_print"):
        if rows := list(filter(_is_upright, _labels(name)))[:limit]:
            yield from _sudokus(name, rows, engine)
    pages = min(limit or COUNT, COUNT // ROWS)
    yield _rows("numbers with a sign: exact digits", list(signed(pages)), engine)
    yield _rows("numbers on squared paper: exact digits", list(signed(pages, BARE, squares=True)), engine)
    yield _rows("rows of boxes: exact digits", list(in_boxes(pages)), engine, is_joined=True)
    yield from _numbers("rows of boxes cut out", list(boxes_cut_out(pages)), engine, 0.95)
    yield _sure([page for page, _ in signed(pages, DIVIDED)], engine)
    drawn = list(islice(scribbles(COUNT, SEED), limit))
    plain = [one.pixels for one in drawn if one.kind != LIKE_DIGIT]
    yield _invented("letters and doodles", plain, engine, 0.02)
    alike = [one.pixels for one in drawn if one.kind == LIKE_DIGIT]
    yield _invented("letters like digits", alike, engine)
    yield _invented("words", list(words(limit or COUNT)), engine, 0.02)


def _numbers(name: str, pictures: Sequence[Labelled], engine: Engine, goal: float | None) -> Iterator[Share]:
    right, wrong_of_sure = [], []
    found = _read([image for image, _ in pictures], engine)
    for (_, text), numbers in zip(pictures, found, strict=True):
        is_right = _are(numbers, text)
        right.append(is_right)
        if len(numbers) == 1 and numbers[0].sureness >= SURE:
            wrong_of_sure.append(not is_right)
    yield _share(f"{name}: exact digits", right, goal)
    yield _share(f"{name}: wrong among the sure ones", wrong_of_sure, 0.01, at_most=True)


def _are(numbers: Sequence[Number], text: str) -> bool:
    """Return whether the numbers are one with the digits of this text."""
    return [_digits(one.text) for one in numbers] == [_digits(text)]


def _enlarged(photo: ImageSource) -> Image.Image:
    picture = DigitImage.open(photo).picture
    return ImageOps.scale(picture, LARGE / min(picture.size))


def _share(name: str, hits: Sequence[bool], goal: float | None, *, at_most: bool = False) -> Share:
    return Share(name, proportion(sum(hits), len(hits)), goal, at_most)


def _refused(name: str, pictures: Sequence[ImageSource], engine: Engine) -> Share:
    """Measure pictures in which no single digit may be read."""
    refused = [getattr(one, "answer", None) is None for one in predict_many(pictures, engine)]
    return _share(name, refused, 0.98)


def _rows(name: str, pages: Sequence[Rows], engine: Engine, *, is_joined: bool = False) -> Share:
    """Measure pages of numbers: a row is right if its digits and nothing else are read there.

    They must be read as one number, unless ``is_joined``.
    """
    right: list[bool] = []
    for numbers, (_, texts) in zip(_read([page for page, _ in pages], engine), pages, strict=True):
        rows: dict[int | None, list[str]] = defaultdict(list)
        for number in numbers:
            rows[_row(number)].append(_digits(number.text))
        found = (["".join(rows[row])] if is_joined else rows[row] for row in range(ROWS))
        right += [texts == [text] for texts, text in zip(found, texts, strict=True)]
    return _share(name, right, 0.95)


def _row(number: Number) -> int | None:
    return int((number.box[1] + number.box[3]) / 2 // ROW) if number.box else None


def _sure(pages: Sequence[ImageSource], engine: Engine) -> Share:
    """Return the share of rows, none with one number, in which a number is read for sure."""
    found = _read(pages, engine)
    sure = sum(len({_row(one) for one in numbers if one.sureness >= SURE}) for numbers in found)
    return Share("times and fractions: a sure number", proportion(sure, len(pages) * ROWS), 0.01, True)


def _sudokus(name: str, rows: Sequence[dict[str, str]], engine: Engine) -> Iterator[Share]:
    """Measure photos of sudokus.

    "corners" are the top left, bottom left, bottom right and top right corners of the grid in pixels. "grid"
    is 81 cells row by row: a digit, "." for an empty cell, "c" for pencilled candidates.
    """
    whole, alone = [], []
    for row, numbers in zip(rows, _read([row["file"] for row in rows], engine), strict=True):
        found = in_cells(np.array(json.loads(row["corners"]), float), numbers)
        whole += [("".join(found.get(place, ())), label) for place, label in enumerate(row["grid"])]
    full, empty = f"{name}: digits found and right", f"{name}: empty cells left empty"
    yield from _cells(whole, full, 0.98, empty, 0.995)
    for row in rows:  # the cells of all photos would take half a gigabyte
        pixels, labels = zip(*_cut_out(row), strict=True)
        answers = (getattr(one, "answer", None) for one in predict_many(pixels, engine))
        alone += list(zip(("" if one is None else str(one) for one in answers), labels, strict=True))
    full, empty = f"{name}: a cell alone, its digit right", f"{name}: an empty cell alone, refused"
    yield from _cells(alone, full, 0.96, empty, 0.98)


def _cells(
    pairs: Sequence[tuple[str, str]], full: str, right: float, empty: str, refused: float
) -> Iterator[Share]:
    """Count the cells in which exactly their digit is found, and the empty ones in which nothing is found."""
    yield _share(full, [found == label for found, label in pairs if label.isdigit()], right)
    yield _share(empty, [not found for found, label in pairs if label == "."], refused)


def _cut_out(row: dict[str, str]) -> Iterator[tuple[NDArray[np.uint8], str]]:
    """Yield the cells of a labelled photo, each with its lines and a little of its neighbours."""
    onto = perspective(CORNERS, np.array(json.loads(row["corners"]), float))
    with Image.open(row["file"]) as photo:
        for place, label in enumerate(row["grid"]):
            if label.isdigit() or label == ".":
                top, left = divmod(place, 9)
                places = moved(rectangle((left - 0.05, top - 0.05, left + 1.05, top + 1.05)), onto)
                box = np.rint([places.min(axis=0), places.max(axis=0)]).ravel().tolist()
                yield np.asarray(photo.crop((*box,))), label


def in_cells(corners: NDArray[np.float64], numbers: Iterable[Number]) -> dict[int, list[str]]:
    """Return the digits in each cell of a grid, 0 to 80, by the middles of their boxes."""
    onto = np.append(perspective(corners, CORNERS), 1).reshape(3, 3)
    found: dict[int, list[str]] = {}
    for number in numbers:
        for digit in number.digits:
            if digit.box is None:
                continue
            left, top, right, bottom = digit.box
            x, y, scale = onto @ ((left + right) / 2, (top + bottom) / 2, 1)
            if 0 <= x < 9 * scale and 0 <= y < 9 * scale:
                found.setdefault(9 * int(y / scale) + int(x / scale), []).append(str(digit.digit))
    return found


def _invented(name: str, pictures: Sequence[ImageSource], engine: Engine, goal: float | None = None) -> Share:
    """Return the share of pictures without a number on which the engine read a number."""
    return _share(f"{name}: a number is read", list(map(bool, _read(pictures, engine))), goal, at_most=True)


def _read(images: Sequence[ImageSource], engine: Engine) -> list[tuple[Number, ...]]:
    """Return the numbers on each picture; empty after a failure."""
    return [one.numbers if isinstance(one, Sheet) else () for one in read_many(images, engine)]


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
