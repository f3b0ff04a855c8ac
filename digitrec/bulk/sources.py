"""A picture to be read, in a form that any process can open; it is called and read as the original is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from PIL import Image

from digitrec.bulk import inputs
from digitrec.bulk.inputs import Item
from digitrec.bulk.members import Member
from digitrec.bulk.remote import Remote
from digitrec.errors import ImageError
from digitrec.image import DigitImage, ImageSource, Turned, files
from digitrec.image.arrays import as_array
from digitrec.image.files import MAX_FILE_BYTES, Frame, name_of


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture whose path is relative to another folder than that of the process that reads it."""

    item: str | Member
    """The path, or the member of an archive, as it was named."""
    folder: str
    """What its path is relative to."""

    @property
    def name(self) -> str:
        """What to call it: as it was named."""
        return name_of(self.item)

    def read(self, most: int = MAX_FILE_BYTES + 1) -> bytes:
        """Its bytes, at most so many.

        Raises:
            ImageError: they cannot be read.
        """
        if isinstance(self.item, Member):
            return replace(self.item, archive=str(Path(self.folder, self.item.archive))).read(most)
        return files.read_path(Path(self.folder, self.item), self.name)


@dataclass(frozen=True, slots=True)
class Given:
    """A picture whose bytes were read already."""

    name: str
    """What to call it."""
    data: bytes = field(repr=False)
    """Its bytes."""

    def read(self, most: int = MAX_FILE_BYTES + 1) -> bytes:
        """Its bytes, at most so many."""
        return self.data[:most]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A picture that is not opened, or not again."""

    name: str
    """What to call it."""
    why: str
    """What is told instead."""

    def read(self, most: int = MAX_FILE_BYTES + 1) -> bytes:
        """Nothing.

        Raises:
            ImageError: always.
        """
        raise ImageError(self.why)


def deadly(name: str) -> ImageSource:
    """A picture of which the process died that read it."""
    why = f"{name}: the process that read it died; save or export it again"
    return cast(ImageSource, Unreadable(name, why))


def placed(item: Item, folder: str | None) -> ImageSource:
    """A planned picture, as it is found by a process that may stand in another folder.

    Args:
        item: the picture.
        folder: what its path is relative to; None: to the folder of the process that reads it.
    """
    if folder is None or not isinstance(item, str | Member) or (isinstance(item, Member) and item.unpacked):
        return cast(ImageSource, item)
    path = item.archive if isinstance(item, Member) else item
    if path in ("", "-") or Path(path).is_absolute() or files.is_address(path):
        return cast(ImageSource, item)
    return cast(ImageSource, Placed(item, folder))


def portable(source: ImageSource, folder: str) -> ImageSource:
    """Any picture that was given, in a form in which it can be sent to another process.

    A path stays a path, and a URL is fetched where it is read; an open stream is read here, an array or a
    Pillow image is opened here.

    Args:
        source: what `digitrec.DigitImage.open` reads.
        folder: what paths are relative to.

    Raises:
        TypeError: it is nothing that can hold a picture.
    """
    try:
        if isinstance(source, Image.Image) or as_array(source) is not None:
            return DigitImage.open(source)
        if isinstance(source, Member | Remote):  # of an archive or a folder that was named
            return placed(source, folder)
        if isinstance(source, Turned):
            return Turned(portable(source.source, folder), source.degrees)
        if isinstance(source, Frame):
            path = source.source
            return replace(source, source=path if isinstance(path, bytes) else Path(folder, path))
        if isinstance(source, str | Path) and source != "-":
            return placed(inputs.named(os.fspath(source)), folder)
        if isinstance(source, DigitImage | bytes):
            return source
        data, name = files.read(cast(files.Encoded, source))
        return cast(ImageSource, Given(name, data))
    except ImageError as error:
        return cast(ImageSource, Unreadable(name_of(source), str(error)))
