"""Whole numbers on labelled pictures: a number on each, or sheets of several.

A picture is read right if all numbers on it are, and no other. What one digit is to `run` is here the text of
the numbers, so that the same scorecards, tests and pages serve both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import partial
from pathlib import Path

from digitrec.answer.prediction import Failure, Outcome, Prediction
from digitrec.answer.sheet import NO_NUMBER, Number, Sheet
from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.datasets import labels
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.datasets.sampling import sampled
from digitrec.comparison.race import Ask
from digitrec.engine import Engine
from digitrec.errors import DataError
from digitrec.image import ImageSource
from digitrec.recognise.numbers import value_of
from digitrec.recognise.readers import Reader, name_of
from digitrec.recognise.reading import Digits, read_stream

SHARED = {field.name for field in fields(Sheet)} & {field.name for field in fields(Prediction)} - {"asked"}
"""What a sheet and a prediction say alike: time, money and origin."""


@dataclass(frozen=True, slots=True, eq=False)
class NumberSample(Sample):
    """A picture and the numbers that a careful person reads on it."""

    texts: tuple[str, ...] = ()
    """Each number as it is written, without spaces; empty where nothing is to be read."""
    source: str = ""
    """What the picture was taken from, such as a book; "" if no picture has a group."""

    @property
    def group(self) -> str:
        """What the picture was taken from."""
        return self.source

    @property
    def truth(self) -> str | None:
        """The numbers, sorted; None where nothing is to be read."""
        return _joined(self.texts)


@dataclass(frozen=True, slots=True)
class NumbersRead(Prediction):
    """A sheet as one answer, which is right or wrong as a whole."""

    numbers: tuple[Number, ...] = ()
    """The numbers that were read surely."""

    @property
    def answer(self) -> str | None:
        """The numbers, sorted; None where nothing was read surely."""
        return _joined([number.text for number in self.numbers])


@dataclass(frozen=True, slots=True)
class NumberScore:
    """How one engine reads numbers, beside its scorecard."""

    engine: str
    """Its name in this benchmark."""
    value: Proportion
    """Pictures whose values are all right, among those answered: "7.50" is as good as "7.5"."""
    recall: Proportion
    """Labelled numbers that were read, among all on answered pictures."""
    precision: Proportion
    """Numbers read that are labelled, among all that were read."""
    character_errors: float | None
    """Characters to insert, delete or replace for each labelled one, >= 0, on pictures with one number that
    were answered with one; None without such pictures."""


def read_numbers(source: str, limit: int | None = None) -> list[NumberSample]:
    """Return the labelled pictures of a folder, or of a table of labels; no picture is opened.

    The table ``labels.csv`` has the columns ``file`` and ``text``, and perhaps ``group``. Each line is a
    number; "none" is a picture on which nothing is to be read. A file with several lines is a sheet.

    Args:
        source: the folder or the table.
        limit: at most so many pictures, drawn by `sampled`; None: all.

    Raises:
        DataError: there is no such table, or it is wrong (`labels.rows`), or a text is not a number, or one
            picture belongs to two groups; the message names the line.
    """
    table = Path(source, "labels.csv") if Path(source).is_dir() else Path(source)
    if not table.is_file():
        raise DataError(f"{table}: no such file; numbers need a table with the columns file and text")
    found: dict[Path, list[labels.Row]] = defaultdict(list)
    for row in labels.rows(table, "text"):
        lines = found[row.file.resolve()]
        lines.append(row)
        if row.group != (group := lines[0].group):
            raise DataError(f"{row.where}: {row.file.name!r} is in the groups {group!r} and {row.group!r}")
    grouped = any(rows[0].group for rows in found.values())
    samples = [
        NumberSample(rows[0].file, None, _texts(rows), rows[0].group or (str(file) if grouped else ""))
        for file, rows in found.items()
    ]
    return [samples[place] for place in sampled([None] * len(samples), limit)]


def _texts(rows: Sequence[labels.Row]) -> tuple[str, ...]:
    texts = ["".join(row.said.split()) for row in rows]
    if len(rows) == 1 and texts[0].casefold() == labels.NONE:
        return ()
    for row, text in zip(rows, texts, strict=True):
        if value_of(text) is None:
            raise DataError(f"{row.where}: text {row.said!r} is not a number, nor {labels.NONE}")
    return tuple(texts)


def numbers_asked(digits: Digits = None, *, lenient: bool = False) -> Ask:
    """Return what asks an engine for numbers, as `recognise.stream` asks it for digits."""
    return partial(_asked, digits=digits, lenient=lenient)


def _asked(
    images: Iterable[ImageSource], reader: Reader, *, digits: Digits, lenient: bool
) -> Iterator[Outcome]:
    if not isinstance(reader, Engine):
        raise TypeError(f"numbers are read by engines, and {name_of(reader)} is a policy")
    for sheet in read_stream(images, reader, digits=digits, lenient=lenient):
        yield sheet if isinstance(sheet, Failure) else _as_one(sheet)


def _as_one(sheet: Sheet) -> NumbersRead:
    """Combine a sheet into one answer, as sure as its least sure number."""
    sure = tuple(number for number in sheet.numbers if number.reason is None)
    own, calibrated = [number.confidence for number in sure], [number.calibrated for number in sure]
    doubts = [number.reason for number in sheet.numbers if number.reason is not None]
    return NumbersRead(
        **{name: getattr(sheet, name) for name in SHARED},
        digit=None,
        numbers=sure,
        reason=None if sure else next(iter(doubts), NO_NUMBER),
        text=" ".join(number.text for number in sheet.numbers) or None,
        confidence=_least(own),
        calibrated=_least(calibrated),
    )


def _least(chances: Sequence[float | None]) -> float | None:
    known = [chance for chance in chances if chance is not None]
    return min(known, default=None) if len(known) == len(chances) else None


def score(engine: str, outcomes: Sequence[Outcome], samples: Sequence[Sample]) -> NumberScore | None:
    """Sum up how an engine read numbers, failures left out; None if the samples show digits."""
    if not any(isinstance(sample, NumberSample) for sample in samples):
        return None
    pairs = [
        ([number.text for number in outcome.numbers], list(sample.texts))
        for outcome, sample in zip(outcomes, samples, strict=True)
        if isinstance(outcome, NumbersRead) and isinstance(sample, NumberSample)
    ]
    hits = sum((Counter(read) & Counter(texts)).total() for read, texts in pairs)
    alone = [(read[0], texts[0]) for read, texts in pairs if len(read) == len(texts) == 1]
    characters = sum(len(text) for _, text in alone)
    return NumberScore(
        engine,
        value=proportion(sum(_values(read) == _values(texts) for read, texts in pairs), len(pairs)),
        recall=proportion(hits, sum(len(texts) for _, texts in pairs)),
        precision=proportion(hits, sum(len(read) for read, _ in pairs)),
        character_errors=sum(_distance(*pair) for pair in alone) / characters if characters else None,
    )


def _values(texts: Sequence[str]) -> list[Decimal]:
    return sorted(value for text in texts if (value := value_of(text)) is not None)


def _distance(read: str, text: str) -> int:
    """Fewest characters to insert, delete or replace (Levenshtein 1966)."""
    row = list(range(len(text) + 1))
    for place, one in enumerate(read, 1):
        before, row = row, [place]
        for at, other in enumerate(text, 1):
            row.append(min(before[at] + 1, row[-1] + 1, before[at - 1] + (one != other)))
    return row[-1]


def _joined(texts: Iterable[str]) -> str | None:
    return " ".join(sorted(texts)) or None
