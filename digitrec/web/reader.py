"""Reading pictures off the event loop, those of several requests in one pass through the network."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

from PIL import Image

from digitrec import recognise
from digitrec.decode import FORMATS
from digitrec.engine import Engine
from digitrec.errors import ImageError
from digitrec.image import ImageRef
from digitrec.prediction import Failure
from digitrec.recognise import Outcome, Place, Unreadable
from digitrec.web import problems
from digitrec.web.logs import log
from digitrec.web.metrics import Metrics
from digitrec.web.settings import Settings

BATCH = 64
"""Pictures in one pass at most."""
LARGE_PIXELS = 2_000_000
"""Pictures above this size are decoded one at a time, which bounds the memory they take together."""
REMOTE_CALLS = 8
"""Questions to one remote engine under way at the same time; as many more may wait."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Hands whatever is waiting to one function at once, in a thread of its own.

    Nothing is ever held back for company: while one pass is under way the next batch gathers by itself,
    so batches grow with the load and a lonely item waits for nobody.
    """

    def __init__(self, work: Callable[[list[Item]], list[Result]]) -> None:
        self._work = work
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._thread = ThreadPoolExecutor(1, "digitrec-ask")
        self._draining: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """The result for one item."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            wanted = [(item, future) for item, future in batch if not future.cancelled()]
            try:
                results = await loop.run_in_executor(self._thread, self._work, [item for item, _ in wanted])
            except Exception as error:  # a bug in the work: everybody who waits for it is told
                for _, future in wanted:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(wanted, results, strict=True):
                if not future.done():
                    future.set_result(result)
        self._draining = None

    def close(self) -> None:
        """Let the pass under way end."""
        self._thread.shutdown()


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one picture."""

    outcome: Outcome
    """What the engine said, or why it could not."""
    place: Place | None
    """What the engine was given, where it works on this machine; None for a remote one."""


class Reader:
    """One engine or policy, at the service of many requests."""

    def __init__(self, engine: recognise.Reader, settings: Settings, metrics: Metrics) -> None:
        self.engine = engine
        self.name = recognise.name_of(engine)
        self.remote = not isinstance(engine, Engine) or engine.provider.endpoint is not None
        self._settings = settings
        self._metrics = metrics
        self._one_at_a_time = threading.Lock()
        self._under_way = 0
        threads = REMOTE_CALLS if self.remote else min(4, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, f"digitrec-{self.name}")
        self._batcher: Batcher[Place, Outcome] = Batcher(self._ask)

    @property
    def usd_per_picture(self) -> float | None:
        """What a picture costs in US dollars, by a policy that asks everybody; 0 is free, None is unknown."""
        engines = [self.engine] if isinstance(self.engine, Engine) else self.engine.engines
        prices = [engine.provider.price for engine in engines]
        known = [price.usd for price in prices if price is not None]
        return sum(known) if len(known) == len(prices) else None

    async def read(self, pictures: Sequence[bytes]) -> list[Reading]:
        """What the engine says about each picture, in order.

        Raises:
            Refused: a remote engine has all the questions it can take.
        """
        if self.remote and self._under_way + len(pictures) > max(
            2 * REMOTE_CALLS, self._settings.max_pictures
        ):
            raise problems.Refused(
                problems.busy(f"{self.name} is being asked by others; try again in a moment")
            )
        self._under_way += len(pictures)
        try:
            readings = await asyncio.gather(*(self._read(picture) for picture in pictures))
        finally:
            self._under_way -= len(pictures)
        for reading in readings:
            self._record(reading.outcome)
        return readings

    async def warm_up(self) -> None:
        """Read a stroke, so that the first visitor does not wait; a remote engine is left alone."""
        if not self.remote:
            picture = Image.new("L", (28, 28))
            picture.paste(255, (13, 5, 16, 23))
            stroke = io.BytesIO()
            picture.save(stroke, "PNG")
            await self._read(stroke.getvalue())

    def _record(self, outcome: Outcome) -> None:
        self._metrics.read(outcome)
        if isinstance(outcome, Failure) and not isinstance(outcome.error, ImageError):
            fields = {
                "provider": self.name,
                "error": type(outcome.error).__name__,
                "message": str(outcome.error),
            }
            log.warning("engine failed", extra={"fields": fields})

    async def _read(self, picture: bytes) -> Reading:
        loop = asyncio.get_running_loop()
        if self.remote:
            return Reading(await loop.run_in_executor(self._pool, self._look_and_ask, picture), None)
        place = await loop.run_in_executor(self._pool, self._look, picture)
        return Reading(await self._batcher.submit(place), place)

    def _look_and_ask(self, picture: bytes) -> Outcome:
        if isinstance(self.engine, Engine):
            return self._ask([self._look(picture)])[0]
        opened = self._guarded(picture, recognise.open_or_unreadable)
        if isinstance(opened, Unreadable):
            return Failure(opened.image, self.name, opened.error)
        return next(self.engine.stream([opened]))

    def _look(self, picture: bytes) -> Place:
        engine = self._engine
        return self._guarded(picture, lambda it: recognise.look([it], engine)[0])

    @property
    def _engine(self) -> Engine:
        assert isinstance(self.engine, Engine)
        return self.engine

    def _guarded(self, picture: bytes, look: Callable[[bytes], Item | Unreadable]) -> Item | Unreadable:
        """What ``look`` makes of a picture, unless it is too large; large ones one at a time."""
        try:
            pixels = _pixels(picture)
        except Exception:  # not for us to judge: opening it in earnest says what is wrong
            pixels = 0
        if pixels > self._settings.max_pixels:
            limit = self._settings.max_pixels // 1_000_000
            error = ImageError(f"the picture has more than {limit} million pixels; scale it down first")
            return Unreadable(ImageRef("<bytes>", None), error)
        with self._one_at_a_time if pixels > LARGE_PIXELS else nullcontext():
            return look(picture)

    def _ask(self, places: list[Place]) -> list[Outcome]:
        self._metrics.batch.labels(self.name).observe(len(places))
        return recognise.ask(places, self._engine)

    def close(self) -> None:
        """Let what is under way end, then release the engine."""
        self._pool.shutdown()
        self._batcher.close()
        self.engine.close()


def _pixels(picture: bytes) -> int:
    """How many pixels the header promises; nothing is decoded."""
    with Image.open(io.BytesIO(picture), formats=FORMATS) as opened:
        return opened.width * opened.height
