"""Asks the engines about labelled pictures, all engines at the same time, and keeps what they said."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from digitrec import __version__
from digitrec.answer.prediction import Outcome, Prediction
from digitrec.comparison.benchmark.pairs import Pair, pairs
from digitrec.comparison.benchmark.recommend import Recommendation, check, recommend
from digitrec.comparison.benchmark.scorecard import Scorecard, is_wrong, price_list, scorecard
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.policy import EnginePolicy
from digitrec.comparison.race import race
from digitrec.engine import Engine
from digitrec.errors import DataError, arguments
from digitrec.providers.base import Provider
from digitrec.recognise import calibration, stream
from digitrec.recognise.readers import Reader, reader_for

KEPT = (
    "digit", "confidence", "calibrated", "reason", "text", "latency_s", "cost_usd", "attempts", "emulated",
    "replayed",
)  # fmt: skip
"""What is told of each answer; the rest is the same for all of an engine's."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What came of it, whole: every answer, and the statistics over them."""

    data: str
    """What the pictures are called."""
    samples: tuple[Sample, ...]
    """The pictures and what they show."""
    outcomes: Mapping[str, tuple[Outcome, ...]]
    """For each engine, by name, an outcome for each picture."""
    cards: tuple[Scorecard, ...]
    """A scorecard for each engine; the highest lower end of its interval first, emulated ones last."""
    pairs: tuple[Pair, ...]
    """Every two engines compared."""
    fitted_here: tuple[str, ...]
    """Names of the engines whose calibrated chances were fitted on these very pictures."""
    started: str
    """When, ISO 8601, UTC."""
    seconds: float
    """How long it took."""
    settings: Mapping[str, str]
    """How the engines were asked, in words."""
    versions: Mapping[str, str]
    """Of digitrec, Python and the machine."""
    recommendation: Recommendation | None = None
    """The cheapest way of asking that reaches the target; None: no target was given."""

    @property
    def opening_s(self) -> float:
        """Seconds that reading and decoding a picture took, once for all engines: the median, >= 0."""
        return median(outcome.image.opening_s for outcome in next(iter(self.outcomes.values())))

    @property
    def labels(self) -> tuple[int | None, ...]:
        """The digit on each picture; None: it shows none."""
        return tuple(sample.label for sample in self.samples)

    def title(self, place: int) -> str:
        """What to call a picture: its file, or its number (from 0) in a data set."""
        source = self.said(place)[0].image.source
        return f"no. {place}" if source.startswith("<") else Path(source).name

    def shows(self, place: int) -> str:
        """The digit on a picture in words; "none" if it shows none."""
        label = self.samples[place].label
        return "none" if label is None else str(label)

    def said(self, place: int) -> list[Outcome]:
        """Every engine's outcome for a picture."""
        return [outcomes[place] for outcomes in self.outcomes.values()]

    def called(self, engine: str) -> str:
        """The engine's name, marked if it was emulated."""
        return next(card.name for card in self.cards if card.engine == engine)

    def is_wrong(self, outcome: Outcome, place: int) -> bool:
        """Whether the outcome names a wrong digit for a picture."""
        return is_wrong(outcome, self.samples[place].label)

    @property
    def misread(self) -> tuple[int, ...]:
        """Places of the pictures with a wrong answer; those with the most wrong answers first."""
        votes = enumerate(self._votes())
        wrong = {place: sum(self.is_wrong(vote, place) for vote in said) for place, said in votes}
        return tuple(sorted((place for place in wrong if wrong[place]), key=lambda place: -wrong[place]))

    @property
    def splitting(self) -> tuple[int, ...]:
        """Places of the pictures on which the answers differ."""
        votes = enumerate(self._votes())
        return tuple(place for place, said in votes if len({vote.digit for vote in said}) > 1)

    def _votes(self) -> Iterator[list[Prediction]]:
        """For each picture the answers that count: an emulator's only if no real engine was asked."""
        engines = [card for card in self.cards if not card.emulated] or self.cards
        for row in zip(*(self.outcomes[card.engine] for card in engines), strict=True):
            yield [outcome for outcome in row if isinstance(outcome, Prediction)]

    def as_dict(self) -> dict[str, Any]:
        """Everything but the pictures, as JSON-like values."""
        return {
            "data": self.data,
            "pictures": len(self.samples),
            "started": self.started,
            "seconds": self.seconds,
            "opening_s": self.opening_s,
            "settings": dict(self.settings),
            "versions": dict(self.versions),
            "fitted_here": list(self.fitted_here),
            "engines": [asdict(card) for card in self.cards],
            "pairs": [asdict(pair) | {"better": pair.better} for pair in self.pairs],
            "recommendation": self.recommendation and asdict(self.recommendation),
            "answers": list(self.answers()),
        }

    def answers(self) -> Iterator[dict[str, Any]]:
        """For each picture its label and the fields `KEPT` of every engine's answer, JSON-like."""
        for place, label in enumerate(self.labels):
            said = self.said(place)
            image = said[0].image
            answers = dict(zip(self.outcomes, map(_brief, said), strict=True))
            yield {"source": image.source, "sha256": image.sha256, "label": label, "answers": answers}


