"""Several engines that answer as one; the rules there are: `fallback` and `consensus`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Self

from digitrec.answer.prediction import Failure, Outcome, Prediction
from digitrec.comparison.race import WINDOW, Ask, gather
from digitrec.engine import Engine
from digitrec.image import DigitImage, ImageSource
from digitrec.providers.base import Provider
from digitrec.recognise import stream
from digitrec.recognise.pipeline import chunks
from digitrec.recognise.readers import engine_for, listed, name_of


class EnginePolicy:
    """Asks its engines in their order, as many at a time as its rule says, until the rule is satisfied.

    The rule is two pure functions of what was said so far, `more` and `verdict`, so that it can also be
    tried on answers that are already there (`on_answers`). Each engine keeps its own deadline and
    budget; one that fails or may not spend any more is passed over.
    """

    name: str
    """What to call it in a Prediction."""

    def __init__(self, engines: Sequence[str | Provider | Engine]) -> None:
        self.engines: Sequence[Engine] = tuple(engine_for(engine) for engine in listed(engines))
        if len({id(engine) for engine in self.engines}) < len(self.engines):
            raise ValueError(f"an engine is given twice: {', '.join(map(name_of, self.engines))}")

    def more(self, said: Sequence[Outcome]) -> int:
        """How many of the next engines to ask, at the same time; 0 when it is decided."""
        raise NotImplementedError

    def verdict(self, said: Sequence[Outcome]) -> Outcome:
        """What follows from all that was said, one outcome at least."""
        raise NotImplementedError

    def stream(self, images: Iterable[ImageSource], *, lenient: bool = False) -> Iterator[Outcome]:
        """An outcome for each picture, in order; what each engine said is in its ``asked``."""
        for opened in chunks(images, self.name, WINDOW):
            good = {place: image for place, image in enumerate(opened) if isinstance(image, DigitImage)}
            said = self._ask(good, partial(stream, lenient=lenient))
            for place, image in enumerate(opened):
                yield image if isinstance(image, Failure) else self._sum_up(said[place])

    def on_answers(self, answers: Sequence[Outcome]) -> Outcome:
        """The outcome if its engines, in their order, had given these answers; nobody is asked."""
        said: list[Outcome] = []
        while count := self.more(said):
            said += answers[len(said) : len(said) + count]
        return self._sum_up(said)

    def on_all_answers(
        self, engines: Mapping[str, Engine], outcomes: Mapping[str, Sequence[Outcome]]
    ) -> tuple[Outcome, ...]:
        """The same for many pictures, from each engine's outcomes for them; both by the engine's name."""
        names = {id(engine): name for name, engine in engines.items()}
        rows = zip(*(outcomes[names[id(engine)]] for engine in self.engines), strict=True)
        return tuple(self.on_answers(row) for row in rows)

    def __enter__(self) -> Self:
        """The policy itself, closed at the end of the ``with``."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, whatever happened."""
        self.close()

    def close(self) -> None:
        """Release its engines."""
        for engine in self.engines:
            engine.close()

    def _ask(self, images: Mapping[int, DigitImage], ask: Ask) -> dict[int, list[Outcome]]:
        """What was said about each picture: rounds of questions until every picture is decided."""
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
        """The verdict, with the time, the money and the attempts of all who were asked."""
        outcome = self.verdict(said)
        costs = [answer.cost_usd for answer in said]
        total = replace(
            outcome, provider=self.name, latency_s=self._latency(said),
            cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
            attempts=sum(answer.attempts for answer in said),
        )  # fmt: skip
        if isinstance(total, Failure):
            return total
        predictions = [answer for answer in said if isinstance(answer, Prediction)]
        return replace(
            total, asked=tuple(said),
            calibrated=total.calibrated if len(said) == 1 else None,  # asking on changes the chances
            emulated=any(answer.emulated for answer in predictions),
            replayed=all(answer.replayed for answer in predictions),
        )  # fmt: skip

    def _latency(self, said: Sequence[Outcome]) -> float:
        """Seconds: those asked together take as long as the slowest, rounds add up."""
        spent, done = 0.0, 0
        while done < len(said):
            count = self.more(said[:done])
            spent += max(answer.latency_s for answer in said[done : done + count])
            done += count
        return spent
