"""How type designers write and print: fonts that anybody may print with, to be learned from like writers.

The list is in data/fonts.csv: packages of Fontsource, whose fonts are under the SIL Open Font License 1.1 or
the Apache License 2.0. Whole fonts are held back, as whole writers are (`world`).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from digitrec.comparison.datasets.mnist import intact
from digitrec.lab.datasets.download import in_data, retrieved
from digitrec.lab.datasets.world import Part

Kind = Literal["hand", "print"]

HOME = "https://fontsource.org"
"""The fonts' site."""
_COPIES = "https://cdn.jsdelivr.net/npm/@fontsource/{name}@{version}/files/"


@dataclass(frozen=True, slots=True)
class Font:
    """A font of the list."""

    name: str
    """Fontsource's, as "architects-daughter"."""
    version: str
    """Of its package."""
    kind: Kind
    """Whether it is drawn like handwriting, or like print."""
    part: Part
    """Whether training may use the font."""
    sha256: str
    """Of its file."""

    @property
    def file(self) -> str:
        """The name of its file: the Latin letters and digits, upright, of ordinary weight, as WOFF."""
        return f"{self.name}-latin-400-normal.woff"


def listed() -> tuple[Font, ...]:
    """All the fonts."""
    table = resources.files("digitrec.lab.datasets").joinpath("data/fonts.csv").read_text("utf-8")
    return tuple(Font(**row) for row in csv.DictReader(table.splitlines()))  # type: ignore[arg-type]


def fonts(kind: Kind, part: Part) -> tuple[str, ...]:
    """Return the font files of one kind and part, in the order of the list.

    They are read from the folder fonts/ in DIGITREC_DATA, else fetched once (5 MB) into the user's cache.

    Raises:
        DataError: a font is unavailable, or its checksum differs.
        NotInstalled: fetching them needs the `train` extra.
    """
    return tuple(str(_found(font)) for font in listed() if (font.kind, font.part) == (kind, part))


def folder() -> Path | None:
    """Return the folder fonts/ in DIGITREC_DATA, or None if it does not exist."""
    named = in_data("fonts")
    return named if named and named.is_dir() else None


def _found(font: Font) -> Path:
    """Return the font's file with the right checksum, fetched if no folder is named."""
    named = folder()
    if named is None:
        copies = (_COPIES.format(name=font.name, version=font.version),)
        return retrieved(font.file, font.sha256, copies, "fonts")
    advice = f"put files/{font.file} of the package @fontsource/{font.name} {font.version} there ({HOME})"
    intact(named / font.file, font.sha256, advice)
    return named / font.file
