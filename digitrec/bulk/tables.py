"""PyArrow, which reads and writes Parquet (the extra ``batch``), and outcomes as its tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from digitrec.errors import NotInstalled
from digitrec.prediction import Outcome
from digitrec.providers.base import not_installed
from digitrec.report import predictions
from digitrec.version import install_hint

KINDS = {
    "digit": "int8", "confidence": "float64", "calibrated": "float64", "inferred": "bool_",
    "latency_s": "float64", "cost_usd": "float64", "attempts": "int32", "emulated": "bool_",
    "replayed": "bool_", "unsure_digit": "int8", "turned": "int16",
    "opening_s": "float64", "loading_s": "float64",
}  # fmt: skip
"""The columns that are no text, under `predictions.COLUMNS`; `probabilities` is a list."""
ROWS = 1000
"""So many outcomes are held as objects; the table itself takes a tenth of their room."""


def arrow() -> tuple[Any, Any]:
    """``pyarrow`` and ``pyarrow.parquet``, imported now.

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
    """A ``pyarrow.Table`` of outcomes, with the columns `predictions.COLUMNS`; refusals and failures too.

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
    """The same as a ``pandas.DataFrame``; what is not there, such as the digit of a refusal, is NA.

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
