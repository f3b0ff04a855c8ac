"""What a shell may complete an argument or the value of an option to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from digitrec.prepare import PREPARATIONS
from digitrec.providers import registry

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

DATA_SETS = ("mnist-test", "samples")
"""Names that every command with labelled pictures takes."""
DIGIT_SETS = ("mnist-test", "mnist-train")
"""Those of the commands that learn."""


def listed(known: Callable[[], Iterable[str]]) -> Completer:
    """One of the known names, or several with commas between: what follows the last comma, each name once."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        before, comma, begun = incomplete.rpartition(",")
        named = before.split(",")
        return [
            CompletionItem(before + comma + name)
            for name in known() if name.startswith(begun) and name not in named
        ]  # fmt: skip

    return complete


def name_or_file(known: Callable[[], Iterable[str]] = tuple) -> Completer:
    """One of the known names, or a file."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        names = [CompletionItem(name) for name in known() if name.startswith(incomplete)]
        return [*names, CompletionItem(incomplete, type="file")]

    return complete


def one(known: Callable[[], Iterable[str]]) -> Completer:
    """One of the known names."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return [CompletionItem(name) for name in known() if name.startswith(incomplete)]

    return complete


def _architectures() -> Iterable[str]:
    from digitrec.lab.training.zoo import ZOO

    return ZOO


def votes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """How many engines may have to agree: 2 up to as many as are named."""
    named = ctx.params.get("providers") or []
    counts = map(str, range(2, max(len(named), 2) + 1))
    return [CompletionItem(count) for count in counts if count.startswith(incomplete)]


image = name_or_file()
"""A picture."""
data = name_or_file(lambda: DATA_SETS)
"""Labelled pictures, as `digitrec benchmark` takes them."""
digits = name_or_file(lambda: DIGIT_SETS)
"""Labelled digits, as `digitrec train` takes them."""
provider = one(registry.names)
"""One engine."""
providers = listed(registry.names)
"""Engines with commas between."""
preparations = listed(lambda: PREPARATIONS)
"""Preparations with commas between."""
architecture = name_or_file(_architectures)
"""An architecture of `digitrec train`."""
reader = one(lambda: ("local", "tesseract", "rapidocr"))
"""What reads the pictures that an emulator is sent."""
