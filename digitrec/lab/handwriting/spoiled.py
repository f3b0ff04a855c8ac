"""Writing that is to be refused though it is clear: crossed out, half outside the picture, printed signs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from digitrec.lab.handwriting import printed, props
from digitrec.lab.handwriting.nondigits import shown
from digitrec.lab.handwriting.pen import Path
from digitrec.lab.handwriting.props import box_of
from digitrec.lab.handwriting.scenery import Made, page_of
from digitrec.lab.handwriting.writer import Writer

Spoil = Callable[[Writer, int, np.random.Generator], Made]
"""A picture of writing by somebody, so many pixels high, and the ink of all of it."""

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


_UNCLEAR, _SEVERAL = "not clearly a digit", "more than one digit"
REFUSED: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "crossed out": (_crossed_out, ("crossed out", _UNCLEAR)),
    "half outside the picture": (_cut_off, ("cut off",)),
    "printed signs": (_sign, (_UNCLEAR, _SEVERAL)),
    "a printed sign beside a digit": (_signed, ("a sign beside the digit", _SEVERAL)),
}
"""Scenes in which no digit is to be named, and the reasons that say so rightly."""