def _brief(outcome: Outcome) -> dict[str, Any]:
    """The fields that differ between an engine's answers."""
    if not isinstance(outcome, Prediction):
        return {"error": f"{type(outcome.error).__name__}: {outcome.error}"}
    return {name: getattr(outcome, name) for name in KEPT}


def benchmark(
    samples: Sequence[Sample],
    engines: Mapping[str, str | Provider | Reader],
    *,
    data: str,
    policies: Sequence[EnginePolicy] = (),
    lenient: bool = False,
    target: float | None = None,
    budget: float | None = None,
    settings: Mapping[str, str] | None = None,
    arrived: Callable[[Outcome], object] = lambda _: None,
) -> Benchmark:
    """Ask every engine about every picture.

    Broken off and run again, it goes on where it was: paid answers come from the ledger.

    Args:
        samples: labelled pictures.
        engines: names, providers, engines and policies, under the names that they shall have in the report.
        data: what the pictures are called.
        policies: scored as well, on the answers of their engines, which are among ``engines``.
        lenient: also take a letter that resembles a digit.
        target: share of the pictures to be answered rightly, 0..1: the cheapest way of asking these engines
            that reaches it is recommended; None: nothing is.
        budget: US dollars that 1,000 pictures may cost at most by what is recommended; None: any amount.
        settings: how the engines are asked, for the report.
        arrived: called with every outcome as it arrives.

    Raises:
        DataError: there are no pictures, or too few for a recommendation.
        TypeError, ValueError: no engines, or something else in their place; a wrong target or budget.
        UnknownProvider, NotInstalled, NotConfigured, ModelError: a name that cannot be asked.
    """
    if not isinstance(engines, Mapping):
        raise TypeError(
            f"engines are given by name, such as {{'local': 'local'}}, not as {arguments.said(engines)}"
        )
    if not engines:
        raise ValueError("no engine is named: give one at least")
    if not samples:
        raise DataError(f"{data}: no labelled pictures")
    if target is not None:
        check(target, budget, len(samples))
    readers = {name: reader_for(engine) for name, engine in engines.items()}
    start, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    outcomes, spent_s = _asked(samples, readers, lenient, arrived)
    labels = [sample.label for sample in samples]
    own = {name: reader for name, reader in readers.items() if isinstance(reader, Engine)}
    said = {name: outcomes[name] for name in own}
    recommendation = None if target is None else recommend(said, own, labels, target, budget)
    outcomes |= {policy.name: policy.on_all_answers(own, outcomes) for policy in policies}
    prices = price_list(readers.values())
    cards = [
        scorecard(name, said, labels, spent_s=spent_s.get(name, 0.0), prices=prices)
        for name, said in outcomes.items()
    ]
    return Benchmark(
        data, tuple(samples), outcomes,
        cards=tuple(sorted(cards, key=lambda card: (card.emulated, -(card.accuracy.low or 0.0)))),
        pairs=pairs(outcomes, labels), fitted_here=_fitted_here(outcomes),
        started=started, seconds=time.perf_counter() - start,
        settings=settings or {}, versions=_versions(), recommendation=recommendation,
    )  # fmt: skip


def _asked(
    samples: Sequence[Sample],
    readers: Mapping[str, Reader],
    lenient: bool,
    arrived: Callable[[Outcome], object],
) -> tuple[dict[str, tuple[Outcome, ...]], dict[str, float]]:
    """Every engine's outcomes in the order of the pictures, and the seconds that it worked."""
    names = list(readers)
    found: dict[str, dict[int, Outcome]] = {name: {} for name in names}
    spent_s = dict.fromkeys(names, 0.0)
    images = (sample.image for sample in samples)
    for arrival in race(images, list(readers.values()), partial(stream, lenient=lenient)):
        name = names[arrival.reader]
        found[name][arrival.image] = arrival.outcome
        spent_s[name] += arrival.spent_s
        arrived(arrival.outcome)
    return {name: tuple(said[place] for place in sorted(said)) for name, said in found.items()}, spent_s


def _fitted_here(outcomes: Mapping[str, Sequence[Outcome]]) -> tuple[str, ...]:
    calibrations = calibration.known()
    answers = {name: [it for it in said if isinstance(it, Prediction)] for name, said in outcomes.items()}
    return tuple(name for name, said in answers.items() if calibration.fitted_on(said, calibrations))


def _versions() -> dict[str, str]:
    return {
        "digitrec": __version__,
        "Python": platform.python_version(),
        "SciPy": version("scipy"),
        "scikit-learn": version("scikit-learn"),
        "machine": f"{platform.system()} {platform.machine()}",
    }
