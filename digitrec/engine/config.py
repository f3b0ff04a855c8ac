"""The optional configuration file: what holds for every command until an option says otherwise.

A TOML file, by default ``config.toml`` in the user's configuration folder (`config_path`); `EXAMPLE` is one
with every setting. It holds no key: credentials stay where each vendor's users keep them.
"""

from __future__ import annotations

import os
from collections.abc import ItemsView, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digitrec.errors import NotConfigured
from digitrec.errors.text import printable
from digitrec.providers import registry

VARIABLE = "DIGITREC_CONFIG"
"""Names another configuration file."""
MOST_BYTES = 1_000_000
"""A longer file is no configuration."""
LARGEST = 1_000_000_000
"""A larger number is a slip of the finger."""

EXAMPLE = """\
provider = "local"           # which engine answers when none is named
ledger = "~/answers.sqlite"  # where paid answers are kept

[budget]
per_month = 10.0             # US dollars in a calendar month (UTC), all providers together

[prices]                     # US dollars for one image, over what digitrec knows
azure = 0.001

[tokens."gpt-4o-mini"]       # US dollars for a million tokens, by model
input = 0.15
output = 0.60

[rates]                      # requests a second, over the vendor's default
azure = 0.33

[attempt_timeouts]           # seconds for one request, over the provider's default
openai = 90

[parameters.openai]          # of the request to a server of OpenAI's protocol
leave_out = ["seed"]         # parameters that are never sent
max_tokens = 512             # tokens that an answer may have
"""
"""Every setting once; `digitrec config --example` prints it."""
MEANINGS = {
    "provider": "which engine answers when none is named",
    "ledger": "the file in which paid answers are kept",
    "budget.per_month": "US dollars in a calendar month (UTC), all providers together; none is no limit",
    "prices": "US dollars for one image by provider, over what digitrec knows",
    "tokens": "US dollars for a million tokens of question (input) and answer (output), by model",
    "rates": "requests a second by provider, over the vendor's default",
    "attempt_timeouts": "seconds for one request by provider, over the provider's default",
    "parameters": "parameters to leave out (leave_out) and an answer's tokens (max_tokens), by provider",
}
"""What each setting means."""


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What a model's tokens cost."""

    input: float
    """US dollars for a million tokens of questions, pictures included, >= 0."""
    output: float
    """US dollars for a million tokens of answers, >= 0."""

    def usd(self, questions: int, answers: int) -> float:
        """US dollars for so many tokens."""
        return (questions * self.input + answers * self.output) / 1_000_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a provider's requests differ from its own default."""

    leave_out: tuple[str, ...] = ()
    """Parameters that are never sent."""
    max_tokens: int | None = None
    """Tokens that an answer may have, >= 1; None: the provider's own limit."""


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
    tokens: Mapping[str, TokenPrice] = field(default_factory=dict)
    """Prices of tokens by model, for providers that are paid by the token."""
    attempt_timeouts: Mapping[str, float] = field(default_factory=dict)
    """Seconds for one request by provider, > 0; over the provider's own."""
    parameters: Mapping[str, Parameters] = field(default_factory=dict)
    """Parameters of the requests by provider."""


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
    settings = read(path)
    return _Reader(config_path() if path is None else path, settings).config()


def read(path: Path | None = None) -> dict[str, Any]:
    """The settings as they stand in the file, not checked yet; {} where there is none by default.

    Raises:
        NotConfigured: the file named is missing, or is not TOML.
    """
    named = path is not None or VARIABLE in os.environ
    path = config_path() if path is None else path
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        import tomllib  # where there is no file, which is the usual case, it is not needed

        if len(content) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        return tomllib.loads(content.decode("utf-8"))
    except FileNotFoundError:
        if named:
            raise _cannot(path, "is not there; correct its name") from None
        return {}
    except RecursionError:
        raise _cannot(path, "cannot be read: it is nested too deeply; correct it") from None
    except (OSError, ValueError) as error:  # ValueError: not TOML, or not UTF-8
        why = error.strerror if isinstance(error, OSError) else error
        raise _cannot(path, f"cannot be read: {why}; correct it") from error


