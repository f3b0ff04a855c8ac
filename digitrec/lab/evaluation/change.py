"""What a change of the network gains and what it loses: the same pictures, read before and after."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.benchmark.scorecard import is_right
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.datasets.sampling import sampled
from digitrec.engine import Engine
from digitrec.image import PreparedImage
from digitrec.lab.datasets import overlap
from digitrec.lab.datasets.overlap import Keys
from digitrec.lab.evaluation.accuracy import DIGITS, REFUSED, Set, sets
from digitrec.recognise.pipeline import MaybePrepared, batches, infer

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
    """Read every picture twice, prepared once; what was learned is left out.

    A refusal or a failure counts as wrong where there is a digit to be read.

    Args:
        data: what the set is called.
        samples: labelled pictures.
        before: the engine before the change.
        after: the engine after it, which wants its pictures in the same form.
        learned: keys of the pictures that were learned.
        refusing: whether refusing is right on the set.
    """
    known = frozenset(learned.tolist())
    labels = iter([sample.label for sample in samples])
    right: list[tuple[bool, bool]] = []
    for prepared in batches((sample.image for sample in samples), before):
        whose = [(one, label) for one, label in zip(prepared, labels, strict=False) if not _is_of(one, known)]
        asked = [one for one, _ in whose]
        pair = [infer(asked, engine) if asked else [] for engine in (before, after)]
        for (_, label), first, second in zip(whose, *pair, strict=True):
            right.append((is_right(first, label), is_right(second, label)))
    was, now = (np.array([one[at] for one in right], bool) for at in (0, 1))
    return Change(
        data, refusing, proportion(int(was.sum()), len(was)), proportion(int(now.sum()), len(now)),
        int((now & ~was).sum()), int((was & ~now).sum()), len(samples) - len(right),
    )  # fmt: skip


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


def _is_of(one: MaybePrepared, known: Container[int]) -> bool:
    """Whether the key of a picture, in the form in which it is read, is among these."""
    if not isinstance(one, PreparedImage):
        return False
    return int(overlap.key(np.frombuffer(one.data, np.uint8).reshape(28, 28))) in known
