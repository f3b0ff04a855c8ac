"""Combine engines: `Fallback` asks them in order, `Consensus` asks until enough of them agree."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import chain
from math import prod
from operator import itemgetter
from typing import Any, Self

from digitrec.answer import NOT_SURE, Failure, Number, Outcome, Prediction, Sheet, counted, sureness, total
from digitrec.comparison import WINDOW, gather, readable_again
from digitrec.comparison.numbers import SAME_PLACE, as_outcome, as_sheet
from digitrec.engine import Engine
from digitrec.errors import NotConfigured, stops_all
from digitrec.errors.arguments import number, whole
from digitrec.image import ImageSource
from digitrec.image.boxes import covered
from digitrec.providers.base import Provider
from digitrec.recognise import engine_for, listed, name_of, read_stream, stream
from digitrec.recognise.numbers import NOT_ONE, value_of
from digitrec.recognise.pipeline import chunks, finished, open_or_fail

log = logging.getLogger(__name__)

UNSURE = 0.5
"""The confidence by which an answer without confidence is ranked, 0..1."""
Asked = Prediction | Sheet | Failure
"""An engine's outcome for the digit or the numbers on a picture."""


class EnginePolicy:
    """Asks engines in order, as many at the same time as its rule says, until the rule is satisfied.

    The rule consists of two pure functions of the outcomes so far, `more` and `verdict`, for digits and for
    sheets of numbers. So it can also be applied to existing answers (`on_answers`). Each engine keeps its own
    deadline and budget; an engine that fails or has spent its budget is skipped.
    """

    name: str
    """The policy's name in a Prediction."""

    def __init__(self, engines: Sequence[str | Provider | Engine]) -> None:
        self.engines: Sequence[Engine] = tuple(engine_for(engine) for engine in listed(engines))
        names = [*map(name_of, self.engines)]
        if len({id(engine.provider) for engine in self.engines}) < len(self.engines):
            raise ValueError(f"an engine is given twice: {', '.join(names)}")
        self.name = self.called(names)

    def more(self, said: Sequence[Asked]) -> int:
        """Return how many of the next engines to ask at the same time; 0 if the answer is decided."""
        raise NotImplementedError

    def verdict(self, said: Sequence[Asked]) -> Asked:
        """Return the policy's outcome, given the outcome of at least one engine."""
        raise NotImplementedError

    def called(self, names: Sequence[str]) -> str:
        """Return the policy's name with these names of its engines, in their order."""
        raise NotImplementedError

    def stream(self, images: Iterable[ImageSource], *, lenient: bool = False) -> Iterator[Outcome]:
        """Yield an outcome for each picture, in order; its ``asked`` holds each engine's outcome."""
        for opened in chunks(map(partial(open_or_fail, asker=self.name), images), WINDOW):
            yield from self._decided(opened, partial(stream, lenient=lenient))

    def read_stream(self, images: Iterable[ImageSource], **how: Any) -> Iterator[Sheet | Failure]:
        """Yield a Sheet for each picture, in order; its ``asked`` holds each engine's sheet.

        Args:
            images: the pictures; a picture that can be read only once is read once for all engines.
            how: the options of `digitrec.read_stream`; the engines' sheets keep the numbers that are less
                sure than ``at_least``.
        """
        least = how.pop("at_least", 0.0)
        for image in images:
            (sheet,) = self._decided([readable_again(image, self.name)], partial(read_stream, **how))
            yield finished(sheet, least, how.get("rotate", 0))

    def on_answers(self, answers: Sequence[Outcome]) -> Outcome:
        """Return the policy's outcome for these answers, given in the engines' order, without asking."""
        rounds = self._rounds([as_sheet(answer) for answer in answers])
        return as_outcome(self._sum_up([*chain.from_iterable(rounds)]))

    def on_all_answers(
        self, engines: Mapping[str, Engine], outcomes: Mapping[str, Sequence[Outcome]]
    ) -> dict[str, tuple[Outcome, ...]]:
        """Apply `on_answers` to many pictures; return the outcomes by the policy's name with these names.

        Args:
            engines: the engines by name.
            outcomes: the outcomes of each engine, by the same names.
        """
        known = {engine: name for name, engine in engines.items()}
        names = [known[engine] for engine in self.engines]
        rows = zip(*(outcomes[name] for name in names), strict=True)
        return {self.called(names): tuple(self.on_answers(row) for row in rows)}

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

    def _decided(
        self, images: Sequence[ImageSource | Failure], ask: Callable[..., Iterator[Any]]
    ) -> list[Any]:
        """Ask in rounds until every picture is decided; return the policy's outcome for each, in order.

        A Failure to open a picture becomes the picture's outcome.
        """
        opened = {place: image for place, image in enumerate(images) if not isinstance(image, Failure)}
        said: dict[int, list[Asked]] = {place: [] for place in opened}
        while work := self._work(opened, said):
            for _, place, outcome in sorted(gather(work, ask), key=itemgetter(0)):
                said[place].append(outcome)
        return [self._sum_up(said[at]) if at in said else image for at, image in enumerate(images)]

    def _work(
        self, images: Mapping[int, ImageSource], said: Mapping[int, Sequence[Asked]]
    ) -> list[tuple[Engine, dict[int, ImageSource]]]:
        """Return the engines to ask next, each with its pictures."""
        last = {place: len(answers) + self.more(answers) for place, answers in said.items()}
        work = [
            (engine, {place: images[place] for place in said if len(said[place]) <= turn < last[place]})
            for turn, engine in enumerate(self.engines)
        ]
        return [(engine, wanted) for engine, wanted in work if wanted]

    def _sum_up(self, said: Sequence[Asked]) -> Any:
        """Return the verdict with the time, cost and attempts of every engine asked."""
        slowest = (max(one.latency_s for one in together) for together in self._rounds(said))
        best = self.verdict(said)
        if isinstance(best, Failure):  # an error that stops a batch must be seen
            failed = [it for it in said if isinstance(it, Failure) and stops_all(it.error)]
            # An engine that reads no numbers is only one voice less.
            best = next((it for it in failed if not isinstance(it.error, NotConfigured)), best)
        best = replace(
            best, provider=self.name, latency_s=sum(slowest),
            attempts=sum(one.attempts for one in said), cost_usd=total([one.cost_usd for one in said]),
        )  # fmt: skip
        if isinstance(best, Failure):
            return best
        answers = [one for one in said if not isinstance(one, Failure)]
        values: dict[str, Any] = {
            "asked": tuple(said),
            "emulated": any(one.emulated for one in answers),
            "replayed": all(one.replayed for one in answers),
        }
        if isinstance(best, Prediction) and len(said) > 1:
            values["calibrated"] = None  # asking further engines changes the chances
        return replace(best, **values)

    def _rounds(self, answers: Sequence[Asked]) -> Iterator[Sequence[Asked]]:
        """Yield the answers that the policy needs, in the rounds in which it asks for them."""
        done = 0
        while count := self.more(answers[:done]):
            yield answers[done : done + count]
            done += count


