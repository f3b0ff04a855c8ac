"""The cheapest way of asking that reaches an accuracy: engines alone, one after the other, or by vote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

from digitrec.arguments import number
from digitrec.benchmark.measures import Proportion, proportion
from digitrec.benchmark.prices import Prices, per_1000, price_list
from digitrec.benchmark.scorecard import is_right
from digitrec.comparison.policy import Consensus, EnginePolicy, Fallback
from digitrec.engine import Engine
from digitrec.errors import DataError
from digitrec.prediction import is_emulated
from digitrec.recognise import Outcome

THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Below which chance a fallback asks its next engine."""
MOST_PICTURES = 10_000_000
"""More than this are not worth naming."""
FEWEST = 20
"""Fewer pictures cannot be halved to any purpose."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way of asking, on some pictures."""

    name: str
    """An engine's or a policy's name."""
    right: Proportion
    """Right answers among all pictures, failures counting as not right."""
    cost_per_1000: float | None
    """US dollars for 1,000 pictures; None is unknown."""
    latency_s: float
    """Mean seconds for one picture."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is recommended, and what it was shown to reach."""

    accuracy: float
    """What was asked for, 0..1."""
    chosen: Option | None
    """The cheapest that reaches it, or comes nearest, with its figures on the half it was not chosen on;
    None when every way costs more than allowed, or an unknown amount."""
    tried: int
    """How many ways were tried; 0 when every engine was emulated."""

    @property
    def reached(self) -> bool:
        """Whether the lower end of its interval is at the accuracy or above."""
        low = self.chosen.right.low if self.chosen else None
        return low is not None and low >= self.accuracy

    @property
    def pictures_needed(self) -> int | None:
        """Pictures on which this share of right answers would show it; None: no number would."""
        share = self.chosen.right.share if self.chosen else None
        return None if share is None else _pictures_needed(share, self.accuracy)


def recommend(
    outcomes: Mapping[str, Sequence[Outcome]],
    engines: Mapping[str, Engine],
    labels: Sequence[int | None],
    accuracy: float,
    *,
    max_per_1000: float | None = None,
) -> Recommendation:
    """Choose on one half of the pictures, report on the other.

    Each engine alone, each fallback of two at every threshold of `THRESHOLDS`, and each vote of two and of
    three is tried on the answers that are there; nobody is asked again. Chosen is the cheapest whose
    interval lies wholly at the accuracy or above; where there is none, the one whose lower end is highest.
    An engine that was emulated is left out of all of them: its answers are not the vendor's.

    Args:
        outcomes: for each engine an outcome for each picture.
        engines: the same engines, by the same names.
        labels: the digit on each picture; None: it shows none.
        accuracy: share of all pictures to be answered rightly, 0..1.
        max_per_1000: US dollars that 1,000 pictures may cost at most; None: any known amount.

    Raises:
        TypeError, ValueError: no such accuracy or amount.
        DataError: there are fewer than `FEWEST` pictures.
    """
    number("the accuracy to be reached", accuracy, 0, 1)
    if max_per_1000 is not None:
        number("max_per_1000", max_per_1000, 0)
    if len(labels) < FEWEST:
        raise DataError(f"too few pictures ({len(labels)}) to choose on one half and report on the other")
    prices = price_list(engines.values())
    ways = dict(_ways({name: said for name, said in outcomes.items() if not is_emulated(said)}, engines))
    choosing, reporting = _halves(labels)
    tried = [_option(name, answers, labels, choosing, prices) for name, answers in ways.items()]
    allowed = [
        option for option in tried
        if option.cost_per_1000 is not None and (max_per_1000 is None or option.cost_per_1000 <= max_per_1000)
    ]  # fmt: skip
    if not allowed:
        return Recommendation(accuracy, None, len(tried))
    best = _cheapest(allowed, accuracy)
    return Recommendation(
        accuracy, _option(best.name, ways[best.name], labels, reporting, prices), len(tried)
    )


def _ways(
    outcomes: Mapping[str, Sequence[Outcome]], engines: Mapping[str, Engine]
) -> Iterator[tuple[str, Sequence[Outcome]]]:
    """Every way of asking these engines, and what it would have said."""
    yield from outcomes.items()
    known = [name for name in engines if name in outcomes]
    for pair in permutations(known, 2):
        for below in THRESHOLDS:
            yield _tried(Fallback([engines[name] for name in pair], below), pair, outcomes)
    for size in (2, 3):
        for names in combinations(known, size):
            yield _tried(Consensus([engines[name] for name in names], 2), names, outcomes)


def _tried(
    policy: EnginePolicy, names: Sequence[str], outcomes: Mapping[str, Sequence[Outcome]]
) -> tuple[str, Sequence[Outcome]]:
    rows = zip(*(outcomes[name] for name in names), strict=True)
    return policy.name, [policy.on_answers(row) for row in rows]


def _halves(labels: Sequence[int | None]) -> tuple[list[int], list[int]]:
    """Places of the pictures in either half, always the same ones for the same labels."""
    from sklearn.model_selection import train_test_split

    choosing, reporting = train_test_split(range(len(labels)), test_size=0.5, random_state=0)
    return choosing, reporting


def _option(
    name: str,
    answers: Sequence[Outcome],
    labels: Sequence[int | None],
    places: Sequence[int],
    prices: Prices,
) -> Option:
    picked = [answers[place] for place in places]
    right = sum(is_right(answers[place], labels[place]) for place in places)
    latency_s = sum(answer.latency_s for answer in picked) / len(picked)
    return Option(name, proportion(right, len(picked)), per_1000(picked, prices), latency_s)


def _cheapest(options: Sequence[Option], accuracy: float) -> Option:
    """The cheapest that reaches the accuracy, the faster of two; else the one that comes nearest."""
    reaching = [option for option in options if (option.right.low or 0.0) >= accuracy]
    if reaching:
        return min(reaching, key=lambda option: (option.cost_per_1000 or 0.0, option.latency_s))
    return max(options, key=lambda option: (option.right.low or 0.0, -(option.cost_per_1000 or 0.0)))


def _pictures_needed(share: float, accuracy: float) -> int | None:
    """The fewest pictures on which the interval around this share would lie at the accuracy or above."""
    if share <= accuracy:
        return None
    fewest, most = 1, MOST_PICTURES
    while fewest < most:
        middle = (fewest + most) // 2
        low = proportion(round(share * middle), middle).low
        if low is not None and low >= accuracy:
            most = middle
        else:
            fewest = middle + 1
    return most
