"""``digitrec config``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from digitrec.commands import options
from digitrec.engine import config as configuration
from digitrec.errors.text import aligned, printable


@click.command()
@options.flag("--example", help="Print an example file with every setting.")
def config(example: bool) -> None:
    """Show the configuration file and its settings.

    An error in the file is reported on stderr, with exit code 4.

    \b
    Examples:
      digitrec config
      digitrec config --example > config.toml
    """
    if example:
        click.echo(configuration.example(), nl=False)
        return
    path = configuration.config_path()
    click.echo(printable(f"{path} ({'found' if path.exists() else 'missing, but not needed'})"))
    for line in aligned([("setting", "value", "meaning"), *_settings()]):
        click.echo(printable(line))


def _settings() -> Iterator[tuple[str, str, str]]:
    """Yield each setting, its value and its meaning.

    Raises:
        NotConfigured: the file is wrong.
    """
    loaded = configuration.load()
    ledger = str(loaded.ledger or configuration.default_ledger())
    values = configuration.read() | {"provider": loaded.provider, "ledger": ledger}
    for name, meaning in configuration.MEANINGS.items():
        table, _, key = name.partition(".")
        value = values.get(table, {}).get(key, "-") if key else values.get(table) or "-"
        if isinstance(value, Mapping):
            yield from ((f"{name}.{own}", _told(one), meaning) for own, one in value.items())
        else:
            yield name, _told(value), meaning


def _told(value: Any) -> str:
    """Return a setting's value in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_told(one)}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
