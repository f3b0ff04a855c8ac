"""``digitrec.batch``: any number of pictures from Python, read here or by anybody's executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from digitrec.arguments import said, whole
from digitrec.bulk import inputs, tables, workers
from digitrec.bulk.chunks import Chunks
from digitrec.bulk.reading import How, Opener, Stopped, while_possible
from digitrec.bulk.summary import Summary
from digitrec.engine import Engine, Options
from digitrec.engine.owner import kept
from digitrec.image import ImageSource
from digitrec.image.batch import several_images
from digitrec.image.folders import Skipped
from digitrec.prediction import Outcome
from digitrec.providers.base import FREE, Provider
from digitrec.providers.registry import provider_class
from digitrec.recognise import Rotation, checked
from digitrec.recognise.readers import Policy, Reader, reader_for

Asked = str | Provider | Reader | Callable[[], Reader | Provider | str]
"""Who is asked: a name, a provider, an engine, a policy, or what opens one."""
_OPTIONS = "options are for a provider that is named; give them to the engine that is opened"
PART = 32
"""Pictures that a worker is given at once: enough that giving them costs little beside reading them."""


class Batch(Iterator[Outcome]):
    """The outcomes of many pictures, one after the other and in order, and what came of them so far."""

    def __init__(self, outcomes: Iterator[Outcome]) -> None:
        self.summary = Summary()
        """What was given out so far: counted, and what it cost."""
        self._all = outcomes
        self._counted = self.summary.counted(outcomes)

    def __next__(self) -> Outcome:
        """The next outcome."""
        return next(self._counted)

    def table(self) -> Any:
        """All that is still to come as a ``pyarrow.Table``; its columns are those of Parquet (docs/batch.md).

        Raises:
            NotInstalled: without the extra ``batch``.
        """
        return tables.table(self)

    def frame(self) -> Any:
        """All that is still to come as a ``pandas.DataFrame``, as `table`; where there is no digit it is NA.

        Raises:
            NotInstalled: without pandas, or without the extra ``batch``.
        """
        return tables.frame(self.table())

    def __enter__(self) -> Self:
        """The batch itself, ended with the ``with``."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    def close(self) -> None:
        """Read nothing more; what waits for a worker is taken back. May be called twice."""
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
    """What comes of any number of pictures: an iterator of outcomes in order, with a ``summary``.

    It takes from ``images`` only what is being worked on, so any number can pass. With an executor its
    workers open and read the pictures; names go to them and outcomes come back. Nothing is kept: files, and
    going on after a crash, are for the command ``digitrec batch``.

    Args:
        images: anything that `digitrec.predict_many` takes, where a URL is fetched through fsspec; or one
            string, what the command takes: a folder, a pattern, a ``.tar`` or ``.zip``, a URL.
        provider: as for `digitrec.predict`. With an executor a name, or a function that can be pickled and
            opens the provider, engine or policy in each worker process.
        executor: any ``concurrent.futures.Executor``, such as a ``ProcessPoolExecutor`` or a Dask client's
            ``get_executor()``; None: they are read here. It is yours, and stays open.
        part: pictures that a worker is given at once, >= 1.
        at_once: parts that are given out at the same time, >= 1; None: twice this machine's cores. Give
            twice the number of workers of a larger cluster.
        lenient, at_least, rotate: as for `digitrec.predict`.
        options: how the engine of a named provider is asked. Workers ask this process for ledger, budget
            and rate limit, which so hold for all of them together.
        address: the address of this machine at which workers on other machines reach it, for that.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
        DigitrecError: while iterating: what stops all pictures that follow as well (a spent budget, refused
            credentials, no network), or a worker that died and took its executor along. What was answered
            before was given out.
    """
    how, found = How(lenient, checked(at_least, rotate), rotate), _found(images)
    if executor is None:
        return Batch(_read_here(map(_here, found), provider, options, how))
    if not isinstance(executor, Executor):
        raise TypeError(f"executor is a concurrent.futures.Executor, not {said(executor)}")
    window = 2 * workers.cores() if at_once is None else whole("at_once", at_once, 1)
    given = Chunks(executor, how, whole("part", part, 1), window)
    return Batch(given.outcomes(found, _opener(provider, options, address)))


@dataclass(frozen=True, slots=True)
class Named:
    """Opens the engine of a name."""

    name: str
    options: Options

    def __call__(self) -> Engine:
        """The engine, which stays open until its process ends or reads for somebody else."""
        return Engine(self.name, self.options)


def _found(images: str | Path | Iterable[ImageSource]) -> Iterable[ImageSource]:
    """The pictures, whether they were given or named."""
    if isinstance(images, str | Path):
        return cast(Iterable[ImageSource], inputs.expand([str(images)], Skipped()))
    return several_images(images)


def _read_here(
    images: Iterable[ImageSource], provider: Asked, options: Options | None, how: How
) -> Iterator[Outcome]:
    """What comes of the pictures, read by this process."""
    if options is not None:
        if not isinstance(provider, str):
            raise TypeError(_OPTIONS)
        provider = Engine(provider, options)
    elif callable(provider) and not isinstance(provider, Engine | Policy | Provider):
        provider = provider()
    return _ended(how.read(images, reader_for(provider)))


def _ended(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    try:
        yield from while_possible(outcomes)
    except Stopped as stopped:
        raise stopped.why from None


def _here(image: ImageSource) -> ImageSource:
    """A picture as it is read in this process: what is behind a URL is fetched."""
    return cast(ImageSource, inputs.named(image)) if isinstance(image, str) and image != "-" else image


def _opener(provider: Asked, options: Options | None, address: str) -> AbstractContextManager[Opener]:
    """What opens the reader in each worker, for as long as this lasts.

    Raises:
        TypeError: it cannot be sent there.
    """
    if isinstance(provider, str):
        return _named(provider, options or Options(), address)
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
    with kept(options, address) as theirs:
        yield Named(name, theirs)


def _named(name: str, options: Options, address: str) -> AbstractContextManager[Opener]:
    if provider_class(name).price == FREE:
        return nullcontext(Named(name, options))
    return _kept(name, options, address)
