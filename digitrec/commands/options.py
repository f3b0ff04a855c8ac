"""The options that several commands share, and the engine they describe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from digitrec.engine import Engine
from digitrec.providers import registry

Command = TypeVar("Command", bound=Callable[..., Any])


def complete_provider(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of providers that begin with what was typed."""
    return [CompletionItem(name) for name in registry.names() if name.startswith(incomplete)]


provider = click.option(
    "-p", "--provider", default="local", metavar="NAME", shell_complete=complete_provider,
    help="Which engine to ask; `digitrec providers` lists them.",
)  # fmt: skip

model = click.option(
    "--model", type=click.Path(path_type=Path), metavar="FILE",
    help="Read with this network instead: .tflite, or .keras/.h5 with the extra `train`.",
)  # fmt: skip


def output(default: str, *others: str) -> Callable[[Command], Command]:
    """``--output``, with the formats a command can write."""
    return click.option(
        "-o", "--output", type=click.Choice([default, *others]), default=default,
        help="How to write the answers.",
    )  # fmt: skip


@contextmanager
def engine(name: str, model: Path | None) -> Iterator[Engine]:
    """The engine that the options describe, closed at the end.

    Raises:
        click.UsageError: ``--model`` with an engine that is not the local one.
    """
    if model is not None and name != "local":
        raise click.UsageError(f"--model is for the local engine, not for {name!r}.")
    chosen = registry.open_provider(name) if model is None else registry.open_provider(name, model=model)
    opened = Engine(chosen)
    try:
        yield opened
    finally:
        opened.close()
