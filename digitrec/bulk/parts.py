"""The files that outcomes are written to: parts in one of three formats, and how parts become one file.

A part is written aside, brought to the disk, and then renamed: under its own name it is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from digitrec.bulk.tables import arrow
from digitrec.prediction import Outcome
from digitrec.report import predictions

Format = Literal["jsonl", "csv", "parquet"]
FORMATS: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
"""How a file's name says its format."""
KINDS = {
    "digit": "int8", "confidence": "float64", "calibrated": "float64", "inferred": "bool_",
    "latency_s": "float64", "cost_usd": "float64", "attempts": "int32", "emulated": "bool_",
    "replayed": "bool_", "unsure_digit": "int8", "turned": "int16",
}  # fmt: skip
"""The columns of Parquet that are no text, under `predictions.COLUMNS`; `probabilities` is a list."""
UNFINISHED = "*.unfinished"
"""What a file is called while it is written."""


def write(outcomes: Iterable[Outcome], form: Format, file: Path) -> None:
    """Write a part.

    Raises:
        OSError: it cannot be written; then there is no such file.
        NotInstalled: Parquet without the extra ``batch``.
    """
    with _aside(file) as unfinished:
        if form == "parquet":
            _write_parquet(outcomes, unfinished)
        else:
            # A file's name need not be valid in UTF-8: what cannot be written is escaped.
            with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
                predictions.write(outcomes, form, out)


def join(parts: Sequence[Path], form: Format, file: Path) -> None:
    """Make one file of the parts, in their order.

    Raises:
        OSError: it cannot be written; then there is no such file.
    """
    with _aside(file) as unfinished:
        if form == "parquet":
            _join_parquet(parts, unfinished)
            return
        with unfinished.open("wb") as out:
            for number, part in enumerate(parts):
                with part.open("rb") as rows:
                    if form == "csv" and number:
                        rows.readline()  # its header
                    shutil.copyfileobj(rows, out)


def write_text(text: str, file: Path) -> None:
    """Write a small file, whole or not at all."""
    with _aside(file) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


@contextmanager
def _aside(file: Path) -> Iterator[Path]:
    """Where to write what becomes this file at the end."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}{UNFINISHED[1:]}")
    try:
        yield unfinished
        with unfinished.open("rb+") as written:
            os.fsync(written.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_parquet(outcomes: Iterable[Outcome], file: Path) -> None:
    pyarrow, parquet = arrow()
    kinds = {name: getattr(pyarrow, KINDS.get(name, "string"))() for name in predictions.COLUMNS}
    kinds["probabilities"] = pyarrow.list_(pyarrow.float64())
    rows = [_parquet_row(outcome, kinds) for outcome in outcomes]
    schema = pyarrow.schema(list(kinds.items()))
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), file)


def _parquet_row(outcome: Outcome, kinds: Iterable[str]) -> dict[str, Any]:
    row = outcome.as_dict()
    row.update(row.pop("image"))
    return {name: _parquet_cell(name, row.get(name)) for name in kinds}


def _parquet_cell(name: str, value: Any) -> Any:
    if isinstance(value, list | dict) and name != "probabilities":
        return json.dumps(value, default=str)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


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
