"""How sure a network may be, and when to say that it is no digit; both fitted on digits held back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from digitrec.models.store import evidence

Floats = NDArray[np.float32]

UNCLEAR = 0.0005
"""Share of the digits held back that may pass for none."""
_LOWEST, _HIGHEST = 0.1, 10.0


def fit_temperature(probabilities: Floats, labels: NDArray[np.uint8]) -> float:
    """The temperature that makes given answers likeliest, 0.1 to 10; below 1 where they are too modest.

    Chuan Guo, Geoff Pleiss, Yu Sun and Kilian Q. Weinberger, "On Calibration of Modern Neural Networks",
    ICML 2017: one number, fitted on digits that were not learned from. It changes no answer.

    Args:
        probabilities: (N, 10), each row summing to 1, as the network gave them.
        labels: (N,), what each digit is.
    """
    scores = np.log(np.maximum(probabilities, 1e-30)).astype(np.float64)
    low, high = np.log(_LOWEST), np.log(_HIGHEST)
    while high - low > 1e-3:  # the cross-entropy has one valley: keep the two thirds that hold it
        third = (high - low) / 3
        if _cross_entropy(scores, labels, low + third) < _cross_entropy(scores, labels, high - third):
            high -= third
        else:
            low += third
    return round(float(np.exp((low + high) / 2)), 3)


def fit_evidence(probabilities: Floats, temperature: float) -> float:
    """The `store.evidence` that all but `UNCLEAR` of given digits show once the temperature is applied.

    Args:
        probabilities: (N, 10), of digits that were not learned from, as the network gave them.
        temperature: > 0.
    """
    return round(float(np.quantile(evidence(probabilities), UNCLEAR)) / temperature, 3)


def _cross_entropy(scores: NDArray[np.float64], labels: NDArray[np.uint8], log_temperature: float) -> float:
    scores = scores / np.exp(log_temperature)
    total = np.log(np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)) + scores.max(axis=1)
    return float((total - scores[np.arange(len(labels)), labels]).mean())
