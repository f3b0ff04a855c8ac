"""One part: its pictures are opened, read, and written to its file, by any process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from digitrec.answer.prediction import Failure, Outcome
from digitrec.bulk import inputs, tables, workers
from digitrec.bulk.job import sha256
from digitrec.bulk.summary import Summary
from digitrec.bulk.tables import Format
from digitrec.errors import (
    AuthFailed,
    BudgetExceeded,
    DataError,
    DigitrecError,
    LedgerError,
    NotConfigured,
    QuotaExceeded,
    RateLimited,
    Unreachable,
)
from digitrec.image import ImageSource
from digitrec.image.files import name_of
from digitrec.providers.base import Provider
from digitrec.recognise import Rotation, stream
from digitrec.recognise.readers import Reader
from digitrec.report import predictions

FOR_ALL = (AuthFailed, BudgetExceeded, LedgerError, NotConfigured, QuotaExceeded, Unreachable)
"""Errors that stop every image that follows as well: the run stops, and continues once they are mended.
`Unreachable` means that no attempt for an image found a connection: the network is gone."""

Opener = Callable[[], Reader | Provider | str]
"""Opens a reader, or names it, in the process that needs it."""


@dataclass(frozen=True, slots=True)
class How:
    """How each picture is read: the options of `digitrec.stream`."""

    lenient: bool = False
    at_least: float = 0.0
    rotate: Rotation = 0
    folder: str | None = None
    """The folder to which paths are relative; None: the working folder of the reading process."""

    def read(self, images: Iterable[ImageSource], reader: Reader) -> Iterator[Outcome]:
        """Return an iterator over what comes of the pictures, in order.

        Raises:
            As `digitrec.stream`. While iterating `Stopped`: no image can be asked about for the moment.
        """
        return _while_possible(
            stream(images, reader, lenient=self.lenient, at_least=self.at_least, rotate=self.rotate)
        )


def _while_possible(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        error = outcome.error if isinstance(outcome, Failure) else None
        if isinstance(error, FOR_ALL) and not isinstance(error, RateLimited):
            raise Stopped(error)
        workers.progress()
        yield outcome


class Stopped(DigitrecError):
    """An error of one image that stops all that follow; ``why`` is the error itself."""

    def __init__(self, why: DigitrecError) -> None:
        super().__init__(str(why))
        self.why = why

    def __reduce__(self) -> tuple[type[Stopped], tuple[DigitrecError]]:  # it crosses processes
        return Stopped, (self.why,)


@dataclass(frozen=True, slots=True)
class Written:
    """A complete part."""

    summary: Summary
    """What came of its images."""
    failures: list[str]
    """A line for each image that failed: its path and the reason."""
    size: int
    """Length of its file in bytes."""
    sha256: str
    """SHA-256 of its file, in hex."""


@dataclass(frozen=True, slots=True)
class Task:
    """A part as it is sent to the process that reads it: names and settings, no pictures."""

    opener: Opener
    """Opens the reader in that process."""
    run: str
    """The run: all its parts are read by the same reader."""
    lines: tuple[str, ...]
    """The images, as lines of the plan."""
    how: How
    """How each is read."""
    form: Format
    """The format of its file."""
    file: Path
    """Its file."""
    deadly: tuple[str, ...] = ()
    """Lines of images that killed a process: they are not opened again."""


def read_task(task: Task) -> Written:
    """Read a part with this process's own reader, which is opened when it is first needed.

    Raises:
        DataError: the folder for the part does not exist on this machine.
        As `read_part` otherwise.
    """
    if not task.file.parent.is_dir():
        raise DataError(
            f"{task.file.parent}: does not exist on {socket.gethostname()}; give an OUT on a folder that all "
            "workers share"
        )
    with workers.opened(task.opener, task.run) as reader:
        return read_part(task, reader)


def read_part(task: Task, reader: Reader) -> Written:
    """Read the images of a part and write its file, whole or not at all.

    Raises:
        Stopped: no image can be asked about for the moment; nothing was written.
        DataError: a line is not one of a plan.
        LedgerError, OSError: the ledger, or the file, cannot be written.
    """
    summary, failures = Summary(), list[str]()
    outcomes = _noted(summary.counted(task.how.read(_sources(task), reader)), failures)
    tables.write(outcomes, task.form, task.file)
    return Written(summary, failures, task.file.stat().st_size, sha256(task.file))


def _sources(task: Task) -> Iterator[ImageSource]:
    for line in task.lines:
        item = inputs.from_line(line)
        if line in task.deadly:
            yield inputs.deadly(name_of(item))
        else:
            yield inputs.placed(item, task.how.folder)


def _noted(outcomes: Iterable[Outcome], failures: list[str]) -> Iterator[Outcome]:
    """Yield the outcomes, and append a line for each that is a failure."""
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            failures.append(predictions.error_line(outcome))
        yield outcome
