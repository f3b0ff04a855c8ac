"""Ask engines about labelled pictures, and score the answers of each engine.

A refusal or a failure counts as wrong if the picture shows a digit.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from digitrec.answer import SURE, Failure, Number, Outcome, Prediction, is_emulated, total
from digitrec.comparison import compare_stream
from digitrec.comparison.benchmark import measures
from digitrec.comparison.benchmark.measures import Label, Proportion, Reliability, proportion, share_of
from digitrec.comparison.datasets.loader import NumberSample, Sample
from digitrec.comparison.numbers import NumbersRead
from digitrec.engine import Engine, config
from digitrec.engine.request import may_be_billed
from digitrec.errors import BudgetExceeded, DataError
from digitrec.recognise.numbers import value_of

RELIABLE = 0.999
"""Minimum share of right answers of a reliable engine, 0..1."""
Price = float | Callable[[object], float | None] | None
"""US dollars for one picture, or the function from an answer to them; None: unknown."""
Prices = Mapping[str, Price]
"""The price by engine."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency in seconds, preparation included and opening excluded, without answers from the ledger."""

    answers: int
    """Number of answers that were timed, >= 1."""
    p50: float
    """Median."""
    p95: float
    """95th percentile."""
    p99: float
    """99th percentile."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The measures of one engine.

    An answer is right if it is the digit on the picture, or a refusal of a picture without a digit. Refusals
    and failures are counted apart from wrong answers.
    """

    engine: str
    """The engine's name in this benchmark."""
    n: int
    """Number of pictures."""
    correct: int
    """Number of right answers, equal to ``accuracy.hits``: correct digits and correct refusals."""
    wrong: int
    """Number of wrong digits, also on pictures without a digit."""
    refused_rightly: int
    """Number of refused pictures without a digit; they count in ``correct``."""
    refused_wrongly: int
    """Number of refused pictures with a digit."""
    failed: int
    """Number of pictures without an answer, for example after a timeout or beyond the budget."""
    accuracy: Proportion
    """Right answers among all answers; refusals are answers, failures are not."""
    confusion: tuple[tuple[int, ...], ...]
    """Counts, 11 x 11: rows are labels 0..9 and none, columns are answers 0..9 and none."""
    coverage: tuple[tuple[float, float, float], ...]
    """Accuracy against coverage: points (threshold, share answered, accuracy of these), each 0..1."""
    reliability: Reliability | None
    """Reliability of the engine's own confidence; None without a confidence."""
    calibrated: Reliability | None
    """Reliability of the calibrated chances; None without a calibration."""
    latency: Latency | None
    """Latency; None if every answer came from the ledger."""
    loading_s: float
    """Seconds to load the engine before its first picture, >= 0; not part of the latency."""
    cost_usd: float | None
    """US dollars paid in this run; None: unknown."""
    cost_per_1000: float | None
    """US dollars for 1,000 such pictures by the price list (`prices`); None: unknown."""
    emulated: bool
    """Whether an emulator answered; the measures then say nothing about the vendor."""
    model_versions: tuple[str, ...]
    """Versions of the models that answered, as the engine names them."""
    preparations: tuple[str, ...]
    """Names of the preparations."""
    endpoints: tuple[str, ...]
    """Endpoints of the requests; empty for an engine on this machine."""

    @property
    def name(self) -> str:
        """The engine's name, with "(emulated)" for an emulator."""
        return f"{self.engine} (emulated)" if self.emulated else self.engine


def is_right(outcome: Outcome, label: Label) -> bool:
    """Return whether an outcome is the right answer; a failure never is."""
    return isinstance(outcome, Prediction) and is_same(outcome.answer, label)


def is_wrong(outcome: Outcome, label: Label) -> bool:
    """Return whether an outcome is a wrong answer; a refusal or a failure never is."""
    return isinstance(outcome, Prediction) and outcome.answer is not None and not is_right(outcome, label)


def is_same(one: Label, other: Label) -> bool:
    """Return whether two answers are the same digit, or the same numbers in any order."""
    return one == other or sorted(str(one).split()) == sorted(str(other).split())


