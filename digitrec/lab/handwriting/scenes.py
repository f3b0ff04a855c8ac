"""Ordinary pictures of a digit with something else in them: what looking at a picture has to cope with.

A card on a dark table, a pen beside the digit, a bracket, a box; and writing that is to be refused: crossed
out, half outside the picture, printed signs. Everything is drawn here, with a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting import printed, props
from digitrec.lab.handwriting.nondigits import shown
from digitrec.lab.handwriting.pen import Path
from digitrec.lab.handwriting.redraw import Box, box_of
from digitrec.lab.handwriting.scenery import CELLS, READ, Made, page_of
from digitrec.lab.handwriting.writer import Writer

Spoil = Callable[[Writer, int, np.random.Generator], Made]
"""Draws writing of a given height in pixels; returns the picture and all of its ink."""

SIGNS = (*"$@%&#?+=*^~", *"AHKMRWX", "+-", "?!", "No", "kg")
"""Printed signs that resemble no digit; the single letters are some that networks learn by hand too."""
SIGNED = ("-{}", "+{}", "={}", "{}%", "${}", "#{}", "{}?", "{}+", "{}*", "@{}", "{}&")
"""Printed signs beside a digit, with which it is something else."""


def _crossed_out(writer: Writer, height: int, rng: np.random.Generator) -> Made:
    """Two lines across it, one or two along that go well beyond it, or one to and fro."""
    label, ink = writer.digit(rng, height)
    page = page_of(ink, rng, 0.5, 1.0)
    left, top, right, bottom = box_of(page)
    size, beyond = np.array([right - left, bottom - top]), rng.uniform(0.25, 0.45) * height
    way = (_cross, _along, _to_and_fro)[rng.choice(3, p=(0.4, 0.3, 0.3))]
    middle = np.array([left + right, top + bottom]) / 2
    lines = [middle + path for path in way(size / 2, beyond, label, rng)]
    crossed = props.drawn(page, lines, height * rng.uniform(0.03, 0.09), rng)
    return shown(crossed, rng), crossed


def _cross(half: Path, beyond: float, label: int, rng: np.random.Generator) -> list[Path]:
    reach = np.array([0.7, 0.8]) * (half + beyond)
    return [props.line(rng, np.stack([-reach * way, reach * way])) for way in ((1, 1), (1, -1))]


def _along(half: Path, beyond: float, label: int, rng: np.random.Generator) -> list[Path]:
    reach, rise = half[0] + beyond, rng.uniform(-0.25, 0.25) * (half[1] + beyond)
    both = label in (0, 7) or rng.random() < 0.4  # one line alone might belong to a 7, or to a slashed 0
    heights = 0.4 * half[1] * (np.arange(2 if both else 1) - 0.3)
    return [props.line(rng, np.array([[-reach, y + rise], [reach, y - rise]])) for y in heights]


def _to_and_fro(half: Path, beyond: float, label: int, rng: np.random.Generator) -> list[Path]:
    turns = int(rng.integers(5, 11))
    x = np.linspace(-1, 1, turns) * (half[0] + 0.7 * beyond)
    return [np.stack([x, np.where(np.arange(turns) % 2, 0.9, -0.9) * half[1]], axis=1)]


def _cut_off(writer: Writer, height: int, rng: np.random.Generator) -> Made:
    """So near an edge of the picture that 40 to 60 % of the digit are outside."""
    _, ink = writer.digit(rng, height)
    page = page_of(ink, rng)
    left, top, right, bottom = box_of(page)
    share, side = rng.uniform(0.4, 0.6), int(rng.integers(2 if right - left < 0.4 * height else 4))
    across, down = round(share * (right - left)), round(share * (bottom - top))
    parts = (page[top + down :], page[: bottom - down], page[:, left + across :], page[:, : right - across])
    return shown(parts[side], rng), parts[side]


def _sign(writer: Writer, height: int, rng: np.random.Generator) -> Made:
    return _printed(SIGNS[rng.integers(len(SIGNS))], writer, height, rng)


def _signed(writer: Writer, height: int, rng: np.random.Generator) -> Made:
    return _printed(SIGNED[rng.integers(len(SIGNED))].format(rng.integers(10)), writer, height, rng)


def _printed(text: str, writer: Writer, height: int, rng: np.random.Generator) -> Made:
    ink = printed.write(text, writer.font(rng), height)
    page = np.pad(ink, np.rint(height * rng.uniform(0.3, 1.2, (2, 2))).astype(int))
    return shown(page, rng), page


REFUSED: dict[str, Spoil] = {
    "crossed out": _crossed_out,
    "half outside the picture": _cut_off,
    "printed signs": _sign,
    "a printed sign beside a digit": _signed,
}
"""Scenes in which no digit is to be named."""

WANTED = {**READ, **CELLS}
"""The kinds whose digit is to be read, and how they are made."""
KINDS = (*WANTED, *REFUSED)
"""What there is, beside or around the digit, or instead of it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, and what is wanted of it."""

    pixels: Pixels = field(repr=False, compare=False)
    """uint8, (height, width, 3)."""
    kind: str
    """One of `KINDS`."""
    label: int | None
    """The digit that is to be read, 0..9; None: no digit is to be named."""
    box: Box
    """Where that digit is, or the writing that is to be refused: left, top, right and bottom in pixels."""


def scenes(kind: str, writer: Writer, n: int, seed: int) -> Iterator[Scene]:
    """`n` pictures of one of `KINDS`; the one at a place does not depend on how many are asked for."""
    for number in range(n):
        yield scene(kind, writer, np.random.default_rng((seed, number, *kind.encode())))


def scene(kind: str, writer: Writer, rng: np.random.Generator) -> Scene:
    """One picture of one of `KINDS`, its digit 60 to 180 pixels high."""
    height = int(rng.integers(60, 180))
    if kind in REFUSED:
        pixels, ink = REFUSED[kind](writer, height, rng)
        return Scene(pixels, kind, None, box_of(ink))
    label, ink = _segments(height, rng) if kind == "seven segments" else writer.digit(rng, height)
    pixels, own = WANTED[kind](ink, rng)
    return Scene(pixels, kind, label, box_of(own))


def _segments(height: int, rng: np.random.Generator) -> tuple[int, Pixels]:
    label = int(rng.integers(10))
    return label, printed.seven_segments(label, rng, height)
