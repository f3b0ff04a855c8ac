"""Measure the speed of reading a sheet of numbers and a single number, beside RapidOCR's networks.

Needs the extra `ocr`. Prints ratios from one run, writes them into docs/benchmarks.md, and exits non-zero if
a goal is missed.
"""

import numpy as np
from figures import Figure, alternate, publish, seconds
from PIL import Image
from rapidocr import RapidOCR

import digitrec
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting.writer import enlarge

SHEET = 1240, 1650
"""Height and width of the sheet, px: two megapixels."""
ROWS, COLUMNS = 8, 5
"""Numbers on the sheet: 40."""
DIGIT = 44
"""Side of a digit on the sheet, px."""
ROUNDS = 7


def sheet() -> np.ndarray:
    """Draw a page with a number of one to five digits in each row and column, (H, W, 3)."""
    rng, digits = np.random.default_rng(0), iter(mnist_test().images)
    page = np.full(SHEET, 235.0) + rng.normal(0, 3, SHEET)
    for row in range(ROWS):
        for column in range(COLUMNS):
            ink = np.hstack([enlarge(next(digits), DIGIT)[:, 6:-6] for _ in range(1 + (row + column) % 5)])
            top, left = 80 + 140 * row, 60 + 310 * column
            page[top : top + ink.shape[0], left : left + ink.shape[1]] -= ink * 0.75
    return np.repeat(np.clip(page, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def main() -> None:
    """Measure both pictures; the engines take turns."""
    page, theirs = sheet(), RapidOCR(params={"Global.log_level": "critical"})
    cut = np.ascontiguousarray(page[80 : 80 + 60, 680 : 680 + 200])
    figures = []
    for what, picture, detect, goal in (
        ("a 2-megapixel sheet of 40 numbers: RapidOCR / ours", page, True, 5),
        ("a cut-out number: RapidOCR's recognition / ours", cut, False, 3),
    ):
        read = Image.fromarray(picture)
        found = len(digitrec.read(read).numbers)

        def other(picture: np.ndarray = picture, detect: bool = detect) -> object:
            return theirs(picture, use_det=detect, use_cls=False, use_rec=True)

        other()
        our_s, their_s = alternate(
            lambda read=read: seconds(lambda: digitrec.read(read)), lambda: seconds(other), rounds=ROUNDS
        )
        detail = f"{our_s * 1e3:.0f} ms, {found} numbers; RapidOCR {their_s * 1e3:.0f} ms"
        figures.append(Figure(what, their_s / our_s, goal, True, detail))
    publish("Reading numbers", figures)


if __name__ == "__main__":
    main()
