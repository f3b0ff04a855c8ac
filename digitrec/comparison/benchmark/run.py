"""Benchmark engines on the same labelled pictures: answers, scorecards, and pairwise tests."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import combinations
from statistics import median
from typing import Any

from digitrec import __version__
from digitrec.answer.prediction import Outcome, Prediction, is_emulated
from digitrec.comparison import Ask
from digitrec.comparison.benchmark.measure import (
    Scorecard,
    is_right,
    is_wrong,
    measure_all,
    price_list,
    scorecard,
)
from digitrec.comparison.benchmark.measures import Label, by_groups, holm, mcnemar, share
from digitrec.comparison.benchmark.numbers import NumberScore, score
from digitrec.comparison.benchmark.recommend import Recommendation, check, recommend
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.policy import EnginePolicy
from digitrec.engine import Engine
from digitrec.errors import arguments
from digitrec.providers.base import Provider
from digitrec.recognise import calibration
from digitrec.recognise.readers import Reader, reader_for

KEPT = (
    "digit", "confidence", "calibrated", "reason", "text", "latency_s", "cost_usd", "attempts", "emulated",
    "replayed",
)  # fmt: skip
"""The fields that differ between an engine's answers."""
SIGNIFICANCE = 0.05
"""A difference is claimed only below this corrected p-value."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two engines compared on the pictures that both answered."""

    first: str
    """Name of the first engine."""
    second: str
    """Name of the second engine."""
    n: int
    """Pictures that both answered."""
    only_first: int
    """Pictures that only the first got right."""
    only_second: int
    """Pictures that only the second got right."""
    agreement: float | None
    """Share of the pictures on which both said the same, 0..1; None without pictures."""
    p: float | None
    """p-value of `Benchmark.test`, 0..1; None if an emulator is involved."""
    p_corrected: float | None
    """p-value corrected by Holm's method for all tested pairs of the benchmark; None as for ``p``."""

    @property
    def better(self) -> str | None:
        """Name of the significantly better engine; None without a significant difference."""
        if self.p_corrected is None or self.p_corrected >= SIGNIFICANCE:
            return None
        return self.first if self.only_first > self.only_second else self.second


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The answers of several engines, and their statistics."""

    data: str
    """Name of the data set."""
    samples: tuple[Sample, ...]
    """The pictures with their labels."""
    outcomes: Mapping[str, tuple[Outcome, ...]]
    """For each engine, by name, an outcome for each picture."""
    cards: tuple[Scorecard, ...]
    """A scorecard for each engine; the highest lower end of its interval first, emulated ones last."""
    pairs: tuple[Pair, ...]
    """A comparison of every two engines."""
    fitted_here: tuple[str, ...]
    """Names of the engines whose calibrated chances were fitted on these very pictures."""
    started: str
    """Start of the benchmark, ISO 8601, UTC."""
    seconds: float
    """Duration, in seconds."""
    settings: Mapping[str, str]
    """How the engines were asked, in words."""
    versions: Mapping[str, str]
    """Versions of digitrec and Python, and the machine."""
    recommendation: Recommendation | None = None
    """The recommendation for the target; None without a target."""
    numbers: tuple[NumberScore, ...] = ()
    """How each engine reads numbers, in the order of the cards; empty for digits."""

    @property
    def kind(self) -> str:
        """Kind of answers: "digit" or "number"."""
        return "number" if self.numbers else "digit"

    @property
    def is_grouped(self) -> bool:
        """Whether the pictures come in groups, which intervals and tests keep whole."""
        return any(sample.group for sample in self.samples)

    @property
    def test(self) -> str:
        """Name of the test of two engines."""
        return "Permutation test of whole groups" if self.is_grouped else "McNemar's exact test"

    @property
    def opening_s(self) -> float:
        """Seconds that reading and decoding a picture took, once for all engines: the median, >= 0."""
        return median(outcome.image.opening_s for outcome in next(iter(self.outcomes.values())))

    @property
    def labels(self) -> tuple[Label, ...]:
        """The label of each picture; None: a refusal is right."""
        return tuple(sample.truth for sample in self.samples)

    def called(self, engine: str) -> str:
        """Return the engine's name, marked if it was emulated."""
        return next(card.name for card in self.cards if card.engine == engine)

    @property
    def misread(self) -> tuple[int, ...]:
        """Indices of the pictures with a wrong answer; those with the most wrong answers first.

        An emulator's answers count only if no real engine was asked.
        """
        engines = [card.engine for card in self.cards if not card.emulated] or self.outcomes
        wrong = Counter(
            place for engine in engines for place, outcome in enumerate(self.outcomes[engine])
            if is_wrong(outcome, self.samples[place].truth)
        )  # fmt: skip
        return tuple(sorted(wrong, key=lambda place: (-wrong[place], place)))

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the pictures, as JSON-like values."""
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
            **({"numbers": [asdict(one) for one in self.numbers]} if self.numbers else {}),
        }

    def answers(self) -> Iterator[dict[str, Any]]:
        """Yield each picture's label and the fields `KEPT` of every engine's answer, JSON-like."""
        for label, *said in zip(self.labels, *self.outcomes.values(), strict=True):
            image = said[0].image
            answers = dict(zip(self.outcomes, map(_brief, said), strict=True))
            yield {"source": image.source, "sha256": image.sha256, "label": label, "answers": answers}


def _brief(outcome: Outcome) -> dict[str, Any]:
    """Return the fields that differ between an engine's answers."""
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
    ask: Ask | None = None,
    target: float | None = None,
    budget: float | None = None,
    settings: Mapping[str, str] | None = None,
    arrived: Callable[[Outcome], object] = lambda _: None,
) -> Benchmark:
    """Ask every engine about every picture.

    An interrupted benchmark continues when it is run again: paid answers come from the ledger.

    Args:
        samples: labelled pictures.
        engines: names, providers, engines and policies, by their names in the report.
        data: name of the data set.
        policies: scored as well, on the answers of their engines, which are among ``engines``.
        lenient: also take a letter that resembles a digit.
        ask: function that asks an engine about pictures, such as `comparison.numbers.numbers_asked`; None:
            `recognise.stream`.
        target: share of right answers, 0..1; recommend the cheapest engine or policy that reaches it. None:
            recommend nothing.
        budget: largest cost of the recommendation for 1,000 pictures, in US dollars; None: any amount.
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
        raise ValueError("name at least one engine")
    if target is not None:
        check(target, budget, len(samples))
    readers = {name: reader_for(engine) for name, engine in engines.items()}
    start, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    results = measure_all(samples, readers, data, lenient=lenient, ask=ask, arrived=arrived)
    outcomes = {name: found.outcomes for name, found in results.items()}
    own = {name: reader for name, reader in readers.items() if isinstance(reader, Engine)}
    said = {name: outcomes[name] for name in own}
    recommendation = None if target is None else recommend(said, own, samples, target, budget)
    cards, prices = [found.card for found in results.values()], price_list(readers.values())
    for policy in policies:
        outcomes[policy.name] = policy.on_all_answers(own, outcomes)
        cards.append(scorecard(policy.name, outcomes[policy.name], samples, prices=prices))
    cards.sort(key=lambda card: (card.emulated, -(card.accuracy.low or 0.0)))
    scores = [score(card.engine, outcomes[card.engine], samples) for card in cards]
    return Benchmark(
        data, tuple(samples), outcomes, tuple(cards),
        pairs=pairs(outcomes, samples), fitted_here=_fitted_here(outcomes),
        started=started, seconds=time.perf_counter() - start,
        settings=settings or {}, versions=_versions(), recommendation=recommendation,
        numbers=tuple(one for one in scores if one is not None),
    )  # fmt: skip


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


def pairs(outcomes: Mapping[str, Sequence[Outcome]], samples: Sequence[Sample]) -> tuple[Pair, ...]:
    """Compare every two engines; the p-values are corrected for the number of tested pairs.

    If the pictures come in groups, the test exchanges whole groups.

    Args:
        outcomes: for each engine an outcome for each picture.
        samples: the pictures.
    """
    found = [_pair(names, outcomes, samples) for names in combinations(outcomes, 2)]
    corrected = iter(holm([pair.p for pair in found if pair.p is not None]))
    return tuple(pair if pair.p is None else replace(pair, p_corrected=next(corrected)) for pair in found)


def _pair(
    names: tuple[str, str], outcomes: Mapping[str, Sequence[Outcome]], samples: Sequence[Sample]
) -> Pair:
    rows = zip(*(outcomes[name] for name in names), samples, strict=True)
    both = [
        (one, other, sample) for one, other, sample in rows
        if isinstance(one, Prediction) and isinstance(other, Prediction)
    ]  # fmt: skip
    groups = [sample.group for *_, sample in both]
    wins = [int(is_right(one, it.truth)) - int(is_right(other, it.truth)) for one, other, it in both]
    p = by_groups(wins, groups) if any(groups) else mcnemar(wins.count(1), wins.count(-1))
    emulated = any(is_emulated(outcomes[name]) for name in names)
    same = sum(one.answer == other.answer for one, other, _ in both)
    return Pair(
        *names, len(both), wins.count(1), wins.count(-1),
        agreement=share(same, len(both)),
        p=None if emulated else p, p_corrected=None,
    )  # fmt: skip
