"""The measures of a scorecard, and the tests of two engines."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binomtest, t
from sklearn.metrics import brier_score_loss

from digitrec.errors.text import percent

CONFIDENCE_LEVEL = 0.95
"""Confidence level of every interval."""
BINS = 10
"""Number of equally wide bins of the reliability diagram and of ECE."""
EDGES = np.arange(1, BINS) / BINS
"""Lower ends of all bins but the first, as the floats nearest to 0.1, 0.2, ..., unlike 3 * 0.1."""
RESAMPLED = 5000
"""Number of resamples of the groups for a test."""
BLOCK = 50
"""Number of resamples that are drawn at once: all of 100,000 groups would take gigabytes."""
KINDS = (*range(10), None)
"""The possible labels and answers for a digit: 0 to 9, or None for no digit."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share of pictures with its interval."""

    hits: int
    """Number of hits, >= 0."""
    n: int
    """Number of pictures, >= 0."""
    low: float | None
    """Lower end of the 95% interval, 0..1; None when n is 0."""
    high: float | None
    """Upper end of the interval."""

    @property
    def share(self) -> float | None:
        """Hits / n, 0..1; None when n is 0."""
        return self.hits / self.n if self.n else None

    def interval(self, places: int = 1) -> str:
        """Format the interval, such as "91.2% to 95.0%"; "" when n is 0."""
        return f"{percent(self.low, places)} to {percent(self.high, places)}" if self.n else ""


def proportion(hits: int, n: int) -> Proportion:
    """Return a share with its Wilson interval, which holds near 0 and 1 and for few pictures."""
    if not n:
        return Proportion(hits, n, None, None)
    interval = binomtest(hits, n).proportion_ci(CONFIDENCE_LEVEL, method="wilson")
    return Proportion(hits, n, float(interval.low), float(interval.high))


def share_of(hits: Sequence[int], groups: Sequence[str], sizes: Sequence[int] | None = None) -> Proportion:
    """Return the share of hits on some pictures; the interval is Wilson's, or based on whole groups.

    Pictures of one group, such as the pages of one book, are similar, so they tell less than as many pictures
    of different groups. The interval is Clopper and Pearson's for the effective number of pictures: E. Korn,
    B. Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated
    from survey data", Survey Methodology 24 (1998). It is never narrower than Wilson's. A single group tells
    nothing about others: the interval is 0 to 1.

    Args:
        hits: the number of hits on each picture.
        groups: the group of each picture; no group at all if all are "".
        sizes: the maximum number of hits on each picture; None: 1.
    """
    counts = np.ones(len(hits), int) if sizes is None else np.asarray(sizes, int)
    wilson = proportion(int(sum(hits)), int(counts.sum()))
    if not any(groups) or wilson.low is None or wilson.high is None:
        return wilson
    _, places = np.unique(groups, return_inverse=True)
    found, whole = np.bincount(places, np.asarray(hits, float)), np.bincount(places, counts)
    found, whole = found[whole > 0], whole[whole > 0]  # a group without a possible hit says nothing
    n, count = wilson.n, len(whole)
    if count == 1:
        return Proportion(wilson.hits, n, 0.0, 1.0)
    share, tails = wilson.hits / n, [(1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2]
    spread = count / (count - 1) * float(((found - share * whole) ** 2).sum()) / n
    narrower = t.ppf(tails[1], n - 1) / t.ppf(tails[1], count - 1)
    effective = n / max(1.0, spread / max(share * (1 - share), 1e-12)) * narrower**2
    right, wrong = share * effective, (1 - share) * effective
    ends = beta.ppf(tails, [right, right + 1], [wrong + 1, wrong])
    low, high = np.nan_to_num(ends, nan=share).tolist()  # at 0 and 1
    return Proportion(wilson.hits, n, min(wilson.low, low), max(wilson.high, high))


def cross_entropy(chances: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the mean cross-entropy (natural logarithm) of chances, (N, 10), at least 1e-7 as in Keras."""
    of_label = chances[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(of_label, 1e-7)).mean())


Label = int | str | None
"""An answer or a label: a digit, the text of a number, or None."""


def confusion(pairs: Sequence[tuple[Label, Label]]) -> tuple[tuple[int, ...], ...]:
    """Return how often each digit (row) was answered as each digit (column): 11 x 11, "no digit" last.

    Args:
        pairs: the truth and the answer of each picture.

    Returns:
        The counts; empty if the answers are numbers instead of digits.
    """
    counts = Counter(pairs)
    if any(isinstance(one, str) for pair in counts for one in pair):
        return ()
    return tuple(tuple(counts[truth, answer] for answer in KINDS) for truth in KINDS)


@dataclass(frozen=True, slots=True)
class Bin:
    """One column of a reliability diagram."""

    confidence: float
    """Mean confidence of the answers in the bin, 0..1."""
    right: float
    """Share of right answers in the bin, 0..1."""
    answers: int
    """Number of answers in the bin, >= 1."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well confidences match the chance of being right."""

    answers: int
    """Number of answers with a confidence."""
    ece: float
    """Expected calibration error: mean difference of confidence and share right over the bins, 0..1."""
    brier: float
    """Brier score: mean squared difference of confidence and outcome, 0..1."""
    bins: tuple[Bin, ...]
    """The reliability diagram, `BINS` equally wide bins without the empty ones."""


Scored = Sequence[tuple[float, bool]]
"""For each answer, its confidence, 0..1, and whether it is right."""


def reliability(scored: Scored) -> Reliability | None:
    """Return the reliability of some answers; None without answers."""
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
    """Return the trade-off of a confidence threshold as (threshold, coverage, accuracy) points.

    The points go from the strictest threshold to 0. Coverage is the share of ``n`` pictures answered at that
    threshold, accuracy the share of those answers that are right.
    """
    if not scored:
        return ()
    scores, right = np.asarray(scored, float).T
    strictness, places, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    answered, hits = np.cumsum(counts), np.cumsum(np.bincount(places, right))
    points = np.column_stack([-strictness, answered / n, hits / answered])
    return tuple((threshold, coverage, accuracy) for threshold, coverage, accuracy in points.tolist())


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the p-value of McNemar's exact test of the pictures that only one of two engines got right."""
    split = only_first + only_second
    return float(binomtest(only_first, split, 0.5).pvalue) if split else 1.0


def by_groups(wins: Sequence[int], groups: Sequence[str]) -> float:
    """Return the p-value of a permutation test that exchanges the two engines in whole groups.

    Args:
        wins: 1 if only the first engine was right, -1 if only the second was, else 0.
        groups: the group of each picture.
    """
    _, places = np.unique(groups, return_inverse=True)
    sums = np.bincount(places, wins)
    rng, extreme = np.random.default_rng(0), 1
    for _ in range(RESAMPLED // BLOCK):
        signs = rng.choice([-1, 1], (BLOCK, len(sums)))
        extreme += int((np.abs(signs @ sums) >= abs(sums.sum())).sum())
    return extreme / (1 + RESAMPLED)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected by Holm's step-down method (Holm 1979), in the same order."""
    corrected = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected
