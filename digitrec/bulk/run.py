"""Read pictures in tasks: here, or in worker processes; find the picture that kills its reader."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, cast

from digitrec import errors
from digitrec.answer.prediction import Failure, Outcome
from digitrec.answer.sheet import SheetOutcome
from digitrec.bulk import inputs, tables, workers
from digitrec.bulk.summary import Answered, Summary
from digitrec.errors import DigitrecError
from digitrec.image import ImageSource
from digitrec.image.files import name_of
from digitrec.recognise import stream
from digitrec.recognise.readers import Reader
from digitrec.recognise.reading import read_stream
from digitrec.report import predictions

FOR_ALL = (
    errors.AuthFailed, errors.BudgetExceeded, errors.LedgerError, errors.NotConfigured, errors.QuotaExceeded,
    errors.Unreachable,
)  # fmt: skip
"""Errors that stop every picture that follows as well. `Unreachable` means that no attempt for a picture
found a connection: the network is gone."""
DEATHS = 3
"""Times that a task is read again after a worker died of it."""
WAITING = 2
"""Tasks that are given out for each worker: it reads one, and the next waits."""

Opener = Callable[[], Reader]
"""Opens a reader in the process that needs it."""
_opened: list[Reader] = []
"""The reader of this worker process."""


def outcomes(
    images: Iterable[ImageSource | inputs.Item | inputs.Deadly], reader: Reader, how: Mapping[str, Any]
) -> Iterator[Outcome]:
    """Read pictures with the options of `digitrec.stream`; return an iterator over the outcomes, in order.

    Raises:
        As `digitrec.stream`. While iterating one of `FOR_ALL`: no picture can be read for the moment.
    """
    return _while_possible(stream(cast(Iterable[ImageSource], images), reader, **how))


def sheets(
    images: Iterable[inputs.Item | inputs.Deadly], reader: Reader, how: Mapping[str, Any]
) -> Iterator[SheetOutcome]:
    """Read whole numbers in the same way, with the options of `digitrec.read_stream`."""
    return _while_possible(read_stream(cast(Iterable[ImageSource], images), reader, **how))


def _while_possible(outcomes: Iterator[Answered]) -> Iterator[Answered]:
    for outcome in outcomes:
        error = outcome.error if isinstance(outcome, Failure) else None
        if isinstance(error, FOR_ALL) and not isinstance(error, errors.RateLimited):
            raise error
        workers.progress()
        yield outcome


@dataclass(frozen=True, slots=True)
class Task:
    """Some pictures, as they are sent to the process that reads them."""

    number: int
    """Its place, from 0."""
    images: tuple[inputs.Item | inputs.Deadly, ...]
    how: Mapping[str, Any]
    """How each picture is read: the options of `digitrec.stream`; with ``digits`` those of
    `digitrec.read_stream`."""
    form: tables.Format
    """The format of its file."""
    file: Path
    """The file of its outcomes."""


@dataclass(frozen=True, slots=True)
class Written:
    """A part that was written."""

    summary: Summary
    """Counts and cost of its outcomes."""
    failures: list[str]
    """A line for each picture that failed: its path and the reason."""
    size: int
    """Length of its file in bytes."""


def write(task: Task, reader: Reader) -> Written:
    """Read the pictures of a task, and write its file, whole or not at all.

    Raises:
        OSError: the file cannot be written. As `outcomes` otherwise.
    """
    summary, failures = Summary(), list[str]()
    numbers = "digits" in task.how
    answered: Iterator[Any] = (sheets if numbers else outcomes)(task.images, reader, task.how)
    tables.write(_noted(summary.counted(answered), failures), task.form, task.file, numbers=numbers)
    return Written(summary, failures, task.file.stat().st_size)


def _noted(outcomes: Iterable[Answered], failures: list[str]) -> Iterator[Answered]:
    """Yield the outcomes, and append a line for each that is a failure."""
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            failures.append(predictions.error_line(outcome))
        yield outcome


def _write_in_worker(opener: Opener, task: Task) -> Written:
    """Write a task with the reader of this process, which its first task opens."""
    if not _opened:
        _opened.append(opener())
    return write(task, _opened[0])


def spread(
    tasks: Iterator[Task], opener: Opener, processes: int
) -> Generator[tuple[Task, Written], None, None]:
    """Write tasks in worker processes; yield each with what was written, as they are done.

    Where a worker dies or hangs, its task is read again; a picture that kills becomes a failure.

    Raises:
        DigitrecError: the workers die, but of no picture. As `write` otherwise.
    """
    with workers.Pool(processes) as pool:
        crew = _Crew(pool, opener)
        running: dict[Future[Written], Task] = {}
        while True:
            for task in islice(tasks, WAITING * processes - len(running)):
                running[crew.submit(task)] = task
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                yield task, crew.alone(task) if _died(future) else future.result()


@dataclass(frozen=True, slots=True)
class _Crew:
    """Worker processes and their reader."""

    pool: workers.Pool
    opener: Opener

    def submit(self, task: Task) -> Future[Written]:
        return self.pool.submit(_write_in_worker, self.opener, task)

    def alone(self, task: Task) -> Written:
        """Write a task of which a worker died, without the pictures that kill a worker."""
        images = list(task.images)
        for _ in range(DEATHS):
            future = self.submit(replace(task, images=tuple(images)))
            if not _died(future):
                return future.result()
            if self._survives(task):
                for place, image in enumerate(images):
                    if not self._survives(task, image):
                        images[place] = inputs.Deadly(name_of(cast(ImageSource, image)))
        raise DigitrecError(
            f"workers died {DEATHS} times, but of no picture (too little memory?); free memory, and "
            "continue with --resume"
        )

    def _survives(self, task: Task, *images: inputs.Item | inputs.Deadly) -> bool:
        """Return whether a worker survives these pictures."""
        scratch = task.file.with_name(f".{task.file.name}.unfinished")
        future = self.submit(replace(task, images=images, file=scratch))
        if lives := not _died(future):
            future.result()  # raises its error
        return lives


def _died(future: Future[Written]) -> bool:
    """Wait for a task; return whether its worker died."""
    return isinstance(future.exception(), workers.Died)
