"""Fit the temperature, and the threshold for refusing non-digits, on held-out digits."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from digitrec.answer import SURE
from digitrec.models.network import Floats, evidence, logits

UNCLEAR = 0.0006
"""Share of the held-out digits that may be refused."""
SURELY_WRONG = 0.002
"""Maximum share of wrong answers among held-out digits with a confidence of at least `SURE`."""
_LOWEST, _HIGHEST = 0.1, 10.0
_STEP, _MOST = 1.01, 1.2  # steps in which a temperature is raised, and the maximum factor


def fit_temperature(probabilities: Floats, labels: NDArray[np.uint8]) -> float:
    """Return the temperature that maximises the likelihood of the answers, 0.1 to 10.

    Chuan Guo, Geoff Pleiss, Yu Sun and Kilian Q. Weinberger, "On Calibration of Modern Neural Networks",
    ICML 2017: one number, fitted on digits that were not used for training. It changes no answer.

    Args:
        probabilities: (N, 10), each row summing to 1, as the network returned them.
        labels: (N,), the label of each digit.
    """
    scores = logits(probabilities).astype(np.float64)

    def cross_entropy(log_temperature: float) -> float:
        chances = log_softmax(scores / np.exp(log_temperature), axis=1)
        return -float(chances[np.arange(len(labels)), labels].mean())

    found = minimize_scalar(cross_entropy, bounds=np.log([_LOWEST, _HIGHEST]), method="bounded")
    return round(float(np.exp(found.x)), 3)


def fit_modest(probabilities: Floats, labels: NDArray[np.uint8]) -> float:
    """Return `fit_temperature`, raised by up to a fifth until at most `SURELY_WRONG` of the sure are wrong.

    Digits of other writers are read less well than the held-out digits. A confidence that is right for the
    held-out digits would be too high for them.

    Args:
        probabilities: (N, 10), each row summing to 1, as the network returned them.
        labels: (N,), the label of each digit.
    """
    likeliest = temperature = fit_temperature(probabilities, labels)
    wrong = probabilities.argmax(axis=1) != labels
    scores = logits(probabilities).astype(np.float64)
    while temperature < _MOST * likeliest:
        sure = softmax(scores / temperature, axis=1).max(axis=1) >= SURE
        if (wrong & sure).sum() <= SURELY_WRONG * sure.sum():
            break
        temperature *= _STEP
    return round(min(temperature, _MOST * likeliest), 3)


def fit_evidence(probabilities: Floats) -> float:
    """Return the `evidence` that all but a share, `UNCLEAR`, of the given digits reach.

    Args:
        probabilities: (N, 10), of digits not used for training, with the temperature applied.
    """
    return round(float(np.quantile(evidence(probabilities), UNCLEAR)), 3)
