"""What a change of the network gains and what it loses: the same pictures, read before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.benchmark.measure import measure
from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.benchmark.scorecard import is_right
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.datasets.sampling import sampled
from digitrec.engine import Engine
from digitrec.lab.datasets import overlap
from digitrec.lab.datasets.overlap import Keys
from digitrec.lab.evaluation.accuracy import DIGITS, REFUSED, Set, sets

WHOLE = "mnist-test"
"""The set of which all is read unless told otherwise: it is prepared already."""
SOME = 300
"""Pictures of every other set."""
KEPT = ("letters", "scribbles")
"""Of what is to be refused, these are read."""


@dataclass(frozen=True, slots=True)
class Change:
    """A set, and how it is read before and after."""

    data: str
    """What the set is called."""
    refusing: bool
    """Whether refusing is right on it, since there is no single digit."""
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


def change(
    data: str,
    samples: Sequence[Sample],
    before: Engine,
    after: Engine,
    learned: Keys,
    *,
    refusing: bool = False,
) -> Change:
    """Measure both engines on the pictures that were not learned.

    A refusal or a failure counts as wrong where there is a digit to be read.

    Args:
        data: what the set is called.
        samples: labelled pictures.
        before: the engine before the change.
        after: the engine after it.
        learned: keys of the pictures that were learned.
        refusing: whether refusing is right on the set.
    """
    left = overlap.unlearned(samples, learned)
    was, now = (_right(left, engine, data) for engine in (before, after))
    return Change(
        data, refusing, proportion(int(was.sum()), len(left)), proportion(int(now.sum()), len(left)),
        int((now & ~was).sum()), int((was & ~now).sum()), len(samples) - len(left),
    )  # fmt: skip


def _right(samples: Sequence[Sample], engine: Engine, data: str) -> NDArray[np.bool_]:
    """Return which pictures the engine reads correctly, (N,)."""
    outcomes = measure(samples, engine, data).outcomes if samples else ()
    pairs = zip(outcomes, samples, strict=True)
    return np.array([is_right(outcome, sample.label) for outcome, sample in pairs], bool)


def others(limit: int | None) -> Iterator[tuple[Set, list[Sample]]]:
    """What it is to go on reading and refusing: the sets that are here, with the pictures that are read.

    MNIST's test digits come with digitrec; writers held back and other sets are read where DIGITREC_DATA
    names a folder that holds them; letters and scribbles are made.

    Args:
        limit: at most so many of each, each digit in its share; None: all of `WHOLE`, `SOME` of every other.

    Raises:
        DataError: a set that is here is damaged.
    """
    for one in sets():
        most = SOME if limit is None and one.name != WHOLE else limit
        if one.group == REFUSED and one.name in KEPT:
            yield one, list(one.samples(most))
        elif one.group == DIGITS:
            samples = one.samples(None)
            yield one, [samples[place] for place in sampled([it.label for it in samples], most)]
