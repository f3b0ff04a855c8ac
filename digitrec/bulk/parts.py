"""The files that outcomes are written to: parts in one of three formats, and how parts become one file.

A part is written aside, brought to the disk, and then renamed: under its own name it is whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Literal

from digitrec.atomic import replacing
from digitrec.bulk.tables import arrow, table
from digitrec.prediction import Outcome
from digitrec.report import predictions

Format = Literal["jsonl", "csv", "parquet"]
FORMATS: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
"""How a file's name says its format."""


def write(outcomes: Iterable[Outcome], form: Format, file: Path) -> int:
    """Write a part, and tell how many bytes it has.

    Raises:
        OSError: it cannot be written; then there is no such file.
        NotInstalled: Parquet without the extra ``batch``.
    """
    with replacing(file) as unfinished:
        if form == "parquet":
            _, parquet = arrow()
            parquet.write_table(table(outcomes), unfinished)
        else:
            # A file's name need not be valid in UTF-8: what cannot be written is escaped.
            with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
                predictions.write(outcomes, form, out)
        return unfinished.stat().st_size


def join(parts: Sequence[Path], form: Format, file: Path) -> None:
    """Make one file of the parts, in their order.

    Raises:
        OSError: it cannot be written; then there is no such file.
    """
    with replacing(file) as unfinished:
        if form == "parquet":
            _join_parquet(parts, unfinished)
            return
        with unfinished.open("wb") as out:
            for number, part in enumerate(parts):
                with part.open("rb") as rows:
                    if form == "csv" and number:
                        rows.readline()  # its header
                    shutil.copyfileobj(rows, out)


def _join_parquet(parts: Sequence[Path], file: Path) -> None:
    _, parquet = arrow()
    writer = None
    for part in parts:
        table = parquet.read_table(part)
        writer = writer or parquet.ParquetWriter(file, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def checked(form: Format) -> Format:
    """The format, if it can be written here.

    Raises:
        NotInstalled: Parquet without the extra ``batch``.
    """
    if form == "parquet":
        arrow()
    return form


def whole(file: Path, size: int) -> bool:
    """Whether a part is there with all its bytes."""
    try:
        return file.stat().st_size == size
    except OSError:
        return False


def lines(file: IO[str], count: int) -> list[str]:
    """The next so many lines of a file, fewer at its end."""
    return [line for _, line in zip(range(count), file, strict=False)]
