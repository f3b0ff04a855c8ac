"""Declarations of options: those that several commands share, and short forms for the others."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from digitrec.commands.files import Data, Input, Output
from digitrec.engine.asking import LONGEST_S

if TYPE_CHECKING:
    from digitrec.recognise import Rotation

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
LENIENT = "Accept a letter that looks like a digit (O, l, S)."
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
    """``--output``, with the formats a command can write."""
    kind = click.Choice([default, *others])
    return click.option("-o", "--output", type=kind, default=default, help="Output format.")


def limit(help: str, least: int = 1, default: int | None = None) -> Declared:
    """``--limit``."""
    return whole("--limit", help, least=least, default=default)


def sources(*names: str, **more: Any) -> Declared:
    """Declare an option that takes labelled pictures or the name of a data set."""
    return click.option(*names, type=Data(), metavar="SOURCE", **more)


def labelled(metavar: str = "DATA", **more: Any) -> Declared:
    """Declare the argument DATA: labelled pictures or the name of a data set."""
    return click.argument("data", type=Data(), metavar=metavar, **more)


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
    """``--html``; a folder that cannot be written to is a usage error before any engine is asked."""
    return click.option("--html", type=Output(".html", ".htm"), callback=_writable, metavar="FILE", help=help)


def names(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str]:
    """Return the names in an option's value, separated by commas; [] if the option is not given."""
    if value is None:
        return []
    found = [name for part in value.split(",") if (name := part.strip())]
    if not found:
        raise click.BadParameter("no name is given (a variable that is not set?).", ctx, param)
    return found


def _expected(value: str) -> tuple[int, int]:
    """Return the least and the greatest number of digits: of "4" or "3-6"."""
    least, _, most = value.partition("-")
    with suppress(ValueError):
        found = int(least), int(most or least)
        if 1 <= found[0] <= found[1]:
            return found
    raise click.BadParameter(f"{value!r} is neither a number of digits such as 4 nor a range such as 3-6.")


def _writable(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and not os.access(value.parent, os.W_OK):
        raise click.BadParameter(f"{str(value)!r}: its folder is missing or read-only.", ctx, param)
    return value


def gathered(name: str, kind: type[Any], *declared: Declared) -> Declared:
    """Declare parameters that a command gets together, as the argument ``name``.

    It is a ``kind`` with all parameters of the command that have the names of its fields, other ones too.
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


class How(TypedDict):
    """The options of `digitrec.stream`."""

    lenient: bool
    at_least: float
    rotate: Rotation


labelled_limit = limit("Use N pictures, keeping the mix of labels.")
attempt_timeout = click.option(
    "--attempt-timeout", type=SECONDS, metavar="SECONDS",
    help="Timeout of one request.  [default: 10; language models 60]",
)  # fmt: skip
model = click.option(
    "--model", type=Input(), metavar="FILE",
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
numbers = flag("--numbers", help="Read whole numbers, as `digitrec read` does.")
at_least = click.option(
    "--at-least", type=SHARE, default=0.0, metavar="CHANCE",
    help='Answer "not sure" below this calibrated probability, or below this confidence if not calibrated.',
)  # fmt: skip
reading = gathered(
    "how", How,
    flag("--lenient", help=LENIENT),
    at_least,
    click.option(
        "--rotate", type=click.Choice([0, 90, 180, 270]), default=0,
        help="Turn each picture clockwise first, in degrees.",
    ),
)  # fmt: skip
"""The options of `How`."""