class Fallback(EnginePolicy):
    """Asks the next engine if the previous one failed, saw no digit, or was less sure than a threshold."""

    def __init__(self, engines: Sequence[str | Provider | Engine], below: float) -> None:
        """Put the engines in order, usually the cheapest first.

        Args:
            engines: names, providers or engines; a single engine is allowed.
            below: minimum chance of an answer, 0..1; below it the next engine is asked. The chance is the
                ``calibrated`` chance; for an engine without calibration its own confidence, with a warning
                once; an answer with neither is never sure.

        Raises:
            TypeError, ValueError: the list is empty, has an engine twice or something else, or ``below`` is
                invalid.
            UnknownProvider, NotInstalled, NotConfigured, ModelError: an engine is not usable.
        """
        self.below = number("the threshold below which the next engine is asked", below, 0, 1)
        super().__init__(engines)
        self._warned: set[str] = set()

    def called(self, names: Sequence[str]) -> str:
        """Return a name such as "local>google@0.9"."""
        return ">".join(names) + f"@{self.below:g}"

    def more(self, said: Sequence[Asked]) -> int:
        """Return 1 while another engine is left and the last answer was not sure."""
        decided = len(said) == len(self.engines) or (bool(said) and self._sure(said[-1]))
        return 0 if decided else 1

    def verdict(self, said: Sequence[Asked]) -> Asked:
        """Return the sure answer, else the surest, else the first refusal, else the last failure.

        A sheet is as sure as its least sure number.
        """
        surest = max(said, key=lambda one: _sureness(one, UNSURE))
        return said[-1] if self._sure(said[-1]) or isinstance(surest, Failure) else surest

    def stream(self, images: Iterable[ImageSource], *, lenient: bool = False) -> Iterator[Outcome]:
        """Yield an outcome for each picture; warn once about each engine that is not calibrated."""
        return self._warning(super().stream(images, lenient=lenient))

    def read_stream(self, images: Iterable[ImageSource], **how: Any) -> Iterator[Sheet | Failure]:
        """Yield a Sheet for each picture; warn as `stream` does."""
        return self._warning(super().read_stream(images, **how))

    def _warning(self, outcomes: Iterable[Any]) -> Iterator[Any]:
        for outcome in outcomes:
            for said in getattr(outcome, "asked", ()):
                if _is_uncalibrated(said) and said.provider not in self._warned:
                    self._warned.add(said.provider)
                    advice = f"; run `digitrec calibrate -p {said.provider} DATA` first"
                    log.warning(
                        "%s is not calibrated: its own confidence is compared with %g, and that is not a "
                        "chance of being right%s",
                        said.provider, self.below, "" if isinstance(said, Sheet) else advice,
                    )  # fmt: skip
            yield outcome

    def _sure(self, outcome: Asked) -> bool:
        return _sureness(outcome, -1.0) >= self.below


