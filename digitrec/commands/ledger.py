"""``digitrec ledger``."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Literal

import click

from digitrec.commands import options
from digitrec.engine import config
from digitrec.engine import ledger as books
from digitrec.engine.ledger import database
from digitrec.errors import LedgerError
from digitrec.errors.text import count
from digitrec.report.rows import write_records

_another = click.option(
    "--ledger", "path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Use this ledger instead of the configured one.",
)  # fmt: skip


@click.group()
@_another
@click.pass_context
def ledger(ctx: click.Context, path: Path | None) -> None:
    """Show, export, clear or repair the ledger of paid answers.

    \b
    Examples:
      digitrec ledger spend
      digitrec ledger show --limit 50
      digitrec ledger export > answers.jsonl
    """
    ctx.obj = path


def _path(command: Callable[..., None]) -> Callable[..., None]:
    """Pass a command its ledger, named before or after the command."""

    @_another
    @wraps(command)
    def with_path(path: Path | None, **values: object) -> None:
        named = path or click.get_current_context().obj
        if named is not None and not named.exists():
            raise LedgerError(f"there is no ledger {named}; check the name")
        command(named or config.load().ledger_file, **values)

    return with_path


def _open(path: Path) -> closing[books.Ledger]:
    """Open a ledger for reading: an empty one if the file is missing, a copy if it is read-only."""
    if not path.exists():
        return closing(books.Ledger(None))
    return closing(books.Ledger(path, copied=not database.is_writable(path)))


_provider = click.option("-p", "--provider", metavar="NAME", help="Only this engine.")


@ledger.command()
@_provider
@options.whole("--limit", "Number of calls.", default=20, show_default=True, metavar=None)
@options.output("table", "json")
@_path
def show(path: Path, provider: str | None, limit: int, output: Literal["table", "json"]) -> None:
    """List the newest calls, newest first.

    \b
    Example:
      digitrec ledger show --provider google
    """
    with _open(path) as book:
        write_records(books.recent(book, limit=limit, provider=provider), output)


@ledger.command()
@options.output("table", "json")
@_path
def spend(path: Path, output: Literal["table", "json"]) -> None:
    """Show the spending by month and engine.

    \b
    Example:
      digitrec ledger spend --output json
    """
    with _open(path) as book:
        write_records(books.spending(book), output)


@ledger.command()
@_provider
@_path
def export(path: Path, provider: str | None) -> None:
    """Write all answers as JSON Lines.

    \b
    Example:
      digitrec ledger export --provider google > google.jsonl
    """
    with _open(path) as book:
        for entry in books.entries(book, provider=provider):
            click.echo(entry.line())


@ledger.command()
@_provider
@click.option("--before", type=click.DateTime(), metavar="DATE", help="Only answers before this date (UTC).")
@options.flag("--emulated", help="Only emulated answers.")
@click.confirmation_option(prompt="Delete these answers? digitrec would pay for them again")
@_path
def clear(path: Path, provider: str | None, before: datetime | None, emulated: bool) -> None:
    """Delete answers; their cost still counts.

    \b
    Examples:
      digitrec ledger clear --emulated --yes
      digitrec ledger clear --before 2026-01-01
    """
    until = None if before is None else before.replace(tzinfo=UTC)  # as in `digitrec ledger show`
    with closing(books.Ledger(path if path.exists() else None)) as book:
        gone = books.clear(book, provider=provider, before=until, emulated=emulated or None)
    click.echo(f"{count(gone, 'answer')} forgotten")


@ledger.command()
@_path
def repair(path: Path) -> None:
    """Rename a damaged ledger, and copy every readable call into a new one.

    Stop programs that use the ledger first. Calls missing between readable ones count as paid, at the highest
    price found. A healthy ledger is not changed.

    \b
    Example:
      digitrec ledger repair
    """
    done = database.repair(path)
    if done.damaged is None:
        click.echo(f"nothing is wrong with {path}: {count(done.saved, 'call')}; it was left as it is")
        return
    click.echo(f"{count(done.saved, 'call')} saved, {done.lost or 'none'} lost between them")
    click.echo(f"the damaged file is {done.damaged}; calls at its end may be missing, with their cost")
