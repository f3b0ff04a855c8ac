"""What a shell may complete an argument or the value of an option to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from digitrec.prepare import PREPARATIONS
from digitrec.providers import registry

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

DATA_SETS = ("mnist-test",)
"""Names that every command with labelled pictures takes."""
DIGIT_SETS = ("mnist-test", "mnist-train")
"""Those of the commands that learn."""


def names(
    known: Callable[[], Iterable[str]] = tuple, *, several: bool = False, files: bool = False
) -> Completer:
    """Complete one of the known names, with ``several`` a list with commas, with ``files`` also a file."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        before, comma, begun = incomplete.rpartition(",") if several else ("", "", incomplete)
        items = [
            CompletionItem(before + comma + name)
            for name in known() if name.startswith(begun) and name not in before.split(",")
        ]  # fmt: skip
        return items + ([CompletionItem(incomplete, type="file")] if files else [])

    return complete


def _architectures() -> Iterable[str]:
    from digitrec.lab.training.zoo import ZOO

    return ZOO


image = names(files=True)
"""A picture."""
data = names(lambda: DATA_SETS, files=True)
"""Labelled pictures, as `digitrec benchmark` takes them."""
digits = names(lambda: DIGIT_SETS, files=True)
"""Labelled digits, as `digitrec train` takes them."""
provider = names(registry.names)
"""One engine."""
providers = names(registry.names, several=True)
"""Engines with commas between."""
preparations = names(lambda: PREPARATIONS, several=True)
"""Preparations with commas between."""
architecture = names(_architectures, files=True)
"""An architecture of `digitrec train`."""
reader = names(lambda: ("local", "tesseract", "rapidocr"))
"""What reads the pictures that an emulator is sent."""
