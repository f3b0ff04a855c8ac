"""The optional configuration file: what holds for every command until an option says otherwise.

A TOML file, by default ``config.toml`` in the user's configuration folder (`config_path`)::

    provider = "local"          # which engine answers when none is named
    ledger = "~/answers.sqlite" # where paid answers are kept

    [budget]
    per_month = 10.0            # US dollars in one calendar month (UTC), all providers together

    [prices]                    # US dollars for one image, over what digitrec knows
    azure = 0.001

    [rates]                     # requests a second, over the vendor's default
    azure = 0.33

It holds no key: credentials stay where each vendor's users keep them.
"""

from __future__ import annotations

import os
from collections.abc import ItemsView, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digitrec.errors import NotConfigured
from digitrec.providers import registry

VARIABLE = "DIGITREC_CONFIG"
"""Names another configuration file."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration file says; every field has a default, so no file is needed."""

    provider: str = "local"
    """Name of the engine that answers when none is named."""
    ledger: Path | None = None
    """The ledger's file; None: `default_ledger`."""
    per_month: float | None = None
    """Standing budget in US dollars for a calendar month (UTC), >= 0; None is no limit."""
    prices: Mapping[str, float] = field(default_factory=dict)
    """US dollars for one image by provider, >= 0; over the provider's own."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Requests a second by provider, > 0; over the provider's own."""


def config_path(env: Mapping[str, str] = os.environ) -> Path:
    """Where the configuration file is looked for: ``DIGITREC_CONFIG``, else the user's folder."""
    if named := env.get(VARIABLE):
        return Path(named)
    from platformdirs import user_config_path

    return user_config_path("digitrec", appauthor=False) / "config.toml"


def default_ledger() -> Path:
    """Where the ledger lies when nobody says otherwise: the user's data folder."""
    from platformdirs import user_data_path

    return user_data_path("digitrec", appauthor=False) / "ledger.sqlite"


def load(path: Path | None = None) -> Config:
    """The configuration of ``path``, by default of `config_path`; no file there is an empty one.

    Raises:
        NotConfigured: the file named is missing, is not TOML, or holds a setting that is unknown or
            of the wrong kind; the message names it.
    """
    named = path is not None or VARIABLE in os.environ
    path = config_path() if path is None else path
    try:
        text = path.read_text("utf-8")
        import tomllib  # where there is no file, which is the usual case, it is not needed

        settings = tomllib.loads(text)
    except FileNotFoundError:
        if named:
            raise NotConfigured(f"the configuration file {path} is not there; correct its name") from None
        return Config()
    except (OSError, ValueError) as error:  # ValueError: not TOML, or not UTF-8
        raise NotConfigured(f"the configuration file {path} cannot be read: {error}; correct it") from error
    return _Reader(path, settings).config()


class _Reader:
    """Checks each setting, and names the one that is wrong."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self._path = path
        self._settings = settings

    def config(self) -> Config:
        self._known(self._settings, {"provider", "ledger", "budget", "prices", "rates"}, "")
        budget = self._table("budget")
        self._known(budget, {"per_month"}, "budget.")
        ledger = self._text("ledger")
        return Config(
            provider=self._text("provider") or "local",
            ledger=None if ledger is None else Path(ledger).expanduser(),
            per_month=self._number("budget.per_month", budget["per_month"]) if budget else None,
            prices={name: self._number(f"prices.{name}", it) for name, it in self._providers("prices")},
            rates={name: self._rate(f"rates.{name}", it) for name, it in self._providers("rates")},
        )

    def _known(self, table: dict[str, Any], names: set[str], where: str) -> None:
        for name in table:
            if name not in names:
                raise self._wrong(where + name, f"is unknown; there are: {', '.join(sorted(names))}")

    def _table(self, name: str) -> dict[str, Any]:
        table = self._settings.get(name, {})
        if not isinstance(table, dict):
            raise self._wrong(name, f"must be a table: [{name}]")
        return table

    def _providers(self, name: str) -> ItemsView[str, Any]:
        """A table by provider: a name that nobody has would be a price or a limit that never holds."""
        table = self._table(name)
        if table:  # names are not looked up for nothing, which takes a while
            self._known(table, set(registry.names()), f"{name}.")
        return table.items()

    def _text(self, name: str) -> str | None:
        text = self._settings.get(name)
        if text is None or (isinstance(text, str) and text):
            return text
        raise self._wrong(name, "must be a text in quotes")

    def _number(self, name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise self._wrong(name, "must be a number, 0 or more")
        return float(value)

    def _rate(self, name: str, value: object) -> float:
        rate = self._number(name, value)
        if rate == 0:
            raise self._wrong(name, "must be more than 0")
        return rate

    def _wrong(self, name: str, what: str) -> NotConfigured:
        return NotConfigured(f"{self._path}: the setting {name} {what}")
