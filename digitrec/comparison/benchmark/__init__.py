"""Measure engines on the same labelled pictures, and test which differences are more than chance.

`measure` scores each engine; this package compares every two engines and recommends one. Importing it without
the extra ``stats`` (SciPy and scikit-learn) raises NotInstalled.
"""

import math
import platform
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain, combinations, compress, permutations, product
from statistics import NormalDist, fmean, median
from typing import Any

import numpy as np

from digitrec import __version__
from digitrec.answer import Outcome, Prediction, is_emulated
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.policy import Consensus, EnginePolicy, Fallback
from digitrec.engine import Engine
from digitrec.errors import DataError
from digitrec.providers.base import is_installed, not_installed
from digitrec.recognise import calibration

if not (is_installed("scipy") and is_installed("sklearn")):
    raise not_installed("Measuring", "stats")

from digitrec.comparison.benchmark import measure, measures
from digitrec.comparison.benchmark.measure import is_right, is_same, is_wrong

KEPT = (
    "digit", "answer", "confidence", "calibrated", "reason", "text", "latency_s", "cost_usd", "attempts",
    "emulated", "replayed",
)  # fmt: skip
"""Fields that are written for each answer; the others are the same in all answers of an engine."""
SIGNIFICANCE = 0.05
"""A difference is claimed only below this corrected p-value."""
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Thresholds at which each fallback is tried."""
FEWEST = 20
"""Minimum number of pictures."""


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
    """p-value of `Benchmark.test`, 0..1; None if an emulator is involved, or no picture has both answers."""
    p_corrected: float | None
    """p-value corrected by Holm's method for all tested pairs of the benchmark; None as for ``p``."""

    @property
    def better(self) -> str | None:
        """Name of the significantly better engine; None without a significant difference."""
        if self.p_corrected is None or self.p_corrected >= SIGNIFICANCE:
            return None
        return self.first if self.only_first > self.only_second else self.second


