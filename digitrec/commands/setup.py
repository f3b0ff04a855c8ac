"""``digitrec providers`` and ``config``."""

import json
import os
import re
from dataclasses import asdict
from typing import Literal

import click

from digitrec import comparison
from digitrec.commands import options
from digitrec.commands.progress import quietly
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.engine import Engine, Options
from digitrec.engine import config as configuration
from digitrec.errors.text import plain, printable
from digitrec.providers import registry
from digitrec.providers.base import Adjustable
from digitrec.recognise import predict


@click.command()
@options.flag("--example", help="Print an example file with every setting.")
def config(example: bool) -> None:
    """Show the configuration file and the settings in force.

    --example prints a file that explains each setting; remove the "# " before yours. An error in the file
    gives the exit code 4.

    \b
    Examples:
      digitrec config
      digitrec config --example > config.toml
    """
    if example:
        click.echo(re.sub(r"(?m)^(?=[^#\n])", "# ", configuration.example()), nl=False)
        return
    path = configuration.config_path()
    is_named = os.environ.get(configuration.VARIABLE) or os.path.islink(path)  # noqa: PTH114 (Path may raise)
    missing = "missing" if is_named else "missing, but not needed"
    is_there = os.path.exists(path)  # noqa: PTH110
    click.echo(printable(f"{path} ({'found' if is_there else missing})"))
    for name, value in configuration.in_force().items():
        click.echo(printable(f"{name} = {json.dumps(value)}"))


STATES = ("ready", "not configured", "not installed")
"""States of engines, in the order of the list."""


@click.group(invoke_without_command=True)
@options.output("table", "json")
@click.pass_context
def providers(ctx: click.Context, output: Literal["table", "json"]) -> None:
    """List the engines: installed, configured, price.

    Ready engines come first; the others say what is missing. Nothing is sent and no program is started;
    `digitrec providers check` sends a real request.

    \b
    Examples:
      digitrec providers
      digitrec providers --output json
      digitrec providers check google
    """
    if ctx.invoked_subcommand is not None:
        return
    known = comparison.listings(os.environ)
    if output == "json":
        click.echo(json.dumps([asdict(listing) for listing in known], indent=2))
        return
    for listing in sorted(known, key=lambda listing: STATES.index(_state(listing))):
        click.echo(_line(listing))
        if listing.notice:
            click.echo(f"{'':16}note: {printable(listing.notice)}")


def _line(listing: registry.Listing) -> str:
    status = listing.status
    about = "; ".join(status.missing) or (f"uses {', '.join(status.found)}" if status.found else "")
    return printable(f"{listing.name:<16}{_state(listing):<16}{_price(listing):<23}{about}".rstrip())


def _state(listing: registry.Listing) -> str:
    if not listing.status.missing:
        return "ready"
    return "not configured" if listing.status.installed else "not installed"


def _price(listing: registry.Listing) -> str:
    if listing.price is None:
        return "price unknown"
    return comparison.per_1000(listing.price) if listing.price.usd else "free"


@providers.command()
@click.argument("name")
@click.option("--timeout", type=options.SECONDS, default=30.0, show_default=True,
              metavar="SECONDS", help="Deadline.")  # fmt: skip
@options.attempt_timeout
def check(name: str, timeout: float, attempt_timeout: float | None) -> None:
    """Send one real request with a built-in image, and show the answer and its cost.

    The image is the first test digit of MNIST, a seven. A cloud charges for it like for any other.

    \b
    Examples:
      digitrec providers check local
      digitrec providers check google
    """
    asked = Options(timeout=timeout, attempt_timeout=attempt_timeout, fresh=True)
    with quietly(), Engine(registry.open_provider(name), asked) as engine:
        outcome = predict(mnist_test().images[0], engine)
    cost = "unknown" if outcome.cost_usd is None else f"${plain(outcome.cost_usd)}"
    saw = f"digit {outcome.digit}" if outcome.digit is not None else f"no digit ({outcome.reason})"
    where = f" at {outcome.endpoint}" if outcome.endpoint else ""
    click.echo(f"{name}{where} answered {saw} for a 7 in {outcome.latency_s:.3f} s; cost: {cost}")
    click.echo(f"model: {printable(outcome.model_version or 'not said')}")
    if isinstance(engine.provider, Adjustable):
        parameters = engine.provider.parameters()
        for state in ("accepted", "refused", "left out"):
            found = [parameter for parameter, was in parameters.items() if was == state]
            click.echo(f"parameters {state}: {', '.join(found) or '-'}")
    if outcome.emulated:
        click.echo("an emulator answered, not the vendor")
