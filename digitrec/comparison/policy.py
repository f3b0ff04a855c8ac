"""Several engines that answer as one: `Fallback` asks in order, `Consensus` until enough of them agree."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from math import prod
from typing import Any, Self, TypeVar

from digitrec.answer.prediction import NOT_SURE, Failure, Outcome, Prediction, counted, is_emulated, sureness
from digitrec.answer.sheet import Number, Sheet, SheetOutcome
from digitrec.comparison import UNSURE
from digitrec.comparison.numbers import covered
from digitrec.comparison.race import WINDOW, Ask, gather
from digitrec.engine import Engine
from digitrec.errors.arguments import number, whole
from digitrec.image import Box, DigitImage, ImageSource
from digitrec.image.shrinking import NUMBERS_SIDE
from digitrec.providers.base import Provider
from digitrec.recognise import stream
from digitrec.recognise.numbers import value_of
from digitrec.recognise.pipeline import chunks, finished
from digitrec.recognise.readers import engine_for, listed, name_of
from digitrec.recognise.reading import read_stream

log = logging.getLogger(__name__)

Said = TypeVar("Said", Outcome, SheetOutcome)


class EnginePolicy:
    """Ask engines in order, as many at a time as the rule says, until it is satisfied.

    The rule is two pure functions of the outcomes so far, `more` and `verdict`, so that it can also be
    tried on answers that are already there (`on_answers`). Each engine keeps its own deadline and
    budget; an engine that fails or has spent its budget is skipped.
    """

    name: str
    """The policy's name in a Prediction."""

    def __init__(self, engines: Sequence[str | Provider | Engine]) -> None:
        self.engines: Sequence[Engine] = tuple(engine_for(engine) for engine in listed(engines))
        if len({id(engine) for engine in self.engines}) < len(self.engines):
            raise ValueError(f"an engine is given twice: {', '.join(map(name_of, self.engines))}")

    def more(self, said: Sequence[Outcome]) -> int:
        """Return how many of the next engines to ask at the same time; 0 if the answer is decided."""
        raise NotImplementedError

    def verdict(self, said: Sequence[Outcome]) -> Outcome:
        """Return the policy's outcome, given the outcome of at least one engine."""
        raise NotImplementedError

    def stream(self, images: Iterable[ImageSource], *, lenient: bool = False) -> Iterator[Outcome]:
        """Yield an outcome for each picture, in order; its ``asked`` holds each engine's outcome."""
        for opened in chunks(images, self.name, WINDOW):
            good = {place: image for place, image in enumerate(opened) if isinstance(image, DigitImage)}
            said = self._ask(good, partial(stream, lenient=lenient))
            for place, image in enumerate(opened):
                yield image if isinstance(image, Failure) else self._sum_up(said[place])

    def read_stream(self, images: Iterable[ImageSource], **how: Any) -> Iterator[SheetOutcome]:
        """Yield a Sheet for each picture, in order; its ``asked`` holds each engine's sheet.

        Args:
            images: the pictures; one that can be read only once is opened for all engines at once.
            how: the options of `digitrec.read_stream`.
        """
        for image in images:
            source = DigitImage.open(image, enough=NUMBERS_SIDE) if hasattr(image, "read") else image
            said: list[SheetOutcome] = []
            for engine in self.engines:
                said += read_stream([source], engine, **how)
                if self.settled(said):
                    break
            best = self._with_totals(self.sheet(said), said, sum(one.latency_s for one in said))
            yield finished(best, how.get("at_least", 0.0), how.get("rotate", 0))

    def settled(self, said: Sequence[SheetOutcome]) -> bool:
        """Return whether to stop asking engines about a picture's numbers."""
        return False

    def sheet(self, said: Sequence[SheetOutcome]) -> SheetOutcome:
        """Return the policy's sheet, given the sheets of its engines."""
        raise NotImplementedError

    def on_answers(self, answers: Sequence[Outcome]) -> Outcome:
        """Return the outcome for these answers, which are in the engines' order, without asking an engine."""
        said: list[Outcome] = []
        while count := self.more(said):
            said += answers[len(said) : len(said) + count]
        return self._sum_up(said)

    def on_all_answers(
        self, engines: Mapping[str, Engine], outcomes: Mapping[str, Sequence[Outcome]]
    ) -> tuple[Outcome, ...]:
        """Apply `on_answers` to many pictures; engines and outcomes are keyed by engine name."""
        names = {id(engine): name for name, engine in engines.items()}
        rows = zip(*(outcomes[names[id(engine)]] for engine in self.engines), strict=True)
        return tuple(self.on_answers(row) for row in rows)

    def __enter__(self) -> Self:
        """Return the policy itself; the ``with`` block closes it at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the policy, also after an error."""
        self.close()

    def close(self) -> None:
        """Release its engines."""
        for engine in self.engines:
            engine.close()

    def _ask(self, images: Mapping[int, DigitImage], ask: Ask) -> dict[int, list[Outcome]]:
        """Ask in rounds until every picture is decided; return each picture's outcomes."""
        said: dict[int, list[Outcome]] = {place: [] for place in images}
        while True:
            last = {place: len(answers) + self.more(answers) for place, answers in said.items()}
            work = [
                (engine, {place: images[place] for place in images if len(said[place]) <= turn < last[place]})
                for turn, engine in enumerate(self.engines)
            ]
            work = [(engine, wanted) for engine, wanted in work if wanted]
            if not work:
                return said
            for arrival in sorted(gather(work, ask), key=lambda arrival: arrival.reader):
                said[arrival.image].append(arrival.outcome)

    def _sum_up(self, said: Sequence[Outcome]) -> Outcome:
        """Return the verdict with the time, cost and attempts of every engine asked."""
        summed = self._with_totals(self.verdict(said), said, self._latency(said))
        if isinstance(summed, Failure) or len(said) == 1:
            return summed
        return replace(summed, calibrated=None)  # asking on changes the chances

    def _with_totals(self, best: Said, said: Sequence[Said], latency_s: float) -> Said:
        """Return the policy's outcome with the total cost and attempts of all engines that were asked."""
        summed: Said = replace(
            best, provider=self.name, latency_s=latency_s, attempts=sum(one.attempts for one in said),
            cost_usd=total([one.cost_usd for one in said]),
        )  # fmt: skip
        if isinstance(summed, Failure):
            return summed
        answers = [one for one in said if not isinstance(one, Failure)]
        return replace(
            summed, asked=tuple(said),
            emulated=any(one.emulated for one in answers), replayed=all(one.replayed for one in answers),
        )  # fmt: skip

    def _latency(self, said: Sequence[Outcome]) -> float:
        """Return the latency in seconds: the sum over the rounds of the slowest engine of each."""
        spent, done = 0.0, 0
        while done < len(said):
            count = self.more(said[:done])
            spent += max(answer.latency_s for answer in said[done : done + count])
            done += count
        return spent


