"""Gives parts to processes, and finds the picture that kills them."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from digitrec.bulk.job import Job, Part
from digitrec.bulk.reading import How, Opener, Task, Written, read_part, read_task
from digitrec.bulk.summary import Summary
from digitrec.bulk.workers import Died, Pool
from digitrec.errors import DigitrecError, NotConfigured, NotInstalled
from digitrec.recognise.readers import Reader

Result = TypeVar("Result")

WAITING = 2
"""Parts that are given out for each worker: one is read, the next waits beside it."""
DEATHS = 3
"""Times that a process may die of a part though each of its images alone does it no harm."""
CHECK_S = 10.0
"""Seconds without a result after which the crew is checked."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers."""

    executor: Executor
    """Gives them tasks; where one dies its task fails, and the others go on."""
    count: Callable[[], int]
    """Returns how many workers there are now, >= 0; raises `DigitrecError` when they are out of reach."""


@contextmanager
def processes(count: int) -> Iterator[Crew]:
    """Yield a crew of processes on this machine; what they still do at the end is killed."""
    with Pool(count) as pool:
        yield Crew(pool, lambda: count)


def here(job: Job, reader: Reader, how: How, done: Container[int] = ()) -> Iterator[Summary]:
    """Read the parts that are not done in this process; yield what came of each.

    Raises:
        Stopped: no image can be asked about for the moment; what is done is kept.
        DataError: the plan was damaged meanwhile.
        LedgerError, OSError: the ledger, or a part, cannot be written.
    """
    for part in job.undone(done):
        task = Task(lambda: reader, job.run, part.lines, how, job.form, job.file(part.number))
        written = read_part(task, reader)
        job.finish(part.number, written)
        yield written.summary


def spread(job: Job, opener: Opener, how: How, crew: Crew, done: Container[int] = ()) -> Iterator[Summary]:
    """Read the parts that are not done with a crew; yield what came of each.

    Where a worker dies or hangs, its part is read again; an image that a worker dies of once more becomes a
    row with an error.

    Args:
        job: the run.
        opener: opens the reader in each process; it must be picklable.
        how: how each picture is read.
        crew: the workers.
        done: numbers of the parts that are done.

    Raises:
        DataError: what a worker wrote does not appear here: the folder is not shared.
        DigitrecError: workers die of no image, or are out of reach. As `here` otherwise.
    """
    given = Given(job, opener, how, crew, os.urandom(8).hex())
    waiting, running = job.undone(done), dict[Future[Written], Part]()
    while True:
        for part in islice(waiting, max(0, crew.count() * WAITING - len(running))):
            running[given.submit(part.lines, job.file(part.number))] = part
        if not running:
            return
        for future in given.done(running):
            part = running.pop(future)
            written = given.alone(part) if died(future) else given.result(future)
            job.finish(part.number, written)
            yield written.summary


@dataclass(frozen=True, slots=True)
class Given:
    """What a crew is given to do."""

    job: Job
    opener: Opener
    how: How
    crew: Crew
    run: str

    def submit(self, lines: Sequence[str], file: Path, deadly: Sequence[str] = ()) -> Future[Written]:
        """Give out some images."""
        task = Task(self.opener, self.run, tuple(lines), self.how, self.job.form, file, tuple(deadly))
        return self.crew.executor.submit(read_task, task)

    def done(self, futures: Iterable[Future[Any]]) -> set[Future[Any]]:
        """Wait until one of the futures is done; return those that are.

        Raises:
            DigitrecError: the workers are out of reach.
        """
        while not (found := wait(futures, CHECK_S, FIRST_COMPLETED).done):
            self.crew.count()
        return found

    def result(self, future: Future[Written]) -> Written:
        """Return the result.

        Raises:
            DigitrecError: the workers are out of reach. As the function `result` otherwise.
        """
        if future.cancelled() or isinstance(future.exception(), CancelledError):
            self.crew.count()  # where the scheduler is gone, this names it
        return result(future)

    def alone(self, part: Part) -> Written:
        """Read a part that a worker may have died of, and find the image that kills.

        Raises:
            DigitrecError: workers die of it, but of none of its images.
        """
        deadly: list[str] = []

        def read(lines: Sequence[str], file: Path = self.job.scratch) -> Written | None:
            """Read these images; return None where the worker died."""
            (future,) = self.done([self.submit(lines, file, deadly)])
            return None if died(future) else self.result(future)

        deaths = 0
        while (written := read(part.lines, self.job.file(part.number))) is None:
            killer = _killer([line for line in part.lines if line not in deadly], read)
            deadly += killer
            deaths += not killer
            if deaths == DEATHS:
                raise DigitrecError(
                    f"{self.job.folder}: workers were killed {DEATHS} times, by no picture (too little "
                    "memory?); go on with --resume"
                )
        return written


def died(future: Future[Any]) -> bool:
    """Whether the process that worked on it died; of a Dask cluster several, one after the other."""
    if future.cancelled():
        return False
    error = future.exception()
    return isinstance(error, Died) or type(error).__name__ == "KilledWorker"  # Dask's own


def result(future: Future[Result]) -> Result:
    """Return the result.

    Raises:
        DigitrecError: the executor dropped the work, or its workers have no digitrec.
        Any error of the work itself.
    """
    try:
        return future.result()
    except CancelledError as error:
        raise DigitrecError(
            "the executor dropped the work (did its scheduler stop?); start it again; `digitrec batch` "
            "continues with --resume"
        ) from error
    except NotInstalled:
        raise
    except ImportError as error:
        raise NotConfigured(
            f"a worker cannot import what it needs ({error}); give all workers the same packages"
        ) from error


def _killer(suspects: Sequence[str], read: Callable[[Sequence[str]], Written | None]) -> list[str]:
    """Return the one of these images that kills, found by halves; [] where none does."""
    if not suspects or read(()) is None:
        return []
    while len(suspects) > 1:
        half = suspects[: len(suspects) // 2]
        suspects = half if read(half) is None else suspects[len(half) :]
    return list(suspects) if read(suspects) is None else []
