"""Declare options that several commands share."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

import click

from digitrec.engine import LONGEST_S

LEDGERS = ("", ".sqlite", ".sqlite3", ".db", ".ledger", ".jsonl", ".ndjson")
"""Endings of a new ledger or recording."""


class Output(click.Path):
    """A parameter for a file or folder that the command writes."""

    def __init__(self, *endings: str, file: bool = True) -> None:
        """Accept a file with one of these endings, such as ".html"; without endings also a folder."""
        super().__init__(path_type=Path, file_okay=file, dir_okay=not endings)
        self._endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path after checking its name."""
        path = Path(str(super().convert(value, param, ctx)))
        if self._endings and path.suffix.lower() not in self._endings:
            known = " or ".join(filter(None, self._endings))
            self.fail(f"{str(path)!r} does not end in {known}.", param, ctx)
        if not self.file_okay and named_as_file(path):
            self.fail(f"{str(path)!r} has a file's extension; name a folder without one.", param, ctx)
        return path


def named_as_file(path: Path) -> bool:
    """Return whether a path that is not a folder has an ending, such as .png."""
    return path.suffix[1:2].isalpha() and not path.is_dir()


def refuse_overwriting(option: str, outputs: Iterable[Path], inputs: Iterable[str | Path]) -> None:
    """Raise a usage error when an option writes to a file that the command reads.

    Raises:
        click.UsageError: an output is also an input, perhaps under another name.
    """
    read = set(map(os.path.realpath, inputs))
    for output in outputs:
        if os.path.realpath(output) in read:
            raise click.UsageError(f"{option} {output} would overwrite an input; name another file.")


FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
"""A file that exists."""
NAME = click.Path(path_type=str, readable=False)
"""A file, a folder or another name, unchecked; shells complete files."""
Declared = Callable[[Any], Any]
"""A decorator that declares a parameter of a command."""


class Number(click.FloatRange):
    """A finite number in a range; Python also reads "nan" and "inf" as numbers."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number if it is finite and in range."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


SECONDS = Number(min=0, max=LONGEST_S, min_open=True)
"""A duration."""
POSITIVE = Number(min=0, min_open=True)
SHARE = Number(0, 1)
"""A share or a probability."""


def flag(*names: str, help: str, **more: Any) -> Declared:
    """Declare an option without a value."""
    return click.option(*names, is_flag=True, help=help, **more)


def whole(name: str, help: str = "", *, least: int = 1, most: int | None = None, **more: Any) -> Declared:
    """Declare an option that takes an integer from ``least`` to ``most``."""
    return click.option(name, type=click.IntRange(least, most), help=help, **{"metavar": "N", **more})


def usd(*names: str, help: str) -> Declared:
    """Declare an option that takes an amount in US dollars."""
    return click.option(*names, type=Number(min=0), metavar="USD", help=help)


def choice(*names: str, help: str, **more: Any) -> Declared:
    """Declare an option that takes one of the words after its name."""
    name, *words = names
    return click.option(name, type=click.Choice(words), help=help, **more)


def output(default: str, *others: str) -> Declared:
    """Declare ``--output``, with the formats that a command can write."""
    kind = click.Choice([default, *others])
    return click.option("-o", "--output", type=kind, default=default, help="Output format.")


def seed(help: str, **more: Any) -> Declared:
    """Declare ``--seed``, with the range that NumPy and scikit-learn accept."""
    return whole("--seed", help, least=0, most=2**32 - 1, **more)


def sources(*names: str, **more: Any) -> Declared:
    """Declare an option that takes labelled pictures or the name of a data set."""
    return click.option(*names, type=NAME, metavar="SOURCE", **more)


def labelled(metavar: str = "DATA", **more: Any) -> Declared:
    """Declare the argument DATA: labelled pictures or the name of a data set."""
    return click.argument("data", type=NAME, metavar=metavar, **more)


def out_folder(default: str, help: str = "Output folder.") -> Declared:
    """``--out`` of a command that writes several files."""
    more: dict[str, Any] = {"default": Path(default), "show_default": True, "metavar": "FOLDER"}
    return click.option("--out", type=Output(file=False), help=help, **more)


def providers(help: str, metavar: str = "NAMES", default: str | None = None) -> Declared:
    """Declare ``--provider``: one or several engines, as a list."""
    return click.option(
        "-p", "--provider", "providers", callback=names, metavar=metavar,
        default=default, show_default=default is not None, help=help,
    )  # fmt: skip


def html(help: str) -> Declared:
    """Declare ``--html``; a folder that cannot be written to is a usage error before any engine is asked."""
    return click.option("--html", type=Output(".html", ".htm"), callback=_writable, metavar="FILE", help=help)


def names(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str]:
    """Return the names in an option's value, separated by commas; [] if the option is not given."""
    if value is None:
        return []
    found = [name for part in value.split(",") if (name := part.strip())]
    if not found:
        raise click.BadParameter("the name is empty (is a variable unset?).", ctx, param)
    return found


