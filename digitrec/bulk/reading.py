"""One part: its pictures opened, read, and written; by whichever process is given it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from digitrec.bulk import inputs, parts
from digitrec.bulk.parts import Format
from digitrec.bulk.summary import Summary
from digitrec.errors import (
    AuthFailed,
    BudgetExceeded,
    DigitrecError,
    NotConfigured,
    QuotaExceeded,
    RateLimited,
)
from digitrec.image import ImageSource
from digitrec.prediction import Failure, Outcome
from digitrec.recognise import Rotation, stream
from digitrec.recognise.readers import Reader

FOR_ALL = (AuthFailed, BudgetExceeded, NotConfigured, QuotaExceeded)
"""Errors that stop every image that follows as well: the run stops, and goes on when they are mended."""


@dataclass(frozen=True, slots=True)
class How:
    """How each picture is read: what `digitrec.stream` takes."""

    lenient: bool = False
    at_least: float = 0.0
    rotate: Rotation = 0


class Stopped(DigitrecError):
    """What stopped an image stops all that follow; `why` says whose turn it is."""

    def __init__(self, why: DigitrecError) -> None:
        super().__init__(str(why))
        self.why = why

    def __reduce__(self) -> tuple[type[Stopped], tuple[DigitrecError]]:  # it comes out of another process
        return Stopped, (self.why,)


def read_part(lines: Iterable[str], reader: Reader, how: How, form: Format, file: Path) -> Summary:
    """Read the images of a part and write its file; the file is there when all of it is.

    Raises:
        Stopped: no image can be asked about for the moment; nothing was written.
        LedgerError, OSError: the ledger, or the file, cannot be written.
    """
    summary = Summary()
    sources = (cast(ImageSource, inputs.from_line(line)) for line in lines)
    outcomes = stream(sources, reader, lenient=how.lenient, at_least=how.at_least, rotate=how.rotate)
    parts.write(summary.counted(_while_possible(outcomes)), form, file)
    return summary


def _while_possible(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        error = outcome.error if isinstance(outcome, Failure) else None
        if isinstance(error, FOR_ALL) and not isinstance(error, RateLimited):
            raise Stopped(error)
        yield outcome


Opener = Callable[[], Reader]
"""What opens a reader in the process that needs it."""
