"""``--html``: the page that a command also writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def option(what: str) -> Callable[[Command], Command]:
    """The option; a file that cannot be written is told before anybody is asked."""
    kind = click.Path(path_type=Path, dir_okay=False)
    return click.option("--html", type=kind, callback=_writable, metavar="FILE", help=what)


def _writable(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    try:
        if value is not None and not ctx.resilient_parsing:  # a shell that asks what may follow makes no file
            value.open("a").close()  # what it holds stays until there is something better
    except OSError as error:
        raise click.BadParameter(f"{str(value)!r}: {error.strerror}", ctx, param) from error
    return value


def write(file: Path, text: str) -> None:
    """The page into its file; what UTF-8 cannot hold (of a file's name) is escaped."""
    file.write_text(text, encoding="utf-8", errors="backslashreplace")
