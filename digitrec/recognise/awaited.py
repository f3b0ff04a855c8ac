"""Asynchronous functions for asyncio and Trio; they run the synchronous functions in worker threads.

So retries, rate limits, budget and ledger are those of `predict` and `stream`.
"""

import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TypeVar, Unpack
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter, Event, RunFinishedError, from_thread, to_thread
from anyio.lowlevel import RunVar, current_token

from digitrec.answer import Outcome, Prediction, Sheet
from digitrec.engine import Engine
from digitrec.engine.threads import cancelled_by, in_thread
from digitrec.image import ImageSource
from digitrec.recognise import AnyReader, How, HowNumbers, Policy, Reader, predict, read, reader_for, stream

T = TypeVar("T")

_LIMITERS: RunVar[WeakKeyDictionary[Engine, CapacityLimiter]] = RunVar("digitrec.recognise.awaited")
"""The limiter of each engine, in each event loop."""


async def apredict(image: ImageSource, provider: AnyReader = "local", **how: Unpack[How]) -> Prediction:
    """Return what `predict` returns, awaited.

    At most ``Options.concurrency`` calls of an engine run at the same time (4 by default; for a policy the
    lowest value of its engines); further calls wait. A provider instance gets a new engine for each call, as
    in `predict`, and runs in as many threads as AnyIO allows by default (40).

    Cancelling has the effect of Ctrl-C on `predict`: the call ends at once and starts no further attempt. A
    request already sent may be billed; its answer is still written into the ledger.

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
    images: Iterable[ImageSource], provider: AnyReader = "local", **how: Unpack[How]
) -> AsyncGenerator[Outcome, None]:
    """Yield the outcomes of `stream`, for ``async for``: one for each picture, in order.

    At most ``Options.concurrency`` requests of an engine are in flight. ``images`` is iterated in a worker
    thread. Cancelling or closing the generator stops the work, as in `apredict`.

    Args:
        images, provider: as for `stream`.
        how: ``lenient``, ``at_least`` and ``rotate``, as for `stream`.

    Raises:
        TypeError, ValueError, DigitrecError: as for `stream`, raised when the first outcome is requested.
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
    """Run ``work`` on a picture and the provider's reader in a worker thread; return its result."""
    gone = threading.Event()
    try:
        reader = await _in_thread(partial(reader_for, provider), gone)
        return await _in_thread(partial(work, image, reader), gone, _limiter(provider, reader))
    finally:
        gone.set()


async def _in_thread(
    work: Callable[[], T], gone: threading.Event, limiter: CapacityLimiter | None = None
) -> T:
    """Run ``work`` in a daemon thread, which is abandoned when the task is cancelled.

    AnyIO's own threads keep the program from ending.
    """
    done, token = Event(), current_token()

    def run() -> T:
        try:
            with cancelled_by(gone):
                return work()
        finally:
            with suppress(RunFinishedError):
                from_thread.run_sync(done.set, token=token)

    async with limiter or to_thread.current_default_thread_limiter():
        future = in_thread(run)
        await done.wait()
    return future.result()


def _limiter(provider: AnyReader, reader: Reader) -> CapacityLimiter | None:
    """Return the limiter of an engine's concurrent calls; None: AnyIO's own limit is enough.

    For a policy, return the limiter of the engine with the lowest limit.
    """
    engines = [reader] if isinstance(reader, Engine) else reader.engines
    if not engines or not isinstance(provider, str | Engine | Policy):
        return None
    tightest = min(engines, key=lambda engine: engine.options.concurrency)
    known = _LIMITERS.get(None) or WeakKeyDictionary()
    _LIMITERS.set(known)
    return known.setdefault(tightest, CapacityLimiter(tightest.options.concurrency))
