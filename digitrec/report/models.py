"""The comparison of the models of the zoo in words: for the terminal, and as the page models.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime

from digitrec import __version__
from digitrec.errors.text import percent
from digitrec.lab.training import zoo
from digitrec.lab.training.compare import TIMED, Contestant, equals, ranked, winner
from digitrec.report import words
from digitrec.report.table import Table, markdown_table


def table(contestants: Sequence[Contestant], digits: int) -> Table:
    """The comparison in words, the most accurate first."""
    rows = [
        (
            one.title, percent(one.accuracy.share, 2),
            f"{percent(one.accuracy.low, 2)} to {percent(one.accuracy.high, 2)}",
            words.duration(one.training_s), words.duration(one.prediction_s),
            f"{one.size_bytes / 1000:,.0f} kB", one.complexity, f"`{one.file.name}`",
        )
        for one in ranked(contestants)
    ]  # fmt: skip
    return Table(
        "Models compared",
        f"All learned from the same {digits:,} digits; networks see each changed a little in every epoch"
        f"{_unchanged(contestants)} and hold a tenth of them back. Accuracy is that of the saved file, the "
        f"interval Wilson's; one digit is timed in a batch of {TIMED}.",
        ("model", "test accuracy", "95 % interval", "training", "one digit", "size", "complexity", "file"),
        tuple(rows), range(1, 6),
    )  # fmt: skip


def _unchanged(contestants: Sequence[Contestant]) -> str:
    """Which networks see the digits as they are, in words."""
    kinds = [zoo.find(one.arch) for one in contestants]
    names = [one.title for one in kinds if one.family == "keras" and not one.augmented]
    return f" (but for {', '.join(names)})" if names else ""


def verdict(contestants: Sequence[Contestant]) -> str:
    """Which model wins, and by which rule."""
    first, *others = equals(contestants)
    won = winner(contestants)
    if not others:
        return f"The winner: {won.title}, more accurate than every other by more than chance."
    names = ", ".join(one.title for one in (first, *others))
    return (
        f"The winner: {won.title}. {names} are as accurate as each other within chance (their 95 % intervals "
        f"reach {percent(first.accuracy.share, 2)}); of these it is the quickest on one digit."
    )


def markdown(contestants: Sequence[Contestant], digits: int, pictures: Sequence[tuple[str, str]]) -> str:
    """The page; `pictures` are titles and paths relative to it."""
    found = table(contestants, digits)
    parts = [
        "# Models compared",
        "Written by `digitrec models compare`; do not edit.",
        found.note,
        markdown_table(found),
        verdict(contestants),
        "\n\n".join(f"![{title}]({path})" for title, path in pictures),
        measured(contestants),
    ]
    return "\n\n".join(parts) + "\n"


def measured(contestants: Sequence[Contestant]) -> str:
    """When, on what and with how much it was measured: the last section of a page."""
    return (
        "## How it was measured\n\n"
        f"- {datetime.now(UTC):%Y-%m-%d}, digitrec {__version__}, {contestants[0].accuracy.n:,} test digits "
        f"of MNIST\n- Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores; networks predict on one, scikit-learn on all"
    )
