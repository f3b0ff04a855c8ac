"""``digitrec.batch``: any number of pictures from Python, read here or by the caller's executor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self, cast

from digitrec.answer.prediction import Outcome
from digitrec.bulk import inputs, tables, workers
from digitrec.bulk.run import Crew, Opener, Read, Task, outcomes, read
from digitrec.bulk.summary import Summary
from digitrec.engine import Engine, Options
from digitrec.engine.owner import kept
from digitrec.errors.arguments import said, whole
from digitrec.image import ImageSource
from digitrec.image.batch import several_images
from digitrec.image.folders import Skipped
from digitrec.providers.base import FREE, Provider
from digitrec.providers.registry import provider_class
from digitrec.recognise import Rotation, checked
from digitrec.recognise.readers import Policy, Reader, reader_for

Asked = str | Provider | Reader | Callable[[], Reader | Provider | str]
"""The engine: a name, a provider, an engine, a policy, or a function that opens one."""
_OPTIONS = "options are for a provider that is named; give them to the engine that is opened"
PART = 32
"""Pictures in a task: enough that sending it costs little beside reading them."""


class Batch(Iterator[Outcome]):
    """An iterator over the outcomes of many pictures, in order, with a summary of those so far."""

    def __init__(self, outcomes: Iterator[Outcome]) -> None:
        self.summary = Summary()
        """Counts and cost of the outcomes so far."""
        self._all = outcomes
        self._counted = self.summary.counted(outcomes)

    def __next__(self) -> Outcome:
        """Return the next outcome."""
        return next(self._counted)

    def table(self) -> Any:
        """Return the remaining outcomes as a ``pyarrow.Table`` with the columns of Parquet (docs/batch.md).

        Raises:
            NotInstalled: without the extra ``batch``.
        """
        return tables.table(self)

    def frame(self) -> Any:
        """Return the remaining outcomes as a ``pandas.DataFrame``; a missing digit is NA.

        Raises:
            NotInstalled: without pandas, or without the extra ``batch``.
        """
        return tables.frame(self.table())

    def __enter__(self) -> Self:
        """Return the batch; the ``with`` statement closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Stop reading and cancel what waits for a worker; may be called twice."""
        self._counted.close()  # type: ignore[attr-defined]  # both are generators
        if hasattr(self._all, "close"):
            self._all.close()


def batch(
    images: str | Path | Iterable[ImageSource],
    provider: Asked = "local",
    *,
    executor: Executor | None = None,
    part: int = PART,
    at_once: int | None = None,
    lenient: bool = False,
    at_least: float = 0.0,
    rotate: Rotation = 0,
    options: Options | None = None,
    address: str = "127.0.0.1",
) -> Batch:
    """Read any number of pictures; return an iterator over the outcomes, in order, with a ``summary``.

    It takes from ``images`` only what is being worked on, so any number can pass. With an executor its
    workers open and read the pictures; names are sent to them, and outcomes come back. Nothing is written:
    the command ``digitrec batch`` writes files and continues after a crash.

    Args:
        images: anything that `digitrec.predict_many` takes, where a URL is fetched through fsspec; or one
            string as the command takes it: a folder, a pattern, a ``.tar`` or ``.zip``, a URL.
        provider: as for `digitrec.predict`. With an executor a name, or a function that can be pickled and
            opens the provider, engine or policy in each worker process.
        executor: any ``concurrent.futures.Executor``, such as a ``ProcessPoolExecutor`` or a Dask client's
            ``get_executor()``; it is not shut down. None: read in this process.
        part: pictures in a task, >= 1.
        at_once: tasks that are submitted at the same time, >= 1; None: twice this machine's cores. For a
            larger cluster twice the number of its workers.
        lenient, at_least, rotate: as for `digitrec.predict`.
        options: how the engine of a named provider is asked. Workers ask this process for ledger, budget
            and rate limit, which therefore hold for all of them together.
        address: the address of this machine at which workers on other machines reach it, for that.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
        DigitrecError: while iterating: an error that stops all pictures that follow as well (a spent budget,
            refused credentials, no network), or a worker that died and broke its executor. Earlier outcomes
            are yielded first.
    """
    how = {"lenient": lenient, "at_least": checked(at_least, rotate), "rotate": rotate}
    found = _found(images)
    if executor is None:
        return Batch(_read_here(map(_here, found), provider, options, how))
    if not isinstance(executor, Executor):
        raise TypeError(f"executor is a concurrent.futures.Executor, not {said(executor)}")
    window = 2 * workers.cores() if at_once is None else whole("at_once", at_once, 1)
    opener = _opener(provider, options, address)
    return Batch(_spread(found, opener, executor, how, whole("part", part, 1), window))


def _spread(
    images: Iterable[ImageSource],
    opener: AbstractContextManager[Opener],
    executor: Executor,
    how: Mapping[str, Any],
    part: int,
    at_once: int,
) -> Iterator[Outcome]:
    """Read the pictures with an executor, `part` in a task; yield the outcomes, in order."""
    folder, run = str(Path.cwd()), os.urandom(8).hex()
    waiting = (inputs.portable(image, folder) for image in images)
    ready: dict[int, Read] = {}
    crew = Crew(executor, lambda: at_once - len(ready), read)
    with opener as opens:
        parts = iter(lambda: tuple(islice(waiting, part)), ())
        tasks = (Task(number, some, opens, run, how) for number, some in enumerate(parts))
        with closing(crew.spread(tasks)) as results:
            number = 0
            for task, result in results:
                ready[task.number] = result
                while number in ready:
                    found = ready.pop(number)
                    yield from found.outcomes
                    if found.stopped is not None:
                        raise found.stopped
                    number += 1


def _found(images: str | Path | Iterable[ImageSource]) -> Iterable[ImageSource]:
    """Return the pictures, whether they were given or named."""
    if isinstance(images, str | Path):
        return cast(Iterable[ImageSource], inputs.expand([str(images)], Skipped()))
    return several_images(images)


def _read_here(
    images: Iterable[ImageSource], provider: Asked, options: Options | None, how: Mapping[str, Any]
) -> Iterator[Outcome]:
    """Read the pictures in this process."""
    if options is not None:
        if not isinstance(provider, str):
            raise TypeError(_OPTIONS)
        provider = Engine(provider, options)
    elif callable(provider) and not isinstance(provider, Engine | Policy | Provider):
        provider = provider()
    return outcomes(images, reader_for(provider), how)


def _here(image: ImageSource) -> ImageSource:
    """Return a picture as it is read in this process: one behind a URL is fetched."""
    return cast(ImageSource, inputs.named(image)) if isinstance(image, str) and image != "-" else image


def _opener(provider: Asked, options: Options | None, address: str) -> AbstractContextManager[Opener]:
    """Return what opens the reader in each worker, while the context lasts.

    Raises:
        TypeError: it cannot be sent to a worker.
    """
    if isinstance(provider, str):
        options = options or Options()
        free = provider_class(provider).price == FREE
        return nullcontext(partial(Engine, provider, options)) if free else _kept(provider, options, address)
    if options is not None:
        raise TypeError(_OPTIONS)
    if isinstance(provider, Engine | Policy | Provider) or not callable(provider):
        raise TypeError(
            "with an executor the provider is a name, or a function that opens it in each worker, not "
            f"{said(provider)}"
        )
    return nullcontext(provider)


@contextmanager
def _kept(name: str, options: Options, address: str) -> Iterator[Opener]:
    """Keep ledger, budget and rate limit in this process for the engines of all workers."""
    with kept(options, address) as theirs:
        yield partial(Engine, name, theirs)
