"""What a batch reads: arguments become pictures, one after the other, and each becomes a line of the plan."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

from PIL import Image

from digitrec.bulk import archives
from digitrec.bulk.archives import Member, is_picture
from digitrec.bulk.tables import arrow
from digitrec.errors import DataError, ImageError, NotInstalled, install_hint
from digitrec.image import DigitImage, ImageSource, Turned, files, folders
from digitrec.image.arrays import as_array
from digitrec.image.files import MAX_FILE_BYTES, Frame, is_address, name_of

CHUNK = 65536
"""Bytes of a list that are read at a time."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A picture behind a URL, fetched when it is asked for."""

    url: str
    """Where it is; no key is in it."""

    @property
    def name(self) -> str:
        """What to call it."""
        return self.url

    def read(self, most: int = MAX_FILE_BYTES + 1) -> bytes:
        """Its bytes, at most so many.

        Raises:
            ImageError: they cannot be fetched.
        """
        try:
            with _fsspec().open(self.url, "rb") as file:
                data: bytes = file.read(most)
                return data
        except NotInstalled:
            raise
        except Exception as error:  # of anybody's plugin; its text may hold a key
            raise ImageError(
                f"{self.name}: cannot be fetched ({type(error).__name__}); check the address and the rights"
            ) from None


Item = str | Member | Remote
"""One picture of a plan: a path, a member of an archive, or a URL."""


def expand(
    arguments: Iterable[str],
    skipped: folders.Skipped,
    *,
    hidden: bool = False,
    store: IO[bytes] | None = None,
) -> Iterator[Item]:
    """Yield the pictures in folders, archives and URLs, the matches of patterns, and files, in this order.

    A file that does not exist is yielded as well: reading it says so, and costs the others nothing.

    Args:
        arguments: paths, patterns and URLs.
        skipped: counts what is passed over.
        hidden: also yield what has a name that begins with a dot.
        store: file to which compressed tars are unpacked; None: they are refused.

    Raises:
        DataError: an archive or a URL cannot be read.
        OSError: the store cannot be written.
    """
    for argument in arguments:
        if is_address(argument):
            yield from remotes(argument, skipped, hidden=hidden)
        elif _is_archive(argument):
            yield from archives.members(argument, skipped, hidden=hidden, store=store)
        else:
            for path in folders.expand(argument, skipped, hidden=hidden):
                if path != argument and _is_archive(path):  # matched by a pattern
                    yield from archives.members(path, skipped, hidden=hidden, store=store)
                else:
                    yield path


def _is_archive(path: str) -> bool:
    if not path.lower().endswith(archives.ENDINGS):
        return False
    is_folder: bool = os.path.isdir(path)  # noqa: PTH112 (Path raises for some names)
    return not is_folder and (not folders.is_pattern(path) or os.path.exists(path))  # noqa: PTH110


def remotes(url: str, skipped: folders.Skipped, *, hidden: bool = False) -> Iterator[Remote]:
    """Yield the pictures below a URL, or the picture at the URL, sorted by name.

    Args:
        url: such as ``s3://bucket/scans`` or ``zip://::scans.zip``.
        skipped: counts what is passed over.
        hidden: also what has a name that begins with a dot.

    Raises:
        NotInstalled: fsspec, or its plugin for this kind of URL, is missing.
        DataError: the URL holds a key, or cannot be listed.
    """
    if name_of(url) != url:
        raise DataError(
            f"{name_of(url)}: a user, a key or a query in the URL would be written into the plan; "
            "give credentials by the plugin's own variables or files"
        )
    fsspec = _fsspec()
    try:
        system, path = fsspec.core.url_to_fs(url)
        find = system.glob if folders.is_pattern(path) else system.find
        found: dict[str, dict[str, Any]] = find(path, detail=True) or {path: {}}
    except ImportError as error:
        raise NotInstalled(f"{url}: its plugin for fsspec is not installed ({error})") from None
    except Exception as error:  # of anybody's plugin; its text may hold a key
        raise DataError(
            f"{url}: cannot be listed ({type(error).__name__}); check it, and the rights"
        ) from None
    chain = url.partition("::")[2]
    for file, info in sorted(found.items()):
        if info.get("type") == "other":  # a pipe or a device: reading it might never end
            skipped.special += 1
        elif file == path or is_picture(file.removeprefix(path), skipped, hidden):
            full = system.unstrip_protocol(file)
            yield Remote(f"{full}::{chain}" if chain else full)


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError as error:
        raise NotInstalled(f"a URL needs fsspec: {install_hint('batch')}") from error
    return fsspec


