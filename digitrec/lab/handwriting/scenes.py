"""Ordinary pictures of a digit with something else in them: what looking at a picture has to cope with.

A card on a dark table, a pen beside the digit, a bracket, a box; and writing that is to be refused: crossed
out, half outside the picture, printed signs. Everything is drawn here, with a seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitrec.lab.handwriting import printed
from digitrec.lab.handwriting.props import Box, box_of
from digitrec.lab.handwriting.scenery import CELLS, READ
from digitrec.lab.handwriting.spoiled import REFUSED
from digitrec.lab.handwriting.writer import Writer

Pixels = NDArray[np.uint8]

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
    reasons: tuple[str, ...] = ()
    """Any of these says rightly why no digit is named; empty where one is."""


def scenes(kind: str, writer: Writer, n: int, seed: int) -> Iterator[Scene]:
    """`n` pictures of one of `KINDS`; the one at a place does not depend on how many are asked for."""
    for number in range(n):
        yield scene(kind, writer, np.random.default_rng((seed, number, *kind.encode())))


def scene(kind: str, writer: Writer, rng: np.random.Generator) -> Scene:
    """One picture of one of `KINDS`, its digit 60 to 180 pixels high."""
    height = int(rng.integers(60, 180))
    if kind in REFUSED:
        spoil, reasons = REFUSED[kind]
        pixels, ink = spoil(writer, height, rng)
        return Scene(pixels, kind, None, box_of(ink), reasons)
    label, ink = _segments(height, rng) if kind == "seven segments" else writer.digit(rng, height)
    pixels, own = WANTED[kind](ink, rng)
    return Scene(pixels, kind, label, box_of(own))


def _segments(height: int, rng: np.random.Generator) -> tuple[int, Pixels]:
    label = int(rng.integers(10))
    return label, printed.seven_segments(label, rng, height)
