"""One part: its pictures opened, read, and written; by whichever process is given it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from digitrec.bulk import inputs, parts
from digitrec.bulk import sources as sources_of
from digitrec.bulk.parts import Format
from digitrec.bulk.summary import Summary
from digitrec.errors import (
    AuthFailed,
    BudgetExceeded,
    DigitrecError,
    LedgerError,
    NotConfigured,
    QuotaExceeded,
    RateLimited,
    Unreachable,
)
from digitrec.image import ImageSource
from digitrec.image.files import name_of
from digitrec.prediction import Failure, Outcome
from digitrec.providers.base import Provider
from digitrec.recognise import Rotation, stream
from digitrec.recognise.readers import Reader

FOR_ALL = (AuthFailed, BudgetExceeded, LedgerError, NotConfigured, QuotaExceeded, Unreachable)
"""Errors that stop every image that follows as well: the run stops, and goes on when they are mended.
`Unreachable` comes of an image for which no connection came about in any attempt: the network is gone."""


@dataclass(frozen=True, slots=True)
class How:
    """How each picture is read: what `digitrec.stream` takes."""

    lenient: bool = False
    at_least: float = 0.0
    rotate: Rotation = 0
    folder: str | None = None
    """What paths are relative to; None: to the folder of the process that reads them."""

    def read(self, images: Iterable[ImageSource], reader: Reader) -> Iterator[Outcome]:
        """What comes of them, one after the other."""
        return stream(images, reader, lenient=self.lenient, at_least=self.at_least, rotate=self.rotate)


@dataclass(frozen=True, slots=True)
class Written:
    """A part that is whole."""

    summary: Summary
    """What came of it."""
    size: int
    """Bytes of its file."""


class Stopped(DigitrecError):
    """What stopped an image stops all that follow; `why` says whose turn it is."""

    def __init__(self, why: DigitrecError) -> None:
        super().__init__(str(why))
        self.why = why

    def __reduce__(self) -> tuple[type[Stopped], tuple[DigitrecError]]:  # it comes out of another process
        return Stopped, (self.why,)


def read_part(
    lines: Iterable[str],
    reader: Reader,
    how: How,
    form: Format,
    file: Path,
    deadly: Container[str] = (),
) -> Written:
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
    items = ((inputs.from_line(line), line in deadly) for line in lines)
    sources = (
        sources_of.deadly(name_of(item)) if kills else sources_of.placed(item, how.folder)
        for item, kills in items
    )
    size = parts.write(summary.counted(while_possible(how.read(sources, reader))), form, file)
    return Written(summary, size)


def while_possible(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """The outcomes until one of them stops all that follow.

    Raises:
        Stopped: no image can be asked about for the moment.
    """
    for outcome in outcomes:
        error = outcome.error if isinstance(outcome, Failure) else None
        if isinstance(error, FOR_ALL) and not isinstance(error, RateLimited):
            raise Stopped(error)
        yield outcome


Opener = Callable[[], Reader | Provider | str]
"""What opens a reader, or names it, in the process that needs it."""
