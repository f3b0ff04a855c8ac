"""Read the optional configuration file: settings for every command that an option does not override.

The file is in TOML, by default ``config.toml`` in the user's configuration folder (`config_path`);
``example.toml`` shows every setting. It holds no keys: these stay where each vendor's tools expect them.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from digitrec.errors import NotConfigured, arguments
from digitrec.errors.schemas import built
from digitrec.errors.text import encoding
from digitrec.providers import registry

VARIABLE = "DIGITREC_CONFIG"
"""Variable with the path of another configuration file."""
MOST_BYTES = 1_000_000
"""Maximum size of the configuration file, in bytes."""
LEDGER_ENDINGS = ("", ".sqlite", ".sqlite3", ".db", ".ledger", ".jsonl", ".ndjson")
"""Endings of a new ledger or recording."""
LARGEST = 1_000_000_000
"""Maximum of a number in the file; a larger one is a typing error."""
Amount = Annotated[float, Meta(ge=0, le=LARGEST)]
Positive = Annotated[float, Meta(gt=0, le=LARGEST)]
Rate = Annotated[float, Meta(ge=1e-6, le=LARGEST)]
Text = Annotated[str, Meta(min_length=1)]


class TokenPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Price of a model's tokens."""

    input: Amount
    """US dollars for a million tokens of requests, pictures included, >= 0."""
    output: Amount
    """US dollars for a million tokens of answers, >= 0."""

    def usd(self, questions: int, answers: int) -> float:
        """Return the price of these tokens in US dollars."""
        return (questions * self.input + answers * self.output) / 1_000_000


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes to a provider's requests."""

    leave_out: tuple[str, ...] = ()
    """Parameters that are never sent."""
    max_tokens: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None
    """Maximum tokens of an answer, >= 1; None: the provider's own limit."""


class Month(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The budget of a calendar month (UTC)."""

    per_month: Amount | None = None
    """US dollars for all providers together, >= 0; None: no limit."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings in the configuration file; every field has a default, so no file is needed."""

    provider: Text = "local"
    """Name of the default engine."""
    ledger: Path | None = None
    """The ledger's file; None: `default_ledger`."""
    budget: Month = Month()
    """The standing budget."""
    prices: dict[str, Amount] = {}
    """US dollars for one image by provider, >= 0; override the provider's own price."""
    rates: dict[str, Rate] = {}
    """Requests per second by provider, >= 1e-6; override the provider's own rate."""
    tokens: dict[str, TokenPrice] = {}
    """Prices of tokens by model, for providers that are paid by the token."""
    attempt_timeouts: dict[str, Positive] = {}
    """Seconds for one request by provider, > 0; override the provider's own."""
    parameters: dict[str, Parameters] = {}
    """Parameters of the requests by provider."""

    @property
    def ledger_file(self) -> Path:
        """The ledger's file, also if none is set."""
        return self.ledger or default_ledger()


BY_PROVIDER = ("prices", "rates", "attempt_timeouts", "parameters")
"""Tables with provider names as keys; they are checked, because a misspelt limit would have no effect."""


def user_folder(kind: Literal["cache", "config", "data"]) -> Path:
    """Return digitrec's folder of this kind in the user's home.

    Raises:
        NotConfigured: the home is unknown, as in a container whose user has no name.
    """
    from platformdirs import PlatformDirs

    try:
        return Path(getattr(PlatformDirs("digitrec", appauthor=False), f"user_{kind}_dir"))
    except RuntimeError as error:
        raise NotConfigured(f"no home folder ({error})") from error


def config_path() -> Path:
    """Return the path of the configuration file: ``DIGITREC_CONFIG``, else in the user's folder."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else user_folder("config") / "config.toml"


def default_ledger() -> Path:
    """Return the default path of the ledger, in the user's data folder."""
    return user_folder("data") / "ledger.sqlite"


def example() -> str:
    """Return a configuration file with every setting."""
    return Path(__file__).with_name("example.toml").read_text("utf-8")


def load() -> Config:
    """Return the configuration in the file `config_path`; without a file return the defaults.

    Raises:
        NotConfigured: the named file is missing or is not TOML, or a setting is unknown or of the wrong kind;
            the message names the setting.
    """
    settings = _read()
    try:
        for name, value in settings.items():
            _check(name, value)
        return msgspec.convert(settings, built(Config), dec_hook=_path)
    except ValueError as error:
        said = str(error).replace("$.", "").replace("`", "")
        raise _cannot(f"has a wrong setting: {said}") from None


def in_force() -> dict[str, Any]:
    """Return every setting by name, as JSON-like values; errors are those of `load`."""
    loaded = load()
    settings: dict[str, Any] = msgspec.to_builtins(loaded, enc_hook=str)
    return settings | {"ledger": str(loaded.ledger_file)}


def _read() -> dict[str, Any]:
    """Read the settings from the file, unchecked; return {} if there is no default file or no home.

    Raises:
        NotConfigured: the named or linked file is missing, or is not TOML.
    """
    try:
        path = config_path()
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        import tomllib  # not needed without a file

        if len(content) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        return tomllib.loads(content.decode(encoding(content)))
    except NotConfigured:  # there is no home
        return {}
    except FileNotFoundError:
        if os.environ.get(VARIABLE) or path.is_symlink():
            raise _cannot("does not exist; correct its name or its link") from None
        return {}
    except OSError as error:
        raise _cannot(f"cannot be read: {error.strerror}; name another in {VARIABLE}") from error
    except (ValueError, RecursionError) as error:  # it is not TOML, or not UTF-8
        raise _cannot(f"cannot be read: {error}; correct it") from error


def _cannot(what: str) -> NotConfigured:
    return NotConfigured(f"the configuration file {config_path()} {what}")


def _check(name: str, value: Any) -> None:
    """Check a setting's name, and each entry of a table separately, so that an error can name the entry.

    Raises:
        ValueError: a name is unknown, or an entry is not allowed; the message names it.
    """
    _known(name, Config.__struct_fields__)
    if name == "provider" and isinstance(value, str):
        _known(value, registry.found(), "provider ")
    for key in value if isinstance(value, dict) else ():
        if name in BY_PROVIDER:
            _known(key, registry.found(), f"{name}.")
        try:
            msgspec.convert({name: {key: value[key]}}, built(Config), dec_hook=_path)
        except msgspec.ValidationError as error:
            raise ValueError(str(error).replace(f"$.{name}[...]", f"{name}.{key}")) from None


def _known(name: str, names: Collection[str], table: str = "") -> None:
    if name not in names:
        raise ValueError(f"{table}{name} is unknown; there are: {', '.join(sorted(names))}")


def _path(_: type, text: Any) -> Path:
    """Convert a text of the file to a path; a relative one begins at the file's folder.

    Raises:
        ValueError: the text cannot be a path.
    """
    if not isinstance(text, str):
        raise ValueError("it must be the name of a file")
    return config_path().parent / arguments.path("it", text)
