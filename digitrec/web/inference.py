"""Offer engines and policies as services: fair to clients, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import numpy as np

from digitrec.answer import Failure, Outcome, SheetOutcome
from digitrec.comparison.policy import total
from digitrec.engine import Engine
from digitrec.errors import DigitrecError, ImageError, UnknownProvider
from digitrec.image import DigitImage, ImageRef, ImageSource
from digitrec.recognise import Digits, read_stream, stream
from digitrec.recognise.explain import Explanation, explain
from digitrec.recognise.pipeline import MaybePrepared, batches, infer
from digitrec.recognise.readers import Reader, name_of
from digitrec.web import problems
from digitrec.web.clients import Client
from digitrec.web.limits import Buffers
from digitrec.web.monitoring import Metrics, log
from digitrec.web.problems import Problem, ProblemError
from digitrec.web.scheduling import ConcurrencyLimit, Lane, Lanes, Result
from digitrec.web.settings import Settings

CALLS = 8
"""Requests to one remote engine, or to one policy, at the same time; as many more may wait."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The result for one picture."""

    outcome: Outcome
    """The engine's answer, or its failure."""
    prepared: MaybePrepared | None = None
    """The engine's input, for an engine on this machine; None for others and for policies."""


class Service:
    """One engine or policy on offer under its name."""

    def __init__(self, reader: Reader, settings: Settings, metrics: Metrics, lanes: Lanes) -> None:
        self.name = name_of(reader)
        self._reader = reader
        self._engines = [reader] if isinstance(reader, Engine) else reader.engines
        self.remote = any(one.provider.endpoint is not None for one in self._engines)
        """Whether pictures may be sent to another company's machines."""
        self._here = reader if isinstance(reader, Engine) and not self.remote else None
        self.reads_numbers = False
        """Whether `numbers` works: for an engine, not a policy, that reads whole numbers."""
        with suppress(DigitrecError):
            self.reads_numbers = isinstance(reader, Engine) and reader.for_numbers is not None
        self._metrics = metrics
        self._lanes = lanes
        self._places = ConcurrencyLimit(max(2 * CALLS, settings.max_pictures))
        self._calls = Lane(CALLS)

    @property
    def explains(self) -> bool:
        """Whether `explain` works: for a network on this machine that takes 28x28 pixels."""
        return self._here is not None and self._here.provider.wants.encoding == "mnist"

    @property
    def usd_per_picture(self) -> float | None:
        """Price of a picture in US dollars, for a policy that asks all its engines; None: unknown."""
        return total([one.usd_per_image for one in self._engines])

    async def read(self, client: Client, pictures: Sequence[bytes]) -> list[Reading]:
        """Read encoded pictures; return a reading for each, in order.

        Raises:
            ProblemError: a remote engine or a policy is at capacity.
        """
        with self._admitted(client, len(pictures)):
            readings = await asyncio.gather(*(self._read(client, picture) for picture in pictures))
        for reading in readings:
            self._record(reading.outcome)
        return readings

    async def numbers(self, client: Client, picture: bytes, digits: Digits) -> SheetOutcome:
        """Read the numbers on an encoded picture; ``digits`` says how many each is expected to have.

        Raises:
            ProblemError: the engine does not read numbers or is at capacity.
            ImageError: the picture cannot be read.
        """
        engine = self._reader
        if not (self.reads_numbers and isinstance(engine, Engine)):
            raise ProblemError(Problem(422, "no-numbers", f"{self.name} does not read numbers"))

        def found(source: ImageSource) -> SheetOutcome:
            return next(read_stream([source], engine, digits=digits))

        with self._admitted(client, 1):
            outcome = await self._ask(client, picture, found)
        self._record(outcome)
        return outcome

    @contextmanager
    def _admitted(self, client: Client, count: int) -> Iterator[None]:
        """Hold places for pictures.

        Raises:
            ProblemError: a remote engine or a policy is at capacity.
        """
        if self._here is None and not self._places.admits(client, count):
            raise ProblemError(problems.busy(f"{self.name} is at capacity; try again in a moment"))
        with self._places.hold(client, count):
            yield

    async def explain(self, client: Client, picture: bytes, *, inside: bool, hiding: bool) -> Explanation:
        """Explain the engine's answer to an encoded picture.

        Args:
            client: who asks.
            picture: as it was sent.
            inside: also look inside the network.
            hiding: hide the ink piece by piece, which takes nearly all of the time.

        Raises:
            ProblemError: the engine cannot be explained.
            ImageError: the picture cannot be read.
            ProviderError: the engine gave no usable answer.
        """
        if self._here is None or not self.explains:
            raise ProblemError(Problem(422, "no-explanation", f"{self.name} cannot be explained"))
        async with self._lanes.explaining.turn(client):
            image = await self._lanes.run(client, picture, partial(DigitImage.open, picture))
            work = partial(explain, image, self._here, inside=inside, hiding=hiding)
            return await self._lanes.explaining.do(work)

    async def warm_up(self) -> None:
        """Read a stroke, so that the first visitor does not wait; no remote engine is asked."""
        if self._here is not None:
            stroke = np.zeros((28, 28), np.uint8)
            stroke[5:23, 13:16] = 255
            await asyncio.to_thread(self._answer, stroke)

    async def _read(self, client: Client, picture: bytes) -> Reading:
        try:
            return await self._ask(client, picture, self._answer)
        except ImageError as error:
            return Reading(Failure(ImageRef("<bytes>", None), self.name, error))

    def _answer(self, picture: ImageSource) -> Reading:
        if self._here is None:
            return Reading(next(stream([picture], self._reader)))
        (batch,) = batches([picture], self._here)
        (outcome,) = infer(batch, self._here)
        return Reading(outcome, batch[0])

    async def _ask(self, client: Client, picture: bytes, work: Callable[[ImageSource], Result]) -> Result:
        """Do the work on a picture when it is the client's turn."""
        if self._here is not None:  # opened and read in one turn, which the client is charged for
            return await self._lanes.run(client, picture, partial(work, picture))
        async with self._calls.turn(client):  # decode no more pictures than can be sent
            opened = await self._lanes.run(client, picture, partial(DigitImage.open, picture))
            return await self._calls.do(partial(work, opened))

    def _record(self, outcome: Outcome | SheetOutcome) -> None:
        self._metrics.read(outcome)
        if isinstance(outcome, Failure) and not isinstance(outcome.error, ImageError):
            error = outcome.error
            fields = {"provider": self.name, "error": type(error).__name__, "message": str(error)}
            log.warning("engine failed", extra={"fields": fields})

    def close(self) -> None:
        """Wait for the work in progress, then release the engine."""
        self._calls.close()
        self._reader.close()


class State:
    """The state of one server."""

    def __init__(self, engines: Sequence[Reader], settings: Settings) -> None:
        """Offer these engines, at least one; the first is the default."""
        self.settings = settings
        self.metrics = Metrics()
        self.inside = ConcurrencyLimit(settings.max_requests)
        self.buffers = Buffers(settings)
        self.lanes = Lanes(settings.max_decoding_bytes)
        services = [Service(one, settings, self.metrics, self.lanes) for one in engines]
        self.services = {service.name: service for service in services}

    def service(self, name: str | None) -> Service:
        """Return the engine of that name; the default for None.

        Raises:
            UnknownProvider: it is not on offer here.
        """
        name = next(iter(self.services)) if name is None else name
        if name not in self.services:
            raise UnknownProvider(
                f"this server does not offer that engine; it offers: {', '.join(self.services)}"
            )
        return self.services[name]

    def free(self) -> list[str]:
        """Return the names of the engines that are known to cost nothing."""
        return [name for name, service in self.services.items() if service.usd_per_picture == 0]

    def close(self) -> None:
        """Release the engines."""
        for service in self.services.values():
            service.close()
        self.lanes.close()
