"""How each digit is read, in words."""

from __future__ import annotations

from sklearn.metrics import precision_recall_fscore_support

from digitrec.comparison.benchmark.measure import Result, measure
from digitrec.comparison.datasets.loader import Sample, read_samples
from digitrec.engine import Engine
from digitrec.providers.local import Local
from digitrec.report.evaluation import classification


def odd() -> Result:
    """Test digits, one under a wrong label, and a blank page that should have been a 5."""
    samples = read_samples("mnist-test")[:60]
    blank = Sample(b"P5 8 8 255\n" + 64 * b"\xff", 5)
    return measure([Sample(samples[0].image, 3), *samples[1:], blank], Engine(Local()), "odd")


def test_the_report_is_scikit_learns() -> None:
    found = odd()
    rows = {row[0]: row for row in classification(found).rows}
    truth = [sample.label for sample in found.samples]
    said = [-1 if outcome.digit is None else outcome.digit for outcome in found.outcomes]
    assert -1 in said and 7 in said
    precision, recall, f1, support = precision_recall_fscore_support(truth, said, labels=[3, 5])
    for place, digit in enumerate("35"):
        expected = (*(f"{value[place]:.2%}" for value in (precision, recall, f1)), f"{support[place]}")
        assert rows[digit][1:] == expected
    assert rows["5"][2] != "100.00%" and rows["3"][2] != "100.00%"
    assert rows["mean"][4] == "61"
