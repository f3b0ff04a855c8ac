"""The table of accuracy in words, of outcomes that are known."""

from __future__ import annotations

from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison.benchmark.measure import Result
from digitrec.comparison.benchmark.scorecard import scorecard
from digitrec.comparison.datasets.loader import Sample
from digitrec.errors import ImageError
from digitrec.image import ImageRef
from digitrec.lab.evaluation.accuracy import CORRUPTED, DIGITS, REFUSED, Measured
from digitrec.report import accuracy_page as page

REF = ImageRef("<array>", None)


def measured(
    group: str,
    name: str,
    pairs: list[tuple[int | None, int | None]],
    goal: float | None,
    sure: list[float] | None = None,
) -> Measured:
    """A set in which each label was answered so, and so surely."""
    outcomes = [
        Prediction(REF, "local", said, score, None if said is not None else "blank", model_version="net-1")
        for (_, said), score in zip(pairs, sure or [0.9] * len(pairs), strict=True)
    ]
    samples = [Sample(b"", label) for label, _ in pairs]
    card = scorecard("local", outcomes, [label for label, _ in pairs])
    return Measured(group, Result(name, samples, outcomes, card), goal)


GOOD = measured(DIGITS, "good", [(1, 1)] * 99 + [(1, 7)], 0.98)
SHORT = measured(CORRUPTED, "short", [(4, 4)] * 8 + [(4, 9), (4, None)], 0.85)
LETTERS = measured(REFUSED, "letters", [(None, None), (None, 3)], None)
ALL = [GOOD, SHORT, LETTERS]


def test_a_goal_is_met_or_missed_by_so_much() -> None:
    assert page.row(GOOD)[:2] == ("good", "100")
    assert page.row(GOOD)[4:6] == ("98.00%", "met")
    assert page.row(SHORT)[4:6] == ("85.00%", "5.00 short")
    assert page.row(LETTERS)[4:6] == ("", "")
    assert page.heading(ALL) == "1 of 2 goals met by net-1"


def test_how_far_the_confidence_can_be_trusted_is_said() -> None:
    sure = measured(DIGITS, "sure", [(1, 1)] * 98 + [(1, 7)] * 2, None, [0.99] * 50 + [0.96] * 49 + [0.99])
    assert page.row(sure)[8:10] == ("2.00%", "0.00%")  # the last, an error, is as sure as the surest
    later = measured(DIGITS, "later", [(1, 1)] * 98 + [(1, 7)] * 2, None, [0.99] * 90 + [0.5] * 10)
    assert page.row(later)[8:10] == ("0.00%", "90.00%")
    assert page.row(LETTERS)[7:10] == ("", "", "")


def test_errors_are_named_commonest_first() -> None:
    assert page.row(GOOD)[-1] == "1 as 7: 1"
    assert page.row(SHORT)[-1] == "4 as 9: 1, 4 refused (blank): 1"
    assert page.row(LETTERS)[-1] == "as 3: 1"
    assert page.row(SHORT)[6] == "90.00%"
    failed = [Failure(REF, "local", ImageError("no picture"))]
    found = Result("failed", [Sample(b"", 2)], failed, scorecard("local", failed, [2]))
    row = page.row(Measured(DIGITS, found, 0.5))
    assert (row[2], row[-1]) == ("0.00%", "2 failed: 1")


def test_the_page_has_a_table_for_each_group_the_mean_and_the_pictures() -> None:
    text = page.markdown(ALL, {"Coverage": "images/coverage.png"})
    assert "| good | 100 | 99.00% |" in text
    assert "| mean of 1 |  | 80.00% |" in text and "15.00 short" in text
    assert [title.title for title in page.tables(ALL)] == [
        "Digits", "Corruptions of MNIST-C", "No single digit: refused",
    ]  # fmt: skip
    assert "![Coverage](images/coverage.png)" in text
    assert "Only the first" not in text
    assert "Only 2,000 pictures of each set" in page.markdown(ALL, {}, limit=2000)
