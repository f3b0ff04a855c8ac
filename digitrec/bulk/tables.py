"""The files of outcomes: JSON Lines and CSV."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from digitrec.image.atomic import replacing
from digitrec.report import predictions, sheets

Format = Literal["jsonl", "csv"]
FORMATS: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
"""The format of a file by the ending of its name."""


def write(outcomes: Iterable[Any], form: Format, file: Path, *, numbers: bool = False) -> None:
    """Write outcomes to a file, whole or not at all; with ``numbers`` they are sheets.

    Raises:
        OSError: it cannot be written.
    """
    # A file's name need not be valid in UTF-8: what cannot be written is escaped.
    with (
        replacing(file) as unfinished,
        unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out,
    ):
        (sheets if numbers else predictions).write(outcomes, form, out)


def join(parts: Sequence[Path], form: Format, file: Path, within: Path) -> None:
    """Make one file of the parts, in their order, whole or not at all.

    For ``within`` see `replacing`.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(file, within=within) as unfinished, unfinished.open("wb") as out:
        for number, part in enumerate(parts):
            with part.open("rb") as rows:
                if form == "csv" and number:
                    rows.readline()  # its header
                shutil.copyfileobj(rows, out)
