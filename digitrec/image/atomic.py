"""Replace files atomically: readers see the old or the new content, and an error keeps the old file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(file: Path, *, locked: bool = False) -> Iterator[Path]:
    """Yield a new path beside ``file`` to write to; afterwards rename it to ``file``.

    The path keeps the ending of ``file``, because some writers choose a format by it. If ``file`` is a link,
    its target is replaced. For a device or a pipe, which cannot be replaced, ``file`` itself is yielded.
    With ``locked`` no other process writes ``file`` now, and the path is always the same: a file that a
    killed process left there is written again.

    Raises:
        OSError: the file cannot be written; ``file`` is then unchanged.
    """
    target = Path(os.path.realpath(file))
    if target.exists() and not target.is_file():
        yield target
        return
    # Not the process id: two machines that share the folder may have the same one.
    name = target.stem if locked else os.urandom(8).hex()
    unfinished = target.parent / f".{name}.unfinished{target.suffix}"
    try:
        yield unfinished
        with unfinished.open("rb+") as written:
            os.fsync(written.fileno())
        unfinished.replace(target)
    except OSError as error:
        if error.filename is None or str(error.filename) == str(unfinished):  # None: while writing
            error.filename = str(file)
        raise
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):
            unfinished.unlink()


def write(file: Path, content: str | bytes) -> Path:
    """Replace a file by this content and return its path; encode a string as UTF-8.

    Characters that UTF-8 cannot encode, as in some file names, are escaped.

    Raises:
        OSError: the file cannot be written; it is then unchanged.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    with replacing(file) as unfinished:
        unfinished.write_bytes(data)
    return file
