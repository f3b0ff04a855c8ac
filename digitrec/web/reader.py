"""An engine or a policy at the service of many requests, its work off the event loop."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from PIL import Image

from digitrec import recognise
from digitrec.engine import Engine
from digitrec.errors import ImageError
from digitrec.image import DigitImage, ImageRef
from digitrec.image.formats import kind, promised_pixels
from digitrec.prediction import Failure
from digitrec.recognise import Outcome, Place, Unreadable
from digitrec.web import problems
from digitrec.web.batcher import Batcher
from digitrec.web.logs import log
from digitrec.web.metrics import Metrics
from digitrec.web.settings import Settings

SMALL = 1024
"""A picture of no more bytes and pixels is looked at sooner than it is handed to a thread of its own."""
LARGE_PIXELS = 2_000_000
"""Pictures above this size are decoded one at a time, which bounds the memory they take together."""
REFUSED = ("AVIF", "PDF")
"""Formats that digitrec reads and a server does not: behind the header of an AVIF that promises a small
picture a huge one may be coded, which shows when it fills the memory; a PDF may keep its decoder busy."""
CALLS = 8
"""Questions to one engine elsewhere, or to one policy, under way at the same time; as many more may wait."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one picture."""

    outcome: Outcome
    """What the engine said, or why it could not."""
    place: Place | None
    """What the engine was given, where it works on this machine; None for others and for policies."""


class Reader:
    """One engine or policy, on offer under its name."""

    def __init__(self, engine: recognise.Reader, settings: Settings, metrics: Metrics) -> None:
        self.name = recognise.name_of(engine)
        self._reader = engine
        self._providers = [one.provider for one in _engines(engine)]
        self.remote = any(provider.endpoint is not None for provider in self._providers)
        """Whether pictures may be sent to somebody else's machine."""
        self._here = engine if isinstance(engine, Engine) and not self.remote else None
        self._settings = settings
        self._metrics = metrics
        self._one_at_a_time = threading.Lock()
        self._under_way = 0
        threads = CALLS if self._here is None else min(4, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, f"digitrec-{self.name}")
        self._batcher: Batcher[bytes | Place, Reading] = Batcher(self._pass)

    @property
    def usd_per_picture(self) -> float | None:
        """What a picture costs in US dollars, by a policy that asks everybody; 0 is free, None is unknown."""
        prices = [provider.price for provider in self._providers]
        known = [price.usd for price in prices if price is not None]
        return sum(known) if len(known) == len(prices) else None

    async def read(self, pictures: Sequence[bytes]) -> list[Reading]:
        """What is said about each picture, in order.

        Raises:
            Refused: an engine elsewhere, or a policy, has all the questions it can take.
        """
        most = max(2 * CALLS, self._settings.max_pictures)
        if self._here is None and self._under_way + len(pictures) > most:
            raise problems.Refused(problems.busy(f"{self.name} is asked by others; try again in a moment"))
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
        if self._here is None:
            return Reading(await loop.run_in_executor(self._pool, self._whole_path, picture), None)
        if len(picture) <= SMALL and promised_pixels(picture) <= min(SMALL, self._settings.max_pixels):
            return await self._batcher.submit(picture)
        place = await loop.run_in_executor(self._pool, self._look, picture, self._here)
        return await self._batcher.submit(place)

    def _whole_path(self, picture: bytes) -> Outcome:
        try:
            with self._turn(picture):
                opened = DigitImage.open(picture)
        except ImageError as error:
            return Failure(ImageRef("<bytes>", None), self.name, error)
        return next(recognise.stream([opened], self._reader))

    def _look(self, picture: bytes, engine: Engine) -> Place:
        try:
            with self._turn(picture):
                return recognise.look([picture], engine)[0]
        except ImageError as error:
            return Unreadable(ImageRef("<bytes>", None), error)

    def _pass(self, waiting: list[bytes | Place]) -> list[Reading]:
        """One pass through the network, for pictures and for what has been looked at already."""
        assert self._here is not None
        self._metrics.batch.labels(self.name).observe(len(waiting))
        places = [recognise.look([one], self._here)[0] if isinstance(one, bytes) else one for one in waiting]
        outcomes = recognise.ask(places, self._here)
        return [Reading(*one) for one in zip(outcomes, places, strict=True)]

    def _turn(self, picture: bytes) -> AbstractContextManager[object]:
        """Permission to decode a picture, told from what its header says.

        Raises:
            ImageError: it has too many pixels.
        """
        pixels = promised_pixels(picture)
        if pixels > self._settings.max_pixels:
            limit = self._settings.max_pixels // 1_000_000
            raise ImageError(f"the picture has more than {limit} million pixels; scale it down first")
        return self._one_at_a_time if pixels > LARGE_PIXELS else nullcontext()

    def close(self) -> None:
        """Let what is under way end, then release the engine."""
        self._pool.shutdown()
        self._batcher.close()
        self._reader.close()


def _engines(reader: recognise.Reader) -> Sequence[Engine]:
    return [reader] if isinstance(reader, Engine) else reader.engines
