"""``digitrec config``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import click

from digitrec.commands import options
from digitrec.engine import config as configuration
from digitrec.errors import text

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
DEFAULTS = {"provider": "local"}
"""Settings that have a value without a file."""


Row = tuple[str, str, str, str]
"""A setting: its name, its value, where the value comes from, and what it means."""


@click.command()
@options.flag("--example", help="Print an example file with every setting.")
def config(example: bool) -> None:
    """Show the configuration file and the settings in force.

    It lists the file's settings, then digitrec's environment variables; it never shows keys. The first error
    in the file is reported on stderr, with exit code 4.

    \b
    Examples:
      digitrec config
      digitrec config --example > config.toml
    """
    if example:
        click.echo(configuration.example(), nl=False)
        return
    path = configuration.config_path()
    click.echo(text.printable(f"{path} ({'found' if path.exists() else 'missing, but not needed'})"))
    rows = [*_of_file(), *_of_environment(os.environ)]
    printable = [[text.printable(cell) for cell in row] for row in rows]
    for line in text.aligned([["setting", "value", "from", "meaning"], *printable]):
        click.echo(line)


def _of_file() -> Iterator[Row]:
    """Yield each setting of the file.

    Raises:
        NotConfigured: the file is wrong.
    """
    ledger = configuration.load().ledger or configuration.default_ledger()
    given = configuration.read()
    for name, meaning in configuration.MEANINGS.items():
        table, _, key = name.partition(".")
        value: Any = given.get(table, {}).get(key) if key else given.get(table)
        origin = "default" if value in (None, {}) else "file"
        if name == "ledger":
            value = ledger
        if isinstance(value, dict) and value:
            yield from ((f"{name}.{key}", _told(one), origin, meaning) for key, one in value.items())
        else:
            yield name, _told(DEFAULTS.get(name, "-") if value in (None, {}) else value), origin, meaning


def _told(value: Any) -> str:
    """Return a setting's value in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_told(one)}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _of_environment(env: Mapping[str, str]) -> Iterator[Row]:
    for name, meaning in VARIABLES.items():
        value = env.get(name, "")
        is_secret = name in SECRET or "@" in value  # an address may hold a password
        shown = "(set)" if is_secret and value else value or "-"
        yield name, shown, "environment" if value else "default", meaning
    for name in sorted(env):
        if name.startswith("DIGITREC_") and name not in VARIABLES:
            yield name, "(set)", "environment", "unknown: it has no effect"
