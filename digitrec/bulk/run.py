"""Which part is read when, and what is done when a process dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
"""So often may processes die without a single part being done in between."""


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


def spread(
    job: Job, opener: Opener, how: How, count: int, executors: Callable[[int], Executor] = workers.pool
) -> Iterator[Summary]:
    """The same by so many processes; one that dies is replaced, and its part read again.

    Args:
        job: what is to be read.
        opener: opens the reader in each process; it must be picklable.
        how: how each picture is read.
        count: how many processes, >= 1.
        executors: what starts them.

    Raises:
        DigitrecError: processes die again and again, as `here` otherwise.
    """
    deaths = 0
    while deaths < DEATHS:
        try:
            for summary in _spread(job, opener, how, count, executors):
                deaths = 0
                yield summary
            return
        except BrokenProcessPool:
            deaths += 1
    raise DigitrecError(
        f"{job.folder}: processes that read were killed {DEATHS} times in a row (too little memory?); "
        "go on with --resume, and fewer --workers"
    )


def _spread(
    job: Job, opener: Opener, how: How, count: int, executors: Callable[[int], Executor]
) -> Iterator[Summary]:
    waiting = job.undone()
    with executors(count) as pool:
        running: dict[Future[Summary], Part] = {}
        try:
            while True:
                for part in islice(waiting, count * WAITING - len(running)):
                    file = job.file(part.number)
                    running[pool.submit(workers.read, opener, part.lines, how, job.form, file)] = part
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    part = running.pop(future)
                    summary = future.result()
                    job.finish(part.number, summary)
                    yield summary
        finally:
            for future in running:
                future.cancel()
