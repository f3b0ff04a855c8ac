"""Ask until enough engines agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from digitrec.answer.prediction import Outcome, Prediction, counted, is_emulated
from digitrec.comparison.policy import EnginePolicy
from digitrec.engine import Engine
from digitrec.errors.arguments import whole
from digitrec.providers.base import Provider
from digitrec.recognise.readers import listed, name_of


class Consensus(EnginePolicy):
    """Takes the digit that so many engines agree on, and refuses where they do not."""

    def __init__(self, engines: Sequence[str | Provider | Engine], agree: int) -> None:
        """Put the engines in order.

        Args:
            engines: names, providers or engines; as many as must agree, or more.
            agree: how many must name the same digit, 2 or more. So many are asked at the same time, then
                the others one by one, while agreement is still possible.

        Raises:
            TypeError, ValueError: too few engines, one of them twice, something else, or no such number.
            UnknownProvider, NotInstalled, NotConfigured, ModelError: a name that cannot be asked.
        """
        self.agree = whole("the number of engines that must agree", agree, 0)
        if not 2 <= agree <= len(listed(engines)):
            raise ValueError(
                f"{agree} cannot agree among {len(engines)} engines: ask for 2 to {len(engines)}"
            )
        super().__init__(engines)
        names = [name_of(engine) for engine in self.engines]
        self.name = f"{agree} of " + ("+".join(names) if len(names) < 4 else f"{len(names)} engines")

    def more(self, said: Sequence[Outcome]) -> int:
        """As many as must agree, then one, while agreement is open."""
        if not said:
            return self.agree
        leading = max(_votes(said).values(), default=0)
        left = len(self.engines) - len(said)
        if leading >= self.agree:
            return min(1, left) if is_emulated(counted(said)) else 0  # emulators outvote no engine to come
        return 1 if self.agree <= leading + left else 0

    def verdict(self, said: Sequence[Outcome]) -> Outcome:
        """The agreed answer, with the mean confidence of those who gave it; else a refusal."""
        votes = _votes(said)
        if not votes:
            return said[-1]
        ((answer, most),) = votes.most_common(1)
        if most < self.agree:
            return self._disagreement([outcome for outcome in said if isinstance(outcome, Prediction)])
        agreeing = [prediction for prediction in counted(said) if prediction.digit == answer]
        known = [prediction.confidence for prediction in agreeing if prediction.confidence is not None]
        return replace(agreeing[0], confidence=sum(known) / len(known) if known else None)

    def _disagreement(self, predictions: Sequence[Prediction]) -> Prediction:
        """No digit, and why: the answers differ, or emulators gave the agreeing ones."""
        most = max(Counter(prediction.digit for prediction in predictions).values())
        reason = "emulated answers do not vote" if most >= self.agree else "engines disagree"
        text = ", ".join(str(it.digit) for it in predictions if it.digit is not None) or None
        first = predictions[0]
        return Prediction(
            first.image, self.name, None, None, reason, text=text, preparation=first.preparation
        )


def _votes(said: Sequence[Outcome]) -> Counter[int | None]:
    """How often each answer was given by those who vote, "no digit" included; failures do not vote."""
    return Counter(prediction.digit for prediction in counted(said))