def scorecard(
    engine: str, outcomes: Sequence[Outcome], samples: Sequence[Sample], prices: Prices | None = None
) -> Scorecard:
    """Sum up an engine's outcomes.

    Args:
        engine: the engine's name.
        outcomes: one for each picture.
        samples: the pictures, in the same order; if they have groups, the interval is based on whole groups.
        prices: the price by engine.
    """
    pairs = list(zip(outcomes, samples, strict=True))
    answered = [(outcome, sample.truth) for outcome, sample in pairs if isinstance(outcome, Prediction)]
    groups = [sample.group for outcome, sample in pairs if isinstance(outcome, Prediction)]
    hits = [is_right(answer, label) for answer, label in answered]
    refused = [label for answer, label in answered if answer.answer is None]
    own, calibrated = _scored(answered, "confidence"), _scored(answered, "calibrated")
    # A sheet's confidence is that of its least sure number, not of all.
    alone = [
        (answer, label) for answer, label in answered
        if len(getattr(answer, "sure", ())) < 2 and len(str(label).split()) < 2
    ]  # fmt: skip
    trust = calibrated if len(calibrated) == len(own) else own
    return Scorecard(
        engine=engine,
        n=len(outcomes),
        correct=sum(hits),
        wrong=sum(is_wrong(answer, label) for answer, label in answered),
        refused_rightly=refused.count(None),
        refused_wrongly=len(refused) - refused.count(None),
        failed=len(outcomes) - len(answered),
        accuracy=share_of(hits, groups),
        confusion=measures.confusion([(label, answer.answer) for answer, label in answered]),
        coverage=measures.coverage_curve(trust, len(answered)),
        reliability=measures.reliability(_scored(alone, "confidence")),
        calibrated=measures.reliability(_scored(alone, "calibrated")),
        latency=_latency([answer for answer, _ in answered]),
        loading_s=max((answer.loading_s for answer, _ in answered), default=0.0),
        cost_usd=total([outcome.cost_usd for outcome in outcomes]),
        cost_per_1000=per_1000(outcomes, prices or {}),
        emulated=is_emulated(outcomes),
        model_versions=_kinds([answer.model_version for answer, _ in answered]),
        preparations=_kinds([answer.preparation for answer, _ in answered]),
        endpoints=_kinds([answer.endpoint for answer, _ in answered]),
    )


def _scored(answered: Sequence[tuple[Prediction, Label]], field: str) -> list[tuple[float, bool]]:
    """Return the value of a field, and whether the answer was right, for all answers except refusals."""
    named = [(answer, label) for answer, label in answered if answer.answer is not None]
    scores = [(getattr(answer, field), is_right(answer, label)) for answer, label in named]
    return [(score, right) for score, right in scores if score is not None]


def is_timed(outcome: Outcome) -> bool:
    """Return whether an outcome's latency is that of a new answer; the ledger's answers take no time."""
    parts = getattr(outcome, "asked", ()) or (outcome,)
    is_new = isinstance(outcome, Prediction) or outcome.attempts > 0
    return is_new and not any(getattr(one, "replayed", False) for one in parts)


def _latency(answers: Sequence[Prediction]) -> Latency | None:
    seconds = [answer.latency_s for answer in answers if is_timed(answer)]
    if not seconds:
        return None
    return Latency(len(seconds), *np.percentile(seconds, [50, 95, 99]).tolist())


def _kinds(values: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value is not None}))


def price_list(engines: Iterable[Engine]) -> dict[str, Price]:
    """Return each engine's price; a configured price, of an image or of tokens, overrides the provider's."""
    prices: dict[str, Price] = {}
    for engine in engines:
        own, settings = engine.provider.price, engine.options._config or config.load()
        name = engine.provider.name
        listed = engine.usd_by_tokens or (None if own is None else own.usd)
        prices[name] = settings.prices.get(name, listed)
    return prices


def is_over_budget(outcome: Outcome) -> bool:
    """Return whether the engine was not asked because the run's budget did not allow it."""
    return isinstance(outcome, Failure) and isinstance(outcome.error, BudgetExceeded)


