"""Inference for many requests at once: an engine or a policy as a service, its work off the event loop."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from PIL import Image

from digitrec.answer.prediction import Failure, Outcome
from digitrec.engine import Engine
from digitrec.errors import ImageError
from digitrec.image import DigitImage, ImageRef
from digitrec.image.formats import kind
from digitrec.image.headers import Header, header
from digitrec.recognise import stream
from digitrec.recognise.pipeline import MaybePrepared, Unreadable, infer, preprocess
from digitrec.recognise.readers import Reader, name_of
from digitrec.web import problems
from digitrec.web.clients import Client
from digitrec.web.logs import log
from digitrec.web.metrics import Metrics
from digitrec.web.problems import REFUSED, ProblemError
from digitrec.web.scheduling import ConcurrencyLimit, FairQueue, Lanes, Turns
from digitrec.web.settings import Settings
from digitrec.web.spending import Spending

BATCH = 64
"""Items in one pass at most."""
SMALL = 1024
"""A picture of no more bytes and pixels is prepared sooner than it is handed to a thread of its own."""
CALLS = 8
"""Questions to one engine elsewhere, or to one policy, under way at the same time; as many more may wait."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Hands whatever is waiting to one function at once, in a thread of its own.

    Nothing is ever held back for company: while one pass is under way the next batch gathers by itself,
    so batches grow with the load and a lonely item waits for nobody. Clients have even shares of a batch
    that cannot hold all that wait.
    """

    def __init__(self, work: Callable[[list[Item]], list[Result]], most: int = BATCH) -> None:
        self._work = work
        self._most = most
        self._waiting: FairQueue[tuple[Item, asyncio.Future[Result]]] = FairQueue()
        self._thread = ThreadPoolExecutor(1, "digitrec-ask")
        self._draining: asyncio.Task[None] | None = None

    async def submit(self, client: Client, item: Item) -> Result:
        """The result for one item."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.push(client, (item, future))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            wanted = [(item, future) for item, future in self._next() if not future.cancelled()]
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

    def _next(self) -> Iterator[tuple[Item, asyncio.Future[Result]]]:
        for _ in range(min(self._most, len(self._waiting))):
            client, waiting = self._waiting.pop()
            self._waiting.charge(client, 1)
            yield waiting

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

    def __init__(
        self, engine: Reader, settings: Settings, metrics: Metrics, lanes: Lanes, spending: Spending
    ) -> None:
        self.name = name_of(engine)
        self._reader = engine
        self._engines = _engines(engine)
        self.remote = any(one.provider.endpoint is not None for one in self._engines)
        """Whether pictures may be sent to somebody else's machine."""
        self._here = engine if isinstance(engine, Engine) and not self.remote else None
        wants = None if self._here is None else self._here.provider.wants
        self.explained = self._here if wants is not None and wants.encoding == "mnist" else None
        """The engine, where it can be shown why it says what it says; else None."""
        self._metrics = metrics
        self._lanes = lanes
        self._spending = spending
        self._under_way = ConcurrencyLimit(max(2 * CALLS, settings.max_pictures))
        self._turns = Turns(CALLS)
        self._pool = ThreadPoolExecutor(CALLS, f"digitrec-{self.name}")
        most = BATCH if self._here is None else min(BATCH, self._here.batch)
        self._batcher: Batcher[bytes | MaybePrepared, Reading] = Batcher(self._infer, most)

    @property
    def usd_per_picture(self) -> float | None:
        """What a picture costs in US dollars, by a policy that asks everybody; 0 is free, None is unknown."""
        prices = [one.usd_per_image for one in self._engines]
        known = [price for price in prices if price is not None]
        return sum(known) if len(known) == len(prices) else None

    async def read(self, client: Client, pictures: Sequence[bytes]) -> list[Reading]:
        """What is said about each picture, in order.

        Raises:
            ProblemError: an engine elsewhere, or a policy, has all the questions it can take, or what may
                be spent today is spent.
        """
        if self._here is None and not self._under_way.admits(client, len(pictures)):
            raise ProblemError(problems.busy(f"{self.name} is asked by others; try again in a moment"))
        most = len(pictures) * (self.usd_per_picture or 0.0)
        with (
            self._under_way.hold(client, len(pictures)),
            self._spending.reserve(client.account, most) as bill,
        ):
            readings = await asyncio.gather(*(self._read(client, picture) for picture in pictures))
            bill.usd = sum(reading.outcome.cost_usd or 0.0 for reading in readings)
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
            await self._read(Client("nobody"), stroke.getvalue())

    def _record(self, outcome: Outcome) -> None:
        self._metrics.read(outcome)
        if isinstance(outcome, Failure) and not isinstance(outcome.error, ImageError):
            error = outcome.error
            fields = {"provider": self.name, "error": type(error).__name__, "message": str(error)}
            log.warning("engine failed", extra={"fields": fields})

    async def _read(self, client: Client, picture: bytes) -> Reading:
        if (found := kind(picture)) in REFUSED:
            error = ImageError(f"{found} is not read here; send a JPEG or a PNG")
            return Reading(Failure(ImageRef("<bytes>", None), self.name, error), None)
        promised = header(picture) if len(picture) <= SMALL else None
        if self._here is None:
            return Reading(await self._ask(client, picture, promised), None)
        if promised is not None and promised.pixels <= SMALL:
            return await self._batcher.submit(client, picture)
        prepared = await self._prepare(client, picture, promised, self._here)
        return await self._batcher.submit(client, prepared)

    async def _ask(self, client: Client, picture: bytes, promised: Header | None) -> Outcome:
        """The whole way, for an engine elsewhere or a policy; no more are decoded than can be asked."""
        async with self._turns.turn(client):
            try:
                opened = await self._lanes.run(client, picture, promised, partial(DigitImage.open, picture))
            except ImageError as error:
                return Failure(ImageRef("<bytes>", None), self.name, error)
            ask = partial(next, stream([opened], self._reader))
            return await asyncio.get_running_loop().run_in_executor(self._pool, ask)

    async def _prepare(
        self, client: Client, picture: bytes, promised: Header | None, engine: Engine
    ) -> MaybePrepared:
        """The first half of the way, for an engine on this machine."""
        try:
            work = partial(preprocess, [picture], engine)
            return (await self._lanes.run(client, picture, promised, work))[0]
        except ImageError as error:
            return Unreadable(ImageRef("<bytes>", None), error)

    def _infer(self, waiting: list[bytes | MaybePrepared]) -> list[Reading]:
        """One pass through the network, for small pictures and for what is prepared already."""
        assert self._here is not None
        self._metrics.batch.labels(self.name).observe(len(waiting))
        prepared = [preprocess([one], self._here)[0] if isinstance(one, bytes) else one for one in waiting]
        outcomes = infer(prepared, self._here)
        return [Reading(*one) for one in zip(outcomes, prepared, strict=True)]

    def close(self) -> None:
        """Let what is under way end, then release the engine."""
        self._pool.shutdown()
        self._batcher.close()
        self._reader.close()


def _engines(reader: Reader) -> Sequence[Engine]:
    return [reader] if isinstance(reader, Engine) else reader.engines
