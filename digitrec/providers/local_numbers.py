"""digitrec's own reader of whole numbers: one network finds the lines of writing, another one reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle, pairwise
from math import ceil
from typing import Any, Self

import numpy as np
from PIL import Image

from digitrec.answer import Answer, Candidate, Sign
from digitrec.image import Box, DigitImage, InputSpec, PreparedImage
from digitrec.image.pixels import NUMBERS_SIDE
from digitrec.models.sequence import (
    HEIGHT,
    LETTERS,
    WIDEST,
    Lengths,
    Pixels,
    Reading,
    SequenceReader,
    digits_of,
    read,
)  # fmt: skip
from digitrec.prepare import prepare
from digitrec.prepare.lines import lines, strip
from digitrec.providers.base import FREE, BaseProvider, Price, Provider
from digitrec.providers.registry import open_provider

STRETCH = 1.3
"""Width of the view of a number, as a multiple of its own, as in training; three widths gained nothing."""
MARGIN = 0.15
"""Margin around a number in its view, as a share of its height."""
AROUND = 0.5
"""Margin around a single digit that is also shown to the network for digits, as a share of its height."""
EDGE = 0.05
"""What is left out at each edge of a cut-out, as a share of its height: remains of frames."""
DOUBT = 0.25
"""Factor of the confidence in a digit that the network for digits refuses."""
LEAST, LEAST_OF_WORD = 0.2, 0.5
"""Least confidence in a number, and in one that may be a word, 0..1; a doubtful reading helps."""
UNSURE = 0.5
"""Marks on a page that are read with less confidence may be a word and a number."""
SOME_LETTERS, WORD = 0.2, 0.5
"""Shares of letters among the characters above which marks are read again in two parts, and are a word."""
LEAST_MARKS = 0.02
"""Least chance of a line's marks to be digits, 0..1: the finder doubts many printed digits."""


class LocalNumbers(BaseProvider):
    """Reads the numbers on a whole picture."""

    wants = InputSpec(encoding="rgb", preparation="numbers", enough=NUMBERS_SIDE)
    price: Price | None = FREE

    def __init__(self, single: Provider, readers: Sequence[SequenceReader] = ()) -> None:
        """Load the networks.

        Args:
            single: reads a single digit on a prepared picture; a number of one digit is shown to it as well.
            readers: the networks that take turns with the views of a number; the first one holds the
                calibration. Empty: those inside the package.
        """
        self.name, self._single = single.name, single
        self._readers = readers or (SequenceReader(), SequenceReader(LETTERS))

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Return the reader beside the local provider of the same environment."""
        return cls(open_provider("local", env=env), **options)

    def load(self) -> None:
        """Let the networks read a blank picture: their first run is their slowest."""
        blank = np.full((HEIGHT, 96), 255, np.uint8)
        tuple(self._numbers(Image.new("RGB", (128, 64), "white")))
        for reader in self._readers:
            reader.look(blank)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Return a candidate for each number; ``timeout`` (seconds) is not needed here."""
        found = tuple(self._numbers(image.picture(), image.digits))
        return Answer(found, model_version=", ".join(reader.version for reader in self._readers))

    def _numbers(self, picture: Image.Image, expected: Lengths | None = None) -> Iterator[Candidate]:
        found = lines(picture)
        waiting = [line for line in found if line.cut_out or line.chance >= LEAST_MARKS]
        while waiting:
            line = waiting.pop(0)
            alone = found == [line]
            boxes = _views(picture, line.box, wide=line.cut_out and alone)
            reading = self._read(picture, boxes, expected)
            if len(reading.text) == 1 and reading.text.isdigit():
                around = picture if alone else _cut(picture, _with_margin(line.box, AROUND))
                reading = self._with_single(reading, around)
            sure = reading.chance
            is_mixed = not line.cut_out and sure < UNSURE and reading.letters > SOME_LETTERS
            if is_mixed and (parts := line.split()):
                waiting = parts + waiting
            elif reading.text and sure >= (LEAST_OF_WORD if reading.letters > WORD else LEAST):
                signs = _signs(reading, boxes[reading.look])
                yield Candidate(reading.text, sure, line.box, signs, self._readers[0].calibrated(sure))

    def _read(self, picture: Image.Image, boxes: Sequence[Box], expected: Lengths | None) -> Reading:
        """Return the text with the expected number of digits if its chance is the least or more, else any."""
        strips = {box: _strip(picture, box) for box in set(boxes)}  # several networks may read one of them
        turns = zip(cycle(self._readers), boxes, strict=False)
        looks = [reader.look(strips[box]) for reader, box in turns]
        reading = read(looks)
        if expected is None or expected[0] <= len(digits_of(reading.text)) <= expected[1]:
            return reading
        fitting = read(looks, expected)
        return fitting if fitting.chance >= LEAST else reading

    def _with_single(self, reading: Reading, picture: Image.Image) -> Reading:
        """Return the digit that this reading and the network for digits find likeliest together.

        It is doubtful if that network sees no digit.
        """
        prepared = prepare(DigitImage.open(picture), self._single.wants)
        answer = self._single.read(prepared, timeout=1.0)
        chances = answer.probabilities
        if prepared.findings.reason or answer.reason or chances is None:
            return replace(reading, chance=DOUBT * reading.chance)
        own, other = (1 - reading.chance) / 9, np.array(chances)
        mine = np.full(10, own)
        mine[int(reading.text)] = reading.chance
        both = mine * other / (mine * other).sum()
        best = int(both.argmax())
        return replace(reading, text=str(best), chance=float(both[best]), chances=(float(both[best]),))


def _views(picture: Image.Image, box: Box, *, wide: bool) -> list[Box]:
    """Return the parts of a picture in which the networks read one number in turn.

    Args:
        picture: the picture.
        box: the box around the number's marks.
        wide: the picture was cut out around this number. Marks may be missing from the box or not belong to
            it, so the picture's whole width and nearly the whole picture are read as well.
    """
    around = _with_margin(box, MARGIN)
    if not wide:
        return [around, around]
    width, height = picture.size
    edge = EDGE * height
    return [
        around,
        (0, max(0, around[1]), width, min(height, around[3])),
        (edge, edge, max(width - edge, edge + 1), height - edge),
    ]


def _cut(picture: Image.Image, box: Box) -> Image.Image:
    """Return the part of a picture within a box, which may reach beyond the picture."""
    left, top, right, bottom = box
    corner = (min(picture.width, ceil(right)), min(picture.height, ceil(bottom)))
    return picture.crop((max(0, int(left)), max(0, int(top)), *corner))


def _with_margin(box: Box, share: float) -> Box:
    left, top, right, bottom = box
    margin = share * (bottom - top)
    return left - margin, top - margin, right + margin, bottom + margin


def _strip(picture: Image.Image, box: Box) -> Pixels:
    width = (box[2] - box[0]) * HEIGHT / (box[3] - box[1]) * STRETCH
    return strip(picture, box, (min(WIDEST, max(8, round(width))), HEIGHT))


def _signs(reading: Reading, box: Box) -> tuple[Sign, ...]:
    """Return the chance of each character, and its box from where it begins to where the next one does."""
    left, top, right, bottom = box
    edges = [left + place * (right - left) for place in (*reading.places, 1.0)]
    return tuple(
        Sign(chance, (start, top, end, bottom))
        for chance, (start, end) in zip(reading.chances, pairwise(edges), strict=True)
    )
