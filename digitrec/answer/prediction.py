"""What digitrec says about an image: a Prediction, or a Failure in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields, is_dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from digitrec.errors import DigitrecError
from digitrec.image import ImageRef

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from digitrec.answer.sheet import Number

SURE = 0.95
"""An answer of at least this confidence counts as a sure one where readings are judged."""
NOT_SURE = "not sure"
"""The reason of a digit or number that is less sure than the caller asked for, and of a number that its
provider calls more likely wrong than right."""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """The circumstances of an answer, which a `Prediction` and a `digitrec.Sheet` share."""

    image: ImageRef
    """Which image: where it came from and the SHA-256 of its bytes."""
    provider: str
    """Name of the engine that answered."""
    _: KW_ONLY
    model_version: str | None = None
    """Which model answered, in the engine's words."""
    endpoint: str | None = None
    """Endpoint of the request; None for an engine on this machine."""
    preparation: str = "plain"
    """How the image was prepared before it was sent ("mnist", "plain", "enlarged", "repeated")."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The engine's own answer, unabridged."""
    latency_s: float = 0.0
    """Seconds from the opened picture to the answer, >= 0: preparation, waiting and retries included, opening
    and loading not."""
    cost_usd: float | None = 0.0
    """US dollars spent on this answer; 0: free, None: unknown."""
    attempts: int = 1
    """Number of times the engine was asked, >= 0 (0 when the answer came from the ledger)."""
    emulated: bool = False
    """True when the answer came from an emulator: it says nothing about the vendor's accuracy."""
    replayed: bool = False
    """True when the answer came from the ledger or a recording and nothing was asked or paid."""
    turned: int = 0
    """Degrees clockwise by which the picture was turned before it was read: 0, 90, 180 or 270."""
    opening_s: float = 0.0
    """Seconds that reading and decoding the picture took, >= 0; once for all engines that are asked."""
    loading_s: float = 0.0
    """Seconds that the engine took to load before its first picture, >= 0; the same on all of its answers."""

    def as_dict(self) -> dict[str, Any]:
        """Return every field under its own name, as JSON-like values; the image as source and sha256."""
        return record(self)


@dataclass(frozen=True, slots=True)
class Prediction(EngineResult):
    """One engine's reading of one image.

    A refusal ("no digit here") is a Prediction with ``digit=None`` and a ``reason``, never an error.
    """

    digit: int | None
    """The digit 0..9, or None when the engine sees no single digit."""
    confidence: float | None
    """What the engine said, scaled to 0..1; None where it said nothing. Not a chance of being right."""
    reason: str | None = None
    """Why there is no digit; None with a digit. From our own network "blank", "texture", "more than one
    digit", "a sign beside the digit", "cut off" or "not clearly a digit"; from an engine that reads text "no
    text", "no digit", "more than one digit" or "letters beside the digit"; where the caller asked for it "not
    sure", "engines disagree" or "emulated answers do not vote"."""
    calibrated: float | None = None
    """Chance 0..1 that ``digit`` (or ``unsure_digit``) is right; None where no calibration was fitted for
    this engine."""
    probabilities: tuple[float, ...] | None = None
    """Chance of each digit 0..9, summing to 1, from engines that give one; else None."""
    text: str | None = None
    """What the engine read, as it spelled it; None where it read nothing."""
    inferred: bool = False
    """True when a look-alike letter was turned into the digit because the caller asked for it."""
    asked: tuple[Prediction | Failure, ...] = field(default=(), kw_only=True)
    """For a policy over several engines: the answer of each engine that was asked; else empty."""
    unsure_digit: int | None = field(default=None, kw_only=True)
    """The digit 0..9 that it would have been beside the reason "not sure"; else None."""
    left_out: tuple[tuple[int, int, int, int], ...] = field(default=(), kw_only=True)
    """Boxes (left, top, right, bottom, in pixels of the turned picture) of ink as dark as the digit's that
    was not read, such as brackets or a pen beside it; it lowers ``confidence``."""

    @property
    def answer(self) -> int | str | None:
        """What it names: the digit; None for a refusal."""
        return self.digit

    @property
    def meaning(self) -> object:
        """A hashable value, equal for answers that say the same; None for a refusal."""
        return self.answer

    def unless(self, doubt: str) -> Prediction:
        """Return this prediction refused for ``doubt``; its digit moves to ``unsure_digit``."""
        return replace(self, digit=None, reason=doubt, unsure_digit=self.digit)

    def at_least(self, chance: float) -> Prediction:
        """Return this prediction, refused as "not sure" if it is less sure than ``chance``, 0..1."""
        is_sure = self.digit is None or sureness(self, -1.0) >= chance
        return self if is_sure else self.unless(NOT_SURE)


@dataclass(frozen=True, slots=True)
class Failure:
    """The place of an image for which no engine could be made to answer."""

    image: ImageRef
    """Which image: where it came from and, once it was read, its SHA-256."""
    provider: str
    """Name of the engine that was asked."""
    error: DigitrecError
    """What went wrong; its class says who can correct it."""
    latency_s: float = 0.0
    """Seconds from the opened picture to giving up, >= 0, preparation included."""
    cost_usd: float | None = 0.0
    """US dollars that the failed attempts cost; None: unknown."""
    attempts: int = 0
    """Number of times the engine was asked, >= 0."""

    def as_dict(self) -> dict[str, Any]:
        """Every field under its own name, the error as its class name and message."""
        return record(self)


Outcome = Prediction | Failure
"""The result of one engine for one picture."""


def counted(outcomes: Iterable[Outcome]) -> list[Prediction]:
    """Return the predictions that vote on a picture, are compared, tested and ranked: not an emulator's.

    If only emulators answered, return their predictions: a rehearsal never outvotes a real engine, and its
    verdict is marked as emulated too.
    """
    answers = [outcome for outcome in outcomes if isinstance(outcome, Prediction)]
    return [answer for answer in answers if not answer.emulated] or answers


def is_emulated(outcomes: Iterable[Outcome]) -> bool:
    """Whether an emulator had a part in an engine's answers: then nothing is concluded from any of them."""
    return any(isinstance(outcome, Prediction) and outcome.emulated for outcome in outcomes)


def short(outcome: Outcome) -> str:
    """Return the answer, "-" for a refusal, "!" for a failure."""
    if isinstance(outcome, Failure):
        return "!"
    return "-" if outcome.answer is None else str(outcome.answer)


def chance_of(answer: Prediction | Number) -> float | None:
    """Return the calibrated chance, else the engine's confidence, 0..1; None without either."""
    return answer.confidence if answer.calibrated is None else answer.calibrated


def sureness(answer: Prediction | Number, otherwise: float) -> float:
    """Return `chance_of` the answer, else ``otherwise``."""
    chance = chance_of(answer)
    return otherwise if chance is None else chance


def field_names(of: DataclassInstance | type[DataclassInstance]) -> list[str]:
    """Return the names of a dataclass's fields, those of the answer before those of its circumstances."""
    return [item.name for item in sorted(fields(of), key=lambda item: item.kw_only is True)]


def record(of: DataclassInstance) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON-like values (dataclasses.asdict would copy the raw answer)."""
    return {name: _plain(getattr(of, name)) for name in field_names(of)}


def _plain(value: Any) -> Any:
    if isinstance(value, ImageRef):
        return {"source": value.source, "sha256": value.sha256}
    if isinstance(value, DigitrecError):
        return {"type": type(value).__name__, "message": str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return record(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
