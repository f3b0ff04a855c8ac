"""The bytes behind a source: a path, standard input, a stream or a buffer; nothing is fetched."""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from digitrec.errors import ImageError
from digitrec.errors.arguments import said

MAX_FILE_BYTES = 100_000_000
"""Larger files are refused, no more than this is read of them."""
_FETCHES_NOTHING = "digitrec fetches nothing from the network: download it first, and name the file"
_ADDRESS = re.compile(r"(?i)(data:|[a-z][a-z0-9+.-]+:/)")
"""How a URL begins; pathlib makes one slash of two, and a drive of Windows is a single letter."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One of the pictures in a file that holds several: a page of a TIFF or PDF, a frame of a GIF."""

    source: str | Path | bytes = field(repr=False)
    """The file, or its bytes."""
    number: int
    """Which, from 1."""
    name: str
    """What to call it, such as "scan.tif[2]"."""

    def __str__(self) -> str:
        return self.name


Encoded = str | Path | bytes | bytearray | memoryview | IO[bytes] | Frame
"""What holds an encoded picture; "-" is standard input."""


def read(source: Encoded) -> tuple[bytes, str]:
    """Return the encoded bytes of a path, stream, buffer or frame, and a name for messages.

    Raises:
        ImageError: it is empty, larger than `MAX_FILE_BYTES`, or unreadable.
    """
    name = name_of(source)
    if isinstance(source, Frame):
        source = source.source
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str) and source == "-":
        data = _read_stdin(name)
    elif isinstance(source, str | Path):
        data = read_path(source, name)
    elif hasattr(source, "read"):
        data = source.read(MAX_FILE_BYTES + 1)
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"{name}: gives {said(data)} and not bytes; open the file in binary mode")
    else:
        raise TypeError(f"cannot read a picture from {type(source).__name__}")
    if not data:
        raise ImageError(f"{name}: the file is empty; give a picture")
    if len(data) > MAX_FILE_BYTES:
        raise ImageError(f"{name}: larger than {MAX_FILE_BYTES // 1_000_000} MB; give a smaller picture")
    return data, name


def name_of(source: Any) -> str:
    """Return a name for a source in messages, readable or not."""
    if isinstance(source, Frame):
        return source.name
    if isinstance(source, str | Path):
        return "<stdin>" if source == "-" else _without_secrets(str(source))
    if isinstance(source, np.ndarray):
        return "<array>"
    if isinstance(source, Image.Image):
        return str(getattr(source, "filename", "") or "<image>")
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>"
    if hasattr(source, "__array__"):
        return "<array>"
    return str(getattr(source, "name", "<stream>"))


def read_once(source: Any) -> bool:
    """Whether a source is gone once it was read: standard input, or a pipe that has a name."""
    try:
        return isinstance(source, str | Path) and (source == "-" or Path(source).is_fifo())
    except OSError:  # a name too long
        return False


def is_address(name: str) -> bool:
    """Whether it is a URL, or looks like one."""
    return _ADDRESS.match(name) is not None


def _without_secrets(name: str) -> str:
    """Remove user, query and data from a URL: they hold passwords, signatures and pictures."""
    if not is_address(name):
        return name
    if name[:5].lower() == "data:":
        return re.split("[;,]", name[:40], maxsplit=1)[0] + ",..."
    if "@" in name:  # a password may hold any character, so its end is unknown
        return re.split("(?<=/)(?!/)", name, maxsplit=1)[0] + "..."
    return re.split("[?#]", name, maxsplit=1)[0]


def _read_stdin(name: str) -> bytes:
    if sys.stdin is None:  # closed by the parent process
        raise ImageError(f"{name}: there is no standard input; name a file")
    return sys.stdin.buffer.read(MAX_FILE_BYTES + 1)


def read_path(path: str | Path, name: str) -> bytes:
    """Read a file, at most one byte more than `MAX_FILE_BYTES`.

    Args:
        path: where it is.
        name: what to call it in messages.

    Raises:
        ImageError: it cannot be read.
    """
    try:
        kind = Path(path).stat().st_mode
        if stat.S_ISDIR(kind):
            os.scandir(path).close()  # says so where it is closed to us
            raise ImageError(f"{name}: a folder, with no picture to read; name a file")
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
            raise ImageError(f"{name}: a device or a socket; name a file or a pipe")
        with Path(path).open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except ImageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        if is_address(str(path)):
            raise ImageError(f"{name}: a URL; {_FETCHES_NOTHING}") from None  # the cause would name all of it
        why = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{name}: cannot be read ({why.lower()}); check the name") from error
