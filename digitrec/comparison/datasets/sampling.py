"""Draw a stratified sample: each label in proportion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SEED = 0
"""Random seed, fixed so that the same limit always means the same pictures."""


def sampled(labels: Sequence[int | None] | NDArray[np.uint8], limit: int | None) -> NDArray[np.int64]:
    """Return the sorted indices of `limit` random items, each label in proportion.

    A larger limit includes the items of a smaller one, so paid answers are reused.

    Args:
        labels: the label of each picture; None without a digit.
        limit: largest number of items, >= 0; None: all.
    """
    if limit is None or limit >= len(labels):
        return np.arange(len(labels))
    kinds = np.array([-1 if label is None else int(label) for label in labels])
    drawn = np.random.default_rng(SEED).permutation(len(kinds))
    reached = np.empty(len(kinds))
    for kind in np.unique(kinds):
        its = drawn[kinds[drawn] == kind]
        reached[its] = (np.arange(len(its)) + 0.5) / len(its)  # the place within its label, as a share
    first = drawn[np.argsort(reached[drawn], kind="stable")]
    return np.sort(first[:limit])
