"""Estimate a chance from features: the mean of several small networks.

`digitrec.lab.reading.judge` trains them.
"""

from functools import cache
from pathlib import Path

import numpy as np

from digitrec.models.network import Floats


def chances(rows: Floats, file: Path) -> Floats:
    """Return a chance, 0..1, for each row of features: (n, F) to (n,).

    Args:
        rows: the features.
        file: a .npz file of weights.
    """
    mean, scale, first, hidden, last, out = _weights(file)
    inner = np.maximum(np.einsum("nf,kfh->nkh", (rows - mean) / scale, first) + hidden, 0)
    logits = np.clip(np.einsum("nkh,kh->nk", inner, last) + out, -50, 50)  # exp overflows for larger numbers
    return np.asarray((1 / (1 + np.exp(-logits))).mean(axis=1))


@cache
def _weights(file: Path) -> list[Floats]:
    """Return mean and scale of the features, (F,), and the weights of K networks with H hidden units."""
    with np.load(file) as content:
        return [content[name] for name in ("mean", "scale", "first", "hidden", "last", "out")]
