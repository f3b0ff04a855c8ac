"""Count the outcomes and cost of a part or of a whole run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from digitrec.answer.prediction import Failure, Prediction, record
from digitrec.answer.sheet import NO_NUMBER, Sheet
from digitrec.errors.text import count, plain

Answered = TypeVar("Answered", bound=Prediction | Sheet | Failure)


@dataclass(slots=True)
class Summary:
    """Counts of images by outcome."""

    images: int = 0
    """Number of images, >= 0."""
    digits: int = 0
    """Images with a digit."""
    sheets: int = 0
    """Images whose numbers were read."""
    numbers: int = 0
    """Numbers with a value."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Images without a digit or number, and numbers without a value, by reason."""
    failures: Counter[str] = field(default_factory=Counter)
    """Failed images, by the class of the error."""
    replayed: int = 0
    """Answers from the ledger."""
    cost_usd: float = 0.0
    """Known cost of the others, in US dollars."""

    def counted(self, outcomes: Iterable[Answered]) -> Iterator[Answered]:
        """Yield the outcomes and count them."""
        for outcome in outcomes:
            self.images += 1
            self.cost_usd += outcome.cost_usd or 0.0
            if isinstance(outcome, Failure):
                self.failures[type(outcome.error).__name__] += 1
            else:
                self.replayed += outcome.replayed
                self.refusals.update(self._answers(outcome))
            yield outcome

    def _answers(self, outcome: Prediction | Sheet) -> Iterator[str]:
        """Count what was read; yield the reason of each refusal."""
        if isinstance(outcome, Sheet):
            self.sheets += 1
            self.numbers += sum(number.value is not None for number in outcome.numbers)
            reasons = [number.reason for number in outcome.numbers] or [NO_NUMBER]
        else:
            self.digits += outcome.digit is not None
            reasons = [outcome.reason]
        return (reason for reason in reasons if reason is not None)

    def add(self, other: Summary) -> None:
        """Add another summary."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))

    def as_dict(self) -> dict[str, Any]:
        """Return every field under its own name."""
        return record(self)

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Summary:
        """Restore a summary from `as_dict`, perhaps by way of JSON."""
        counters = {name: Counter(values[name]) for name in ("refusals", "failures")}
        return cls(**{**values, **counters})

    def words(self) -> str:
        """Return the summary as a sentence."""
        refused, failed = self.refusals.total(), self.failures.total()
        read, what = (self.numbers, "number") if self.sheets else (self.digits, "digit")
        parts = [count(self.images, "image"), count(read, what)]
        parts += [f"{refused:,} without a {what} ({_kinds(self.refusals)})"] if refused else []
        parts += [f"{failed:,} failed ({_kinds(self.failures)})"] if failed else []
        parts += [f"{self.replayed:,} answered before"] if self.replayed else []
        parts += [f"${plain(self.cost_usd)} spent"] if self.cost_usd else []
        return ", ".join(parts)


def _kinds(counted: Counter[str]) -> str:
    return ", ".join(f"{kind}: {number:,}" for kind, number in counted.most_common())
