"""The models of the zoo trained on the same digits and measured on the same digits, side by side."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from digitrec.benchmark.measures import Proportion, proportion
from digitrec.datasets.mnist import Digits
from digitrec.models import store
from digitrec.report import words
from digitrec.report.benchmark import markdown_table
from digitrec.report.tables import Table
from digitrec.text import percent
from digitrec.training.fit import FitConfig, fit
from digitrec.training.run import Progress
from digitrec.training.zoo import Complexity, find
from digitrec.version import __version__

QUICK_DIGITS, QUICK_TEST, QUICK_EPOCHS, QUICK_BATCH = 3000, 2000, 3, 32
"""The quick comparison: digits to learn from, digits to measure with, times that a network sees each, digits
per step."""
TIMED = 500
"""Digits over which predicting is timed, in one batch, the model being warm."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One model of the comparison."""

    title: str
    """What it is called in the table."""
    arch: str
    """What `digitrec train --arch` calls it."""
    complexity: Complexity
    """How much there is to understand and to compute."""
    accuracy: Proportion
    """Test digits read rightly, read through the saved file."""
    training_s: float
    """Seconds spent on learning."""
    prediction_s: float
    """Seconds for one digit, in a batch of `TIMED`."""
    size_bytes: int
    """Of the file that predicts."""
    file: Path
    """It itself, for `predict --model`."""


def compare(
    names: Sequence[str],
    digits: Digits,
    test: Digits,
    folder: Path,
    *,
    epochs: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    on_progress: Callable[[str, Progress], object] | None = None,
) -> Iterator[Contestant]:
    """Train each architecture on the same digits, write it into `folder` and measure it; one at a time.

    Args:
        names: architectures of `zoo.ZOO`.
        digits: to learn from; networks hold a tenth of them back to stop by.
        test: to measure with.
        folder: where the model files go.
        epochs: times that a network sees each digit; None: the architecture's own.
        batch: digits per step; None: the architecture's own.
        seed: decides first weights and order.
        on_progress: told the name and how far its training is.

    Raises:
        NotInstalled: the extra `train` or `stats` is missing.
        ModelError: there is no such architecture.
    """
    for name in names:
        kind = find(name)
        file = folder / f"{kind.name}{'.tflite' if kind.family == 'keras' else '.skops'}"
        tell = None if on_progress is None else _telling(on_progress, kind.title)
        config = FitConfig(
            name, epochs, batch, patience=10_000, seed=seed
        )  # to the end: its learning rate falls
        result = fit(config, file, digits=digits, test=test, on_progress=tell)
        yield Contestant(
            kind.title, name, kind.complexity, proportion(result.test_correct, result.test_count),
            result.seconds, _seconds_per_digit(file, test), file.stat().st_size, file,
        )  # fmt: skip


def _telling(on_progress: Callable[[str, Progress], object], title: str) -> Callable[[Progress], object]:
    return lambda progress: on_progress(title, progress)


def _seconds_per_digit(file: Path, test: Digits) -> float:
    model, images = store.load(file), test.images[:TIMED]
    model.probabilities(images)
    started = time.perf_counter()
    model.probabilities(images)
    return (time.perf_counter() - started) / len(images)


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
        f"All learned from the same {digits:,} digits; networks see each changed a little in every epoch and "
        "hold a tenth of them back. Accuracy is that of the saved file, the interval Wilson's; one digit is "
        f"timed in a batch of {TIMED}.",
        ("model", "test accuracy", "95 % interval", "training", "one digit", "size", "complexity", "file"),
        tuple(rows), range(1, 6),
    )  # fmt: skip


def ranked(contestants: Sequence[Contestant]) -> list[Contestant]:
    """The most accurate first."""
    return sorted(contestants, key=lambda one: -one.accuracy.hits)


def markdown(contestants: Sequence[Contestant], digits: int, pictures: Sequence[tuple[str, str]]) -> str:
    """The page; `pictures` are titles and paths relative to it."""
    found = table(contestants, digits)
    count = contestants[0].accuracy.n
    parts = [
        "# Models compared",
        "Written by `digitrec models compare`; do not edit.",
        found.note,
        markdown_table(found),
        "\n\n".join(f"![{title}]({path})" for title, path in pictures),
        "## How it was measured",
        f"- {datetime.now(UTC):%Y-%m-%d}, digitrec {__version__}, {count:,} test digits of MNIST\n"
        f"- Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores; networks predict on one, scikit-learn on all",
    ]
    return "\n\n".join(parts) + "\n"
