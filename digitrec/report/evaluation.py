"""How well an engine reads each digit, in words."""

from __future__ import annotations

from sklearn.metrics import classification_report

from digitrec.answer.prediction import Outcome, Prediction
from digitrec.comparison.benchmark.measure import Result
from digitrec.comparison.benchmark.measures import NONE
from digitrec.errors.text import percent
from digitrec.report.table import Table


def classification(found: Result) -> Table:
    """Precision, recall and F1 of each digit, as scikit-learn's classification report."""
    truth = [NONE if sample.label is None else sample.label for sample in found.samples]
    said = [_said(outcome) for outcome in found.outcomes]
    shown = sorted(set(truth) - {NONE})
    measured: dict[str, dict[str, float]] = classification_report(
        truth, said, labels=shown, output_dict=True, zero_division=0
    )
    names = {str(digit): str(digit) for digit in shown} | {"macro avg": "mean"}
    rows = [
        (
            name, percent(measured[key]["precision"], 2), percent(measured[key]["recall"], 2),
            percent(measured[key]["f1-score"], 2), f"{measured[key]['support']:.0f}",
        )
        for key, name in names.items()
    ]  # fmt: skip
    note = "A digit that was refused counts as not found."
    header = ("digit", "precision", "recall", "F1", "pictures")
    return Table("Classification report", note, header, tuple(rows), range(1, 5))


def _said(outcome: Outcome) -> int:
    named = outcome.digit if isinstance(outcome, Prediction) else None
    return NONE if named is None else named
