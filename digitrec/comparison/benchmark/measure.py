"""What one engine makes of labelled pictures, asked as `recognise.stream` asks it.

A refusal or a failure counts as wrong if the picture shows a digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.answer.prediction import SURE, Outcome, Prediction
from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.benchmark.scorecard import Scorecard, is_wrong, scorecard
from digitrec.comparison.datasets.loader import Sample
from digitrec.errors import DataError
from digitrec.image import DigitImage
from digitrec.recognise import stream
from digitrec.recognise.readers import Reader, name_of

RELIABLE = 0.999
"""Share of right answers from which on an engine counts as reliable, 0..1."""
THUMBNAIL = 128
"""Longest side of a shown picture, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Precision against recall of one digit, for a rising threshold of its probability."""

    digit: int
    """0..9."""
    recall: NDArray[np.float64]
    """Share of the digit's pictures that are found, falling."""
    precision: NDArray[np.float64]
    """Share of the answers that are right."""
    average: float
    """The area under the curve, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What an engine made of labelled pictures."""

    data: str
    """Name of the data set."""
    samples: Sequence[Sample]
    """The pictures and what they show."""
    outcomes: Sequence[Outcome]
    """The outcome of each."""
    card: Scorecard
    """The counts and measures."""

    @property
    def pairs(self) -> list[tuple[Outcome, int | None]]:
        """Each outcome with the digit on its picture; None: the picture shows no digit."""
        labels = (sample.label for sample in self.samples)
        return list(zip(self.outcomes, labels, strict=True))

    @property
    def answered(self) -> list[tuple[Prediction, int | None]]:
        """The pairs of `pairs` without failures; refusals are among them."""
        return [(outcome, label) for outcome, label in self.pairs if isinstance(outcome, Prediction)]

    @property
    def accuracy(self) -> Proportion:
        """Right answers among all pictures, with its 95 % Wilson interval; a failure is not right."""
        return proportion(self.card.correct, self.card.n)

    @property
    def loss(self) -> float | None:
        """Mean cross-entropy (natural logarithm) of the probabilities of the digits that were answered."""
        from sklearn.metrics import log_loss

        truth, chances = self._chances()
        return float(log_loss(truth, chances, labels=range(10))) if len(truth) else None

    @property
    def named(self) -> Proportion:
        """Pictures of digits that got a digit as answer."""
        labelled = [outcome for outcome, label in self.pairs if label is not None]
        digits = [it for it in labelled if isinstance(it, Prediction) and it.digit is not None]
        return proportion(len(digits), len(labelled))

    @property
    def surely_wrong(self) -> Proportion:
        """Wrong answers among those given with at least `SURE`."""
        wrong = [
            is_wrong(outcome, label) for outcome, label in self.answered
            if outcome.digit is not None and (outcome.confidence or 0.0) >= SURE
        ]  # fmt: skip
        return proportion(sum(wrong), len(wrong))

    @property
    def reliable(self) -> float:
        """Largest share of pictures, highest confidence first, of which `RELIABLE` are right, 0..1."""
        return max((share for _, share, right in self.card.coverage if right >= RELIABLE), default=0.0)

    @property
    def misread(self) -> list[int]:
        """Places of the pictures with a wrong digit as answer, highest confidence first."""
        wrong = [place for place, pair in enumerate(self.pairs) if is_wrong(*pair)]
        return sorted(wrong, key=lambda place: -(getattr(self.outcomes[place], "confidence", None) or 0.0))

    @property
    def curves(self) -> list[Curve]:
        """A curve for each digit that is shown; empty for an engine that gives no probabilities."""
        from sklearn.metrics import auc, precision_recall_curve

        truth, chances = self._chances()
        curves = []
        for digit in np.unique(truth).tolist():
            precision, recall, _ = precision_recall_curve(truth == digit, chances[:, digit])
            curves.append(Curve(digit, recall, precision, float(auc(recall, precision))))
        return curves

    def pixels(self, place: int) -> NDArray[np.uint8]:
        """The picture as it was given, downscaled; grey or RGB."""
        return np.asarray(DigitImage.open(self.samples[place].image).thumbnail(THUMBNAIL))

    def _chances(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Labels (n,) and probabilities (n, 10) of the digits for which the engine gave any."""
        known = [(label, it.probabilities) for it, label in self.answered if label is not None]
        truth = np.array([label for label, row in known if row], np.int64)
        chances = np.array([row for _, row in known if row], np.float64).reshape(-1, 10)
        return truth, chances / chances.sum(axis=1, keepdims=True)  # float32 sums to 1 only nearly


def measure(
    samples: Sequence[Sample],
    reader: Reader,
    data: str,
    *,
    arrived: Callable[[Outcome], object] = lambda _: None,
) -> Result:
    """Ask the engine about every picture and sum up its answers.

    Args:
        samples: labelled pictures.
        reader: the engine.
        data: name of the data set.
        arrived: called with every outcome as it arrives.

    Raises:
        DataError: there are no pictures.
    """
    if not samples:
        raise DataError(f"{data}: no labelled pictures")
    outcomes = []
    for outcome in stream((sample.image for sample in samples), reader):
        outcomes.append(outcome)
        arrived(outcome)
    labels = [sample.label for sample in samples]
    return Result(data, samples, outcomes, scorecard(name_of(reader), outcomes, labels))


def misread_rows(found: Result) -> list[dict[str, Any]]:
    """The misread pictures as rows for a file, highest confidence first."""
    rows = []
    for place in found.misread:
        outcome, label = found.pairs[place]
        assert isinstance(outcome, Prediction)
        source = found.samples[place].image
        rows.append({
            "place": place,
            "file": str(source) if isinstance(source, str | Path) else "",
            "actual": label,
            "predicted": outcome.digit,
            "confidence": outcome.confidence,
        })  # fmt: skip
    return rows
