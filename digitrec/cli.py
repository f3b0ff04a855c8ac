"""Find the command to run, and turn errors into one line on stderr and an exit code."""

import atexit
import errno
import gc
import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from digitrec import __version__, errors
from digitrec.commands import process
from digitrec.commands.interrupt import INTERRUPTED, raise_again
from digitrec.errors.text import did_you_mean, printable

COMMANDS = {
    "batch": "batch", "benchmark": "benchmark", "calibrate": "benchmark", "compare": "compare",
    "config": "setup", "course": "course", "demo": "course", "emulate": "serve", "evaluate": "benchmark",
    "explain": "predict", "explore": "course", "ledger": "ledger", "models": "models",
    "predict": "predict", "providers": "setup", "read": "predict", "review": "serve", "serve": "serve",
    "train": "train", "tune": "train",
}  # fmt: skip
"""Every command, and its module in ``digitrec.commands``."""

RETIRED = {"recommend": " Use: digitrec benchmark DATA --target SHARE"}
"""Commands of earlier versions, and the command to use instead."""

UNNAMED = {errno.ENOENT: "the current folder"} | dict.fromkeys(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EBADF), "the output"
)
"""What is wrong if an error of the system names no file: `os.getcwd` found no folder, or writing failed."""


class LazyGroup(click.Group):
    """A group that imports a command only when it is run, or when help lists it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of that name; for an unknown name, raise an error that suggests one.

        An option after `--` gives None, so that click reads it as an option.
        """
        if cmd_name.startswith("-") or (ctx.resilient_parsing and cmd_name not in COMMANDS):
            return None
        if cmd_name not in COMMANDS:
            ctx.fail(f"No such command {cmd_name!r}.{_instead(cmd_name)}")
        command: click.Command = getattr(_imported(f"digitrec.commands.{COMMANDS[cmd_name]}"), cmd_name)
        raise_again()
        _imported("digitrec.image.headers").quiet_pillow()
        return command

    def __call__(self, *args: Any, **extra: Any) -> Any:
        """Run as a program. Skip garbage collection at exit: the system frees all memory."""
        atexit.register(gc.freeze)
        return super().__call__(*args, **extra)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the arguments, or print the help."""
        process.open_what_is_closed()
        with process.quiet_without_reader(), _errors_told():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error becomes one line on stderr and an exit code."""
        if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
            sys.stdout.reconfigure(errors="backslashreplace")  # a file name may have any character
        with process.quiet_without_reader(), _errors_told(), _warnings_told():
            process.keep_at_home()
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # while an error about a full disk can still be reported


def _instead(name: str) -> str:
    """Suggest a command for a name that does not exist; "" without a good guess."""
    from shlex import quote

    from digitrec.bulk.inputs import ENDINGS
    from digitrec.image.files import SUFFIXES

    if name in RETIRED:
        return RETIRED[name]
    path = Path(name)
    if name.lower().endswith(ENDINGS):
        return f" To read the pictures in it: digitrec batch {quote(name)} -o answers.csv"
    if path.suffix.lower() in SUFFIXES or path.exists():
        return f" To read a picture: digitrec predict {quote(name)}"
    return did_you_mean(name, COMMANDS)


@contextmanager
def _errors_told() -> Iterator[None]:
    """Turn an error of ours or of the system into one line on stderr and an exit code.

    Escape control characters that click quotes from the command line.

    Raises:
        click.exceptions.Exit: instead of the error.
        OSError: the reader of the output has closed it, or the error does not concern a file.
    """
    try:
        yield
    except errors.DigitrecError as error:
        process.tell(str(error))
        raise click.exceptions.Exit(process.exit_code(error)) from error
    except KeyboardInterrupt as error:
        process.tell("interrupted")
        raise click.exceptions.Exit(INTERRUPTED) from error
    except click.ClickException as error:
        # click has no other way
        error.message = "\n".join(map(printable, error.message.split("\n")))  # type: ignore[misc]
        raise
    except OSError as error:
        what = error.filename or UNNAMED.get(error.errno or 0)
        if what is None:  # EPIPE, or a network error
            raise
        why = error.strerror or " ".join(map(str, error.args))  # with a file name, str(error) is not the text
        process.tell(f"{what}: {why.lower()}")
        process.drop(sys.stdout)
        raise click.exceptions.Exit(process.REFUSED_BY_SYSTEM) from error


def _imported(name: str) -> ModuleType:
    """Import a module and keep its objects out of garbage collection."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


class _Teller(logging.Handler):
    """Print the library's warnings on stderr, each message once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._tell = cache(process.tell)

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage())


@contextmanager
def _warnings_told() -> Iterator[None]:
    logger, teller = logging.getLogger("digitrec"), _Teller()
    logger.addHandler(teller)
    propagate, logger.propagate = logger.propagate, False  # a dependency may have configured the root logger
    try:
        yield
    finally:
        logger.removeHandler(teller)
        logger.propagate = propagate


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="digitrec")
def main() -> None:
    """Read handwritten digits and numbers from pictures, with a confidence.

    \b
    Examples:
      digitrec predict photo.jpg
      digitrec predict scans/ --output csv > answers.csv
      digitrec providers

    \b
    Exit codes:
      0 all answered ("no digit here" is an answer)    1 some image failed
      2 wrong usage, unknown provider                  3 an extra is not installed
      4 a key or program is missing                    5 the model file cannot be used
      6 a data set is missing or damaged               7 the budget does not allow it
      8 the ledger cannot be used                      9 a file cannot be written
     10 the engine refused the image                  11 the engine refused the credentials
     12 the quota is used up                          13 rate limited
     14 no answer in time                             15 service unavailable
     16 a malformed answer                            17 no connection
     18 the port cannot be used                      130 interrupted
    141 the output was closed early
    """
