"""The engine "local": our CNN, which knows single digits, on each digit of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitrec.emulator.picture import Picture, Word, lines, outline
from digitrec.engine import Engine
from digitrec.image import DigitImage, InputSpec
from digitrec.image.decode import Pixels
from digitrec.prediction import Failure
from digitrec.prepare import prepare
from digitrec.recognise import predict_many

Mask = np.ndarray[Any, np.dtype[np.bool_]]
PixelBox = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the decoded image, right and bottom exclusive."""

_MNIST = InputSpec(encoding="mnist")


def read_digits(picture: Picture, cnn: Engine) -> list[Word]:
    """A classifier on each digit that stands apart; digits closer than half their height are one word.

    Raises:
        DigitrecError: the classifier failed, which is not the same as reading nothing.
    """
    image = picture.image
    boxes = pieces(image.pixels)
    if len(boxes) > 1:
        crops = [_crop(image, box) for box in boxes]
    else:
        crops, boxes = [image], list(prepare(image, _MNIST).findings.boxes[:1]) or [_whole(image)]
    digits = []
    for box, outcome in zip(boxes, predict_many(crops, cnn), strict=True):
        if isinstance(outcome, Failure):
            raise outcome.error
        if outcome.digit is not None:
            digits.append(Word(str(outcome.digit), outcome.confidence or 0.0, picture.located(box)))
    return [word for line in lines(digits) for word in _joined(line)]


def pieces(pixels: Pixels) -> list[PixelBox]:
    """Boxes of the inked pieces of a clean sheet, from left to right; [] when it is not one.

    A sheet is clean when its ink, everything at least half as far from the paper as the farthest
    pixel is, falls into pieces of like height between which nothing is, and touches no edge. What is
    written on anything less tidy is read as one.
    """
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    contrast = np.abs(grey - np.median(grey))
    ink = contrast > contrast.max() / 2
    inked = np.concatenate(([False], ink.any(axis=0), [False]))
    spans = np.flatnonzero(inked[1:] != inked[:-1]).reshape(-1, 2)
    boxes = [_piece(ink, int(left), int(right)) for left, right in spans]
    height, width = ink.shape
    tallest = max((bottom - top for _, top, _, bottom in boxes), default=0)
    for left, top, right, bottom in boxes:
        if left == 0 or top == 0 or right == width or bottom == height or bottom - top < tallest / 2:
            return []
    return boxes


def _piece(ink: Mask, left: int, right: int) -> PixelBox:
    rows = np.flatnonzero(ink[:, left:right].any(axis=1))
    return left, int(rows[0]), right, int(rows[-1]) + 1


def _whole(image: DigitImage) -> PixelBox:
    return 0, 0, image.pixels.shape[1], image.pixels.shape[0]


def _crop(image: DigitImage, box: PixelBox) -> DigitImage:
    """One digit with a little of the paper around it."""
    left, top, right, bottom = box
    margin = max(2, (bottom - top) // 8)
    pixels = image.pixels[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
    return DigitImage.open(pixels)


def _joined(digits: Sequence[Word]) -> list[Word]:
    """Neighbours on one line as words; a word is as sure as its least sure digit."""
    words: list[Word] = []
    for digit in digits:
        last = words[-1] if words else None
        if last is not None and digit.box[0] - last.box[2] < (digit.box[3] - digit.box[1]) / 2:
            sure = min(last.confidence, digit.confidence)
            words[-1] = Word(last.text + digit.text, sure, outline((last, digit)))
        else:
            words.append(digit)
    return words
