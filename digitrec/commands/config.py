"""``digitrec config``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import click

from digitrec.commands import options
from digitrec.commands.process import EXIT_CODES
from digitrec.engine import config as configuration
from digitrec.errors import NotConfigured, text

VARIABLES = {
    "DIGITREC_API_KEYS": "keys that `digitrec serve` accepts, separated by commas",
    "DIGITREC_ALLOW_PLAIN_HTTP": "1: allow sending keys unencrypted to an http endpoint on another machine",
    "DIGITREC_CONFIG": "another configuration file",
    "DIGITREC_DATA": "folder with data sets, such as mnist/",
    "DIGITREC_GOOGLE_ENDPOINT": "address to use instead of Google's",
    "DIGITREC_GOOGLE_FEATURE": "Google's feature: document or text",
    "DIGITREC_GOOGLE_LANGUAGE_HINTS": "language hints for Google, separated by commas",
    "DIGITREC_MODEL": "model file of the local engine",
    "DIGITREC_MODEL_SCALE": "pixel scale of that model: unit, byte or l2",
    "DIGITREC_OPENAI_LIMIT": "name of openai's token limit: max_completion_tokens or max_tokens",
    "DIGITREC_OPENAI_MODEL": "model of the engine openai",
    "DIGITREC_OPENAI_PRESET": "openai's server: openai, azure-openai, gemini, mistral, openrouter, "
    "vllm, ollama, llama.cpp or lm-studio",
    "DIGITREC_OWNER_KEY": "the owner's key for /review of `digitrec serve --collect`",
    "DIGITREC_PROXIES": "trusted proxies in front of `digitrec serve`",
    "DIGITREC_TESSERACT": "the program tesseract",
}
"""digitrec's own environment variables and their meanings; credentials have their vendors' names."""
SECRET = {"DIGITREC_API_KEYS", "DIGITREC_OWNER_KEY"}
"""Variables whose values are not shown."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the file or of the environment with its effective value."""

    name: str
    """Name; in a table of the file, after the table's name and a dot."""
    value: str | float | None
    """Value in force; None: not set, and without a default."""
    origin: Literal["default", "file", "environment"]
    """Where the value comes from."""
    meaning: str
    """What the setting does."""


@click.command()
@options.output("table", "json")
@options.flag("--path", "only_path", help="Only print the path of the file.")
@options.flag("--example", help="Print an example file with every setting.")
def config(output: Literal["table", "json"], only_path: bool, example: bool) -> None:
    """Show the configuration file and the settings in force.

    It lists the file's settings, then digitrec's environment variables; it never shows keys. The first error
    in the file is reported on stderr, with exit code 4.

    \b
    Examples:
      digitrec config
      digitrec config --example > config.toml
    """
    path = configuration.config_path()
    if only_path or example:
        click.echo(configuration.example() if example else path, nl=not example)
        return
    problems = []
    try:
        configuration.load()
    except NotConfigured as error:
        problems = [str(error)]
    settings = [*_of_file(good=not problems), *_of_environment(os.environ)]
    if output == "json":
        rows = [asdict(setting) for setting in settings]
        found = {"file": str(path), "exists": path.exists(), "problems": problems, "settings": rows}
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(text.printable(f"{path} ({'found' if path.exists() else 'missing, but not needed'})"))
        rows_of_words = [[text.printable(_word(value)) for value in asdict(it).values()] for it in settings]
        for line in text.aligned([["setting", "value", "from", "meaning"], *rows_of_words]):
            click.echo(line)
    for problem in problems:
        click.echo(f"digitrec: {problem}", err=True)
    if problems:
        raise SystemExit(EXIT_CODES[NotConfigured])


def _word(value: Any) -> str:
    return "-" if value is None else str(value)


def _of_file(*, good: bool) -> Iterator[Setting]:
    """Yield each setting of the file; of an invalid file, the defaults."""
    given = configuration.read() if good else {}
    ledger = configuration.load().ledger if good else None
    defaults = {"provider": "local", "ledger": str(ledger or configuration.default_ledger())}
    for name, meaning in configuration.MEANINGS.items():
        table, _, key = name.partition(".")
        value: Any = given.get(table, {}).get(key) if key else given.get(table)
        if isinstance(value, dict) and value:
            yield from (Setting(f"{name}.{key}", _told(it), "file", meaning) for key, it in value.items())
        else:
            origin: Literal["file", "default"] = "default" if value in (None, {}) else "file"
            shown = defaults.get(name) if origin == "default" or name == "ledger" else value
            yield Setting(name, shown, origin, meaning)


def _told(value: Any) -> Any:
    """Return a setting's value, of a list or a table in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_told(one)}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _of_environment(env: Mapping[str, str]) -> Iterator[Setting]:
    for name, meaning in VARIABLES.items():
        if not env.get(name):
            yield Setting(name, None, "default", meaning)
        else:
            secret = name in SECRET or "@" in env[name]  # an address may hold a password
            yield Setting(name, "(set)" if secret else env[name], "environment", meaning)
    for name in sorted(env):
        if name.startswith("DIGITREC_") and name not in VARIABLES:
            yield Setting(name, "(set)", "environment", "unknown: it has no effect")
