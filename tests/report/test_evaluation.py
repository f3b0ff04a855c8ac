"""Evaluations: the figures and plots of known outcomes."""

import re

import pytest
from sklearn.metrics import precision_recall_fscore_support

from digitrec.answer import Failure, Prediction
from digitrec.comparison.benchmark.measure import Result, scorecard
from digitrec.comparison.benchmark.measures import proportion
from digitrec.comparison.datasets.loader import Sample
from digitrec.errors import ImageError
from digitrec.image import ImageRef
from digitrec.lab.evaluation.accuracy import CORRUPTED, DIGITS, REFUSED, STAGED, Measured
from digitrec.lab.evaluation.numbers import Share
from digitrec.report import evaluation

REF = ImageRef("<array>", None)


Pairs = list[tuple[int | None, int | None]]


def measured(
    group: str, name: str, pairs: Pairs, goal: float | None, sure: list[float] | None = None,
    seeds: list[str] | None = None,
) -> Measured:  # fmt: skip
    """Return a set with these labels, answers and confidences."""
    outcomes = [
        Prediction(REF, "local", said, score, None if said is not None else "blank", model_version="net-1")
        for (_, said), score in zip(pairs, sure or [0.9] * len(pairs), strict=True)
    ]
    groups = seeds or [""] * len(pairs)
    samples = [Sample(b"", label, group) for (label, _), group in zip(pairs, groups, strict=True)]
    return Measured(group, Result(name, samples, outcomes, scorecard("local", outcomes, samples)), goal)


def row(one: Measured) -> tuple[str, ...]:
    (table,) = evaluation.tables([one], [], [1])
    return tuple(table.rows[0])


GOOD = measured(DIGITS, "good", [(1, 1)] * 99 + [(1, 7)], 0.98)
SHORT = measured(CORRUPTED, "short", [(4, 4)] * 8 + [(4, 9), (4, None)], 0.85)
LETTERS = measured(REFUSED, "letters", [(None, None), (None, 3)], None)
ALL = [GOOD, SHORT, LETTERS]
FAILED = [Failure(REF, "local", ImageError("no picture"))]
TWO = [Sample(b"", 2)]
LOST = Measured(DIGITS, Result("lost", TWO, FAILED, scorecard("local", FAILED, TWO)), 0.5)
SAYS_99 = measured(DIGITS, "sure", [(1, 1)] * 98 + [(1, 7)] * 2, None, [0.99] * 50 + [0.96] * 49 + [0.99])
ERRS_LAST = measured(DIGITS, "later", [(1, 1)] * 98 + [(1, 7)] * 2, None, [0.99] * 90 + [0.5] * 10)
WORDS = Share("words", proportion(1, 50), 0.02, at_most=True)
SEEDED = measured(STAGED, "card", [(1, 1)] * 8 + [(1, 7)] * 2, None, seeds=["5"] * 4 + ["6"] * 2 + ["7"] * 4)


@pytest.mark.parametrize(("one", "cells"), [
    (GOOD, {0: "good", 1: "100", 3: "94.55-99.82%", 4: "", 5: "98.00%", 6: "met", 11: "1->7: 1"}),
    (SHORT, {5: "85.00%", 6: "5.00 short", 7: "90.00%", 11: "4->9: 1"}),
    (LETTERS, {5: "", 6: "", 8: "", 9: "", 10: "", 11: "as 3: 1"}), (LOST, {2: "0.00%", 11: "2 failed: 1"}),
    (SAYS_99, {9: "2.00%", 10: "0.00%"}),  # the last, an error, is as sure as the surest
    (ERRS_LAST, {9: "0.00%", 10: "90.00%"}), (SEEDED, {2: "80.00%", 4: "50.00-100.00%"}),
])  # fmt: skip
def test_a_row_has_accuracy_goal_confidence_and_the_main_error(one: Measured, cells: dict[int, str]) -> None:
    found = row(one)
    assert {place: found[place] for place in cells} == cells


