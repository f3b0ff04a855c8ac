"""``digitrec config``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import click

from digitrec.commands import options
from digitrec.commands.exits import EXIT_CODES
from digitrec.engine import config as configuration
from digitrec.errors import NotConfigured, text

VARIABLES = {
    "DIGITREC_API_KEYS": "keys that `digitrec serve` asks for, with commas between",
    "DIGITREC_ALLOW_PLAIN_HTTP": "1: keys may travel unencrypted, to a plain http endpoint elsewhere",
    "DIGITREC_CONFIG": "another configuration file",
    "DIGITREC_DATA": "folder with data sets, such as mnist/",
    "DIGITREC_GOOGLE_ENDPOINT": "where to ask instead of Google",
    "DIGITREC_GOOGLE_FEATURE": "what to ask Google for: document or text",
    "DIGITREC_GOOGLE_LANGUAGE_HINTS": "languages for Google, with commas between",
    "DIGITREC_MODEL": "model file of the local engine",
    "DIGITREC_MODEL_SCALE": "how that model wants its pixels: unit, byte or l2",
    "DIGITREC_OPENAI_LIMIT": "what openai's server calls its limit: max_completion_tokens or max_tokens",
    "DIGITREC_OPENAI_MODEL": "the model that openai asks for",
    "DIGITREC_OPENAI_PRESET": "which server openai asks: openai, azure-openai, gemini, mistral, openrouter, "
    "vllm, ollama, llama.cpp or lm-studio",
    "DIGITREC_OWNER_KEY": "key to what `digitrec serve --collect` keeps, for the page /review",
    "DIGITREC_PROXIES": "trusted proxies in front of `digitrec serve`",
    "DIGITREC_TESSERACT": "the program tesseract",
}
"""digitrec's own environment variables and their meanings; credentials have their vendors' names."""
SECRET = {"DIGITREC_API_KEYS", "DIGITREC_OWNER_KEY"}
"""Variables whose values are not shown."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the file or of the environment, as it is in force."""

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
@click.option("--path", "only_path", is_flag=True, help="Only print the path of the file.")
@click.option("--example", is_flag=True, help="Print an example file with every setting.")
def config(output: Literal["table", "json"], only_path: bool, example: bool) -> None:
    """Show the configuration file and the settings in force.

    First the settings of the file with the values in force, then the environment variables that are
    digitrec's own; keys are never shown. Errors in the file are reported on stderr, with exit code 4.

    \b
    Examples:
      digitrec config
      digitrec config --output json
      digitrec config --example > config.toml
    """
    path = configuration.config_path()
    if only_path or example:
        click.echo(configuration.example() if example else path, nl=not example)
        return
    problems = configuration.problems()
    settings = [*_of_file(good=not problems), *_of_environment(os.environ)]
    if output == "json":
        rows = [asdict(setting) for setting in settings]
        found = {"file": str(path), "exists": path.exists(), "problems": problems, "settings": rows}
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(text.printable(f"{path} ({'found' if path.exists() else 'not there, and not needed'})"))
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
    chosen = configuration.load() if good else configuration.Config()
    values: dict[str, Any] = {
        "provider": chosen.provider,
        "ledger": str(chosen.ledger or configuration.default_ledger()),
        "budget.per_month": chosen.per_month,
        "prices": chosen.prices,
        "rates": chosen.rates,
        "tokens": {model: f"input {it.input:g}, output {it.output:g}" for model, it in chosen.tokens.items()},
        "attempt_timeouts": chosen.attempt_timeouts,
        "parameters": {name: _parameters(it) for name, it in chosen.parameters.items()},
    }
    for name, value in values.items():
        meaning = configuration.MEANINGS[name]
        if isinstance(value, Mapping) and value:
            yield from (Setting(f"{name}.{key}", it, "file", meaning) for key, it in value.items())
        else:
            table, _, key = name.partition(".")
            said = key in given.get(table, {}) if key else bool(given.get(table))
            yield Setting(name, None if value == {} else value, "file" if said else "default", meaning)


def _parameters(of: configuration.Parameters) -> str:
    said = [f"leave_out {', '.join(of.leave_out)}"] if of.leave_out else []
    return "; ".join(said + ([f"max_tokens {of.max_tokens}"] if of.max_tokens else []))


def _of_environment(env: Mapping[str, str]) -> Iterator[Setting]:
    for name, meaning in VARIABLES.items():
        if not env.get(name):
            yield Setting(name, None, "default", meaning)
        else:
            secret = name in SECRET or "@" in env[name]  # an address may hold a password
            yield Setting(name, "(set)" if secret else env[name], "environment", meaning)
    for name in sorted(env):
        if name.startswith("DIGITREC_") and name not in VARIABLES:
            yield Setting(name, "(set)", "environment", "unknown: nothing looks at it")
