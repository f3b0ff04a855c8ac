"""Find the cheapest engine, fallback of two or vote that reaches an accuracy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from statistics import fmean

from sklearn.model_selection import train_test_split

from digitrec.answer.prediction import Outcome, is_emulated
from digitrec.comparison.benchmark.measure import is_right, per_1000, price_list
from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.policy import Consensus, EnginePolicy, Fallback
from digitrec.engine import Engine
from digitrec.errors import DataError
from digitrec.errors.arguments import number

THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Thresholds of the fallbacks that are tried."""
FEWEST = 20
"""Minimum number of pictures."""


@dataclass(frozen=True, slots=True)
class Option:
    """An engine or a policy, measured on some pictures."""

    name: str
    """An engine's or a policy's name."""
    right: Proportion
    """Right answers among all pictures; a failure is not right."""
    cost_per_1000: float | None
    """US dollars for 1,000 pictures; None: unknown."""
    latency_s: float
    """Mean seconds for one picture."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The recommended option, with its accuracy on pictures that it was not chosen on."""

    target: float
    """The accuracy to reach, 0..1."""
    chosen: Option | None
    """The cheapest option that reaches it, else the nearest one, with its figures on the half of the pictures
    that it was not chosen on; None: no option fits the budget."""
    tried: int
    """How many options were compared; 0 when every engine was emulated."""

    @property
    def reached(self) -> bool:
        """Whether the lower end of the option's interval is at the target or above."""
        low = self.chosen.right.low if self.chosen else None
        return low is not None and low >= self.target


def check(target: float, budget: float | None, pictures: int) -> None:
    """Check the arguments of `recommend`, before a paid request.

    Raises:
        TypeError, ValueError: the target is not a number from 0 to 1, or the budget is not one >= 0.
        DataError: there are fewer than `FEWEST` pictures.
    """
    number("target", target, 0, 1)
    if budget is not None:
        number("budget", budget, 0)
    if pictures < FEWEST:
        raise DataError(f"too few pictures ({pictures}) to choose on one half and report on the other")


def recommend(
    outcomes: Mapping[str, Sequence[Outcome]],
    engines: Mapping[str, Engine],
    samples: Sequence[Sample],
    target: float,
    budget: float | None = None,
) -> Recommendation:
    """Choose on one half of the pictures, report on the other.

    Each engine alone, each fallback of two at every one of `THRESHOLDS`, and each vote of two and of three is
    tried on the answers that are there. Chosen is the cheapest whose interval lies wholly at the target or
    above, else the one whose lower end is highest. Emulated engines are left out.

    Args:
        outcomes: for each engine an outcome for each picture.
        engines: the same engines, by the same names.
        samples: the pictures.
        target: share of all pictures to be answered rightly, 0..1.
        budget: US dollars that 1,000 pictures may cost at most; None: any known amount.

    Raises:
        TypeError, ValueError, DataError: as `check`.
    """
    check(target, budget, len(samples))
    prices = price_list(engines.values())
    real = {name: said for name, said in outcomes.items() if not is_emulated(said)}
    options = dict(_options(real, engines))
    choosing, reporting = train_test_split(range(len(samples)), test_size=0.5, random_state=0)

    def measured(name: str, places: Sequence[int]) -> Option:
        answers = [options[name][place] for place in places]
        right = sum(is_right(options[name][place], samples[place].truth) for place in places)
        latency_s = fmean(answer.latency_s for answer in answers)
        return Option(name, proportion(right, len(answers)), per_1000(answers, prices), latency_s)

    most = math.inf if budget is None else budget
    tried = [measured(name, choosing) for name in options]
    allowed = [one for one in tried if one.cost_per_1000 is not None and one.cost_per_1000 <= most]
    best = _cheapest(allowed, target)
    return Recommendation(target, best and measured(best.name, reporting), len(tried))


def _options(
    outcomes: Mapping[str, Sequence[Outcome]], engines: Mapping[str, Engine]
) -> Iterator[tuple[str, Sequence[Outcome]]]:
    """Yield each engine and policy with its outcomes."""
    yield from outcomes.items()
    known = {name: engines[name] for name in engines if name in outcomes}
    policies: list[EnginePolicy] = [
        Fallback(pair, below) for pair in permutations(known.values(), 2) for below in THRESHOLDS
    ]
    for size in (2, 3):
        policies += [Consensus(members, 2) for members in combinations(known.values(), size)]
    for policy in policies:
        yield policy.name, policy.on_all_answers(known, outcomes)


def _cheapest(options: Sequence[Option], target: float) -> Option | None:
    """Return the cheapest option that reaches the target (of two, the faster), else the nearest to it."""
    reaching = [option for option in options if (option.right.low or 0.0) >= target]
    if reaching:
        return min(reaching, key=lambda option: (option.cost_per_1000 or 0.0, option.latency_s))
    return max(
        options, key=lambda option: (option.right.low or 0.0, -(option.cost_per_1000 or 0.0)), default=None
    )
