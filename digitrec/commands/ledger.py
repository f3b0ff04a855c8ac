"""``digitrec ledger``."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click

from digitrec import config
from digitrec.commands import options, values
from digitrec.errors import LedgerError
from digitrec.ledger import Ledger, queries
from digitrec.ledger.database import repair as repair_file
from digitrec.report import write_records


@click.group()
@click.option("--ledger", "path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Another ledger than the configured one.")  # fmt: skip
@click.pass_context
def ledger(ctx: click.Context, path: Path | None) -> None:
    """What was paid for: every answer of a cloud, once.

    \b
    Examples:
      digitrec ledger spend
      digitrec ledger show --limit 50
      digitrec ledger export > answers.jsonl
    """
    if path is not None and not path.exists():
        raise LedgerError(f"there is no ledger {path}; check the name")
    ctx.obj = path or config.load().ledger or config.default_ledger()


def _open(path: Path) -> closing[Ledger]:
    """The ledger, closed at the end; an empty one where nothing was paid for yet: looking makes no file."""
    return closing(Ledger(path if path.exists() else None))


_provider = click.option(
    "-p", "--provider", metavar="NAME", shell_complete=values.provider, help="Only this engine's."
)


@ledger.command()
@_provider
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@options.output("table", "json")
@click.pass_obj
def show(path: Path, provider: str | None, limit: int, output: Literal["table", "json"]) -> None:
    """The newest calls, newest first.

    \b
    Example:
      digitrec ledger show --provider google
    """
    with _open(path) as book:
        write_records(queries.recent(book, limit=limit, provider=provider), output)


@ledger.command()
@options.output("table", "json")
@click.pass_obj
def spend(path: Path, output: Literal["table", "json"]) -> None:
    """What was spent, by month and engine.

    \b
    Example:
      digitrec ledger spend --output json
    """
    with _open(path) as book:
        write_records(queries.spending(book), output)


@ledger.command()
@_provider
@click.pass_obj
def export(path: Path, provider: str | None) -> None:
    """Every answer as a recording, for `--replay` on another machine.

    \b
    Example:
      digitrec ledger export --provider google > google.jsonl
    """
    with _open(path) as book:
        for entry in queries.entries(book, provider=provider):
            click.echo(entry.line())


@ledger.command()
@_provider
@click.option("--before", type=click.DateTime(), metavar="DATE", help="Only those asked before it (UTC).")
@click.option("--emulated", is_flag=True, help="Only the emulator's.")
@click.confirmation_option(prompt="Forget these answers? They would be bought again")
@click.pass_obj
def clear(path: Path, provider: str | None, before: datetime | None, emulated: bool) -> None:
    """Forget answers; what they cost stays spent.

    \b
    Examples:
      digitrec ledger clear --emulated --yes
      digitrec ledger clear --before 2026-01-01
    """
    until = None if before is None else before.replace(tzinfo=UTC)  # as `digitrec ledger show` has it
    with _open(path) as book:
        gone = queries.clear(book, provider=provider, before=until, emulated=emulated or None)
    click.echo(f"{gone} {'answer' if gone == 1 else 'answers'} forgotten")


@ledger.command()
@click.pass_obj
def repair(path: Path) -> None:
    """Put a damaged ledger aside, and save every call that can still be read into a new one.

    \b
    Example:
      digitrec ledger repair
    """
    done = repair_file(path)
    click.echo(f"{done.saved} calls saved, at least {done.lost} lost; the damaged file is {done.damaged}")
