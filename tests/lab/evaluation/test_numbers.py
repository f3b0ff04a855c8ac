"""Measuring whole numbers."""

from pathlib import Path

import numpy as np
from PIL import Image

from digitrec.answer import Answer, Candidate, Number, NumberDigit
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine
from digitrec.lab.evaluation import numbers
from digitrec.lab.evaluation.numbers import ROW, in_boxes, in_cells, measure_numbers, signed, words


def test_right_sure_and_invented_numbers_are_counted(data_folder: Path) -> None:
    folder = data_folder / "numbers-dev" / "cells"
    folder.mkdir(parents=True)
    for name in ("a.png", "b.png"):
        Image.new("L", (40, 20), 255).save(folder / name)
    (folder / "labels.csv").write_text("file,text\na.png,1.2\nb.png,34\n")
    photos = data_folder / "photos-dev" / "5"
    photos.mkdir(parents=True)
    Image.new("L", (40, 40), 255).save(photos / "five.png")
    with Engine(FakeProvider([Answer((Candidate("12", 0.99, (0.0, 0.0, 20.0, 10.0)),))])) as engine:
        found = {one.name: one for one in measure_numbers(engine, 3)}
    exact = found["cells of logbooks: exact digits"]
    assert (exact.found.hits, exact.met) == (1, False)
    assert found["cells of logbooks: wrong among the sure ones"].found.share == 0.5
    refused = found["cells of logbooks: more than one digit, refused"]
    assert (refused.found.hits, refused.found.n) == (2, 2)
    for name in ("photos of one digit", "such photos enlarged to 1,600 pixels"):
        photos = found[f"{name}: exact digits"].found
        assert (photos.hits, photos.n) == (0, 1)
    assert found["words: a number is read"].found.hits == 3
    assert found["words: a number is read"].met is False


def test_digits_are_in_the_cells_of_a_slanted_grid() -> None:
    corners = np.array([[10, 20], [30, 200], [230, 190], [190, 10]], float)
    places = [(12, 22), corners.mean(axis=0).tolist(), (0, 0)]
    digits = tuple(NumberDigit(n, 1.0, (x - 1, y - 1, x + 1, y + 1)) for n, (x, y) in enumerate(places))
    found = in_cells(corners, [Number("012", None, digits)])
    assert found[0] == ["0"]
    assert next(cell for cell in found if found[cell] == ["1"]) in (30, 31, 39, 40, 41, 49, 50)
    assert sum(map(len, found.values())) == 2


def test_words_are_the_same_each_time() -> None:
    first, second = (list(words(2)) for _ in range(2))
    assert all((one == other).all() for one, other in zip(first, second, strict=True))


def test_numbers_with_a_sign_stand_in_rows() -> None:
    ((page, texts),) = signed(1)
    rows = [page[at : at + ROW] for at in range(0, len(page), ROW)]
    assert len(rows) == len(texts) and all(1 <= len(text) <= 4 and text.isdigit() for text in texts)
    assert all(np.ptp(row) > 50 for row in rows)


def test_a_sign_that_is_read_as_a_digit_is_an_error() -> None:
    (_, texts), *_ = signed(1)
    boxes = [(0.0, row * ROW, 20.0, (row + 1) * ROW) for row in range(len(texts))]
    said = [Candidate(text, 0.99, box) for text, box in zip(texts, boxes, strict=True)]
    for candidates, right in ((said, 8), ([Candidate("5" + texts[0], 0.99, boxes[0]), *said[1:]], 7)):
        with Engine(FakeProvider([Answer(tuple(candidates))])) as engine:
            shares = {one.name: one.found for one in measure_numbers(engine, 1)}
        found = shares["numbers with a sign: exact digits"]
        assert (found.hits, found.n) == (right, 8)
        assert shares["times and fractions: a sure number"].share == len(candidates) / 8


def test_a_row_of_boxes_is_right_if_each_digit_is() -> None:
    (_, texts), *_ = in_boxes(1)
    assert len(texts) == 8 and all(2 <= len(text) <= 7 and text.isdigit() for text in texts)
    digits = [
        Candidate(digit, 0.99, (40.0 * at, row * ROW + 20.0, 40.0 * at + 20, row * ROW + 60.0))
        for row, text in enumerate(texts) for at, digit in enumerate(text)
    ]  # fmt: skip
    for candidates, right in ((digits, 8), (digits[1:], 7)):
        with Engine(FakeProvider([Answer(tuple(candidates))])) as engine:
            found = {one.name: one.found for one in measure_numbers(engine, 1)}
        assert found["rows of boxes: exact digits"].hits == right


def test_a_row_of_boxes_is_cut_out_around_its_last_box() -> None:
    rows = list(numbers.boxes_cut_out(1))
    assert len(rows) == 8 and all(2 <= len(text) <= 7 and text.isdigit() for _, text in rows)
    widths: dict[int, set[int]] = {}
    for picture, text in rows:
        assert np.shape(picture)[0] == ROW and np.ptp(picture[:, -ROW // 2 :]) > 30
        widths.setdefault(len(text), set()).add(np.shape(picture)[1])
    found = [width for length in sorted(widths) for width in widths[length]]
    assert len(found) == len(widths) and found == sorted(found)


def test_squared_paper_has_rules_between_the_digits() -> None:
    ((bare, texts),), ((squared, same),) = signed(1, numbers.BARE), signed(1, numbers.BARE, squares=True)
    assert texts == same and bare.shape == squared.shape
    right = slice(int(0.9 * bare.shape[1]), None)  # no digit is so far to the right
    steps = [np.abs(np.diff(page[:, right].astype(int), axis=1)).max() for page in (bare, squared)]
    assert steps[1] > steps[0] + 10
