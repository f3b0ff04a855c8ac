"""A progress bar with an estimate, on a terminal, for work long enough to wonder about."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

WORTH_A_BAR = 64
"""Fewer items than this are over before a bar could tell anything."""


def tracked(items: Iterable[Item], total: int, what: str = "reading") -> Iterator[Item]:
    """The items, counted on stderr while they pass; silent in a pipe and for short work."""
    if total < WORTH_A_BAR or not sys.stderr.isatty() or sys.stdout.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, what, total, console=Console(stderr=True), transient=True)
