"""What one engine makes of labelled pictures, asked as `recognise.stream` asks it.

A refusal or a failure counts as wrong where there is a digit to be read.
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
from digitrec.comparison.benchmark.scorecard import Scorecard, is_right, scorecard
from digitrec.comparison.datasets.loader import Sample
from digitrec.errors import DataError
from digitrec.image import DigitImage
from digitrec.recognise import stream
from digitrec.recognise.readers import Reader, name_of

RELIABLE = 0.999
"""The share of answers that are right where one may rely on them."""
THUMBNAIL = 128
"""Pictures are kept at most so large for being shown, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Precision against recall of one digit, as its probability has to be higher and higher."""

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
    """What the pictures are called."""
    samples: Sequence[Sample]
    """The pictures and what they show."""
    outcomes: Sequence[Outcome]
    """What was said of each."""
    card: Scorecard
    """The counts and measures."""

    @property
    def answered(self) -> list[tuple[Prediction, int | None]]:
        """The answers, refusals among them, each with the digit on its picture; None: it shows none."""
        pairs = zip(self.outcomes, self.samples, strict=True)
        return [(outcome, sample.label) for outcome, sample in pairs if isinstance(outcome, Prediction)]

    @property
    def accuracy(self) -> Proportion:
        """Right answers among all pictures, with its 95 % Wilson interval; a failure is no right answer."""
        return proportion(self.card.correct, self.card.n)

    @property
    def loss(self) -> float | None:
        """Mean cross-entropy (natural logarithm) of the probabilities of the digits that were answered."""
        from sklearn.metrics import log_loss

        truth, chances = self._chances()
        return float(log_loss(truth, chances, labels=range(10))) if len(truth) else None

    @property
    def named(self) -> Proportion:
        """Pictures of digits on which a digit was named."""
        named = [
            isinstance(outcome, Prediction) and outcome.digit is not None
            for outcome, sample in zip(self.outcomes, self.samples, strict=True) if sample.label is not None
        ]  # fmt: skip
        return proportion(sum(named), len(named))

    @property
    def surely_wrong(self) -> Proportion:
        """Wrong answers among those given with at least `SURE`."""
        right = [
            is_right(outcome, sample.label)
            for outcome, sample in zip(self.outcomes, self.samples, strict=True)
            if isinstance(outcome, Prediction) and outcome.digit is not None
            and outcome.confidence is not None and outcome.confidence >= SURE
        ]  # fmt: skip
        return proportion(right.count(False), len(right))

    @property
    def reliable(self) -> float:
        """The largest share, 0..1, that can be answered, the surest first, so that `RELIABLE` are right."""
        return max((share for _, share, right in self.card.coverage if right >= RELIABLE), default=0.0)

    @property
    def misread(self) -> list[int]:
        """Places of the pictures on which a wrong digit was named, the surest first."""
        wrong = [
            (outcome.confidence or 0.0, place) for place, outcome in enumerate(self.outcomes)
            if isinstance(outcome, Prediction) and outcome.digit is not None
            and not is_right(outcome, self.samples[place].label)
        ]  # fmt: skip
        return [place for _, place in sorted(wrong, key=lambda pair: (-pair[0], pair[1]))]

    @property
    def curves(self) -> list[Curve]:
        """A curve for each digit that is there; empty for an engine that gives no probabilities."""
        truth, chances = self._chances()
        return [_curve(digit, truth == digit, chances[:, digit]) for digit in np.unique(truth).tolist()]

    def pixels(self, place: int) -> NDArray[np.uint8]:
        """The picture as it was given, made small; grey or RGB."""
        return np.asarray(DigitImage.open(self.samples[place].image).thumbnail(THUMBNAIL))

    def _chances(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Labels (n,) and probabilities (n, 10) of the digits for which the engine gave any."""
        known = [
            (sample.label, outcome.probabilities)
            for outcome, sample in zip(self.outcomes, self.samples, strict=True)
            if isinstance(outcome, Prediction) and outcome.probabilities and sample.label is not None
        ]
        truth = np.array([label for label, _ in known], np.int64)
        chances = np.array([row for _, row in known], np.float64).reshape(-1, 10)
        return truth, chances / chances.sum(axis=1, keepdims=True)  # float32 sums to 1 only nearly


def measure(
    samples: Sequence[Sample],
    reader: Reader,
    data: str,
    *,
    arrived: Callable[[Outcome], object] | None = None,
) -> Result:
    """Ask the engine about every picture and sum up what it said.

    Args:
        samples: labelled pictures.
        reader: the engine.
        data: what the pictures are called.
        arrived: called with every outcome as it arrives.

    Raises:
        DataError: there are no pictures.
    """
    if not samples:
        raise DataError(f"{data}: no labelled pictures")
    outcomes = []
    for outcome in stream((sample.image for sample in samples), reader):
        outcomes.append(outcome)
        if arrived is not None:
            arrived(outcome)
    labels = [sample.label for sample in samples]
    return Result(data, samples, outcomes, scorecard(name_of(reader), outcomes, labels))


def _curve(digit: int, shows: NDArray[np.bool_], chance: NDArray[np.float64]) -> Curve:
    from sklearn.metrics import auc, precision_recall_curve

    precision, recall, _ = precision_recall_curve(shows, chance)
    return Curve(digit, recall, precision, float(auc(recall, precision)))


def misread_rows(found: Result) -> list[dict[str, Any]]:
    """The misread pictures as rows for a file, the surest first."""
    rows = []
    for place in found.misread:
        outcome = found.outcomes[place]
        assert isinstance(outcome, Prediction)
        source = found.samples[place].image
        rows.append({
            "place": place,
            "file": str(source) if isinstance(source, str | Path) else "",
            "actual": found.samples[place].label,
            "predicted": outcome.digit,
            "confidence": outcome.confidence,
        })  # fmt: skip
    return rows
