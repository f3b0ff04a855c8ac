"""Ask engines about labelled pictures, and measure the answers.

A refusal or a failure counts as wrong if the picture shows a digit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.answer.prediction import SURE, Outcome, Prediction
from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.benchmark.scorecard import Scorecard, is_wrong, price_list, scorecard
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.race import Ask, race
from digitrec.errors import DataError
from digitrec.image import DigitImage
from digitrec.recognise import stream
from digitrec.recognise.readers import Reader, name_of

RELIABLE = 0.999
"""Least share of right answers of a reliable engine, 0..1."""
THUMBNAIL = 128
"""Longest side of a shown picture, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """An engine's results on labelled pictures."""

    data: str
    """Name of the data set."""
    samples: Sequence[Sample]
    """The pictures with their labels."""
    outcomes: tuple[Outcome, ...]
    """The outcome for each picture."""
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

        truth, chances = self.chances()
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

    def pixels(self, place: int) -> NDArray[np.uint8]:
        """Return the picture as given, downscaled; grey or RGB."""
        return np.asarray(DigitImage.open(self.samples[place].image).thumbnail(THUMBNAIL))

    def chances(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return labels (n,) and probabilities (n, 10) of the digits for which the engine gave any."""
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
    """Do the same as `measure_all` with one engine, under its own name."""
    return measure_all(samples, {name_of(reader): reader}, data, arrived=arrived)[name_of(reader)]


def measure_all(
    samples: Sequence[Sample],
    readers: Mapping[str, Reader],
    data: str,
    *,
    ask: Ask = stream,
    shared: bool = True,
    arrived: Callable[[Outcome], object] = lambda _: None,
) -> dict[str, Result]:
    """Ask every engine about every picture, all at the same time, and sum up the answers of each.

    Args:
        samples: labelled pictures.
        readers: the engines by name.
        data: name of the data set.
        ask: function that asks an engine about pictures.
        shared: as for `race`.
        arrived: called with every outcome as it arrives.

    Raises:
        DataError: ``samples`` is empty.
    """
    if not samples:
        raise DataError(f"{data}: no labelled pictures")
    names = list(readers)
    found: dict[str, dict[int, Outcome]] = {name: {} for name in names}
    spent_s = dict.fromkeys(names, 0.0)
    images = (sample.image for sample in samples)
    for arrival in race(images, list(readers.values()), ask, shared=shared):
        name = names[arrival.reader]
        found[name][arrival.image] = arrival.outcome
        spent_s[name] += arrival.spent_s
        arrived(arrival.outcome)
    prices, labels = price_list(readers.values()), [sample.truth for sample in samples]
    results, groups = {}, [sample.group for sample in samples]
    for name, said in found.items():
        outcomes = tuple(said[place] for place in sorted(said))
        card = scorecard(name, outcomes, labels, spent_s=spent_s[name], prices=prices, groups=groups)
        results[name] = Result(data, samples, outcomes, card)
    return results


def misread_rows(found: Result) -> Iterator[dict[str, Any]]:
    """Yield the misread pictures as rows for a file, highest confidence first."""
    for place in found.misread:
        sample, outcome = found.samples[place], found.outcomes[place]
        assert isinstance(outcome, Prediction)
        yield {
            "place": place,
            "file": str(sample.image) if isinstance(sample.image, str | Path) else "",
            "actual": sample.label,
            "predicted": outcome.digit,
            "confidence": outcome.confidence,
        }
