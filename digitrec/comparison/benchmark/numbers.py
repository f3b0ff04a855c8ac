"""Whole numbers on labelled pictures: a number on each, or sheets of several.

A picture is read right if all numbers on it are, and no other. What one digit is to `run` is here the text of
the numbers, so that the same scorecards, tests and pages serve both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from digitrec.answer.prediction import Outcome
from digitrec.answer.sheet import Number
from digitrec.comparison.benchmark.measures import Proportion, proportion
from digitrec.comparison.datasets import labels
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.datasets.sampling import sampled
from digitrec.comparison.numbers import NumbersRead, joined
from digitrec.errors import DataError
from digitrec.recognise.numbers import value_of


@dataclass(frozen=True, slots=True, eq=False)
class NumberSample(Sample):
    """A picture and the numbers that a careful person reads on it."""

    texts: tuple[str, ...] = ()
    """Each number as it is written, without spaces; empty for a picture without a number."""
    cells: tuple[tuple[int, int, str], ...] = ()
    """Row and column of each number and its text, where they are labelled."""

    @property
    def truth(self) -> str | None:
        """The numbers, sorted and joined; None without a number."""
        return joined(self.texts)


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
    cells: Proportion
    """Numbers with a labelled row and column that were read there, on answered pictures. All rows and columns
    of a picture may be counted from another number."""


def read_numbers(source: str, limit: int | None = None) -> list[NumberSample]:
    """Return the labelled pictures of a folder, or of a table of labels; no picture is opened.

    The table ``labels.csv`` has the columns ``file`` and ``text``, and perhaps ``group``. Each line is a
    number; "none" is a picture without a number to read. A file with several lines is a sheet, whose
    numbers may have a ``row`` and a ``column``.

    Args:
        source: the folder or the table.
        limit: largest number of pictures, drawn by `sampled`; None: all.

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
        NumberSample(
            rows[0].file, None, rows[0].group or (str(file) if grouped else ""), _texts(rows), _cells(rows)
        )
        for file, rows in found.items()
    ]  # fmt: skip
    return [samples[place] for place in sampled([None] * len(samples), limit)]


def _texts(rows: Sequence[labels.Row]) -> tuple[str, ...]:
    texts = ["".join(row.said.split()) for row in rows]
    if len(rows) == 1 and texts[0].casefold() == labels.NONE:
        return ()
    for row, text in zip(rows, texts, strict=True):
        if value_of(text) is None:
            raise DataError(f"{row.where}: text {row.said!r} is not a number, nor {labels.NONE}")
    return tuple(texts)


def _cells(rows: Sequence[labels.Row]) -> tuple[tuple[int, int, str], ...]:
    placed = [row for row in rows if row.row or row.column]
    for row in placed:
        if not (row.row.isdecimal() and row.column.isdecimal()):
            raise DataError(f"{row.where}: row and column must be whole numbers, got {row.row}, {row.column}")
    return tuple((int(row.row), int(row.column), "".join(row.said.split())) for row in placed)


def score(engine: str, outcomes: Sequence[Outcome], samples: Sequence[Sample]) -> NumberScore | None:
    """Sum up how an engine read numbers, failures left out; None if the samples show digits."""
    if not any(isinstance(sample, NumberSample) for sample in samples):
        return None
    answered = [
        (outcome, sample) for outcome, sample in zip(outcomes, samples, strict=True)
        if isinstance(outcome, NumbersRead) and isinstance(sample, NumberSample)
    ]  # fmt: skip
    pairs = [([number.text for number in outcome.sure], list(sample.texts)) for outcome, sample in answered]
    hits = sum((Counter(read) & Counter(texts)).total() for read, texts in pairs)
    alone = [(read[0], texts[0]) for read, texts in pairs if len(read) == len(texts) == 1]
    characters = sum(len(text) for _, text in alone)
    return NumberScore(
        engine,
        value=proportion(sum(_values(read) == _values(texts) for read, texts in pairs), len(pairs)),
        recall=proportion(hits, sum(len(texts) for _, texts in pairs)),
        precision=proportion(hits, sum(len(read) for read, _ in pairs)),
        character_errors=sum(_distance(*pair) for pair in alone) / characters if characters else None,
        cells=proportion(
            sum(_in_place(outcome.sure, sample.cells) for outcome, sample in answered),
            sum(len(sample.cells) for _, sample in answered),
        ),
    )


def _in_place(numbers: Sequence[Number], cells: Sequence[tuple[int, int, str]]) -> int:
    """Return how many cells have their number, with the shift of all rows and columns that fits most."""
    shifts = Counter(
        (number.row - row, number.column - column)
        for row, column, text in cells for number in numbers
        if number.text == text and number.row is not None and number.column is not None
    )  # fmt: skip
    return max(shifts.values(), default=0)


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
