"""Comparing two engines agrees with statsmodels, computed here by itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from digitrec.answer.prediction import Outcome
from digitrec.comparison.benchmark.pairs import holm, mcnemar, pairs

Said = Callable[..., list[Outcome]]


@pytest.mark.parametrize(
    ("only_first", "only_second"), [(0, 0), (5, 0), (0, 6), (12, 3), (40, 41), (130, 95)]
)
def test_mcnemars_exact_test(only_first: int, only_second: int) -> None:
    expected = statsmodels_mcnemar([[50, only_first], [only_second, 9]], exact=True).pvalue
    assert mcnemar(only_first, only_second) == pytest.approx(expected)


@pytest.mark.parametrize(
    "p_values", [[], [0.04], [0.04, 0.04], [0.01, 0.04, 0.03], [0.5, 0.6, 0.001, 0.02, 1.0, 0.02]]
)
def test_holms_correction(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1] if p_values else []
    assert holm(p_values) == pytest.approx(list(expected))


def test_a_pair_counts_only_what_both_answered(said: Said) -> None:
    outcomes = {"one": said(1, 2, 3, "!", None), "other": said(1, 9, 9, 4, None)}
    (pair,) = pairs(outcomes, [1, 2, 3, 4, None])
    assert (pair.n, pair.only_first, pair.only_second) == (4, 2, 0)
    assert pair.agreement == 0.5
    assert pair.kappa == pytest.approx(cohen_kappa_score([1, 2, 3, -1], [1, 9, 9, -1]))
    assert pair.p == 0.5


def test_kappa_is_unknown_when_both_always_say_the_same_one_thing(said: Said) -> None:
    (pair,) = pairs({"one": said(7, 7), "other": said(7, 7)}, [7, 7])
    assert (pair.kappa, pair.agreement, pair.p) == (None, 1.0, 1.0)


def test_p_values_are_corrected_over_all_pairs(said: Said) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 200).tolist()

    def engine(accuracy: float) -> list[Outcome]:
        return said(*[label if rng.random() < accuracy else (label + 1) % 10 for label in labels])

    found = pairs({"a": engine(0.9), "b": engine(0.9), "c": engine(0.8)}, labels)
    corrected = multipletests([pair.p for pair in found], method="holm")[1]
    assert [pair.p_corrected for pair in found] == pytest.approx(list(corrected))
    assert [(pair.first, pair.second) for pair in found] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_better_is_named_only_when_the_corrected_test_shows_it(said: Said) -> None:
    labels = [1] * 30
    (clear,) = pairs({"a": said(*[1] * 30), "b": said(*[2] * 30)}, labels)
    (turned,) = pairs({"b": said(*[2] * 30), "a": said(*[1] * 30)}, labels)
    (open_,) = pairs({"a": said(*[1] * 30), "b": said(*[1] * 26, 2, 2, 2, 2)}, labels)
    assert (clear.better, turned.better, open_.better) == ("a", "a", None)


def test_emulated_pairs_are_shown_but_neither_tested_nor_corrected_for(said: Said) -> None:
    labels = [1] * 30
    real = {"a": said(*[1] * 30), "b": said(*[1] * 22, *[2] * 8)}
    both = {"google": said(*[2] * 30, emulated=True), **real, "aws": said(*[2] * 30, emulated=True)}
    (alone,) = pairs(real, labels)
    among = {(pair.first, pair.second): pair for pair in pairs(both, labels)}
    assert among["a", "b"] == alone
    emulated = among["google", "b"]
    assert (emulated.n, emulated.only_second, emulated.agreement) == (30, 22, 8 / 30)
    assert (emulated.p, emulated.p_corrected, emulated.better) == (None, None, None)
    assert {names: pair.emulated for names, pair in among.items()} == {
        ("google", "a"): ("google",), ("google", "b"): ("google",), ("google", "aws"): ("google", "aws"),
        ("a", "b"): (), ("a", "aws"): ("aws",), ("b", "aws"): ("aws",),
    }  # fmt: skip


def test_two_that_never_answered_the_same_picture_are_not_compared(said: Said) -> None:
    (pair,) = pairs({"one": said("!", 7), "other": said(7, "!")}, [7, 7])
    assert (pair.n, pair.agreement, pair.kappa, pair.p, pair.better) == (0, None, None, 1.0, None)
