"""Fitting calibrations: from labelled answers to the chance of being right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from digitrec.answer.prediction import Prediction
from digitrec.errors import DataError
from digitrec.providers.base import is_installed, not_installed
from digitrec.recognise.calibration import Calibration, Key, Method, digest, key_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FOLDS = 5
"""Parts of the data; each is judged by a line fitted on the others."""
FEWEST = 50
"""Fewer answers than this say too little: a line would follow their noise."""
FEWEST_OF_A_KIND = 5
"""Fewer right or wrong answers than this do not show where the engine goes wrong."""
STEPS = 65
"""Points kept of a logistic curve; between them it is a straight line."""


def fit(predictions: Sequence[Prediction], labels: Sequence[int | None], data: str) -> list[Calibration]:
    """Fit the calibrations that these answers allow, one for each `Key` among them.

    Two rising lines are tried, an isotonic regression and a logistic curve over the log-odds of the
    confidence (Platt scaling); the one whose chances are nearer to the outcomes on unseen parts of the
    data (Brier score) is then fitted on all of it. Chances stay off 0 and 1 by 1 / (n + 2).

    Args:
        predictions: an engine's answers; refusals, inferred digits and answers without confidence are
            left out.
        labels: the digit that each picture shows; None: it shows none.
        data: what the pictures are called, for the record.

    Raises:
        ValueError: there is not one label for each answer.
        DataError: fewer than `FEWEST` answers with a confidence, or fewer than `FEWEST_OF_A_KIND` right
            or wrong ones among them.
        NotInstalled: without the extra ``stats``.
    """
    if not is_installed("sklearn"):
        raise not_installed("Fitting a calibration", "stats")
    if len(predictions) != len(labels):
        raise ValueError(f"{len(predictions)} answers with {len(labels)} labels: each answer needs its own")
    groups: dict[Key, list[tuple[Prediction, bool]]] = {}
    for prediction, label in zip(predictions, labels, strict=True):
        if prediction.digit is not None and prediction.confidence is not None and not prediction.inferred:
            groups.setdefault(key_of(prediction), []).append((prediction, prediction.digit == label))
    if not groups:
        raise DataError(f"{data}: no answer has a confidence, so there is nothing to fit")
    return [_fit_one(key, answers, data) for key, answers in groups.items()]


def _fit_one(key: Key, answers: list[tuple[Prediction, bool]], data: str) -> Calibration:
    from digitrec import __version__

    scores = np.array([prediction.confidence for prediction, _ in answers], dtype=float)
    right = np.array([value for _, value in answers], dtype=float)
    n, hits = len(right), int(right.sum())
    if n < FEWEST or min(hits, n - hits) < FEWEST_OF_A_KIND:
        raise DataError(
            f"{data}: {hits} right and {n - hits} wrong answers of {key.provider} with a confidence are too "
            f"few; it takes {FEWEST}, and {FEWEST_OF_A_KIND} of each kind: give more or harder pictures"
        )
    judged = {method: _brier(_unseen(method, scores, right), right) for method in FITTERS}
    method = min(judged, key=lambda name: judged[name])
    points, chances = FITTERS[method](scores, right)
    return Calibration(
        key, tuple(points.tolist()), tuple(chances.tolist()), method, n, hits,
        brier_before=_brier(scores, right), brier_after=judged[method], data=data,
        data_sha256=digest(prediction for prediction, _ in answers),
        fitted=datetime.now(UTC).isoformat(timespec="seconds"), digitrec=__version__,
    )  # fmt: skip


def _unseen(method: Method, scores: Floats, right: Floats) -> Floats:
    """Return the chance of each answer, from a line fitted on the other parts of the data."""
    from sklearn.model_selection import StratifiedKFold

    chances = np.empty_like(scores)
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for rest, part in parts.split(scores, right):
        chances[part] = np.interp(scores[part], *FITTERS[method](scores[rest], right[rest]))
    return chances


def _brier(chances: Floats, right: Floats) -> float:
    from sklearn.metrics import brier_score_loss

    return float(brier_score_loss(right, chances))


def _isotonic(scores: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return the points of the rising staircase nearest to the outcomes."""
    from sklearn.isotonic import IsotonicRegression

    line = IsotonicRegression().fit(scores, right)
    return line.X_thresholds_, _off_the_ends(line.y_thresholds_, len(right))


def _logistic(scores: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Points of the logistic curve over the confidence's log-odds."""
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression

    curve = LogisticRegression(C=1e6).fit(_log_odds(scores)[:, None], right)
    slope, offset = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    if slope <= 0:  # surer of wrong answers: the confidence is useless, and the line must not fall
        return np.array([0.0, 1.0]), np.full(2, right.mean())
    lowest, highest = _log_odds(np.array([0.0, 1.0]))
    points = np.linspace(lowest, highest, STEPS)
    return expit(points), _off_the_ends(expit(slope * points + offset), len(right))


def _log_odds(scores: Floats) -> Floats:
    """Log-odds, at most about 14 either way, so that a confidence of 1 stays finite."""
    from scipy.special import logit

    odds: Floats = logit(np.clip(scores, 1e-6, 1 - 1e-6))
    return odds


def _off_the_ends(chances: Floats, n: int) -> Floats:
    """No chance of exactly 0 or 1 from a finite number of answers (Laplace's rule of succession)."""
    return np.clip(chances, 1 / (n + 2), (n + 1) / (n + 2))


FITTERS: dict[Method, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    "isotonic": _isotonic,
    "logistic": _logistic,
}
