"""Pictures behind a URL, through fsspec: its own file systems and its plugins' (s3fs, gcsfs, adlfs)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from digitrec.bulk.archives import is_picture
from digitrec.errors import DataError, ImageError, NotInstalled, install_hint
from digitrec.image.files import MAX_FILE_BYTES, name_of
from digitrec.image.folders import Skipped, is_pattern


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


def remotes(url: str, skipped: Skipped, *, hidden: bool = False) -> Iterator[Remote]:
    """The pictures below a URL, or what it names itself, in the order of their names.

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
        find = system.glob if is_pattern(path) else system.find
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
