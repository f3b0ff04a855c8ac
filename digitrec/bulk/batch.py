"""Read many pictures: ``digitrec.batch``, and the tasks of the command in worker processes."""

import io
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Unpack

from digitrec import errors
from digitrec.answer import Failure, Outcome
from digitrec.bulk import workers
from digitrec.bulk.inputs import expand, unreadable
from digitrec.bulk.job import Part, Summary, Task
from digitrec.engine import threads
from digitrec.image import ImageSource
from digitrec.image.files import Skipped, name_of
from digitrec.recognise import AnyReader, How, Reader, read_stream, reader_for, stream
from digitrec.report import predictions

Parts = Generator[tuple[Task, Part], None, None]
"""Tasks, each with its part."""
DEATHS = 3
"""Number of times that a task is retried after a worker died while reading it."""
DEADLY = "the process that read it died or hung; save or export it again"


class Batch(Iterator[Outcome]):
    """An iterator over the outcomes of many pictures, in order, with a summary of those so far."""

    def __init__(self, images: Iterable[ImageSource], reader: Reader, how: Mapping[str, Any]) -> None:
        """Read pictures with the options of `digitrec.stream` or, with ``digits``, of `digitrec.read_stream`.

        Raises:
            DigitrecError, TypeError, ValueError: as for these functions.
        """
        self.summary = Summary()
        """Counts and cost of the outcomes so far."""
        ask = read_stream if "digits" in how else stream
        self._outcomes: Iterator[Any] = ask(images, reader, **how)

    def __next__(self) -> Outcome:
        """Return the next outcome.

        Raises:
            DigitrecError: one that `stops_all`, of the outcome or of an engine that a policy asked for it.
        """
        outcome: Outcome = next(self._outcomes)
        for one in (outcome, *getattr(outcome, "asked", ())):
            if isinstance(one, Failure) and errors.stops_all(one.error):
                raise one.error
        workers.progress()
        self.summary.count(outcome)
        return outcome


def batch(
    images: str | os.PathLike[str] | Iterable[ImageSource], provider: AnyReader = "local", **how: Unpack[How]
) -> Batch:
    """Read any number of pictures; return an iterator over the outcomes, in order, with a ``summary``.

    ``images`` is read only as fast as the pictures are worked on, so there may be any number. Nothing is
    written, and this process reads all pictures; the command ``digitrec batch`` uses all cores, writes files
    and continues after a crash.

    Args:
        images: anything that `digitrec.stream` takes; or one string, as on the command line: a folder, a
            pattern, a ``.tar`` or ``.zip``.
        provider: as for `digitrec.predict`.
        how: ``lenient``, ``at_least`` and ``rotate``, as for `digitrec.predict`.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
        DigitrecError: raised while iterating, after the earlier outcomes: an error that also stops all
            following pictures (a spent budget, refused credentials, no network).
    """
    if isinstance(images, str | os.PathLike):
        images = expand([os.fsdecode(images)], Skipped())
    return Batch(images, reader_for(provider), how)


def read(task: Task, reader: Reader) -> Part:
    """Read the pictures of a task; the part has those before an error that stops the run."""
    out, outcomes = io.StringIO(newline=""), list[Any]()
    stopped_by: BaseException | None = None
    try:
        outcomes.extend(Batch(task.images, reader, task.how))
    except (*errors.FOR_ALL, KeyboardInterrupt) as error:
        stopped_by = error
    write = predictions.write_sheets if "digits" in task.how else predictions.write
    write(outcomes, task.form, out)
    failures = [predictions.error_line(one) for one in outcomes if isinstance(one, Failure)]
    # A file name may be invalid in UTF-8: characters that cannot be encoded are escaped.
    rows = out.getvalue().encode("utf-8", "backslashreplace")
    # Counted again: an interrupt may come when `Batch` has counted an outcome but not returned it.
    return Part(rows, Summary.of(outcomes), failures, stopped_by)


def spread(tasks: Iterable[Task], opener: workers.Opener, processes: int) -> Parts:
    """Read tasks in worker processes; yield each task with its part, in order of completion.

    If a worker dies or hangs, its task is read again; a picture that kills workers becomes a failure.

    Raises:
        DigitrecError: the workers die, but not because of a picture.
    """
    crew = [workers.Worker(opener) for _ in range(processes)]
    free = [*crew]

    def work(task: Task) -> Iterator[Part]:
        worker = free.pop()
        part = _read_in(worker, task)
        free.append(worker)
        yield part

    try:
        yield from threads.spread(tasks, work, at_once=processes)
    finally:
        for worker in crew:
            worker.kill(close=True)


def _read_in(worker: workers.Worker, task: Task) -> Part:
    """Read a task in a worker, without the pictures that kill the worker."""
    for _ in range(1 + DEATHS):
        if (part := _tried(worker, task)) is not None:
            return part
        if _tried(worker, replace(task, images=())) is None:
            continue
        checked = [
            image if _tried(worker, replace(task, images=(image,))) else unreadable(name_of(image), DEADLY)
            for image in task.images
        ]
        task = replace(task, images=tuple(checked))
    raise errors.DigitrecError(
        f"workers died {DEATHS} times without a picture at fault (too little memory?); free memory, and "
        "continue with --resume"
    )


def _tried(worker: workers.Worker, task: Task) -> Part | None:
    """Return the part that a worker read; None if the worker died."""
    part: Part | None = worker.call(partial(read, task))
    return part
