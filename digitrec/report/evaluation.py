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
    truth = [NONE if label is None else label for _, label in found.pairs]
    said = [_said(outcome) for outcome in found.outcomes]
    shown = sorted(set(truth) - {NONE})
    measured: dict[str, dict[str, float]] = classification_report(
        truth, said, labels=shown, output_dict=True, zero_division=0
    )
    rows = []
    for name in (*map(str, shown), "macro avg"):
        scores = [percent(measured[name][score], 2) for score in ("precision", "recall", "f1-score")]
        rows.append(("mean" if name == "macro avg" else name, *scores, f"{measured[name]['support']:.0f}"))
    note = "A digit that was refused counts as not found."
    header = ("digit", "precision", "recall", "F1", "pictures")
    return Table(header, rows, range(1, 5), "Classification report", note)


def _said(outcome: Outcome) -> int:
    named = outcome.digit if isinstance(outcome, Prediction) else None
    return NONE if named is None else named
