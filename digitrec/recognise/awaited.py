"""Asynchronous functions for asyncio and Trio: the same path, in AnyIO's worker threads.

There is no second path: retries, rate, budget and ledger are those of `predict` and `stream`.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from functools import partial
from typing import TypeVar, Unpack
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from digitrec.answer import Outcome, Prediction, Sheet
from digitrec.engine import Engine
from digitrec.engine.threads import cancelled_by
from digitrec.image import ImageSource
from digitrec.recognise import AnyReader, How, HowNumbers, Policy, Reader, predict, read, reader_for, stream

T = TypeVar("T")

_LIMITERS: RunVar[WeakKeyDictionary[Engine, CapacityLimiter]] = RunVar("digitrec.recognise.awaited")
"""Of each engine, in each event loop."""


async def apredict(image: ImageSource, provider: AnyReader = "local", **how: Unpack[How]) -> Prediction:
    """Do the same as `predict`, awaited; any number may be awaited at the same time.

    Of those that ask the same engine as many are at work as its ``Options.concurrency`` says (4; with a
    policy, the lowest of its engines'), the others wait. A bare provider is asked by an engine of its own
    each time, as by `predict`, in as many threads as AnyIO has by default (40).

    Being cancelled is what Ctrl-C is to `predict`: it is over at once, no further attempt is begun, and the
    call in flight, which may be billed, still writes its answer into the ledger.

    Args:
        image, provider: as for `predict`.
        how: ``lenient``, ``at_least`` and ``rotate``, as for `predict`.

    Raises:
        TypeError, ValueError, DigitrecError: as for `predict`.
    """
    return await _awaited(partial(predict, **how), image, provider)


async def aread(image: ImageSource, provider: AnyReader = "local", **how: Unpack[HowNumbers]) -> Sheet:
    """Return what `read` returns, awaited; concurrency and cancellation are those of `apredict`.

    Args:
        image, provider: as for `read`.
        how: ``digits``, ``lenient``, ``at_least``, ``rotate`` and ``region``, as for `read`.

    Raises:
        TypeError, ValueError, DigitrecError: as for `read`.
    """
    return await _awaited(partial(read, **how), image, provider)


async def astream(
    images: Iterable[ImageSource],
    provider: AnyReader = "local",
    **how: Unpack[How],
) -> AsyncGenerator[Outcome, None]:
    """Yield what `stream` yields, for ``async for``: an outcome for each picture, in order.

    As many requests are in flight as the engine's ``Options.concurrency`` says. ``images`` is iterated in a
    worker thread. Being cancelled, or closed, stops the work as it does for `apredict`.

    Args:
        images, provider: as for `stream`.
        how: ``lenient``, ``at_least`` and ``rotate``, as for `stream`.

    Raises:
        TypeError, ValueError, DigitrecError: as for `stream`, when the first outcome is asked for.
    """
    gone, thread = threading.Event(), CapacityLimiter(1)
    try:
        outcomes = await _in_thread(partial(stream, images, provider, **how), gone, thread)
        following = partial(next, outcomes, None)
        while (outcome := await _in_thread(following, gone, thread)) is not None:
            yield outcome
    finally:
        gone.set()


async def _awaited(work: Callable[[ImageSource, Reader], T], image: ImageSource, provider: AnyReader) -> T:
    """Return the result of ``work`` on a picture and its reader, in a worker thread."""
    gone = threading.Event()
    try:
        reader = await _in_thread(partial(reader_for, provider), gone)
        return await _in_thread(partial(work, image, reader), gone, _limiter(provider, reader))
    finally:
        gone.set()


async def _in_thread(
    work: Callable[[], T], gone: threading.Event, limiter: CapacityLimiter | None = None
) -> T:
    """Run ``work`` in a worker thread, which is abandoned when the task is cancelled."""

    def run() -> T:
        with cancelled_by(gone):
            return work()

    return await to_thread.run_sync(run, abandon_on_cancel=True, limiter=limiter)


def _limiter(provider: AnyReader, reader: Reader) -> CapacityLimiter | None:
    """Return what limits an engine's concurrent calls; None: AnyIO's own limit is enough.

    That of the engine that may do the least, where a policy asks several.
    """
    engines = [reader] if isinstance(reader, Engine) else reader.engines
    if not engines or not isinstance(provider, str | Engine | Policy):
        return None
    tightest = min(engines, key=lambda engine: engine.options.concurrency)
    known = _LIMITERS.get(None) or WeakKeyDictionary()
    _LIMITERS.set(known)
    return known.setdefault(tightest, CapacityLimiter(tightest.options.concurrency))