def _is_uncalibrated(said: Asked) -> bool:
    """Return whether an engine named a digit or a number without a calibrated chance."""
    if isinstance(said, Sheet):
        return any(one.value is not None and one.calibrated is None for one in said.numbers)
    return isinstance(said, Prediction) and said.digit is not None and said.calibrated is None


def _sureness(outcome: Asked, unknown: float) -> float:
    """Return the chance of the digit or of the least sure number, 0..1; negative for a refusal or a doubt."""
    if isinstance(outcome, Failure):
        return -3.0
    if isinstance(outcome, Sheet):
        return min((_sureness_of_number(one, unknown) for one in outcome.numbers), default=-2.0)
    return -2.0 if outcome.digit is None else sureness(outcome, unknown)


def _sureness_of_number(number: Number, unknown: float) -> float:
    """Return the chance of a number, or of a date and the like, 0..1; negative for a doubt."""
    return sureness(number, unknown) if number.value is not None or number.reason == NOT_ONE else -1.0


class Consensus(EnginePolicy):
    """Returns the digit that at least ``agree`` engines name; refuses without such agreement."""

    def __init__(self, engines: Sequence[str | Provider | Engine], agree: int) -> None:
        """Put the engines in order.

        Args:
            engines: names, providers or engines, at least ``agree``.
            agree: how many engines must name the same digit, >= 2. So many are asked at the same time, then
                the others one by one while agreement is still possible.

        Raises:
            TypeError, ValueError: there are too few engines, an engine is given twice, or ``agree`` is
                invalid.
            UnknownProvider, NotInstalled, NotConfigured, ModelError: an engine is not usable.
        """
        self.agree = whole("the number of engines that must agree", agree, 0)
        if not 2 <= agree <= len(listed(engines)):
            raise ValueError(f"agree must be 2 or more, at most {len(engines)} (all engines), got {agree}")
        super().__init__(engines)

    def called(self, names: Sequence[str]) -> str:
        """Return a name such as "2 of local+google+aws"."""
        return f"{self.agree} of " + ("+".join(names) if len(names) < 4 else f"{len(names)} engines")

    def more(self, said: Sequence[Asked]) -> int:
        """Return ``agree`` at first, then 1 while agreement is possible; for sheets return all engines."""
        if not said:
            return self.agree
        left = len(self.engines) - len(said)
        if any(isinstance(one, Sheet) for one in said):
            return left
        leading = max(_votes(said).values(), default=0)
        if leading >= self.agree:
            is_emulated = any(vote.emulated for vote in _digits(said))
            return min(1, left) if is_emulated else 0  # a later engine outvotes emulators
        return 1 if self.agree <= leading + left else 0

    def verdict(self, said: Sequence[Asked]) -> Asked:
        """Return the agreed answer with the mean confidence of the agreeing engines, else a refusal.

        If too few engines answered, return the last failure.
        """
        failures = [one for one in said if isinstance(one, Failure)]
        if len(said) - len(failures) < self.agree:
            return failures[-1]  # too few answered to agree or disagree
        sheets = [one for one in said if isinstance(one, Sheet)]
        if sheets:
            return self._sheet(sheets)
        (answer, most), *others = _votes(said).most_common()
        # Real engines are asked until one answer has enough votes; emulators vote on, so two may have them.
        if most < self.agree or most in dict(others).values():
            return self._disagreement([outcome for outcome in said if isinstance(outcome, Prediction)])
        agreeing = [prediction for prediction in _digits(said) if prediction.digit == answer]
        known = [prediction.confidence for prediction in agreeing if prediction.confidence is not None]
        mean = sum(known) / len(known) if known else None
        return replace(agreeing[0], confidence=mean, probabilities=None)  # each engine has its own in `asked`

    def _sheet(self, sheets: Sequence[Sheet]) -> Sheet:
        """Return the first sheet; a number that too few engines read at its place gets no value.

        An agreed number is wrong only if all engines that read it are, so its confidence grows with each of
        them.
        """
        first, *others = [one for one in sheets if not one.emulated] or sheets
        left = [list(sheet.numbers) for sheet in others]
        return replace(first, numbers=tuple(self._agreed(number, left) for number in first.numbers))

    def _agreed(self, number: Number, others: Sequence[list[Number]]) -> Number:
        if _value(number) is None:
            return number
        same = [found for numbers in others if (found := _taken(numbers, number)) is not None]
        if 1 + len(same) < self.agree:
            return number.unless("engines disagree")
        doubts = [1 - one.sureness for one in (number, *same) if one.sureness >= 0]
        confidence = 1 - prod(doubts) if doubts else None
        return replace(number, value=_value(number), reason=None, confidence=confidence, calibrated=None)

    def _disagreement(self, predictions: Sequence[Prediction]) -> Prediction:
        """Return a refusal: the answers differ, or only emulators agree."""
        most = max(Counter(prediction.digit for prediction in predictions).values())
        is_outvoted = most >= self.agree and len(counted(predictions)) < len(predictions)
        reason = "emulated answers do not vote" if is_outvoted else "engines disagree"
        text = ", ".join(str(it.digit) for it in predictions if it.digit is not None) or None
        image, prepared = predictions[0].image, predictions[0].preparation
        return Prediction(image, self.name, None, None, reason, text=text, preparation=prepared)


def _taken(numbers: list[Number], number: Number) -> Number | None:
    """Remove and return the number with the same value, at the same place if both boxes are known."""
    for at, one in enumerate(numbers):
        apart = one.box is not None and number.box is not None and covered(one.box, number.box) < SAME_PLACE
        if _value(one) == _value(number) and not apart:
            return numbers.pop(at)
    return None


def _value(number: Number) -> Decimal | None:
    """Return a number's value, even if its engine is not sure of the number."""
    return value_of(number.text) if number.reason in (None, NOT_SURE) else None


def _digits(said: Iterable[Asked]) -> list[Prediction]:
    """Return the predictions that vote."""
    return counted(one for one in said if not isinstance(one, Sheet))


def _votes(said: Iterable[Asked]) -> Counter[int | None]:
    """Count the votes for each answer, "no digit" included; failures do not vote."""
    return Counter(prediction.digit for prediction in _digits(said))
