"""Many engines on the same labelled pictures: every answer, a scorecard for each, and every two compared."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain, combinations
from pathlib import Path
from statistics import median
from typing import Any

from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from digitrec import __version__
from digitrec.answer.prediction import Outcome, Prediction, is_emulated
from digitrec.comparison.benchmark.measure import measure_all
from digitrec.comparison.benchmark.measures import NONE
from digitrec.comparison.benchmark.recommend import Recommendation, check, recommend
from digitrec.comparison.benchmark.scorecard import Scorecard, is_right, is_wrong, price_list, scorecard
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
"""What is told of each answer; the rest is the same for all of an engine's."""
SIGNIFICANCE = 0.05
"""A difference is claimed only below this corrected p-value."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two engines compared on the pictures that both answered."""

    first: str
    """Name of the one."""
    second: str
    """Name of the other."""
    n: int
    """Pictures that both answered."""
    only_first: int
    """Pictures that only the first got right."""
    only_second: int
    """Pictures that only the second got right."""
    agreement: float | None
    """Share of the pictures on which both said the same, 0..1; None without pictures."""
    kappa: float | None
    """Cohen's kappa, -1..1: agreement beyond chance; None where chance alone would agree always."""
    p: float | None
    """p-value of McNemar's exact test that neither is better, 0..1; None where an emulator had a part."""
    p_corrected: float | None
    """The same, corrected by Holm's method for all tested pairs of the benchmark."""
    emulated: tuple[str, ...] = ()
    """Which of the two were emulated: the pair is shown, not tested, and takes no part in the correction."""

    @property
    def better(self) -> str | None:
        """Name of the one that is shown to be better; None where no difference is shown."""
        if self.p_corrected is None or self.p_corrected >= SIGNIFICANCE:
            return None
        return self.first if self.only_first > self.only_second else self.second


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
    if target is not None:
        check(target, budget, len(samples))
    readers = {name: reader_for(engine) for name, engine in engines.items()}
    start, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    results = measure_all(samples, readers, data, lenient=lenient, arrived=arrived)
    outcomes = {name: found.outcomes for name, found in results.items()}
    labels = [sample.label for sample in samples]
    own = {name: reader for name, reader in readers.items() if isinstance(reader, Engine)}
    said = {name: outcomes[name] for name in own}
    recommendation = None if target is None else recommend(said, own, labels, target, budget)
    cards, prices = [found.card for found in results.values()], price_list(readers.values())
    for policy in policies:
        outcomes[policy.name] = policy.on_all_answers(own, outcomes)
        cards.append(scorecard(policy.name, outcomes[policy.name], labels, prices=prices))
    return Benchmark(
        data, tuple(samples), outcomes,
        cards=tuple(sorted(cards, key=lambda card: (card.emulated, -(card.accuracy.low or 0.0)))),
        pairs=pairs(outcomes, labels), fitted_here=_fitted_here(outcomes),
        started=started, seconds=time.perf_counter() - start,
        settings=settings or {}, versions=_versions(), recommendation=recommendation,
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


def pairs(outcomes: Mapping[str, Sequence[Outcome]], labels: Sequence[int | None]) -> tuple[Pair, ...]:
    """Compare every two engines; the p-values are corrected for the number of tested pairs."""
    found = [_pair(first, second, outcomes, labels) for first, second in combinations(outcomes, 2)]
    corrected = iter(holm([pair.p for pair in found if pair.p is not None]))
    return tuple(pair if pair.p is None else replace(pair, p_corrected=next(corrected)) for pair in found)


def _pair(
    first: str, second: str, outcomes: Mapping[str, Sequence[Outcome]], labels: Sequence[int | None]
) -> Pair:
    rows = zip(outcomes[first], outcomes[second], labels, strict=True)
    both = [
        (one, other, label) for one, other, label in rows
        if isinstance(one, Prediction) and isinstance(other, Prediction)
    ]  # fmt: skip
    right = Counter((is_right(one, label), is_right(other, label)) for one, other, label in both)
    only_first, only_second = right[True, False], right[False, True]
    emulated = tuple(name for name in (first, second) if is_emulated(outcomes[name]))
    return Pair(
        first, second, len(both), only_first, only_second,
        agreement=sum(one.digit == other.digit for one, other, _ in both) / len(both) if both else None,
        kappa=_kappa([(one.digit, other.digit) for one, other, _ in both]),
        p=None if emulated else mcnemar(only_first, only_second), p_corrected=None, emulated=emulated,
    )  # fmt: skip


def mcnemar(only_first: int, only_second: int) -> float:
    """p-value of McNemar's exact test: are the pictures that one alone got right split evenly?"""
    split = only_first + only_second
    return float(binomtest(only_first, split, 0.5).pvalue) if split else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number by Holm's step-down method (Holm 1979), in the same order."""
    corrected = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def _kappa(answers: Sequence[tuple[int | None, int | None]]) -> float | None:
    said = [[NONE if digit is None else digit for digit in row] for row in zip(*answers, strict=True)]
    if len(set(chain(*said))) < 2:  # one answer throughout: agreement beyond chance is undefined
        return None
    return float(cohen_kappa_score(*said))
