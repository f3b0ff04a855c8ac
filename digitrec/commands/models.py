"""``digitrec models``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import click

from digitrec.commands import options
from digitrec.models import store


@click.group()
def models() -> None:
    """The models that are here, and what is known of them.

    \b
    Example:
      digitrec models list
    """


@models.command(name="list")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@options.output("table", "json")
def list_models(files: Sequence[Path], output: Literal["table", "json"]) -> None:
    """What the shipped model, and any other named, says of itself.

    \b
    Examples:
      digitrec models list
      digitrec models list runs/one/digitrec-cnn.tflite --output json
    """
    facts = [_facts(path) for path in (store.SHIPPED, *files)]
    if output == "json":
        click.echo(json.dumps(facts, indent=2))
        return
    for one in facts:
        click.echo(f"{one['version']}  {one['kilobytes']} kB  {one['file']}")
        click.echo(f"  {_accuracy(one['card'])}")
        click.echo(f"  input: {', '.join(f'{key} {value}' for key, value in one['input'].items())}")


def _facts(path: Path) -> dict[str, Any]:
    model = store.load(path)
    return {
        "name": model.name,
        "version": model.version,
        "file": str(path),
        "kilobytes": round(path.stat().st_size / 1000),
        "input": asdict(model.input),
        "card": dict(model.card),
    }


def _accuracy(card: dict[str, Any]) -> str:
    if "test" not in card:
        return "says nothing of its accuracy"
    test = card["test"]
    low, high = test["interval"]
    return (
        f"MNIST test {test['percent']} % (95 % interval {low} to {high}), {card['parameters']:,} parameters"
    )
