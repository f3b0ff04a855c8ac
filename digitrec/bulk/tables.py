"""PyArrow, which reads and writes Parquet (the extra ``batch``)."""

from __future__ import annotations

from typing import Any

from digitrec.errors import NotInstalled
from digitrec.version import install_hint


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
