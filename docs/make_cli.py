"""Writes docs/cli.md from the commands' own help; ``--check`` fails when the page is out of date."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from digitrec.cli import main

PAGE = Path(__file__).with_name("cli.md")
HEAD = "# Command line\n\nWritten by `docs/make_cli.py` from the commands' own help; do not edit.\n"


def helps(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Name and help of a command and of all below it."""
    context = click.Context(
        command, info_name=name.rpartition(" ")[2], parent=parent, max_content_width=100, terminal_width=100
    )
    yield name, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from helps(found, f"{name} {child}", context)


def page() -> str:
    """The whole page."""
    return HEAD + "".join(
        f"\n## `{name}`\n\n```text\n{text}\n```\n" for name, text in helps(main, "digitrec")
    )


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/cli.md is out of date: run docs/make_cli.py")
