"""Counts of an evaluation, with a provider of known answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from digitrec.comparison.benchmark.measure import Result, measure, misread_rows
from digitrec.comparison.datasets.loader import Sample, read_samples
from digitrec.engine import Engine
from digitrec.providers.local import Local

BLANK = np.full((60, 60), 240, np.uint8)


@pytest.fixture(scope="module")
def found() -> Result:
    """Measure the first 120 test digits, two with a wrong label, a blank page, and no picture at all."""
    samples = read_samples("mnist-test")[:120]
    wrong = [Sample(samples[0].image, 3), Sample(samples[1].image, 0)]
    odd = [Sample(BLANK, None), Sample(BLANK, 5), Sample(b"no picture", 4)]
    return measure([*wrong, *samples[2:], *odd], Engine(Local()), "odd ones")


def test_refusals_and_failures_count_as_wrong_where_there_is_a_digit(found: Result) -> None:
    assert (found.card.failed, found.card.refused_rightly, found.card.refused_wrongly) == (1, 1, 1)
    assert (found.accuracy.hits, found.accuracy.n) == (119, 123)
    assert found.accuracy.low is not None and found.accuracy.low < 119 / 123
    assert (found.named.hits, found.named.n) == (120, 122)


def test_the_loss_is_the_cross_entropy_of_what_was_answered(found: Result) -> None:
    rows = [outcome.probabilities for outcome in found.outcomes[:120]]  # type: ignore[union-attr]
    chances = np.array(rows, float)
    chances /= chances.sum(axis=1, keepdims=True)
    truth = [sample.label for sample in found.samples[:120]]
    assert found.loss == pytest.approx(log_loss(truth, chances, labels=range(10)))


def test_the_misread_come_surest_first(found: Result) -> None:
    assert set(found.misread) == {0, 1}
    rows = list(misread_rows(found))
    assert [row["actual"] for row in rows] == [found.samples[place].label for place in found.misread]
    assert rows[0]["confidence"] >= rows[1]["confidence"]
    assert {row["predicted"] for row in rows} == {7, 2}
