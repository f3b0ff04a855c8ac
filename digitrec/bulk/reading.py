"""One part: its pictures opened, read, and written; by whichever process is given it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
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
    ImageError,
    NotConfigured,
    QuotaExceeded,
    RateLimited,
)
from digitrec.image import ImageSource
from digitrec.image.files import name_of
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


@dataclass(frozen=True, slots=True)
class Deadly:
    """A picture that nobody opens again."""

    name: str
    """What to call it."""

    def read(self, most: int) -> bytes:
        """Nothing.

        Raises:
            ImageError: always.
        """
        raise ImageError(f"{self.name}: the process that read it died; save or export it again")


def read_part(
    lines: Iterable[str],
    reader: Reader,
    how: How,
    form: Format,
    file: Path,
    deadly: Container[str] = (),
) -> Summary:
    """Read the images of a part and write its file; the file is there when all of it is.

    Args:
        lines: the images, as they stand in the plan.
        reader: who reads them.
        how: how each is read.
        form: the format of the file.
        file: where its rows go.
        deadly: those of the lines of whose image a process died.

    Raises:
        Stopped: no image can be asked about for the moment; nothing was written.
        LedgerError, OSError: the ledger, or the file, cannot be written.
    """
    summary = Summary()
    sources = (_source(line, line in deadly) for line in lines)
    outcomes = stream(sources, reader, lenient=how.lenient, at_least=how.at_least, rotate=how.rotate)
    parts.write(summary.counted(_while_possible(outcomes)), form, file)
    return summary


def _source(line: str, deadly: bool) -> ImageSource:
    item = inputs.from_line(line)
    return cast(ImageSource, Deadly(name_of(item)) if deadly else item)


def _while_possible(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        error = outcome.error if isinstance(outcome, Failure) else None
        if isinstance(error, FOR_ALL) and not isinstance(error, RateLimited):
            raise Stopped(error)
        yield outcome


Opener = Callable[[], Reader]
"""What opens a reader in the process that needs it."""