class Fallback(EnginePolicy):
    """Ask the next engine if the one before failed, saw no digit, or was less sure than a threshold."""

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
        """Return 1 while another engine is left and the last one was not sure."""
        decided = len(said) == len(self.engines) or (bool(said) and self._sure(said[-1]))
        return 0 if decided else 1

    def verdict(self, said: Sequence[Outcome]) -> Outcome:
        """Return the sure answer, else the surest digit, else the first refusal, else the last failure."""
        if self._sure(said[-1]):
            return said[-1]
        predictions = [outcome for outcome in said if isinstance(outcome, Prediction)]
        digits = [prediction for prediction in predictions if prediction.digit is not None]
        if digits:
            return max(digits, key=lambda prediction: sureness(prediction, UNSURE))
        return predictions[0] if predictions else said[-1]

    def stream(self, images: Iterable[ImageSource], *, lenient: bool = False) -> Iterator[Outcome]:
        """Yield an outcome for each picture; warn once about each engine that is not calibrated."""
        for outcome in super().stream(images, lenient=lenient):
            for answer in outcome.asked if isinstance(outcome, Prediction) else ():
                self._warn(answer)
            yield outcome

    def settled(self, said: Sequence[SheetOutcome]) -> bool:
        """Return whether the last engine read numbers, and was sure of each of them."""
        return isinstance(said[-1], Sheet) and _surest(said[-1]) >= self.below

    def sheet(self, said: Sequence[SheetOutcome]) -> SheetOutcome:
        """Return the sheet whose least sure number is the surest, or the last failure."""
        sheets = [one for one in said if isinstance(one, Sheet)]
        return max(sheets, key=_surest, default=said[-1])

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