def listed(file: IO[bytes]) -> Iterator[str]:
    """Yield the paths of a list, each on a line or followed by a null character (``find -print0``).

    The list is in UTF-8, or in UTF-16 with a byte order mark; empty lines are skipped.

    Raises:
        DataError: it begins as UTF-16 and is not.
    """
    start = file.read(CHUNK)
    utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding, errors = ("utf-16", "strict") if utf16 else ("utf-8", "surrogateescape")
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    end, padding = ("\0", "") if b"\0" in start and not utf16 else ("\n", "\r")
    rest = ""
    try:
        for chunk in chain([start.removeprefix(codecs.BOM_UTF8)], iter(partial(file.read, CHUNK), b"")):
            *paths, rest = (rest + decoder.decode(chunk)).split(end)
            yield from filter(None, (path.removesuffix(padding) for path in paths))
        if path := (rest + decoder.decode(b"", final=True)).removesuffix(padding):
            yield path
    except UnicodeDecodeError as error:
        raise DataError("<stdin>: a list in UTF-16 that cannot be decoded; write it in UTF-8") from error


def column(table: str, name: str) -> Iterator[str]:
    """Yield the paths in a column of a Parquet file; relative ones are relative to its folder.

    Raises:
        NotInstalled: without the extra ``batch``.
        DataError: there is no such table, or no such column.
    """
    _, parquet = arrow()
    try:
        if not Path(table).is_file():  # opening a pipe might wait for ever
            raise FileNotFoundError
        with parquet.ParquetFile(table) as file:
            for rows in file.iter_batches(columns=[name]):
                for number, path in enumerate(rows.column(0).to_pylist()):
                    text = str(path or "")
                    yield (
                        text if is_address(text) else str(Path(table).parent / (text or f"{number}: no path"))
                    )
    except (OSError, ValueError, IndexError) as error:  # Arrow's errors are subclasses of these
        raise DataError(f"{table}: no Parquet with a column {name!r}; check both") from error


def named(path: str) -> Item:
    """Return the item for a path in a list; of a URL with a key only the part without the key is kept."""
    if not is_address(path):
        return path
    return Remote(path) if name_of(path) == path else name_of(path)


def to_json(item: Item) -> Any:
    """Return the item as a value of the plan."""
    if isinstance(item, str):
        return item
    return {"url": item.url} if isinstance(item, Remote) else astuple(item)


def from_json(value: Any) -> Item:
    """Return the item for a value of the plan."""
    if isinstance(value, str):
        return value
    return Remote(**value) if isinstance(value, dict) else Member(*value)


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture that any process can read under its name: a file, bytes, or an error."""

    name: str
    path: str = ""
    """Absolute path of its file; "" without one."""
    data: bytes = field(default=b"", repr=False)
    error: str = ""
    """Why it is unreadable; "" if that is not known yet."""

    def read(self, most: int = MAX_FILE_BYTES + 1) -> bytes:
        """Return its bytes, at most ``most`` of them.

        Raises:
            ImageError: it is unreadable.
        """
        if self.error:
            raise ImageError(self.error)
        return files.read_path(self.path, self.name) if self.path else self.data[:most]


def deadly(name: str) -> ImageSource:
    """Return the stand-in for a picture that killed the process that read it."""
    why = f"{name}: the process that read it died or hung; save or export it again"
    return cast(ImageSource, Sent(name, error=why))


def placed(source: ImageSource | Item, folder: str | None) -> ImageSource:
    """Return a picture in a form that a process with another working folder can open, under the same name.

    Args:
        source: the picture.
        folder: the folder to which its path is relative; None: the working folder of the reading process.
    """
    if folder is None or (isinstance(source, str) and (source in ("", "-") or is_address(source))):
        return cast(ImageSource, source)
    if isinstance(source, Member) and not source.unpacked:
        return cast(ImageSource, replace(source, unpacked=str(Path(folder, source.archive))))
    if isinstance(source, str):
        return cast(ImageSource, Sent(name_of(source), str(Path(folder, source))))
    return cast(ImageSource, source)


def portable(source: ImageSource, folder: str) -> ImageSource:
    """Return a picture in a form that can be sent to another process.

    A path stays a path and a URL is fetched by the other process. A stream is read now; an array or a
    Pillow image is opened now.

    Args:
        source: what `digitrec.DigitImage.open` reads.
        folder: the folder to which paths are relative.

    Raises:
        TypeError: it is not a kind of picture.
    """
    try:
        if isinstance(source, Image.Image) or as_array(source) is not None:
            return DigitImage.open(source)
        if isinstance(source, Turned):
            return Turned(portable(source.source, folder), source.degrees)
        if isinstance(source, Frame):
            path = source.source
            return replace(source, source=path if isinstance(path, bytes) else Path(folder, path))
        if isinstance(source, str | Path) and source != "-":
            return placed(named(os.fspath(source)), folder)
        if isinstance(source, DigitImage | bytes | Member | Remote):
            return placed(source, folder)
        data, name = files.read(cast(files.Encoded, source))
        return cast(ImageSource, Sent(name, data=data))
    except ImageError as error:
        return cast(ImageSource, Sent(name_of(source), error=str(error)))
