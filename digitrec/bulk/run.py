"""Read pictures in tasks: here, or in worker processes; find the picture that kills its reader."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from digitrec import errors
from digitrec.answer.prediction import Failure, Outcome
from digitrec.bulk import inputs, tables, workers
from digitrec.bulk.summary import Summary
from digitrec.errors import DataError, DigitrecError, NotConfigured, NotInstalled
from digitrec.image import ImageSource
from digitrec.image.files import name_of
from digitrec.providers.base import Provider
from digitrec.recognise import stream
from digitrec.recognise.readers import Reader
from digitrec.report import predictions

Result = TypeVar("Result")

FOR_ALL = (
    errors.AuthFailed, errors.BudgetExceeded, errors.LedgerError, errors.NotConfigured, errors.QuotaExceeded,
    errors.Unreachable,
)  # fmt: skip
"""Errors that stop every picture that follows as well. `Unreachable` means that no attempt for a picture
found a connection: the network is gone."""
DEATHS = 3
"""Times that a task is read again after a worker died of it."""
CHECK_S = 10.0
"""Seconds without a result after which the crew is checked."""

Opener = Callable[[], Reader | Provider | str]
"""Opens a reader, or names it, in the process that needs it."""


def outcomes(
    images: Iterable[ImageSource | inputs.Item], reader: Reader, how: Mapping[str, Any]
) -> Iterator[Outcome]:
    """Read pictures with the options of `digitrec.stream`; return an iterator over the outcomes, in order.

    Raises:
        As `digitrec.stream`. While iterating one of `FOR_ALL`: no picture can be read for the moment.
    """
    return _while_possible(stream(cast(Iterable[ImageSource], images), reader, **how))


def _while_possible(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
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
    images: tuple[ImageSource | inputs.Item, ...]
    """The pictures, each in a form that can be sent."""
    opener: Opener
    """Opens the reader in that process."""
    run: str
    """Identifies the run: all its tasks are read by the same reader."""
    how: Mapping[str, Any]
    """How each picture is read: the options of `digitrec.stream`."""
    form: tables.Format = "jsonl"
    """The format of its file."""
    file: Path = Path()
    """The file of its outcomes, where it has one."""


@dataclass(frozen=True, slots=True)
class Written:
    """A part that was written."""

    summary: Summary
    """Counts and cost of its outcomes."""
    failures: list[str]
    """A line for each picture that failed: its path and the reason."""
    size: int
    """Length of its file in bytes."""


@dataclass(frozen=True, slots=True)
class Read:
    """The outcomes of a task that writes no file."""

    outcomes: list[Outcome]
    """Those of its first pictures, or of all."""
    stopped: DigitrecError | None = None
    """The error that stopped it, one of `FOR_ALL`."""


def read(task: Task) -> Read:
    """Read the pictures of a task in a worker."""
    found: list[Outcome] = []
    with workers.opened(task.opener, task.run) as reader:
        try:
            found.extend(outcomes(task.images, reader, task.how))
        except FOR_ALL as error:
            return Read(found, error)
    return Read(found)


def write(task: Task) -> Written:
    """Read the pictures of a task in a worker, and write its file, whole or not at all.

    Raises:
        DataError: the folder of the file does not exist on this machine.
        OSError: the file cannot be written. As `outcomes` otherwise.
    """
    if not task.file.parent.is_dir():
        raise DataError(
            f"{task.file.parent}: does not exist on {socket.gethostname()}; give an OUT on a folder that all "
            "workers share"
        )
    with workers.opened(task.opener, task.run) as reader:
        summary, failures = Summary(), list[str]()
        counted = summary.counted(outcomes(task.images, reader, task.how))
        tables.write(_noted(counted, failures), task.form, task.file)
    return Written(summary, failures, task.file.stat().st_size)


def _noted(outcomes: Iterable[Outcome], failures: list[str]) -> Iterator[Outcome]:
    """Yield the outcomes, and append a line for each that is a failure."""
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            failures.append(predictions.error_line(outcome))
        yield outcome


@dataclass(frozen=True, slots=True)
class Crew(Generic[Result]):
    """Workers, and what they do with a task."""

    executor: Executor
    """Gives them tasks; where a worker dies its task fails, and the others go on."""
    room: Callable[[], int]
    """Returns how many tasks may be submitted at the same time; raises `DigitrecError` when the workers
    cannot be reached."""
    work: Callable[[Task], Result]
    """`read` or `write`."""

    def spread(self, tasks: Iterator[Task]) -> Generator[tuple[Task, Result], None, None]:
        """Yield the tasks with their results, as they are done.

        Where a worker dies or hangs, its task is read again; a picture that kills becomes a failure.

        Raises:
            DigitrecError: the workers die, but of no picture, or cannot be reached. As `work` otherwise.
        """
        running: dict[Future[Result], Task] = {}
        try:
            while True:
                for task in islice(tasks, max(0, self.room() - len(running))):
                    running[self._submit(task)] = task
                if not running:
                    return
                for future in self._done(running):
                    task = running.pop(future)
                    yield task, self._alone(task) if _died(future) else self._result(future)
        finally:
            for future in running:
                future.cancel()

    def _submit(self, task: Task) -> Future[Result]:
        return self.executor.submit(self.work, task)

    def _done(self, futures: Iterable[Future[Result]]) -> list[Future[Result]]:
        """Wait until one of the futures is done; return those that are, in their order."""
        while not (found := wait(futures, CHECK_S, FIRST_COMPLETED).done):
            self.room()
        return [future for future in futures if future in found]

    def _alone(self, task: Task) -> Result:
        """Read a task that a worker may have died of, without the pictures that kill a worker."""
        images = list(task.images)
        for _ in range(DEATHS):
            (future,) = self._done([self._submit(replace(task, images=tuple(images)))])
            if not _died(future):
                return self._result(future)
            if self._lives(task, ()):
                for place, image in enumerate(images):
                    if not self._lives(task, (image,)):
                        images[place] = inputs.deadly(name_of(image))
        raise DigitrecError(
            f"workers died {DEATHS} times, but of no picture (too little memory?); free memory, and "
            "go on with --resume"
        )

    def _lives(self, task: Task, images: tuple[ImageSource | inputs.Item, ...]) -> bool:
        """Return whether a worker survives these pictures."""
        scratch = task.file.with_name(f".{task.file.name}.unfinished") if task.file.name else task.file
        (future,) = self._done([self._submit(replace(task, images=images, file=scratch))])
        if lives := not _died(future):
            self._result(future)  # raises its error
        return lives

    def _result(self, future: Future[Result]) -> Result:
        """Return the result.

        Raises:
            DigitrecError: the executor dropped the work, or its workers have no digitrec.
            Any error of the work itself.
        """
        try:
            return future.result()
        except CancelledError as error:
            self.room()  # where the scheduler is gone, this names it
            raise DigitrecError(
                "the executor dropped the work (did its scheduler stop?); start it again; `digitrec batch` "
                "continues with --resume"
            ) from error
        except BrokenExecutor as error:
            raise DigitrecError(
                "a process of the executor died, and the executor with it (of a picture, or of too little "
                "memory); the command `digitrec batch` finds out, and goes on"
            ) from error
        except NotInstalled:
            raise
        except ImportError as error:
            raise NotConfigured(
                f"a worker cannot import what it needs ({error}); give all workers the same packages"
            ) from error


def _died(future: Future[Any]) -> bool:
    """Whether the worker died of it; of a Dask cluster several, one after the other."""
    if future.cancelled():
        return False
    error = future.exception()
    return isinstance(error, workers.Died) or type(error).__name__ == "KilledWorker"  # Dask's own
