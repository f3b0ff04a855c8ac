"""Which part is read when, and what is done when a process dies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from digitrec.bulk import workers
from digitrec.bulk.job import Job, Part
from digitrec.bulk.reading import How, Opener, Written, read_part
from digitrec.bulk.summary import Summary
from digitrec.errors import DigitrecError, NotConfigured, NotInstalled
from digitrec.recognise.readers import Reader

Result = TypeVar("Result")

WAITING = 2
"""So many parts are given out for each worker: one is read, the next is there when it is over."""
DEATHS = 3
"""So often may a process die of a part though each of its images alone does it no harm."""


def here(job: Job, reader: Reader, how: How) -> Iterator[Summary]:
    """Read the parts that are still to be read, in this process; what came of each, when it is done.

    Raises:
        Stopped: no image can be asked about for the moment; what is done is kept.
        LedgerError, OSError: the ledger, or a part, cannot be written.
    """
    for part in job.undone():
        written = read_part(part.lines, reader, how, job.form, job.file(part.number))
        job.finish(part.number, written)
        yield written.summary


@dataclass(frozen=True, slots=True)
class Crew:
    """Those who read: what starts them, and how many they are."""

    executors: Callable[[int], Executor]
    """Gives an executor of so many workers; called again where one is broken."""
    count: Callable[[], int]
    """How many workers there are now, >= 0: others may join or go."""


def processes(count: int, executors: Callable[[int], Executor] = workers.pool) -> Crew:
    """So many processes of this machine."""
    return Crew(executors, lambda: count)


def spread(job: Job, opener: Opener, how: How, crew: Crew) -> Iterator[Summary]:
    """The same by many processes, here or elsewhere.

    Where one dies, the parts that may have died with it are read again, each by itself; an image of which a
    process dies once more is told as one that cannot be read.

    Args:
        job: what is to be read.
        opener: opens the reader in each process; it must be picklable.
        how: how each picture is read.
        crew: who reads.

    Raises:
        DataError: what a worker wrote is not seen here: the folder is not shared.
        DigitrecError: processes die, and no image is to blame; or the executor gave up. As `here` otherwise.
    """
    suspects: list[Part] = []
    given = Given(job, opener, how, os.urandom(8).hex())
    while True:
        for part in suspects:
            written = _alone(given, part, crew)
            job.finish(part.number, written)
            yield written.summary
        suspects = []
        yield from _spread(given, crew, suspects)
        if not suspects:
            return


@dataclass(frozen=True, slots=True)
class Given:
    """What is done with each part."""

    job: Job
    opener: Opener
    how: How
    run: str

    def to(
        self, executor: Executor, lines: Sequence[str], file: Path, deadly: Sequence[str] = ()
    ) -> Future[Written]:
        """Give it out."""
        task = workers.Task(self.opener, self.run, tuple(lines), self.how, self.job.form, file, tuple(deadly))
        return executor.submit(workers.read, task)


def _spread(given: Given, crew: Crew, suspects: list[Part]) -> Iterator[Summary]:
    """Read what is not done, until a process dies; `suspects` are then those of which it may have died."""
    job, running = given.job, dict[Future[Written], Part]()
    waiting = job.undone()
    with crew.executors(crew.count()) as executor:
        try:
            while True:
                for part in islice(waiting, max(0, crew.count() * WAITING - len(running))):
                    running[given.to(executor, part.lines, job.file(part.number))] = part
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    if died(future):
                        broken = isinstance(future.exception(), BrokenExecutor)
                        suspects += sorted(running.values(), key=_number) if broken else [running[future]]
                        return
                    written = result(future, job)
                    job.finish(running.pop(future).number, written)
                    yield written.summary
        finally:
            for future in running:
                future.cancel()


def _number(part: Part) -> int:
    return part.number


def died(future: Future[Any]) -> bool:
    """Whether the process died that worked on it; of a Dask cluster several, one after the other."""
    if future.cancelled():
        return False
    error = future.exception()
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"  # Dask's own


def result(future: Future[Result], whose: object) -> Result:
    """What came of it.

    Raises:
        DigitrecError: the executor gave it up, or its workers have no digitrec.
        What the work itself raised.
    """
    try:
        return future.result()
    except CancelledError as error:
        raise DigitrecError(f"{whose}: the executor gave the work up; see whether it still runs") from error
    except NotInstalled:
        raise
    except ImportError as error:
        raise NotConfigured(
            f"a worker cannot import what it needs ({error}); give all workers the same packages"
        ) from error


def _alone(given: Given, part: Part, crew: Crew) -> Written:
    """What came of a part that a process may have died of."""
    deadly: list[str] = []
    job = given.job

    def read(lines: Sequence[str], file: Path = job.scratch) -> Written | None:
        """What came of these images; None: the process died."""
        with crew.executors(1) as executor:
            future = given.to(executor, lines, file, deadly)
            wait([future])
            return None if died(future) else result(future, job)

    deaths = 0
    while (written := read(part.lines, job.file(part.number))) is None:
        killer = _killer([line for line in part.lines if line not in deadly], read)
        deadly += killer
        deaths += not killer
        if deaths == DEATHS:
            raise DigitrecError(
                f"{job.folder}: the process that reads was killed {DEATHS} times, by no picture (too little "
                "memory?); go on with --resume"
            )
    return written


def _killer(suspects: Sequence[str], read: Callable[[Sequence[str]], Written | None]) -> list[str]:
    """The one of these images of which the process dies, found by halves; [] where it dies of none."""
    if not suspects or read(()) is None:
        return []
    while len(suspects) > 1:
        half = suspects[: len(suspects) // 2]
        suspects = half if read(half) is None else suspects[len(half) :]
    return list(suspects) if read(suspects) is None else []
