"""The figures on the card."""

from __future__ import annotations

import pytest

from digitrec.training import card


@pytest.mark.parametrize(
    ("correct", "count", "low", "high"),
    [
        (9950, 10_000, 99.34, 99.62),
        (10_000, 10_000, 99.96, 100.0),
        (0, 10, 0.0, 27.75),
        (81, 263, 25.53, 36.62),
    ],
)
def test_wilson_interval_against_published_values(correct: int, count: int, low: float, high: float) -> None:
    """The last is Newcombe's (1998) example; the others were worked out by hand from Wilson's formula."""
    said = card.measured(correct, count)
    assert said["interval"] == pytest.approx([low, high], abs=0.006)
    assert said["percent"] == pytest.approx(100 * correct / count, abs=0.006)


def test_the_environment_names_what_a_result_depends_on() -> None:
    where = card.environment()
    assert set(where["versions"]) == {"python", "tensorflow", "keras", "ai-edge-litert", "numpy"}
    assert where["cores"] >= 1
