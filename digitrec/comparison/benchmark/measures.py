"""The measures of a scorecard, each from SciPy or scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import brier_score_loss, confusion_matrix

from digitrec.errors.text import percent

CONFIDENCE_LEVEL = 0.95
"""Of every interval."""
BINS = 10
"""Of the reliability diagram and of ECE, equally wide."""
EDGES = np.arange(1, BINS) / BINS
"""Lower ends of all bins but the first, each the float nearest to its decimal: 0.3 and not 3 * 0.1."""
NONE = -1
"""Stands for "no digit" among the digits 0..9."""
CLASSES = [*range(10), NONE]
"""Rows (the truth) and columns (the answer) of a confusion matrix."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share of pictures, with its uncertainty."""

    hits: int
    """How many, >= 0."""
    n: int
    """Of how many, >= 0."""
    low: float | None
    """Lower end of the 95% Wilson interval, 0..1; None when n is 0."""
    high: float | None
    """Its upper end."""

    @property
    def share(self) -> float | None:
        """Hits / n, 0..1; None when n is 0."""
        return self.hits / self.n if self.n else None

    def interval(self, places: int = 1) -> str:
        """The interval in words, such as "91.2% to 95.0%"; "" when n is 0."""
        return f"{percent(self.low, places)} to {percent(self.high, places)}" if self.n else ""


def proportion(hits: int, n: int) -> Proportion:
    """A share with its Wilson interval, which holds near 0 and 1 and on few pictures."""
    if not n:
        return Proportion(hits, n, None, None)
    interval = binomtest(hits, n).proportion_ci(CONFIDENCE_LEVEL, method="wilson")
    return Proportion(hits, n, float(interval.low), float(interval.high))


@dataclass(frozen=True, slots=True)
class DigitScore:
    """How one digit fares."""

    digit: int
    """0..9."""
    precision: float | None
    """Share of the answers "this digit" that were right, 0..1; None when it was never answered."""
    recall: float | None
    """Share of its pictures that were read as it, 0..1; None when no picture shows it."""
    pictures: int
    """How many pictures show it."""


def confusion(truth: Sequence[int], answers: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """How often each digit (row, the last one "no digit") was answered as each (column); 11 x 11."""
    counts = confusion_matrix(truth, answers, labels=CLASSES) if truth else np.zeros((11, 11))
    return tuple(tuple(int(count) for count in row) for row in counts)


def per_digit(confusion: Sequence[Sequence[int]]) -> tuple[DigitScore, ...]:
    """Return precision and recall of each digit 0..9."""
    counts = np.array(confusion)
    said, shown = counts.sum(axis=0).tolist(), counts.sum(axis=1).tolist()
    return tuple(
        DigitScore(
            digit,
            confusion[digit][digit] / said[digit] if said[digit] else None,
            confusion[digit][digit] / shown[digit] if shown[digit] else None,
            shown[digit],
        )
        for digit in range(10)
    )


@dataclass(frozen=True, slots=True)
class Bin:
    """One column of a reliability diagram."""

    confidence: float
    """Mean confidence of the answers in it, 0..1."""
    right: float
    """Share of them that were right, 0..1."""
    answers: int
    """How many there are, >= 1."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether confidences are chances of being right."""

    answers: int
    """Digits answered with a confidence."""
    ece: float
    """Expected calibration error: mean distance of confidence and share right over the bins, 0..1."""
    brier: float
    """Brier score: mean squared distance of confidence and outcome, 0..1."""
    bins: tuple[Bin, ...]
    """The reliability diagram, `BINS` equally wide bins without the empty ones."""


Scored = Sequence[tuple[float, bool]]
"""How sure some answers are, 0..1, and whether each is right."""


def reliability(scored: Scored) -> Reliability | None:
    """Return the calibration of some answers; None when there are none."""
    if not scored:
        return None
    scores, hits = np.asarray(scored, float).T
    places = np.digitize(scores, EDGES)
    bins = tuple(
        Bin(float(scores[places == place].mean()), float(hits[places == place].mean()), int(count))
        for place, count in zip(*np.unique(places, return_counts=True), strict=True)
    )
    ece = sum(abs(bin.confidence - bin.right) * bin.answers for bin in bins) / len(scores)
    return Reliability(len(scores), float(ece), float(brier_score_loss(hits, scores)), bins)


def coverage_curve(scored: Scored, n: int) -> tuple[tuple[float, float, float], ...]:
    """What is gained by trusting only answers above a confidence: (threshold, coverage, accuracy) points.

    From the strictest threshold to none; coverage is the share of ``n`` pictures that are then answered,
    accuracy the share of those answers that are right.
    """
    if not scored:
        return ()
    scores, right = np.asarray(scored, float).T
    order = np.argsort(-scores)
    scores, hits = scores[order], np.cumsum(right[order])
    ends = np.flatnonzero(np.append(np.diff(scores) != 0, True))  # equal confidences stand or fall together
    return tuple((float(scores[end]), (end + 1) / n, float(hits[end] / (end + 1))) for end in ends)