@dataclass(frozen=True, slots=True)
class Option:
    """An engine or a policy, measured on some pictures."""

    name: str
    """An engine's or a policy's name."""
    right: measures.Proportion
    """Right answers among all pictures; a failure is not right."""
    cost_per_1000: float | None
    """US dollars for 1,000 pictures, from all pictures; None: unknown."""
    latency_s: float | None
    """Mean seconds for one picture; None if all answers came from the ledger."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The recommended option; its accuracy is measured on pictures that were not used to choose it."""

    target: float
    """The accuracy to reach, 0..1."""
    chosen: Option | None
    """The cheapest option that reaches the target, else the most accurate one, with its figures on the half
    of the pictures that was not used to choose it; None: no option fits the budget."""
    tried: int
    """Number of options that were compared; 0 if every engine was emulated, or too few pictures remained."""
    left_out: int = 0
    """Number of pictures that were left out because the run's budget ended before an engine was asked."""

    @property
    def reached(self) -> bool:
        """Whether the lower end of the option's interval is at or above the target."""
        return self.chosen is not None and (self.chosen.right.low or 0.0) >= self.target

    @property
    def enough(self) -> int | None:
        """Number of pictures, without groups, that show the same accuracy to reach the target; None: none."""
        above = 0.0 if self.chosen is None else (self.chosen.right.share or 0.0) - self.target
        if above <= 0:
            return None
        z = NormalDist().inv_cdf((1 + measures.CONFIDENCE_LEVEL) / 2)
        half = z**2 * self.target * (1 - self.target) / above**2  # puts the end of Wilson's interval there
        return 2 * math.ceil(half)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The answers of several engines, and their statistics."""

    data: str
    """Name of the data set."""
    samples: tuple[Sample, ...]
    """The pictures with their labels."""
    outcomes: Mapping[str, tuple[Outcome, ...]]
    """For each engine, by name, an outcome for each picture."""
    cards: tuple[measure.Scorecard, ...]
    """A scorecard for each engine; the highest lower end of its interval first, emulated ones last."""
    pairs: tuple[Pair, ...]
    """A comparison of every two engines."""
    fitted_here: tuple[str, ...]
    """Names of the engines whose calibration was fitted on some of these pictures."""
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
    numbers: tuple[measure.NumberScore, ...] = ()
    """How each engine reads numbers, in the order of the cards; empty for digits."""

    @property
    def kind(self) -> str:
        """Kind of answers: "digit" or "number"."""
        return "number" if self.numbers else "digit"

    @property
    def is_grouped(self) -> bool:
        """Whether the pictures have groups, which intervals and tests keep together."""
        return any(sample.group for sample in self.samples)

    @property
    def test(self) -> str:
        """Name of the test of two engines."""
        return "Permutation test of whole groups" if self.is_grouped else "McNemar's exact test"

    @property
    def opening_s(self) -> float:
        """Median seconds to read and decode a picture, which is done once for all engines, >= 0."""
        return median(outcome.image.opening_s for outcome in next(iter(self.outcomes.values())))

    @property
    def labels(self) -> tuple[measures.Label, ...]:
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
        for sample, *said in zip(self.samples, *self.outcomes.values(), strict=True):
            image, answers = said[0].image, {}
            for name, outcome in zip(self.outcomes, said, strict=True):
                answers[name] = (
                    {field: getattr(outcome, field) for field in KEPT}
                    if isinstance(outcome, Prediction)
                    else {"error": f"{type(outcome.error).__name__}: {outcome.error}"}
                )
            source = sample.name or image.source
            yield {"source": source, "sha256": image.sha256, "label": sample.truth, "answers": answers}


def benchmark(
    samples: Sequence[Sample],
    engines: Mapping[str, Engine],
    *,
    data: str,
    policies: Sequence[EnginePolicy] = (),
    target: float | None = None,
    budget: float | None = None,
    settings: Mapping[str, str] | None = None,
    **how: Any,
) -> Benchmark:
    """Ask every engine about every picture.

    An interrupted benchmark continues when it is run again: paid answers come from the ledger.

    Args:
        samples: labelled pictures.
        engines: engines by their names in the report.
        data: name of the data set.
        policies: also scored, on the answers of their engines, which must be among ``engines``.
        target: share of right answers, 0..1; recommend the cheapest engine or policy that reaches it. None:
            recommend nothing.
        budget: largest cost of the recommendation for 1,000 pictures, in US dollars; None: any amount.
        settings: how the engines are asked, for the report.
        how: options of `measure.ask_all` and `compare_stream`, such as ``arrived``, ``lenient`` or ``ask``.

    Raises:
        DataError: there are no pictures, or too few for a recommendation.
    """
    if target is not None and len(samples) < FEWEST:
        raise DataError(f"too few pictures ({len(samples)}) to choose on one half and report on the other")
    start, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    outcomes = measure.ask_all(samples, engines, data, **how)
    recommendation = None if target is None else recommend(outcomes, engines, samples, target, budget)
    for policy in policies:
        found = policy.on_all_answers(engines, outcomes)
        outcomes |= {name: tuple(map(_within_budget, said)) for name, said in found.items()}
    prices = measure.price_list(engines.values())
    cards = [measure.scorecard(name, said, samples, prices) for name, said in outcomes.items()]
    cards.sort(key=lambda card: (card.emulated, -(card.accuracy.low or 0.0)))
    scores = [measure.score(card.engine, outcomes[card.engine], samples) for card in cards]
    known = calibration.known()
    return Benchmark(
        data, tuple(samples), outcomes, tuple(cards), pairs(outcomes, samples),
        fitted_here=tuple(name for name, said in outcomes.items() if calibration.fitted_on(said, known)),
        started=started, seconds=time.perf_counter() - start,
        settings=settings or {}, versions=_versions(), recommendation=recommendation,
        numbers=tuple(one for one in scores if one is not None),
    )  # fmt: skip


def _within_budget(outcome: Outcome) -> Outcome:
    """Return a policy's outcome, or the Failure of an engine that it could not ask: it would say more."""
    return next(filter(measure.is_over_budget, getattr(outcome, "asked", ())), outcome)


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
    corrected = iter(measures.holm([pair.p for pair in found if pair.p is not None]))
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
    p = measures.by_groups(wins, groups) if any(groups) else measures.mcnemar(wins.count(1), wins.count(-1))
    emulated = any(is_emulated(outcomes[name]) for name in names)
    same = sum(is_same(one.answer, other.answer) for one, other, _ in both)
    return Pair(
        *names, len(both), wins.count(1), wins.count(-1),
        agreement=measures.proportion(same, len(both)).share,
        p=None if emulated or not both else p, p_corrected=None,
    )  # fmt: skip


