"""The options that several commands share."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from digitrec.commands import values
from digitrec.commands.files import Input, OutputFile, OutputFolder
from digitrec.engine.asking import LONGEST_S

Command = TypeVar("Command", bound=Callable[..., Any])


class Number(click.FloatRange):
    """A number in a range; nan and inf, which Python takes for numbers, are no limit and so wrong usage."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, finite and in range."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


ONE_OR_SEVERAL = "Engine, or several with --consensus (see `digitrec providers`).  [default: local]"
SECONDS = Number(min=0, max=LONGEST_S, min_open=True)
"""How long something may take."""
USD = Number(min=0)
"""What something may cost."""


def _degrees(ctx: click.Context, param: click.Parameter, value: str) -> int | str:
    return value if value == "auto" else int(value)


def output(default: str, *others: str) -> Callable[[Command], Command]:
    """``--output``, with the formats a command can write."""
    return click.option(
        "-o", "--output", type=click.Choice([default, *others]), default=default,
        help="Output format.",
    )  # fmt: skip


def providers(help: str, metavar: str = "NAMES", default: str | None = None) -> Callable[[Command], Command]:
    """``--provider``: one or several engines, as a list."""
    return click.option(
        "-p", "--provider", "providers", callback=names, metavar=metavar, shell_complete=values.providers,
        default=default, show_default=default is not None, help=help,
    )  # fmt: skip


def limit(help: str, least: int = 1, default: int | None = None) -> Callable[[Command], Command]:
    """``--limit``."""
    return click.option("--limit", type=click.IntRange(least), default=default, metavar="N", help=help)


def out_folder(default: str, help: str = "Output folder.") -> Callable[[Command], Command]:
    """``--out`` of a command that writes several files."""
    return click.option(
        "--out", type=OutputFolder(), default=Path(default), show_default=True, metavar="FOLDER", help=help
    )


labelled_limit = limit("Only N pictures, all labels in proportion.")
lenient = click.option("--lenient", is_flag=True, help="Accept a letter that looks like a digit (O, l, S).")
attempt_timeout = click.option(
    "--attempt-timeout", type=SECONDS, metavar="SECONDS",
    help="Timeout of one request.  [default: 10; language models 60]",
)  # fmt: skip
at_least = click.option(
    "--at-least", type=Number(0, 1), default=0.0, metavar="CHANCE",
    help='Answer "not sure" below this calibrated probability, or below this confidence if not calibrated.',
)  # fmt: skip
rotate = click.option(
    "--rotate", type=click.Choice(["0", "90", "180", "270", "auto"]), default="0",
    callback=_degrees,
    help="Turn each picture clockwise first; auto: find the way that shows one digit.",
)  # fmt: skip
model = click.option(
    "--model", type=Input(), metavar="FILE",
    help="Model of the local engine: .tflite, .keras/.h5 (extra `train`), .skops (extra `stats`).",
)  # fmt: skip
model_scale = click.option(
    "--model-scale", type=click.Choice(["unit", "byte", "l2"]),
    help="Pixels of a foreign model: 0..1, 0..255, or Keras' normalize(axis=1).  [default: unit]",
)  # fmt: skip


def html(what: str) -> Callable[[Command], Command]:
    """``--html``; a file that cannot be written is a usage error before any engine is asked."""
    kind = OutputFile(".html", ".htm")
    return click.option("--html", type=kind, callback=_writable, metavar="FILE", help=what)


def _writable(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    try:
        if value is not None and not ctx.resilient_parsing:
            with tempfile.TemporaryFile(dir=value.parent):
                pass  # the page is written there, then renamed
    except OSError as error:
        raise click.BadParameter(f"{str(value)!r}: {error.strerror}", ctx, param) from error
    return value


def gathered(
    name: str, kind: type[Any], declared: Sequence[Callable[[Any], Any]]
) -> Callable[[Command], Command]:
    """These options on a command, which gets them together: as one ``kind``, named ``name``."""

    def decorated(command: Command) -> Command:
        @wraps(command)
        def with_them(**values: Any) -> Any:
            chosen = {item.name: values.pop(item.name) for item in fields(kind)}
            return command(**{name: kind(**chosen)}, **values)

        for option in reversed(declared):
            with_them = option(with_them)
        return with_them  # type: ignore[return-value]

    return decorated


def names(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str]:
    """A list of names with commas between, as an option's value; [] when it is not given."""
    if value is None:
        return []
    found = [name for part in value.split(",") if (name := part.strip())]
    if not found:
        raise click.BadParameter("no name is given (a variable that is not set?).", ctx, param)
    return found
