"""Read pictures in tasks: here, or in worker processes; find the picture that kills its reader."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue
from typing import Any, cast

from digitrec import errors
from digitrec.answer.prediction import Failure
from digitrec.bulk import workers
from digitrec.bulk.archives import Member
from digitrec.bulk.inputs import Item
from digitrec.bulk.job import Format, Part
from digitrec.bulk.summary import Answered, Summary
from digitrec.engine import threads
from digitrec.errors import DigitrecError
from digitrec.image import ImageSource
from digitrec.image.files import name_of
from digitrec.recognise import read_stream, stream
from digitrec.recognise.readers import Reader
from digitrec.report import predictions

FOR_ALL = (
    errors.AuthFailed, errors.BudgetExceeded, errors.LedgerError, errors.NotConfigured, errors.QuotaExceeded,
    errors.Unreachable,
)  # fmt: skip
"""Errors that stop every picture that follows as well. `Unreachable` means that no attempt for a picture
found a connection: the network is gone."""
DEATHS = 3
"""Times that a task is read again after a worker died of it."""
DEADLY = "the process that read it died or hung; save or export it again"


def outcomes(images: Iterable[ImageSource | Item], reader: Reader, how: Mapping[str, Any]) -> Iterator[Any]:
    """Read pictures in order; ``how`` are the options of `digitrec.stream`, or of `digitrec.read_stream`.

    The latter with ``digits`` among them.

    Raises:
        As those functions. While iterating one of `FOR_ALL`: no picture can be read for the moment.
    """
    ask = read_stream if "digits" in how else stream
    return _while_possible(ask(cast(Iterable[ImageSource], images), reader, **how))


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

    first: int
    """The number of the first, from 1."""
    images: tuple[Item, ...]
    how: Mapping[str, Any]
    """How each picture is read: see `outcomes`."""
    form: Format
    """The format of the rows."""


def read(task: Task, reader: Reader) -> Part:
    """Read the pictures of a task.

    Raises:
        As `outcomes`.
    """
    summary, failures, out = Summary(), list[str](), io.StringIO(newline="")
    answered = _noted(summary.counted(outcomes(task.images, reader, task.how)), failures)
    write = predictions.write_sheets if "digits" in task.how else predictions.write
    write(answered, task.form, out)
    # A file's name need not be valid in UTF-8: what cannot be written is escaped.
    return Part(out.getvalue().encode("utf-8", "backslashreplace"), summary, failures)


def _noted(outcomes: Iterable[Answered], failures: list[str]) -> Iterator[Answered]:
    """Yield the outcomes, and append a line for each that is a failure."""
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            failures.append(predictions.error_line(outcome))
        yield outcome


def spread(
    tasks: Iterable[Task], opener: workers.Opener, processes: int
) -> Generator[tuple[Task, Part], None, None]:
    """Read tasks in worker processes; yield each with its part, as they are done.

    Where a worker dies or hangs, its task is read again; a picture that kills becomes a failure.

    Raises:
        DigitrecError: the workers die, but of no picture. As `read` otherwise.
    """
    crew = [workers.Worker(opener) for _ in range(processes)]
    free: SimpleQueue[workers.Worker] = SimpleQueue()
    for worker in crew:
        free.put(worker)

    def work(task: Task) -> Iterator[Part]:
        worker = free.get()
        part = _read_in(worker, task)
        free.put(worker)
        yield part

    try:
        yield from threads.spread(tasks, work, at_once=processes)
    finally:
        for worker in crew:
            worker.kill(close=True)


def _read_in(worker: workers.Worker, task: Task) -> Part:
    """Read a task in a worker, without the pictures that kill it."""
    for _ in range(1 + DEATHS):
        if (part := _tried(worker, task)) is not None:
            return part
        if _tried(worker, replace(task, images=())) is None:
            continue
        checked = [
            image if _tried(worker, replace(task, images=(image,))) else Member(name_of(image), flaw=DEADLY)
            for image in task.images
        ]
        task = replace(task, images=tuple(checked))
    raise DigitrecError(
        f"workers died {DEATHS} times, but of no picture (too little memory?); free memory, and "
        "continue with --resume"
    )


def _tried(worker: workers.Worker, task: Task) -> Part | None:
    """Return what a worker read; None if it died."""
    with suppress(workers.Died):
        part: Part = worker.call(partial(read, task))
        return part
    return None
