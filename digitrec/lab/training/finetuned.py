"""What learning one person's hand gained and lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.benchmark.measure import is_right, measure
from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.datasets.loader import Sample, sampled
from digitrec.engine import Engine
from digitrec.errors.text import percent
from digitrec.lab.datasets import overlap
from digitrec.lab.datasets.overlap import Keys
from digitrec.lab.evaluation import accuracy
from digitrec.lab.training import card
from digitrec.providers.registry import open_provider

OWN = "your own, held back"
"""Name of the set of the person's pictures that were not learned."""
HEADER = ("read rightly", "before", "after", "95 % interval", "gained", "lost")
"""Heads of the columns of `rows`."""
WHOLE = "mnist-test"
"""The set that is measured whole by default, because it is already prepared."""
SOME = 300
"""Pictures of every other set."""
REFUSED_SETS = ("letters", "scribbles")
"""The sets to refuse that are measured."""


@dataclass(frozen=True, slots=True)
class Change:
    """A set, and how it is read before and after."""

    data: str
    """Name of the set."""
    refusing: bool
    """Whether refusing is right on it, because it shows no single digit."""
    before: Proportion
    """Right answers before."""
    after: Proportion
    """Right answers after."""
    gained: int
    """Pictures that are right only after."""
    lost: int
    """Pictures that were right only before."""
    left_out: int
    """Pictures that were learned, and so are not read."""

    @property
    def row(self) -> tuple[str, ...]:
        """The cells under `HEADER`."""
        name = f"{self.data}, refused" if self.refusing else self.data
        before = f"{percent(self.before.share, 2)} of {self.before.n:,}"
        after = percent(self.after.share, 2)
        return name, before, after, self.after.interval(2), str(self.gained), str(self.lost)


def changes(
    start: Path, out: Path, held_back: Sequence[Sample], learned: Keys, limit: int | None
) -> Iterator[Change]:
    """Measure two model files on the pictures that were not learned; a refused digit counts as wrong.

    The sets are the person's held-out pictures, MNIST's test digits, letters and scribbles, and the other
    sets of digits in the folder that DIGITREC_DATA names.

    Args:
        start: the model file before the change.
        out: the model file after it.
        held_back: the person's pictures that were not learned; none: that set is left out.
        learned: keys of the pictures that were learned.
        limit: largest number of each other set, all digits in proportion; None: all of `WHOLE`, `SOME` of
            the others.

    Raises:
        DataError: a set that is here is damaged.
    """
    with (
        Engine(open_provider("local", model=start)) as before,
        Engine(open_provider("local", model=out)) as after,
    ):
        for name, samples, refusing in _sets(held_back, limit):
            left = overlap.unlearned(samples, learned)
            was, now = (_right(left, engine, name) for engine in (before, after))
            yield Change(
                name, refusing, proportion(int(was.sum()), len(left)), proportion(int(now.sum()), len(left)),
                int((now & ~was).sum()), int((was & ~now).sum()), len(samples) - len(left),
            )  # fmt: skip


def _sets(held_back: Sequence[Sample], limit: int | None) -> Iterator[tuple[str, Sequence[Sample], bool]]:
    """Yield name and pictures of each set, and whether refusing is right on it."""
    if held_back:
        yield OWN, held_back, False
    for one in accuracy.sets():
        most = SOME if limit is None and one.name != WHOLE else limit
        if one.name in REFUSED_SETS:
            yield one.name, one.samples(most), True
        elif one.group == accuracy.DIGITS:
            samples = one.samples(None)
            yield one.name, [samples[at] for at in sampled([it.label for it in samples], most)], False


def _right(samples: Sequence[Sample], engine: Engine, data: str) -> NDArray[np.bool_]:
    """Return which pictures the engine reads correctly, (N,)."""
    outcomes = measure(samples, engine, data).outcomes if samples else ()
    pairs = zip(outcomes, samples, strict=True)
    return np.array([is_right(outcome, sample.label) for outcome, sample in pairs], bool)


def verdict(changes: Sequence[Change]) -> str:
    """Name the other sets on which clearly more was lost than gained."""
    worse = [
        one.data for one in changes
        if one.data != OWN and one.lost - one.gained > 2 * (one.lost + one.gained) ** 0.5
    ]  # fmt: skip
    if not worse:
        return "No other set is read significantly worse."
    return f"Significantly worse now: {', '.join(worse)}. A lower --learning-rate forgets less."


def measures(changes: Sequence[Change]) -> dict[str, Any]:
    """Return the same for the description in the model file; `models list` shows `test`."""
    whole = next(one for one in changes if one.data == WHOLE)
    test = card.measured(whole.after, WHOLE, whole.left_out)
    return {"changes": [asdict(one) for one in changes], "test": test}
