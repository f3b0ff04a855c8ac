"""Which part is read when, and what is done when a process dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from digitrec.bulk import workers
from digitrec.bulk.job import Job, Part
from digitrec.bulk.reading import How, Opener, read_part
from digitrec.bulk.summary import Summary
from digitrec.errors import DigitrecError
from digitrec.recognise.readers import Reader

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
        summary = read_part(part.lines, reader, how, job.form, job.file(part.number))
        job.finish(part.number, summary)
        yield summary


Executors = Callable[[int], Executor]
"""What starts so many workers."""


def spread(
    job: Job, opener: Opener, how: How, count: int, executors: Executors = workers.pool
) -> Iterator[Summary]:
    """The same by so many processes.

    Where one dies, the parts that were being read are read again, each by a process of its own; an image of
    which a process dies once more is told as one that cannot be read.

    Args:
        job: what is to be read.
        opener: opens the reader in each process; it must be picklable.
        how: how each picture is read.
        count: how many processes, >= 1.
        executors: what starts them.

    Raises:
        DigitrecError: processes die, and no image is to blame; as `here` otherwise.
    """
    while True:
        running: dict[Future[Summary], Part] = {}
        try:
            yield from _spread(job, opener, how, count, executors, running)
            return
        except BrokenProcessPool:
            suspects = sorted(running.values(), key=lambda part: part.number)
        for part in suspects:
            summary = _alone(job, opener, how, part, executors)
            job.finish(part.number, summary)
            yield summary


def _spread(
    job: Job, opener: Opener, how: How, count: int, executors: Executors, running: dict[Future[Summary], Part]
) -> Iterator[Summary]:
    waiting = job.undone()
    with executors(count) as pool:
        try:
            while True:
                for part in islice(waiting, count * WAITING - len(running)):
                    file = job.file(part.number)
                    running[pool.submit(workers.read, opener, part.lines, how, job.form, file)] = part
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    summary = future.result()
                    job.finish(running.pop(future).number, summary)
                    yield summary
        finally:
            for future in running:
                future.cancel()


def _alone(job: Job, opener: Opener, how: How, part: Part, executors: Executors) -> Summary:
    """What came of a part that a process may have died of."""
    deadly: list[str] = []

    def read(lines: Sequence[str], scratch: bool = True) -> Summary | None:
        """What came of these images; None: the process died."""
        file = job.scratch if scratch else job.file(part.number)
        with executors(1) as pool:
            try:
                return pool.submit(
                    workers.read, opener, tuple(lines), how, job.form, file, tuple(deadly)
                ).result()
            except BrokenProcessPool:
                return None

    deaths = 0
    while (summary := read(part.lines, scratch=False)) is None:
        killer = _killer([line for line in part.lines if line not in deadly], read)
        deadly += killer
        deaths += not killer
        if deaths == DEATHS:
            raise DigitrecError(
                f"{job.folder}: the process that reads was killed {DEATHS} times, by no picture (too little "
                "memory?); go on with --resume"
            )
    return summary


def _killer(suspects: Sequence[str], read: Callable[[Sequence[str]], Summary | None]) -> list[str]:
    """The one of these images of which the process dies, found by halves; [] where it dies of none."""
    if not suspects or read(()) is None:
        return []
    while len(suspects) > 1:
        half = suspects[: len(suspects) // 2]
        suspects = half if read(half) is None else suspects[len(half) :]
    return list(suspects) if read(suspects) is None else []
