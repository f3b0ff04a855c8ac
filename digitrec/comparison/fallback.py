"""Ask the next engine only when the one before was not sure."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from digitrec.answer.prediction import Outcome, Prediction, sureness
from digitrec.comparison import UNSURE
from digitrec.comparison.policy import EnginePolicy
from digitrec.engine import Engine
from digitrec.errors.arguments import number
from digitrec.image import ImageSource
from digitrec.providers.base import Provider
from digitrec.recognise.readers import name_of

log = logging.getLogger(__name__)


class Fallback(EnginePolicy):
    """Asks the next engine only when the one before failed, saw no digit, or was less sure than allowed."""

    def __init__(self, engines: Sequence[str | Provider | Engine], below: float) -> None:
        """Put the engines in order, usually the cheapest first.

        Args:
            engines: names, providers or engines; of one alone only the refusals are its own.
            below: ask the next engine below this chance of being right, 0..1. It is compared with the
                ``calibrated`` chance; an engine without calibration is taken at its own confidence, and
                a warning says so once; one without either is never sure.

        Raises:
            TypeError, ValueError: no engines, one of them twice, something else, or no such chance.
            UnknownProvider, NotInstalled, NotConfigured, ModelError: a name that cannot be asked.
        """
        self.below = number("the threshold below which the next engine is asked", below, 0, 1)
        super().__init__(engines)
        self.name = ">".join(map(name_of, self.engines)) + f"@{below:g}"
        self._warned: set[str] = set()

    def more(self, said: Sequence[Outcome]) -> int:
        """One, while there is another engine and the last one was not sure."""
        decided = len(said) == len(self.engines) or (bool(said) and self._sure(said[-1]))
        return 0 if decided else 1

    def verdict(self, said: Sequence[Outcome]) -> Outcome:
        """The sure answer; else the surest digit, else the first refusal, else the last failure."""
        if self._sure(said[-1]):
            return said[-1]
        predictions = [outcome for outcome in said if isinstance(outcome, Prediction)]
        digits = [prediction for prediction in predictions if prediction.digit is not None]
        if digits:
            return max(digits, key=lambda prediction: sureness(prediction, UNSURE))
        return predictions[0] if predictions else said[-1]

    def stream(self, images: Iterable[ImageSource], *, lenient: bool = False) -> Iterator[Outcome]:
        """As for every policy; warns of engines whose confidence was never calibrated."""
        for outcome in super().stream(images, lenient=lenient):
            for answer in outcome.asked if isinstance(outcome, Prediction) else ():
                self._warn(answer)
            yield outcome

    def _sure(self, outcome: Outcome) -> bool:
        return (
            isinstance(outcome, Prediction)
            and outcome.digit is not None
            and sureness(outcome, -1.0) >= self.below
        )

    def _warn(self, answer: Outcome) -> None:
        if not isinstance(answer, Prediction) or answer.calibrated is not None or answer.digit is None:
            return
        if answer.provider not in self._warned:
            self._warned.add(answer.provider)
            log.warning(
                "%s is not calibrated: its own confidence is compared with %g, and that is not a chance of "
                "being right; run `digitrec calibrate -p %s DATA` first",
                answer.provider, self.below, answer.provider,
            )  # fmt: skip
