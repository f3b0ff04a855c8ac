"""Pictures with the labels that visitors gave them, kept as labelled folders.

The folder contains two others, `new` and `accepted`, each with sub-folders "0" to "9" and "none", which
`read_samples` reads as they are. A file's name is the hash of the picture's pixels and the answers of the
engines here, so that the owner first sees where they disagree. No address, time or metadata is kept.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from digitrec.errors import DataError

LABELS = (*"0123456789", "none")
"""Labels of a picture; "none": no digit."""
LONGEST = 200
"""Characters of a file's name for the engines' answers; file systems take 255 bytes in all."""
MAX_PICTURES = 10_000
"""Most pictures, new and accepted together; each has at most 512x512 pixels."""
ENGINE = re.compile(r"[a-z0-9-]+")
"""An engine's name that can be in a file's name; a policy's cannot, but its engines are named as well."""
NAME = re.compile(r"[0-9a-f]{16}(_[a-z0-9-]+-(?:[0-9]|none))*\.png")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture that a visitor labelled and the owner has not seen."""

    name: str
    """Name of its file."""
    label: str
    """One of `LABELS`."""
    said: Mapping[str, str]
    """Each engine's answer, one of `LABELS`, by the engine's name."""

    @property
    def dissent(self) -> int:
        """Number of engines that disagree with the visitor."""
        return sum(word != self.label for word in self.said.values())


class Collection:
    """The pictures in one folder, for one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Make the folder and count its pictures.

        Raises:
            DataError: the folder cannot be made or written to.
        """
        self._new, self._accepted = folder / "new", folder / "accepted"
        try:
            for label in LABELS:
                (self._new / label).mkdir(parents=True, exist_ok=True)
                (self._accepted / label).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"{folder}: cannot be written to ({error.strerror}); name another folder"
            ) from error
        self._lock = threading.Lock()
        self._pictures = len(list(folder.glob("*/*/*.png")))

    def add(self, picture: Image.Image, label: str, said: Mapping[str, str]) -> bool:
        """Keep a picture under its label, one of `LABELS`; return whether there was room for it.

        The same pixels are kept once: a new label replaces the one before, and what was accepted stays.
        """
        content = f"{picture.mode}{picture.size}".encode() + picture.tobytes()
        digest = hashlib.sha256(content).hexdigest()[:16]
        with self._lock:
            if any(self._accepted.glob(f"*/{digest}*.png")):
                return True
            for before in self._new.glob(f"*/{digest}*.png"):
                before.unlink()
                self._pictures -= 1
            if self._pictures >= MAX_PICTURES:
                return False
            aside = self._new / label / f".{digest}"
            picture.save(aside, "PNG")
            aside.replace(self._new / label / f"{digest}{_words(said)}.png")
            self._pictures += 1
        return True

    def waiting(self) -> list[Labelled]:
        """Return the pictures that the owner has not seen, those with most disagreement first."""
        found = [_labelled(file) for file in self._files()]
        return sorted(found, key=lambda one: (-one.dissent, one.label, one.name))

    def picture(self, name: str) -> bytes | None:
        """Return the PNG of that name among those; None without one."""
        file = self._find(name)
        return None if file is None else file.read_bytes()

    def decide(self, name: str, *, accept: bool) -> bool:
        """Accept a picture under its label, or delete it; return whether there was one of that name."""
        with self._lock:
            file = self._find(name)
            if file is None:
                return False
            if accept:
                file.replace(self._accepted / file.parent.name / name)
            else:
                file.unlink()
                self._pictures -= 1
        return True

    def _files(self) -> Iterator[Path]:
        return (file for file in self._new.glob("*/*.png") if NAME.fullmatch(file.name))

    def _find(self, name: str) -> Path | None:
        return next((file for file in self._files() if file.name == name), None)


def _words(said: Mapping[str, str]) -> str:
    """Return the engines' answers as a part of a file's name, as many as there is room for."""
    named = ""
    for engine, word in sorted(said.items()):
        one = f"_{engine}-{word}"
        if ENGINE.fullmatch(engine) and len(named) + len(one) <= LONGEST:
            named += one
    return named


def _labelled(file: Path) -> Labelled:
    words = (word.rpartition("-") for word in file.stem.split("_")[1:])
    return Labelled(file.name, file.parent.name, {engine: said for engine, _, said in words})
