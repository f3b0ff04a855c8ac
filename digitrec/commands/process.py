"""The process of a command: its exit code, streams and environment."""

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import click

from digitrec import errors
from digitrec.errors.text import printable

EXIT_CODES: dict[type[errors.DigitrecError], int] = {
    errors.ImageError: 1,
    errors.UnknownProvider: 2,
    errors.NotInstalled: 3,
    errors.NotConfigured: 4,
    errors.ModelError: 5,
    errors.DataError: 6,
    errors.BudgetExceeded: 7,
    errors.LedgerError: 8,
    errors.Rejected: 10,
    errors.AuthFailed: 11,
    errors.QuotaExceeded: 12,
    errors.RateLimited: 13,
    errors.TimedOut: 14,
    errors.Unavailable: 15,
    errors.BadAnswer: 16,
    errors.Unreachable: 17,
    errors.CannotListen: 18,
}
"""Exit codes by error; 0 is success, 2 also wrong usage, 130 an interrupt."""
REFUSED_BY_SYSTEM = 9
"""Exit code if a file cannot be written: a full disk, a missing folder."""
READER_GONE = 141
"""Exit code if the reader of the output closed it (`| head -1`): 128 + SIGPIPE, as in shells."""


def exit_code(error: errors.DigitrecError) -> int:
    """Return the exit code of the nearest class in `EXIT_CODES`, else 1."""
    return next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), 1)


def tell(what: str) -> None:
    """Print a line about the command's work on stderr; a full disk does not stop the work."""
    try:
        click.echo(f"digitrec: {printable(what)}", err=True)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        drop(sys.stderr)


def open_what_is_closed() -> None:
    """Open standard streams that the parent closed (`>&-`) on the null device.

    Otherwise the next opened file would get the descriptor of such a stream, and the libraries' output.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # by descriptor
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (for good)


def drop(out: TextIO) -> None:
    """Discard unwritten output, so that the interpreter does not report it at exit."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


@contextmanager
def quiet_without_reader() -> Iterator[None]:
    """End without an error message when the reader of the output has closed it.

    Raises:
        SystemExit: instead of EPIPE, with `READER_GONE`.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        drop(sys.stdout)
        drop(sys.stderr)
        raise SystemExit(READER_GONE) from None


def keep_at_home() -> None:
    """Keep the caches of libraries in digitrec's folder and turn telemetry off, unless the user chose.

    Matplotlib and Keras read these variables once, at import. ONNX Runtime creates an identifier of the
    machine and a queue of events at import, unless the variable is set. The backends are not the
    user's choice: only TensorFlow's networks can be converted, and a Jupyter notebook names one of its own
    for matplotlib, which may not be installed beside digitrec.
    """
    from digitrec.engine.config import user_folder

    with suppress(errors.NotConfigured):  # without a home the libraries find folders themselves
        cache = user_folder("cache")
        os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))
        os.environ.setdefault("KERAS_HOME", str(cache / "keras"))
    os.environ |= {"KERAS_BACKEND": "tensorflow", "MPLBACKEND": "agg"}
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns where that folder cannot be made