def _expected(value: str) -> tuple[int, int]:
    """Return the minimum and the maximum number of digits in a text such as "4" or "3-6"."""
    least, dash, most = value.partition("-")
    with suppress(ValueError):
        found = int(least), int(most if dash else least)
        if 1 <= found[0] <= found[1]:
            return found
    raise click.BadParameter(f"{value!r} is neither a number of digits such as 4 nor a range such as 3-6.")


def _writable(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and not os.access(value.parent, os.W_OK):
        raise click.BadParameter(f"{str(value)!r}: its folder is missing or read-only.", ctx, param)
    return value


def gathered(name: str, kind: type[Any], *declared: Declared) -> Declared:
    """Declare parameters that a command receives as one argument, ``name``.

    The argument is a ``kind``; its fields get the values of all the command's parameters with the same names.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def gathering(**values: Any) -> Any:
            own = {field: values.pop(field) for field in kind.__annotations__ if field in values}
            return command(**{name: kind(**own)}, **values)

        for option in reversed(declared):
            option(gathering)
        return gathering

    return decorated


labelled_limit = whole("--limit", "Use N pictures, keeping the mix of labels.")
attempt_timeout = click.option(
    "--attempt-timeout", type=SECONDS, metavar="SECONDS",
    help="Timeout of one request.  [default: 10; language models 60]",
)  # fmt: skip
model = click.option(
    "--model", type=click.Path(path_type=Path, readable=False), metavar="FILE",
    help="Model of the local engine: .tflite, .keras/.h5 (extra `train`), .skops (extra `stats`).",
)  # fmt: skip
model_scale = choice(
    "--model-scale", "unit", "byte", "l2",
    help="Pixels of a foreign model: 0..1, 0..255, or Keras' normalize(axis=1).  [default: found by trying]",
)  # fmt: skip
dry_run = flag("--dry-run", help="Only print the number of requests and their cost; needs no credentials.")
one_or_several = providers(
    "Engine, or several with --consensus (see `digitrec providers`).  [default: local]", "NAME"
)
digits = click.option(
    "--digits", type=_expected, metavar="N|N-M", help="Digits that each number has: 4, or 3-6."
)
lenient = flag("--lenient", help="Accept a letter that looks like a digit (O, l, S).")
numbers = flag("--numbers", help="Read whole numbers, as `digitrec read` does.")
at_least = click.option(
    "--at-least", type=SHARE, default=0.0, metavar="CHANCE",
    help='Answer "not sure" below this calibrated probability, or below this confidence if not calibrated.',
)  # fmt: skip
rotate = click.option(
    "--rotate", type=click.Choice([0, 90, 180, 270]), default=0,
    help="Turn each picture clockwise first, in degrees.",
)  # fmt: skip


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the options of `digitrec.stream`."""
    declared: Callable[..., Any] = lenient(at_least(rotate(command)))
    return declared
