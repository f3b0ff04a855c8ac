"""Write docs/cli.md from the commands' own help; ``--check`` fails when the page is out of date."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import click

from digitrec.cli import main

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Command line

Written by `docs/make_cli.py` from the commands' own help; do not edit.
Every command also takes `--help`, and a group's options too.
"""
SHARED, ENGINE = "Shared options", "Engine options"
MANY = 2
"""Commands that must have an option for it to be listed once, under `SHARED`."""


def contexts(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[tuple[str, click.Context]]:
    """Yield the name and context of a command and of all below it."""
    width = {"max_content_width": 100, "terminal_width": 100}
    settings = {**command.context_settings, **width}
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, **settings)
    yield name, context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from contexts(found, f"{name} {child}", context)


Lines = tuple[str, str]
"""An option in the help: its names, and what it does."""


def options(context: click.Context) -> dict[Lines, click.Option]:
    """Return a command's options by their lines in the help."""
    found = {}
    for option in context.command.get_params(context):
        if isinstance(option, click.Option) and (lines := option.get_help_record(context)):
            found[lines] = option
    return found


def page() -> str:
    """Return the page; its end lists the options of several commands, and those of all that ask engines."""
    every = list(contexts(main, "digitrec"))
    uses = Counter((option.opts[-1], lines) for _, it in every for lines, option in options(it).items())
    shared: dict[str, Lines] = {}
    for (name, lines), count in uses.items():
        if count >= MANY:
            shared.setdefault(name, lines)
    named = [
        {name for lines, option in options(it).items() if shared.get(name := option.opts[-1]) == lines}
        for _, it in every
    ]
    engine = set.intersection(*(names for names in named if "--emulate" in names)) - {"--help"}
    sections = [section(name, context, shared, engine) for name, context in every]
    others = {name: lines for name, lines in shared.items() if name not in engine}
    asking = {name: lines for name, lines in shared.items() if name in engine}
    return "".join([HEAD, *sections, listed(SHARED, others), listed(ENGINE, asking)])


def section(name: str, context: click.Context, shared: Mapping[str, Lines], engine: Set[str]) -> str:
    """Return the help of a command, without its group's options and with only the names of shared ones."""
    also = []
    group = options(context.parent) if context.parent else {}
    for lines, option in options(context).items():
        if lines in group and option.name != "help":
            option.hidden = True
        elif shared.get(option.opts[-1]) == lines:
            option.hidden = True
            also.append(option.opts[-1])
    also.remove("--help")
    links = [f"`{one}`" for one in also if not engine <= {*also} or one not in engine]
    links += ["[engine options](#engine-options)"] if engine <= {*also} else []
    names = f"\n[{SHARED}](#shared-options): {', '.join(links)}\n" if links else ""
    return f"\n## `{name}`\n\n```text\n{text(context)}\n```\n{names}"


def text(context: click.Context) -> str:
    """Return a command's help without the list of its commands, which have their own sections."""
    formatter = context.make_formatter()
    arguments = [piece for piece in context.command.collect_usage_pieces(context) if piece != "[OPTIONS]"]
    formatter.write(f"{' '.join([context.command_path, *arguments])}\n")
    context.command.format_help_text(context, formatter)
    click.Command.format_options(context.command, context, formatter)
    return formatter.getvalue().rstrip()


def listed(title: str, shared: Mapping[str, Lines]) -> str:
    """Return a section of shared options."""
    formatter = click.HelpFormatter(width=100)
    formatter.write_dl(list(shared.values()))
    return f"\n## {title}\n\n```text\n{formatter.getvalue()}```\n"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/cli.md is out of date: run docs/make_cli.py")
