"""``--html``: the page that a command also writes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from digitrec.commands.files import OutputFile

Command = TypeVar("Command", bound=Callable[..., Any])


def option(what: str) -> Callable[[Command], Command]:
    """The option; a file that cannot be written is a usage error before any engine is asked."""
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