def _cannot(path: Path, what: str) -> NotConfigured:
    return NotConfigured(printable(f"the configuration file {path} {what}"))


def problems(path: Path | None = None) -> list[str]:
    """All that is wrong with the file, each in a line; [] when it is good or not there."""
    try:
        settings = read(path)
    except NotConfigured as error:
        return [str(error)]
    reader_path, found = config_path() if path is None else path, []
    for name, value in settings.items():
        parts = [{key: item} for key, item in value.items()] if isinstance(value, dict) and value else [value]
        for part in parts:  # each setting by itself, so that one does not hide the next
            try:
                _Reader(reader_path, {name: part}).config()
            except NotConfigured as error:
                found.append(str(error))
    return found


class _Reader:
    """Checks each setting, and names the one that is wrong."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self._path = path
        self._settings = settings

    def config(self) -> Config:
        self._known(self._settings, {name.partition(".")[0] for name in MEANINGS}, "")
        budget = self._table("budget")
        self._known(budget, {"per_month"}, "budget.")
        ledger = self._text("ledger")
        return Config(
            provider=self._text("provider") or "local",
            ledger=None if ledger is None else self._path_of("ledger", ledger),
            per_month=self._number("budget.per_month", budget["per_month"]) if budget else None,
            prices={name: self._number(f"prices.{name}", it) for name, it in self._providers("prices")},
            rates=self._positive("rates"),
            attempt_timeouts=self._positive("attempt_timeouts"),
            parameters={name: self._parameters(name, it) for name, it in self._providers("parameters")},
            tokens={model: self._token_price(model, it) for model, it in self._table("tokens").items()},
        )

    def _token_price(self, model: str, value: object) -> TokenPrice:
        where = f"tokens.{model}"
        if not isinstance(value, dict) or set(value) != {"input", "output"}:
            raise self._wrong(where, "must be a table of two prices: input and output")
        numbers = {name: self._number(f"{where}.{name}", price) for name, price in value.items()}
        return TokenPrice(**numbers)

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

    def _path_of(self, name: str, text: str) -> Path:
        try:
            path = Path(text).expanduser()
        except RuntimeError:  # ~ is somebody who is not there
            raise self._wrong(name, "begins with ~ and a name that no user here has") from None
        if "\0" in text:
            raise self._wrong(name, "holds a character that is in no file's name")
        return path

    def _number(self, name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST:
            raise self._wrong(name, f"must be a number, 0 or more, and {LARGEST:,} at most")
        return float(value)

    def _positive(self, table: str) -> dict[str, float]:
        """A table of numbers above 0 by provider."""
        numbers = {name: self._number(f"{table}.{name}", it) for name, it in self._providers(table)}
        for name, number in numbers.items():
            if number == 0:
                raise self._wrong(f"{table}.{name}", "must be more than 0")
        return numbers

    def _parameters(self, name: str, value: object) -> Parameters:
        where = f"parameters.{name}"
        if not isinstance(value, dict):
            raise self._wrong(where, f"must be a table: [{where}]")
        self._known(value, {"leave_out", "max_tokens"}, f"{where}.")
        leave_out, most = value.get("leave_out", []), value.get("max_tokens")
        if not isinstance(leave_out, list) or not all(isinstance(it, str) for it in leave_out):
            raise self._wrong(f"{where}.leave_out", "must be a list of texts in quotes")
        if most is not None and (type(most) is not int or not 1 <= most <= LARGEST):
            raise self._wrong(f"{where}.max_tokens", f"must be a whole number from 1 to {LARGEST:,}")
        return Parameters(tuple(leave_out), most)

    def _wrong(self, name: str, what: str) -> NotConfigured:
        return NotConfigured(printable(f"{self._path}: the setting {name} {what}"))