def list_price(outcome: Outcome, prices: Prices) -> float | None:
    """Return the price of an outcome in US dollars, for one attempt; None: unknown.

    An answer from the ledger has the price of a new answer, as has one that the run's budget did not allow;
    an emulator's answer has the vendor's price, and so has a failure that the vendor may bill. Other
    failures, and refusals for which the engine was not asked, are free.
    """
    if isinstance(outcome, Prediction) and outcome.asked:
        return total([list_price(answer, prices) for answer in outcome.asked])
    if isinstance(outcome, Failure):
        is_free = not (is_over_budget(outcome) or (outcome.attempts and may_be_billed(outcome.error)))
    else:
        is_free = not (outcome.attempts or outcome.replayed)
    if is_free:
        return 0.0
    price = prices.get(outcome.provider)
    return price(outcome) if callable(price) else price


def per_1000(outcomes: Sequence[Outcome], prices: Prices) -> float | None:
    """Return US dollars for 1,000 such answers, without failures; None: unknown, or no answers."""
    answers = [outcome for outcome in outcomes if isinstance(outcome, Prediction)]
    whole = total([list_price(answer, prices) for answer in answers])
    if whole is None or not answers:
        return None
    return round(1000 * whole / len(answers), 9)  # without floating-point noise


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """An engine's results on labelled pictures."""

    data: str
    """Name of the data set."""
    samples: Sequence[Sample]
    """The pictures with their labels."""
    outcomes: tuple[Outcome, ...]
    """The outcome for each picture."""
    card: Scorecard
    """The counts and measures."""

    @property
    def pairs(self) -> list[tuple[Outcome, int | None]]:
        """Each outcome with the digit on its picture; None: the picture shows no digit."""
        return [(one, sample.label) for one, sample in zip(self.outcomes, self.samples, strict=True)]

    @property
    def answered(self) -> list[tuple[Prediction, int | None]]:
        """`pairs` without failures, with refusals."""
        return [(outcome, label) for outcome, label in self.pairs if isinstance(outcome, Prediction)]

    @property
    def accuracy(self) -> Proportion:
        """Right answers among all pictures, with its 95 % Wilson interval; a failure is not right."""
        return proportion(self.card.correct, self.card.n)

    @property
    def chances(self) -> list[tuple[int, tuple[float, ...]]]:
        """The label and the probabilities of each digit that the engine gave probabilities for."""
        rows = [(label, answer.probabilities) for answer, label in self.answered]
        return [(label, row) for label, row in rows if label is not None and row]

    @property
    def loss(self) -> float | None:
        """Mean cross-entropy (natural logarithm) of `chances`."""
        if not (known := self.chances):
            return None
        truth, rows = zip(*known, strict=True)
        return measures.cross_entropy(np.array(rows), np.array(truth))

    @property
    def named(self) -> Proportion:
        """Pictures of digits that were answered with a digit."""
        said = [getattr(outcome, "digit", None) for outcome, label in self.pairs if label is not None]
        return proportion(sum(digit is not None for digit in said), len(said))

    @property
    def surely_wrong(self) -> Proportion:
        """Wrong answers among those with a confidence of at least `SURE`."""
        wrong = [
            is_wrong(outcome, label) for outcome, label in self.answered
            if outcome.digit is not None and (outcome.confidence or 0.0) >= SURE
        ]  # fmt: skip
        return proportion(sum(wrong), len(wrong))

    @property
    def reliable(self) -> float:
        """Largest share of pictures, highest confidence first, of which `RELIABLE` are right, 0..1.

        A calibration of this machine has no effect.
        """
        curve = measures.coverage_curve(_scored(self.answered, "confidence"), len(self.answered))
        return max((share for _, share, right in curve if right >= RELIABLE), default=0.0)

    @property
    def misread(self) -> list[int]:
        """Indices of the pictures with a wrong answer, highest confidence first."""
        wrong = [place for place, pair in enumerate(self.pairs) if is_wrong(*pair)]
        return sorted(wrong, key=lambda place: -(getattr(self.outcomes[place], "confidence", None) or 0.0))


@dataclass(frozen=True, slots=True)
class NumberScore:
    """How one engine reads numbers, beside its scorecard."""

    engine: str
    """The engine's name in this benchmark."""
    value: Proportion
    """Pictures whose numbers all have the right value, among answered ones: "7.50" counts as "7.5"."""
    recall: Proportion
    """Labelled numbers that were read, among all labelled numbers on answered pictures."""
    precision: Proportion
    """Read numbers that are labelled, among all read numbers."""
    character_errors: float | None
    """Characters to insert, delete or replace per labelled character, >= 0, on pictures with one number for
    which the engine read one number; None without such pictures."""
    cells: Proportion
    """Numbers that were read in their labelled row and column, on answered pictures. The rows and columns of
    a picture may all be shifted by the same number."""


