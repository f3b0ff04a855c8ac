"""Sample a part of a set in any order, keeping the mix of labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SEED = 0
"""Decides which; the same for everybody, so that the same limit of the same set means the same pictures."""


def sampled(labels: Sequence[int | None] | NDArray[np.uint8], limit: int | None) -> NDArray[np.int64]:
    """Which places of a set to take, in its order: `limit` of them, at random, each label in its share.

    The places of a smaller limit are among those of a larger one, so that answers paid for with a small limit
    serve a larger one too.

    Args:
        labels: what each picture shows; None where it shows no digit.
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
