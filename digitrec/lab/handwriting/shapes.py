"""The shapes of handwritten digits, letters and signs, from data/shapes.tsv.

A form is a string of strokes, separated by "/". A stroke is a list of points "x y", separated by ",": x grows
to the right, y downwards from 0 at the top to 100 at the bottom. The pen passes smoothly through the points;
"!" marks a corner. A shape is one form, or two with the same points and all forms between the two.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to write a character."""

    form: str
    """Its strokes."""
    other: str = ""
    """The other end of its variation; empty if it does not vary."""
    weight: float = 1.0
    """Its frequency relative to the character's other shapes."""


def _table() -> dict[str, dict[str, tuple[Shape, ...]]]:
    """Return the shapes of each character of each set, in the order of the file."""
    file = resources.files("digitrec.lab.handwriting") / "data" / "shapes.tsv"
    found: dict[str, dict[str, tuple[Shape, ...]]] = {}
    rows = csv.DictReader(file.read_text("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    for row in rows:
        characters = found.setdefault(row["set"], {})
        shape = Shape(row["form"], row["other"], float(row["weight"]))
        characters[row["character"]] = (*characters.get(row["character"], ()), shape)
    return found


_TABLE = _table()

DIGITS = tuple(_TABLE["digit"].values())
"""The shapes of 0 to 9, in that order."""
PLAIN = {character: shape for character, (shape,) in _TABLE["plain"].items()}
"""Letters and signs that resemble no digit."""
LEARNED = tuple("AEHKMRWXaehkmwx&?")
"""Characters of `PLAIN` used in training; the others measure how a network handles unknown ones."""
SIGNS = {character: shape for character, (shape,) in _TABLE["sign"].items()}
"""Signs and letters of other scripts that resemble no digit, used in training only."""
RESEMBLING = {character: shape for character, (shape,) in _TABLE["resembling"].items()}
"""Letters that some people write as others write a digit."""