def recommend(
    outcomes: Mapping[str, Sequence[Outcome]],
    engines: Mapping[str, Engine],
    samples: Sequence[Sample],
    target: float,
    budget: float | None = None,
) -> Recommendation:
    """Choose an engine or policy on one half of the pictures; measure it on the other half.

    Pictures of one group are in the same half, as are copies. On the answers of the first half, try each
    engine alone, each fallback of two engines at each of `THRESHOLDS`, and each vote of two and of three
    engines. Choose the cheapest option whose interval lies wholly at or above the target; if there is none,
    the option with the highest lower end. Emulated engines are not considered, nor are pictures about which
    an engine was not asked because the run's budget ended; if fewer than `FEWEST` remain, nothing is chosen.

    Args:
        outcomes: for each engine an outcome for each picture.
        engines: the engines to choose from, by the same names.
        samples: the pictures.
        target: minimum share of all pictures with a right answer, 0..1.
        budget: maximum US dollars for 1,000 pictures; None: any known amount.
    """
    real = {name: engine for name, engine in engines.items() if not is_emulated(outcomes[name])}
    said = zip(*(outcomes[name] for name in real), strict=True) if real else [()] * len(samples)
    asked = [not any(map(measure.is_over_budget, each)) for each in said]
    left_out = asked.count(False)
    if sum(asked) < FEWEST:
        return Recommendation(target, None, 0, left_out)
    samples = [*compress(samples, asked)]
    outcomes = {name: [*compress(said, asked)] for name, said in outcomes.items()}
    prices = measure.price_list(engines.values())
    options = {name: outcomes[name] for name in real}
    for policy in _policies([*real.values()]):
        options |= policy.on_all_answers(real, outcomes)
    shown = [one.image.sha256 or one.image.source for one in next(iter(outcomes.values()))]
    choosing, reporting = _halves([one.group or key for one, key in zip(samples, shown, strict=True)])

    def measured(name: str, places: Sequence[int]) -> Option:
        answers = [options[name][place] for place in places]
        some = [samples[place] for place in places]
        right = [is_right(answer, sample.truth) for answer, sample in zip(answers, some, strict=True)]
        seconds = [answer.latency_s for answer in answers if measure.is_timed(answer)]
        return Option(
            name, measures.share_of(right, [sample.group for sample in some]),
            measure.per_1000(options[name], prices), fmean(seconds) if seconds else None,
        )  # fmt: skip

    most = math.inf if budget is None else budget
    tried = [measured(name, choosing) for name in options]
    allowed = [one for one in tried if one.cost_per_1000 is not None and one.cost_per_1000 <= most]
    best = _cheapest(allowed, target)
    return Recommendation(target, best and measured(best.name, reporting), len(tried), left_out)


def _halves(groups: Sequence[str]) -> tuple[Sequence[int], Sequence[int]]:
    """Divide pictures at random into halves as even as whole groups allow; the first one is not smaller."""
    together = groups if len(set(groups)) > 1 else range(len(groups))
    _, places, sizes = np.unique(together, return_inverse=True, return_counts=True)
    mixed = np.random.default_rng(0).permutation(len(sizes))
    halves: tuple[list[int], list[int]] = ([], [])
    held = [0, 0]
    for group in mixed[np.argsort(-sizes[mixed], kind="stable")]:
        smaller = int(held[1] < held[0])
        held[smaller] += sizes[group]
        halves[smaller].append(group)
    first = np.isin(places, halves[int(held[1] > held[0])])
    return np.flatnonzero(first).tolist(), np.flatnonzero(~first).tolist()


def _policies(engines: Sequence[Engine]) -> Iterator[EnginePolicy]:
    """Yield each fallback of two at each threshold, and each vote of two and of three."""
    for pair, below in product(permutations(engines, 2), THRESHOLDS):
        yield Fallback(pair, below)
    for members in chain(combinations(engines, 2), combinations(engines, 3)):
        yield Consensus(members, 2)


def _cheapest(options: Sequence[Option], target: float) -> Option | None:
    """Return the cheapest (then fastest) option that reaches the target, else the nearest to it."""
    reaching = [one for one in options if (one.right.low or 0.0) >= target]
    if reaching:
        return min(reaching, key=lambda one: (one.cost_per_1000 or 0.0, one.latency_s is None, one.latency_s))
    return max(options, key=lambda one: (one.right.low or 0.0, -(one.cost_per_1000 or 0.0)), default=None)
