"""Two engines on the same pictures: is one better, and do they err alike?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from digitrec.answer.prediction import Outcome, Prediction, is_emulated
from digitrec.comparison.benchmark.measures import NONE
from digitrec.comparison.benchmark.scorecard import is_right

SIGNIFICANCE = 0.05
"""A difference is claimed only below this corrected p-value."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two engines compared on the pictures that both answered."""

    first: str
    """Name of the one."""
    second: str
    """Name of the other."""
    n: int
    """Pictures that both answered."""
    only_first: int
    """Pictures that only the first got right."""
    only_second: int
    """Pictures that only the second got right."""
    agreement: float | None
    """Share of the pictures on which both said the same, 0..1; None without pictures."""
    kappa: float | None
    """Cohen's kappa, -1..1: agreement beyond chance; None where chance alone would agree always."""
    p: float | None
    """p-value of McNemar's exact test that neither is better, 0..1; None where an emulator had a part."""
    p_corrected: float | None
    """The same, corrected by Holm's method for all tested pairs of the benchmark."""
    emulated: tuple[str, ...] = ()
    """Which of the two were emulated: the pair is shown, not tested, and takes no part in the correction."""

    @property
    def better(self) -> str | None:
        """Name of the one that is shown to be better; None where no difference is shown."""
        if self.p_corrected is None or self.p_corrected >= SIGNIFICANCE:
            return None
        return self.first if self.only_first > self.only_second else self.second


def pairs(outcomes: Mapping[str, Sequence[Outcome]], labels: Sequence[int | None]) -> tuple[Pair, ...]:
    """Compare every two engines; the p-values are corrected for the number of tested pairs."""
    found = [_pair(first, second, outcomes, labels) for first, second in combinations(outcomes, 2)]
    corrected = iter(holm([pair.p for pair in found if pair.p is not None]))
    return tuple(pair if pair.p is None else replace(pair, p_corrected=next(corrected)) for pair in found)


def _pair(
    first: str, second: str, outcomes: Mapping[str, Sequence[Outcome]], labels: Sequence[int | None]
) -> Pair:
    rows = zip(outcomes[first], outcomes[second], labels, strict=True)
    both = [
        (one, other, label) for one, other, label in rows
        if isinstance(one, Prediction) and isinstance(other, Prediction)
    ]  # fmt: skip
    right = Counter((is_right(one, label), is_right(other, label)) for one, other, label in both)
    only_first, only_second = right[True, False], right[False, True]
    emulated = tuple(name for name in (first, second) if is_emulated(outcomes[name]))
    return Pair(
        first, second, len(both), only_first, only_second,
        agreement=sum(one.digit == other.digit for one, other, _ in both) / len(both) if both else None,
        kappa=_kappa([(one.digit, other.digit) for one, other, _ in both]),
        p=None if emulated else mcnemar(only_first, only_second), p_corrected=None, emulated=emulated,
    )  # fmt: skip


def mcnemar(only_first: int, only_second: int) -> float:
    """p-value of McNemar's exact test: are the pictures that one alone got right split evenly?"""
    split = only_first + only_second
    return float(binomtest(only_first, split, 0.5).pvalue) if split else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number by Holm's step-down method (Holm 1979), in the same order."""
    corrected = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def _kappa(answers: Sequence[tuple[int | None, int | None]]) -> float | None:
    said = [[NONE if digit is None else digit for digit in row] for row in zip(*answers, strict=True)]
    if len(set(chain(*said))) < 2:  # one answer throughout: agreement beyond chance is undefined
        return None
    return float(cohen_kappa_score(*said))