def _surest(sheet: Sheet) -> float:
    """Return the lowest confidence of a sheet's numbers; negative without numbers or with a doubtful one."""
    return min((-1.0 if one.value is None else one.sureness for one in sheet.numbers), default=-2.0)


class Consensus(EnginePolicy):
    """Return the digit that ``agree`` engines agree on; refuse without agreement."""

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
        """Return ``agree`` at first, then 1 while agreement is possible."""
        if not said:
            return self.agree
        leading = max(_votes(said).values(), default=0)
        left = len(self.engines) - len(said)
        if leading >= self.agree:
            return min(1, left) if is_emulated(counted(said)) else 0  # emulators outvote no engine to come
        return 1 if self.agree <= leading + left else 0

    def verdict(self, said: Sequence[Outcome]) -> Outcome:
        """Return the agreed answer with the mean confidence of the engines that agree, else a refusal."""
        votes = _votes(said)
        if not votes:
            return said[-1]
        ((answer, most),) = votes.most_common(1)
        if most < self.agree:
            return self._disagreement([outcome for outcome in said if isinstance(outcome, Prediction)])
        agreeing = [prediction for prediction in counted(said) if prediction.digit == answer]
        known = [prediction.confidence for prediction in agreeing if prediction.confidence is not None]
        return replace(agreeing[0], confidence=sum(known) / len(known) if known else None)

    def sheet(self, said: Sequence[SheetOutcome]) -> SheetOutcome:
        """Return the first sheet; a number that too few engines read at its place has no value.

        A number is wrong only if all that read it are, so its confidence grows with each of them.
        """
        sheets = [one for one in said if isinstance(one, Sheet)]
        if len(sheets) < self.agree:
            return next((one for one in said if isinstance(one, Failure)), said[-1])
        first, *others = [one for one in sheets if not one.emulated] or sheets
        return replace(first, numbers=tuple(self._agreed(number, others) for number in first.numbers))

    def _agreed(self, number: Number, others: Sequence[Sheet]) -> Number:
        same = [found for sheet in others if (found := _same(sheet, number)) is not None]
        if 1 + len(same) < self.agree:
            return number.unless("engines disagree")
        doubts = [1 - one.sureness for one in (number, *same) if one.sureness >= 0]
        confidence = 1 - prod(doubts) if doubts else None
        return replace(number, value=_value(number), reason=None, confidence=confidence, calibrated=None)

    def _disagreement(self, predictions: Sequence[Prediction]) -> Prediction:
        """Return a refusal: the answers differ, or only emulators agree."""
        most = max(Counter(prediction.digit for prediction in predictions).values())
        reason = "emulated answers do not vote" if most >= self.agree else "engines disagree"
        text = ", ".join(str(it.digit) for it in predictions if it.digit is not None) or None
        first = predictions[0]
        return Prediction(
            first.image, self.name, None, None, reason, text=text, preparation=first.preparation
        )


def _same(sheet: Sheet, number: Number) -> Number | None:
    """Return the same number on a sheet, at the same place where both places are known."""
    value = _value(number)
    same = (it for it in sheet.numbers if _value(it) == value and _meet(it.box, number.box))
    return None if value is None else next(same, None)


def _value(number: Number) -> Decimal | None:
    """Return the value, also of a number that its engine is not sure of."""
    return value_of(number.text) if number.reason in (None, NOT_SURE) else None


def _meet(one: Box | None, other: Box | None) -> bool:
    return one is None or other is None or covered(one, other) > 0


def _votes(said: Sequence[Outcome]) -> Counter[int | None]:
    """Count the votes for each answer, "no digit" included; failures do not vote."""
    return Counter(prediction.digit for prediction in counted(said))


def total(costs: Sequence[float | None]) -> float | None:
    """Return the sum, or None if one cost is unknown."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
