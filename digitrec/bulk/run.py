"""Read pictures in tasks: here, or in worker processes; find the picture that kills its reader."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from digitrec import errors
from digitrec.answer.prediction import Failure
from digitrec.bulk import inputs, workers
from digitrec.bulk.job import Format, Written
from digitrec.bulk.summary import Answered, Summary
from digitrec.engine import threads
from digitrec.errors import DigitrecError
from digitrec.image import ImageSource, atomic
from digitrec.image.files import name_of
from digitrec.recognise import stream
from digitrec.recognise.readers import Reader
from digitrec.recognise.reading import read_stream
from digitrec.report import predictions, sheets

FOR_ALL = (
    errors.AuthFailed, errors.BudgetExceeded, errors.LedgerError, errors.NotConfigured, errors.QuotaExceeded,
    errors.Unreachable,
)  # fmt: skip
"""Errors that stop every picture that follows as well. `Unreachable` means that no attempt for a picture
found a connection: the network is gone."""
DEATHS = 3
"""Times that a task is read again after a worker died of it."""

Picture = inputs.Item | inputs.Deadly


def outcomes(
    images: Iterable[ImageSource | Picture], reader: Reader, how: Mapping[str, Any]
) -> Iterator[Any]:
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

    number: int
    """Its place, from 0."""
    images: tuple[Picture, ...]
    how: Mapping[str, Any]
    """How each picture is read: see `outcomes`."""
    form: Format
    """The format of its file."""
    file: Path
    """The file of its outcomes."""


def write(task: Task, reader: Reader) -> Written:
    """Read the pictures of a task, and write its file, whole or not at all.

    Raises:
        OSError: the file cannot be written. As `outcomes` otherwise.
    """
    summary, failures = Summary(), list[str]()
    answered = _noted(summary.counted(outcomes(task.images, reader, task.how)), failures)
    # A file's name need not be valid in UTF-8: what cannot be written is escaped.
    with (
        atomic.replacing(task.file) as unfinished,
        unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out,
    ):
        (sheets if "digits" in task.how else predictions).write(answered, task.form, out)
    return Written(summary, failures, task.file.stat().st_size)


def _noted(outcomes: Iterable[Answered], failures: list[str]) -> Iterator[Answered]:
    """Yield the outcomes, and append a line for each that is a failure."""
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            failures.append(predictions.error_line(outcome))
        yield outcome


def spread(
    tasks: Iterator[Task], opener: workers.Opener, processes: int
) -> Generator[tuple[Task, Written], None, None]:
    """Write tasks in worker processes; yield each with what was written, as they are done.

    Where a worker dies or hangs, its task is read again; a picture that kills becomes a failure.

    Raises:
        DigitrecError: the workers die, but of no picture. As `write` otherwise.
    """
    taking = threading.Lock()
    crew = [workers.Worker(opener) for _ in range(processes)]

    def lane(worker: workers.Worker) -> Iterator[tuple[Task, Written]]:
        while True:
            with taking:
                task = next(tasks, None)
            if task is None:
                return
            yield task, _write_in(worker, task)

    try:
        for _, done in threads.spread(crew, lane, at_once=processes):
            yield done
    finally:
        for worker in crew:
            worker.kill(close=True)


def _write_in(worker: workers.Worker, task: Task) -> Written:
    """Write a task in a worker, without the pictures that kill it."""
    scratch = task.file.with_name(f".{task.file.name}.unfinished")
    for _ in range(1 + DEATHS):
        if (written := _tried(worker, task)) is not None:
            return written
        if _tried(worker, replace(task, images=(), file=scratch)) is None:
            continue
        alone = [(image, replace(task, images=(image,), file=scratch)) for image in task.images]
        checked = [
            image if _tried(worker, one) else inputs.Deadly(name_of(cast(ImageSource, image)))
            for image, one in alone
        ]
        task = replace(task, images=tuple(checked))
    raise DigitrecError(
        f"workers died {DEATHS} times, but of no picture (too little memory?); free memory, and "
        "continue with --resume"
    )


def _tried(worker: workers.Worker, task: Task) -> Written | None:
    """Return what a worker wrote; None if it died."""
    with suppress(workers.Died):
        written: Written = worker.call(partial(write, task))
        return written
    return None
