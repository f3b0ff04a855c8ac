"""What a program may do to its own process, and a library may not: its streams and its environment."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

READER_GONE = 141
"""Exit code where whoever read the output has stopped (`| head -1`): 128 + SIGPIPE, as shells have it."""


def open_what_is_closed() -> None:
    """Standard streams that whoever started us closed (`>&-`) go nowhere.

    Else the next file to be opened gets the number of one, and with it what libraries print there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # the lowest free number is taken
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (for good)


def drop(out: TextIO) -> None:
    """Let what cannot be written go nowhere, or the interpreter complains of it once more at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


@contextmanager
def quiet_without_reader() -> Iterator[None]:
    """Whoever read the output has had enough: no error, and nobody there to be told.

    Raises:
        SystemExit: in place of EPIPE, with `READER_GONE`.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        drop(sys.stdout)
        drop(sys.stderr)
        raise SystemExit(READER_GONE) from None


@contextmanager
def kept_at_home() -> Iterator[None]:
    """What libraries remember lies in our cache folder, and telemetry is off, unless the user set it.

    Matplotlib and Keras look once, when they are imported, for where their files are; ONNX Runtime makes an
    identifier of the machine and a queue of events to be sent when it is imported, unless it is told here.
    """
    from platformdirs import user_cache_path

    cache = user_cache_path("digitrec", appauthor=False)
    ours = {
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "KERAS_HOME": str(cache / "keras"),
        "ORT_DISABLE_TELEMETRY": "1",
    }
    added = [name for name in ours if name not in os.environ]
    os.environ.update({name: ours[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
