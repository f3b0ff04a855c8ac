"""What learning one person's hand gained and lost: measured, as a table, and as the model card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.benchmark.measure import is_right, measure
from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.datasets.sampling import sampled
from digitrec.engine import Engine
from digitrec.errors.text import count, percent
from digitrec.lab.datasets import overlap
from digitrec.lab.datasets.overlap import Keys
from digitrec.lab.evaluation.accuracy import DIGITS, REFUSED, Set, sets
from digitrec.lab.training import card

OWN = "your own, held back"
"""Name of the set of the person's pictures that were not learned."""
_NOT_KNOWN = "None of your own pictures was held back, so the gain on your hand is unknown."
HEADER = ("read rightly", "before", "after", "95 % interval", "gained", "lost")
"""Heads of the columns of `rows`."""
FEW = 100
"""Of fewer held-out pictures the interval is also written in words: they say little."""


WHOLE = "mnist-test"
"""The set that is measured whole by default, because it is already prepared."""
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
    then, since = (proportion(int(right.sum()), len(left)) for right in (was, now))
    gained, lost = int((now & ~was).sum()), int((was & ~now).sum())
    return Change(data, refusing, then, since, gained, lost, len(samples) - len(left))


def _right(samples: Sequence[Sample], engine: Engine, data: str) -> NDArray[np.bool_]:
    """Return which pictures the engine reads correctly, (N,)."""
    outcomes = measure(samples, engine, data).outcomes if samples else ()
    pairs = zip(outcomes, samples, strict=True)
    return np.array([is_right(outcome, sample.label) for outcome, sample in pairs], bool)


def others(limit: int | None) -> Iterator[tuple[Set, list[Sample]]]:
    """Yield the other data sets available, to check that the network still reads and refuses them.

    MNIST's test digits come with digitrec; held-out writers and other sets are read where DIGITREC_DATA
    names a folder that holds them; letters and scribbles are made.

    Args:
        limit: largest number of each, all digits in proportion; None: all of `WHOLE`, `SOME` of the others.

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


def rows(changes: Sequence[Change]) -> list[tuple[str, ...]]:
    """Return a row for each set: its share before and after, the interval of that, and what changed."""
    return [_row(one) for one in changes]


def _row(one: Change) -> tuple[str, ...]:
    name = f"{one.data}, refused" if one.refusing else one.data
    before = f"{percent(one.before.share, 2)} of {one.before.n:,}"
    return name, before, percent(one.after.share, 2), one.after.interval(2), str(one.gained), str(one.lost)


def verdict(changes: Sequence[Change]) -> list[str]:
    """Return what the table says, in sentences."""
    own = [one for one in changes if one.data == OWN and one.after.n]
    others = [one for one in changes if one.data != OWN]
    return [_of_own(own[0]) if own else _NOT_KNOWN, _of_others(others)]


def _of_own(own: Change) -> str:
    after = own.after
    said = (
        f"Of your {count(after.n, 'picture')} held back, {own.before.hits:,} were read correctly before and "
        f"{after.hits:,} are now."
    )
    if after.n >= FEW:
        return said
    return (
        f"{said} So few say little: the share of all your digits may be anything from "
        f"{percent(after.low, 0)} to {percent(after.high, 0)}."
    )


def _of_others(others: Sequence[Change]) -> str:
    """Whether anything was forgotten: where clearly more was lost than gained."""
    worse = [one for one in others if one.lost - one.gained > 2 * (one.lost + one.gained) ** 0.5]
    if not worse:
        return "No other set is read significantly worse."
    names = ", ".join(one.data for one in worse)
    return f"Significantly worse now: {names}. A lower --learning-rate forgets less."


def measures(changes: Sequence[Change]) -> dict[str, Any]:
    """Return the same for the description in the model file; `models list` shows `test`."""
    found: dict[str, Any] = {"changes": [asdict(one) for one in changes]}
    for one in changes:
        if one.data == WHOLE:
            found["test"] = card.measured(one.after, WHOLE, one.left_out)
    return found


def markdown(name: str, facts: dict[str, Any], changes: Sequence[Change]) -> str:
    """Return the card as a page, from the facts that `finetune.fine_tune` gathers."""
    ((source, learned),) = facts["learned_from"].items()
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows(changes))
    left_out = sum(one.left_out for one in changes)
    rehearsed = {f"rehearsed: {_REHEARSED.get(kind, kind)}": n for kind, n in facts["rehearsed"].items()}
    learned_from = {"start": facts["start"], f"learned: `{source}`": learned} | rehearsed
    how = card.text(
        "own hand", heads=" | ".join(HEADER), changes=table, verdict=" ".join(verdict(changes)),
        left_out=count(left_out, "picture"), trained=card.trained(facts), source=source,
        table=card.table(learned_from | card.settings(facts["settings"])),
    )  # fmt: skip
    about = (
        f"digitrec's own network, fine-tuned on {count(learned, 'picture')} of one hand by "
        "`digitrec train --start`, which also measured every figure below."
    )
    return card.text(
        "page", name=name, about=about, rows=card.table(card.network(facts)), how=how,
        licence=card.text("own hand's licence", source=source), limits=card.text("own hand's limits"),
    )  # fmt: skip


_REHEARSED = {
    "mnist-train": "MNIST's training digits",
    "drawn": "digits of a synthetic hand (MNIST's are unavailable)",
    "made": "pictures made of them (`digitrec/lab/handwriting/synthetic.py`)",
    "no digit": "pictures of no digit",
}
"""What the kinds of rehearsed pictures are called."""
