"""Outcomes as files and tables: JSON Lines, CSV and Parquet; PyArrow needs the extra ``batch``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from digitrec.answer.prediction import Outcome
from digitrec.errors import NotInstalled, install_hint
from digitrec.image.atomic import replacing
from digitrec.providers.base import not_installed
from digitrec.report import predictions

Format = Literal["jsonl", "csv", "parquet"]
FORMATS: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
"""The format of a file by the ending of its name."""
KINDS = {
    "digit": "int8", "confidence": "float64", "calibrated": "float64", "inferred": "bool_",
    "latency_s": "float64", "cost_usd": "float64", "attempts": "int32", "emulated": "bool_",
    "replayed": "bool_", "unsure_digit": "int8", "turned": "int16",
    "opening_s": "float64", "loading_s": "float64",
}  # fmt: skip
"""Arrow types of the columns `predictions.COLUMNS`; the others are text, `probabilities` a list."""
ROWS = 1000
"""Outcomes that are held as objects; as a table they take a tenth of the memory."""


def write(outcomes: Iterable[Outcome], form: Format, file: Path) -> None:
    """Write outcomes to a file, whole or not at all.

    Raises:
        OSError: it cannot be written.
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


def join(parts: Sequence[Path], form: Format, file: Path, within: Path) -> None:
    """Make one file of the parts, in their order, whole or not at all.

    For ``within`` see `replacing`.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(file, within=within) as unfinished:
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
    """Return the format if it can be written here.

    Raises:
        NotInstalled: Parquet without the extra ``batch``.
    """
    if form == "parquet":
        arrow()
    return form


def arrow() -> tuple[Any, Any]:
    """Import and return ``pyarrow`` and ``pyarrow.parquet``.

    Raises:
        NotInstalled: without the extra.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise NotInstalled(f"Parquet needs pyarrow: {install_hint('batch')}") from error
    return pyarrow, pyarrow.parquet


def table(outcomes: Iterable[Outcome]) -> Any:
    """Return a ``pyarrow.Table`` of outcomes with the columns `predictions.COLUMNS`, failures included.

    Raises:
        NotInstalled: without the extra.
    """
    pyarrow, _ = arrow()
    kinds = {name: getattr(pyarrow, KINDS.get(name, "string"))() for name in predictions.COLUMNS}
    kinds["probabilities"] = pyarrow.list_(pyarrow.float64())
    schema = pyarrow.schema(list(kinds.items()))
    batches = (pyarrow.RecordBatch.from_pylist(rows, schema=schema) for rows in _rows(outcomes))
    return pyarrow.Table.from_batches(batches, schema=schema)


def frame(table: Any) -> Any:
    """Return the table as a ``pandas.DataFrame``; a missing value, such as the digit of a refusal, is NA.

    Raises:
        NotInstalled: without pandas.
    """
    try:
        import pandas
    except ImportError as error:
        raise not_installed("a frame", "pandas") from error
    pyarrow, _ = arrow()
    nullable = {
        pyarrow.int8(): pandas.Int8Dtype(), pyarrow.int16(): pandas.Int16Dtype(),
        pyarrow.int32(): pandas.Int32Dtype(), pyarrow.bool_(): pandas.BooleanDtype(),
    }  # fmt: skip
    return table.to_pandas(types_mapper=nullable.get)


def _rows(outcomes: Iterable[Outcome]) -> Iterator[list[dict[str, Any]]]:
    waiting = iter(outcomes)
    while rows := [_row(outcome) for outcome in islice(waiting, ROWS)]:
        yield rows


def _row(outcome: Outcome) -> dict[str, Any]:
    row = outcome.as_dict()
    row.update(row.pop("image"))
    return {name: _cell(name, row.get(name)) for name in predictions.COLUMNS}


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, list | dict) and name != "probabilities":
        return json.dumps(value, default=str)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
