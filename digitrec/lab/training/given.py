"""What a run is given: digits to learn from and digits to be measured with, named, and apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.comparison.benchmark.measures import proportion
from digitrec.comparison.datasets.loader import sampled
from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.lab.datasets import overlap
from digitrec.lab.datasets.overlap import Keys
from digitrec.lab.training import card

UNNAMED = "digits handed over"
"""What digits are called that were given without a name."""


def split(digits: Digits, share: float) -> tuple[Digits, Digits]:
    """Part the digits into those to learn from and the `share` (0..1) held back; always in the same way."""
    order = np.random.default_rng(0).permutation(len(digits))
    held = round(share * len(digits))
    return digits[order[held:]], digits[order[:held]]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """The digits of a run, and what there is to say of them."""

    learned: Digits
    """To learn from, the part held back among them."""
    sources: Mapping[str, int]
    """Where they are from, and how many from each."""
    test: Digits
    """Test digits that were not learned."""
    tested_on: str
    """What the set is called that they are of."""
    left_out: int
    """Digits of that set that were learned, and so are not measured with."""
    keys: Keys
    """Of all that the network has learned, also before this run."""

    def measured(self, correct: int) -> dict[str, Any]:
        """Return the accuracy, and what it was measured on, for the card."""
        return card.measured(proportion(correct, len(self.test)), self.tested_on, self.left_out)


def given(
    digits: Digits,
    sources: Mapping[str, int] | None = None,
    test: Digits | None = None,
    tested_on: str | None = None,
    limit_test: int | None = None,
    start: Path | None = None,
) -> Given:
    """Return the digits of a run; exclude the learned ones from the test.

    Args:
        digits: to learn from.
        sources: where they are from, and how many from each; None: they have no name.
        test: to measure with; None: MNIST's 10,000.
        tested_on: what these are called; None: they have no name.
        limit_test: largest number of them; None: all.
        start: a model file that learns on; what it learned, where that is kept beside it, counts as learned.

    Raises:
        DataError: every test digit was learned.
    """
    if test is None:
        test, tested_on = mnist_test(), "mnist-test"
    name = tested_on or UNNAMED
    learned = overlap.keys_with(start, digits)
    left = overlap.apart(test, learned, name)
    left_out = len(test) - len(left)
    measured = left[sampled(left.labels, limit_test)]
    return Given(digits, sources or {UNNAMED: len(digits)}, measured, name, left_out, learned)