def page(measured: list[Measured], numbers: list[Share], before: str = "", limit: int | None = None) -> str:
    parts = evaluation.sections(evaluation.tables(measured, numbers, [11, 12], limit), before)
    return evaluation.markdown(evaluation.heading(parts, measured, before), parts)


def test_the_page_has_a_table_for_each_group_and_the_mean() -> None:
    text = page(ALL, [WORDS])
    assert "2 of 4 goals met by net-1." in text  # of two sets, the mean of corruptions and whole numbers
    assert "| good | 100 | 99.00% |" in text
    assert text.count("Seeds: 11, 12.") == text.count("Seed: 11.") == 1, "the corruptions use one seed"
    assert "| mean of 1 |  | 80.00% |" in text and "15.00 short" in text
    assert re.findall("^## (.+)", text, re.MULTILINE)[:4] == [
        "Digits", "Corruptions of MNIST-C", "No single digit: refused", "Whole numbers",
    ]  # fmt: skip
    assert "112 pictures" in text
    assert "Only 2,000 pictures of each set" in page(ALL, [], limit=2000)


def test_tables_measured_later_replace_theirs_on_the_page() -> None:
    better = measured(CORRUPTED, "short", [(4, 4)] * 20, 0.85)
    both = page([better, SEEDED], [], before=page(ALL, [WORDS]))
    assert both == page([GOOD, SEEDED, better, LETTERS], [WORDS])
    assert "4 of 4 goals met by net-1." in both
    assert "1 of 1 goals met." in page([], [WORDS])
    other = "1 of 1 goals met by net-0.\n\n## Digits\n\n| x |"
    assert "1 of 1 goals met by net-1." in page([GOOD], [], before=other)


def test_the_report_on_each_digit_is_scikit_learns(odd: Result) -> None:
    rows = {row[0]: row for row in evaluation.classification(odd).rows}
    truth = [-1 if sample.label is None else sample.label for sample in odd.samples]
    said = [getattr(outcome, "digit", None) for outcome in odd.outcomes]
    numbers = [-1 if digit is None else digit for digit in said]
    precision, recall, f1, support = precision_recall_fscore_support(truth, numbers, labels=[3, 5])
    for place, digit in enumerate("35"):
        expected = (*(f"{value[place]:.2%}" for value in (precision, recall, f1)), f"{support[place]}")
        assert rows[digit][1:] == expected
    assert rows["5"][2] != "100.00%" and rows["3"][2] != "100.00%"
    assert rows["mean"][4] == "72"


def test_confusion_shows_the_counts(odd: Result) -> None:
    axes, _ = evaluation.confusion(odd).axes
    shown = axes.images[0].get_array()
    assert shown.shape == (11, 11) and shown.sum() == 72, "the failure is not in it"
    assert (shown[3, 7], shown[5, 10], shown[10, 10]) == (1, 1, 1)
    counts = [int(text.get_text()) for text in axes.texts if text.get_visible()]
    assert sorted(counts) == sorted(shown[shown > 0].tolist())
    assert axes.get_xlabel() and axes.get_ylabel() and "digitrec-cnn-" in axes.get_title()


def test_pictures_are_shown_with_what_was_answered(odd: Result) -> None:
    assert len(evaluation.predictions(odd).axes) == 15
    titles = [axes.get_title() for axes in evaluation.mistakes(odd).axes if axes.get_title()]
    assert titles == [evaluation.caption(odd, 0)]
    wrong, right, refused, nothing, failed = (evaluation.caption(odd, at) for at in (0, 1, 70, 71, 72))
    assert wrong.startswith("predicted 7 (") and wrong.endswith("✗\nactual 3")
    assert right.startswith("predicted 2 (") and right.endswith("%)\nactual 2")
    assert (refused, nothing) == ("predicted -  ✗\nactual 5", "predicted -\nactual none")
    assert failed == "predicted !  ✗\nactual 4"


def test_reliability_is_that_of_the_card(odd: Result) -> None:
    assert odd.card.reliability is not None
    _, drawn = evaluation.reliability(odd).axes[0].lines
    assert drawn.get_ydata() == pytest.approx([one.right for one in odd.card.reliability.bins])
