"""Inference for many requests at once: an engine or a policy as a service, its work off the event loop."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

from PIL import Image

from digitrec.engine import Engine
from digitrec.errors import ImageError
from digitrec.image import DigitImage, ImageRef
from digitrec.image.formats import kind, promised_pixels
from digitrec.prediction import Failure, Outcome
from digitrec.recognise import stream
from digitrec.recognise.pipeline import MaybePrepared, Unreadable, infer, preprocess
from digitrec.recognise.readers import Reader, name_of
from digitrec.web import problems
from digitrec.web.logs import log
from digitrec.web.metrics import Metrics
from digitrec.web.problems import ProblemError
from digitrec.web.settings import Settings

BATCH = 64
"""Items in one pass at most."""
SMALL = 1024
"""A picture of no more bytes and pixels is prepared sooner than it is handed to a thread of its own."""
LARGE_PIXELS = 2_000_000
"""Pictures above this size are decoded one at a time, which bounds the memory they take together."""
REFUSED = ("AVIF", "PDF")
"""Formats that digitrec reads and a server does not: behind the header of an AVIF that promises a small
picture a huge one may be coded, which shows when it fills the memory; a PDF may keep its decoder busy."""
CALLS = 8
"""Questions to one engine elsewhere, or to one policy, under way at the same time; as many more may wait."""

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
    prepared: MaybePrepared | None
    """What the engine was given, where it works on this machine; None for others and for policies."""


class Service:
    """One engine or policy, on offer under its name."""

    def __init__(self, engine: Reader, settings: Settings, metrics: Metrics) -> None:
        self.name = name_of(engine)
        self._reader = engine
        self._providers = [one.provider for one in _engines(engine)]
        self.remote = any(provider.endpoint is not None for provider in self._providers)
        """Whether pictures may be sent to somebody else's machine."""
        self._here = engine if isinstance(engine, Engine) and not self.remote else None
        self._settings = settings
        self._metrics = metrics
        self._large_decode = threading.Lock()
        self._under_way = 0
        threads = CALLS if self._here is None else min(4, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, f"digitrec-{self.name}")
        self._batcher: Batcher[bytes | MaybePrepared, Reading] = Batcher(self._infer)

    @property
    def usd_per_picture(self) -> float | None:
        """What a picture costs in US dollars, by a policy that asks everybody; 0 is free, None is unknown."""
        prices = [provider.price for provider in self._providers]
        known = [price.usd for price in prices if price is not None]
        return sum(known) if len(known) == len(prices) else None

    async def read(self, pictures: Sequence[bytes]) -> list[Reading]:
        """What is said about each picture, in order.

        Raises:
            ProblemError: an engine elsewhere, or a policy, has all the questions it can take.
        """
        most = max(2 * CALLS, self._settings.max_pictures)
        if self._here is None and self._under_way + len(pictures) > most:
            raise ProblemError(problems.busy(f"{self.name} is asked by others; try again in a moment"))
        self._under_way += len(pictures)
        try:
            readings = await asyncio.gather(*(self._read(picture) for picture in pictures))
        finally:
            self._under_way -= len(pictures)
        for reading in readings:
            self._record(reading.outcome)
        return readings

    async def warm_up(self) -> None:
        """Read a stroke, so that the first visitor does not wait; nobody elsewhere is asked."""
        if self._here is not None:
            picture = Image.new("L", (28, 28))
            picture.paste(255, (13, 5, 16, 23))
            stroke = io.BytesIO()
            picture.save(stroke, "PNG")
            await self._read(stroke.getvalue())

    def _record(self, outcome: Outcome) -> None:
        self._metrics.read(outcome)
        if isinstance(outcome, Failure) and not isinstance(outcome.error, ImageError):
            error = outcome.error
            fields = {"provider": self.name, "error": type(error).__name__, "message": str(error)}
            log.warning("engine failed", extra={"fields": fields})

    async def _read(self, picture: bytes) -> Reading:
        if (found := kind(picture)) in REFUSED:
            error = ImageError(f"{found} is not read here; send a JPEG or a PNG")
            return Reading(Failure(ImageRef("<bytes>", None), self.name, error), None)
        loop = asyncio.get_running_loop()
        pixels = promised_pixels(picture) if len(picture) <= SMALL else None
        if self._here is None:
            return Reading(await loop.run_in_executor(self._pool, self._ask, picture, pixels), None)
        if pixels is not None and pixels <= min(SMALL, self._settings.max_pixels):
            return await self._batcher.submit(picture)
        prepared = await loop.run_in_executor(self._pool, self._prepare, picture, pixels, self._here)
        return await self._batcher.submit(prepared)

    def _ask(self, picture: bytes, pixels: int | None) -> Outcome:
        """The whole way, for an engine elsewhere or a policy."""
        try:
            with self._decoding(picture, pixels):
                opened = DigitImage.open(picture)
        except ImageError as error:
            return Failure(ImageRef("<bytes>", None), self.name, error)
        return next(stream([opened], self._reader))

    def _prepare(self, picture: bytes, pixels: int | None, engine: Engine) -> MaybePrepared:
        """The first half of the way, for an engine on this machine."""
        try:
            with self._decoding(picture, pixels):
                return preprocess([picture], engine)[0]
        except ImageError as error:
            return Unreadable(ImageRef("<bytes>", None), error)

    def _infer(self, waiting: list[bytes | MaybePrepared]) -> list[Reading]:
        """One pass through the network, for small pictures and for what is prepared already."""
        assert self._here is not None
        self._metrics.batch.labels(self.name).observe(len(waiting))
        prepared = [preprocess([one], self._here)[0] if isinstance(one, bytes) else one for one in waiting]
        outcomes = infer(prepared, self._here)
        return [Reading(*one) for one in zip(outcomes, prepared, strict=True)]

    def _decoding(self, picture: bytes, pixels: int | None) -> AbstractContextManager[object]:
        """Permission to decode a picture of so many pixels; None: its header was not read yet.

        Raises:
            ImageError: it has too many pixels.
        """
        if pixels is None:
            pixels = promised_pixels(picture)
        if pixels > self._settings.max_pixels:
            limit = self._settings.max_pixels // 1_000_000
            raise ImageError(f"the picture has more than {limit} million pixels; scale it down first")
        return self._large_decode if pixels > LARGE_PIXELS else nullcontext()

    def close(self) -> None:
        """Let what is under way end, then release the engine."""
        self._pool.shutdown()
        self._batcher.close()
        self._reader.close()


def _engines(reader: Reader) -> Sequence[Engine]:
    return [reader] if isinstance(reader, Engine) else reader.engines