def score(engine: str, outcomes: Sequence[Outcome], samples: Sequence[Sample]) -> NumberScore | None:
    """Score how an engine read numbers, without failures; None if the samples show digits."""
    if not any(isinstance(sample, NumberSample) for sample in samples):
        return None
    answered = [
        (outcome, sample) for outcome, sample in zip(outcomes, samples, strict=True)
        if isinstance(outcome, NumbersRead) and isinstance(sample, NumberSample)
    ]  # fmt: skip
    groups = [sample.group for _, sample in answered]
    pairs = [([number.text for number in outcome.sure], list(sample.texts)) for outcome, sample in answered]
    hits = [(Counter(read) & Counter(texts)).total() for read, texts in pairs]
    alone = [(read[0], texts[0]) for read, texts in pairs if len(read) == len(texts) == 1]
    characters = sum(len(text) for _, text in alone)
    has_sheets = any(len(texts) > 1 for _, texts in pairs)
    # The numbers of a sheet resemble each other, so without groups each sheet is one.
    together = [*map(str, range(len(pairs)))] if has_sheets and not any(groups) else groups
    return NumberScore(
        engine,
        value=share_of([_values(read) == _values(texts) for read, texts in pairs], groups),
        recall=share_of(hits, together, [len(texts) for _, texts in pairs]),
        precision=share_of(hits, together, [len(read) for read, _ in pairs]),
        character_errors=sum(_distance(*pair) for pair in alone) / characters if characters else None,
        cells=share_of(
            [_in_place(outcome.sure, sample.cells) for outcome, sample in answered], together,
            [len(sample.cells) for _, sample in answered],
        ),
    )  # fmt: skip


def _in_place(numbers: Sequence[Number], cells: Sequence[tuple[int, int, str]]) -> int:
    """Count the cells that have their number, after the shift of rows and columns that fits best."""
    shifts = Counter(
        (number.row - row, number.column - column)
        for row, column, text in cells for number in numbers
        if number.text == text and number.row is not None and number.column is not None
    )  # fmt: skip
    return max(shifts.values(), default=0)


def _values(texts: Sequence[str]) -> list[Decimal]:
    return sorted(value for text in texts if (value := value_of(text)) is not None)


def _distance(read: str, text: str) -> int:
    """Return the minimum number of characters to insert, delete or replace (Levenshtein 1966)."""
    row = list(range(len(text) + 1))
    for place, one in enumerate(read, 1):
        before, row = row, [place]
        for at, other in enumerate(text, 1):
            row.append(min(before[at] + 1, row[-1] + 1, before[at - 1] + (one != other)))
    return row[-1]


def measure(samples: Sequence[Sample], engine: Engine, data: str, **how: Any) -> Result:
    """Ask one engine about every picture, and score its answers; ``data`` names the data set.

    The options and errors are those of `ask_all`.
    """
    name = engine.provider.name
    outcomes = ask_all(samples, {name: engine}, data, **how)[name]
    return Result(data, samples, outcomes, scorecard(name, outcomes, samples, price_list([engine])))


def ask_all(
    samples: Sequence[Sample],
    engines: Mapping[str, Engine],
    data: str,
    *,
    arrived: Callable[[Outcome], object] = lambda _: None,
    **how: Any,
) -> dict[str, tuple[Outcome, ...]]:
    """Ask every engine about every picture, all engines at the same time; return the outcomes of each.

    Args:
        samples: labelled pictures.
        engines: the engines by name.
        data: name of the data set.
        arrived: called with every outcome as it arrives.
        how: options of `compare_stream`.

    Raises:
        DataError: ``samples`` is empty.
    """
    if not samples:
        raise DataError(f"{data}: no labelled pictures")
    images = (sample.image for sample in samples)
    rows: list[tuple[Outcome, ...]] = []
    for comparison in compare_stream(images, list(engines.values()), **how):
        rows.append(comparison.outcomes)
        for outcome in comparison.outcomes:
            arrived(outcome)
    return dict(zip(engines, zip(*rows, strict=True), strict=True))
