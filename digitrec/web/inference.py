"""Run engines and policies as services, with a fair share of capacity, threads and memory for each client."""

import asyncio
import ctypes
import math
import os
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from digitrec.answer import Failure, Outcome, SheetOutcome, total
from digitrec.engine import Engine
from digitrec.engine.threads import Cancelled, cancelled_by
from digitrec.errors import DigitrecError, ImageError, TimedOut, UnknownProvider
from digitrec.image import DigitImage, ImageRef, ImageSource
from digitrec.image.decode import count_pixels
from digitrec.image.headers import kind
from digitrec.image.pixels import ENOUGH_SIDE, NUMBERS_SIDE
from digitrec.providers.addresses import is_loopback, origin
from digitrec.recognise import Digits, Reader, name_of, read_stream, stream
from digitrec.recognise.explain import Explanation, explain
from digitrec.recognise.pipeline import MaybePrepared, batches, infer
from digitrec.web.monitoring import Metrics, log
from digitrec.web.problems import NOT_READ, Problem, busy
from digitrec.web.settings import Settings

THREADS = min(4, os.cpu_count() or 1)
LANES = ((250_000, THREADS), (2_000_000, THREADS), (math.inf, 1))
"""For each lane the maximum number of pixels of its pictures, and its number of threads. The first lane is
for drawings. The last lane decodes one picture at a time, because a picture may take
`digitrec.image.headers.MAX_DECODING_BYTES`. It also reads numbers, which takes as much at any size."""
EXPLANATIONS = 1
"""Maximum number of simultaneous explanations: each runs the network 785 times, which takes 0.3 s."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of the parameters in glibc's malloc.h."""
LARGE_BLOCK = 4_000_000
"""Minimum size in bytes of a block that is mapped separately, and returned when it is freed. With a smaller
value an ordinary photo takes a third longer."""
KEPT = 16_000_000
"""Bytes that the heap may keep free at its end; with glibc's own 128 kB a drawing takes a fifth longer."""
TURN_S = 1e-6
"""Seconds charged when a turn begins, so that a client without a turn precedes a client with one."""
MAX_REMEMBERED = 1000
"""Maximum number of clients whose use is remembered; then the client charged longest ago is forgotten."""
CALLS = 8
"""Maximum number of simultaneous requests to one remote engine or policy; as many more may wait."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Client:
    """The sender of a request, as the server sees it."""

    address: str
    """The address, or the IPv6 network."""
    key: int | None = None
    """Index of the API key that the client sent; None without a valid key."""


class ConcurrencyLimit:
    """A limit on work in progress that is shared fairly by clients.

    One client may use all places while no other client needs one. When all places are taken, a client with
    less than an even share is still admitted, so the total may exceed the limit: by the sum 1/2 + 1/3 + ...
    over the clients, which for 24 places is less than threefold.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: Counter[Client] = Counter()

    @property
    def full(self) -> bool:
        """Whether the next request is rejected, unless its client has less than an even share."""
        return self._held.total() >= self._limit

    def admits(self, client: Client, count: int = 1) -> bool:
        """Return whether ``count`` more places are granted to a client now."""
        clients = len(self._held.keys() | {client})
        below_share = clients > 1 and self._held[client] + count <= self._limit // clients
        return self._held.total() + count <= self._limit or below_share

    @contextmanager
    def hold(self, client: Client, count: int = 1) -> Iterator[None]:
        """Hold ``count`` places for the block; the caller must have called `admits`."""
        self._held[client] += count
        try:
            yield
        finally:
            self._held[client] -= count
            self._held += Counter()  # drops clients that hold nothing


class Lane:
    """Threads for the work of many clients; the next turn goes to the client with the least time used.

    The method is start-time fair queueing (Goyal, Vin and Cheng, 1996), with the time charged when a turn
    ends. A client that begins to wait starts level with the waiting clients, so that idling earns no credit.
    """

    def __init__(self, threads: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._free = threads
        self._clock = clock
        self._pool = ThreadPoolExecutor(threads, "digitrec-web")
        self._waiting: dict[Client, deque[asyncio.Future[float]]] = {}
        self._used: dict[Client, float] = {}
        self._level = 0.0

    async def run(self, client: Client, work: Callable[[], Result]) -> Result:
        """Run the work in a thread when it is the client's turn; return its result or raise its error."""
        async with self.turn(client):
            return await self.do(work)

    async def do(self, work: Callable[[], Result]) -> Result:
        """Run the work in a thread; the caller must have a turn. If it leaves, the work asks nobody more."""
        gone = threading.Event()

        def run() -> Result:
            with cancelled_by(gone):
                return work()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, run)
        finally:
            gone.set()

    @asynccontextmanager
    async def turn(self, client: Client) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for the block."""
        start: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(start)
        self._hand_out()
        try:
            await start
            yield
        finally:
            if not start.cancelled():
                self._free += 1
                self._charge(client, self._clock() - start.result())
            self._hand_out()

    def _hand_out(self) -> None:
        while self._free and self._waiting:
            client = min(self._waiting, key=self._use)
            start = self._waiting[client].popleft()
            if not self._waiting[client]:
                del self._waiting[client]
            if not start.cancelled():
                self._free -= 1
                self._level = self._use(client)
                self._charge(client, TURN_S)
                start.set_result(self._clock())

    def _use(self, client: Client) -> float:
        return max(self._used.get(client, 0.0), self._level)

    def _charge(self, client: Client, seconds: float) -> None:
        used = self._use(client) + seconds
        self._used.pop(client, None)  # keeps the clients in the order of their last charge
        self._used[client] = used
        if len(self._used) > MAX_REMEMBERED:
            del self._used[next(iter(self._used))]

    def close(self) -> None:
        """Wait for the work in progress."""
        self._pool.shutdown()


class Lanes:
    """The threads of one server that decode pictures: a lane each for small, medium and large ones.

    A client is charged the time that its picture took, so no format has to be judged beforehand. The size
    only selects the lane: a large picture never holds a thread that a small one needs, and no two large
    pictures are in memory at once.
    """

    def __init__(self) -> None:
        self._lanes = [Lane(threads) for _, threads in LANES]
        self.explaining = Lane(EXPLANATIONS)

    async def run(
        self, client: Client, picture: bytes, work: Callable[[bytes], Result], *, large: bool = False
    ) -> Result:
        """Run work that decodes an encoded picture, in the last lane if ``large``; return its result.

        Raises:
            ImageError: the picture cannot be read, or has a format that a server does not read.
        """
        number = await self._lanes[0].run(client, partial(self._number, picture))
        number = len(LANES) - 1 if large else number
        is_last, decode = number == len(LANES) - 1, partial(work, picture)
        return await self._lanes[number].run(client, partial(_given_back, decode) if is_last else decode)

    def _number(self, picture: bytes) -> int:
        """Return the number of a picture's lane."""
        if (found := kind(picture)) in NOT_READ:
            raise ImageError(f"{found} is not read here; send a JPEG or a PNG")
        pixels = count_pixels(picture)
        return next(number for number, (most, _) in enumerate(LANES) if pixels <= most)

    def close(self) -> None:
        """Wait for the work in progress."""
        for lane in (*self._lanes, self.explaining):
            lane.close()


def give_large_blocks_back() -> None:
    """From now on, return large blocks to the system as soon as they are freed.

    By default, after the first large block is freed, glibc takes blocks of up to 32 MB out of the heap of the
    requesting thread and keeps freed memory there, so each thread comes to hold the largest picture that it
    ever read. Thresholds that are set explicitly stay fixed (mallopt(3)). Other allocators are not affected.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        mallopt(M_TRIM_THRESHOLD, KEPT)


def _given_back(work: Callable[[], Result]) -> Result:
    """Run the work, then return the free memory of all threads (malloc_trim(3)), which takes milliseconds."""
    try:
        return work()
    finally:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


Reading = tuple[Outcome, MaybePrepared | None]
"""The outcome for a picture, and the engine's input; None for policies and for engines elsewhere."""


class Service:
    """An engine or policy that the server offers."""

    def __init__(self, reader: Reader, settings: Settings, metrics: Metrics, lanes: Lanes) -> None:
        self.name = name_of(reader)
        self._reader = reader
        self._engines = [reader] if isinstance(reader, Engine) else reader.engines
        self.is_policy = not isinstance(reader, Engine)
        self._here = reader if isinstance(reader, Engine) and not reader.is_remote else None
        elsewhere = [one.provider.endpoint or "" for one in self._engines if one.is_remote]
        self.remote = not all(is_loopback(origin(address)[1]) for address in elsewhere)
        """Whether pictures are, or may be, sent to another machine."""
        self.reads_numbers = hasattr(reader, "read_stream")
        """Whether `numbers` works: for an engine that reads whole numbers, and for digitrec's policies."""
        with suppress(DigitrecError):
            self.reads_numbers |= isinstance(reader, Engine) and reader.for_numbers is not None
        self._metrics = metrics
        self._lanes = lanes
        self._places = ConcurrencyLimit(max(2 * CALLS, settings.max_pictures))
        self._calls = Lane(CALLS)

    @property
    def explains(self) -> bool:
        """Whether `explain` works: for a network on this machine that takes 28x28 pixels."""
        return self._here is not None and self._here.wants.encoding == "mnist"

    @property
    def usd_per_picture(self) -> float | None:
        """Price of a picture in US dollars, for a policy that asks all its engines; None: unknown."""
        return total([one.usd_per_image for one in self._engines])

    async def read(self, client: Client, pictures: Sequence[bytes]) -> list[Reading]:
        """Read encoded pictures; return a reading for each, in order.

        Raises:
            Problem: a remote engine or a policy is at capacity.
        """
        with self.admitted(client, len(pictures)):
            return await self.read_admitted(client, pictures)

    async def read_admitted(self, client: Client, pictures: Sequence[bytes]) -> list[Reading]:
        """Read pictures as `read` does, for a caller that holds their places."""

        def reading(source: ImageSource) -> Reading:
            found = self._answer(source)
            self._record(found[0])
            return found

        found = await asyncio.gather(*(self._ask(client, picture, reading) for picture in pictures))
        return [(one, None) if isinstance(one, Failure) else one for one in found]

    async def numbers(self, client: Client, picture: bytes, digits: Digits) -> SheetOutcome:
        """Read the numbers on an encoded picture; ``digits`` is the expected number of digits of each.

        Raises:
            Problem: the engine does not read numbers or is at capacity.
        """
        reader = self._reader
        if not self.reads_numbers:
            raise Problem(422, "no-numbers", f"{self.name} does not read numbers")
        side = reader.for_numbers.wants.enough if isinstance(reader, Engine) else NUMBERS_SIDE

        def found(source: ImageSource) -> SheetOutcome:
            sheet = next(read_stream([source], reader, digits=digits))
            self._record(sheet)
            return sheet

        with self.admitted(client, 1):
            return await self._ask(client, picture, found, side)

    @contextmanager
    def admitted(self, client: Client, count: int) -> Iterator[None]:
        """Hold places for pictures during the block.

        Raises:
            Problem: a remote engine or a policy is at capacity.
        """
        if self._here is None and not self._places.admits(client, count):
            self._metrics.turned_away.inc()
            raise busy(f"{self.name} is at capacity; try again in a moment")
        with self._places.hold(client, count):
            yield

    async def explain(self, client: Client, picture: bytes, *, inside: bool, hiding: bool) -> Explanation:
        """Explain the engine's answer to an encoded picture.

        Args:
            client: the sender.
            picture: the encoded picture.
            inside: also return the network's layers.
            hiding: compute the saliency, which takes nearly all of the time.

        Raises:
            Problem: the engine cannot be explained.
            ImageError: the picture cannot be read.
            ProviderError: the engine gave no usable answer.
        """
        if self._here is None or not self.explains:
            raise Problem(422, "no-explanation", f"{self.name} cannot be explained")
        async with self._lanes.explaining.turn(client):
            image = await self._lanes.run(client, picture, DigitImage.open)
            work = partial(explain, image, self._here, inside=inside, hiding=hiding)
            return await self._lanes.explaining.do(work)

    async def warm_up(self) -> None:
        """Read a stroke, so that the first visitor does not wait; no remote engine is asked."""
        if self._here is not None:
            stroke = np.zeros((28, 28), np.uint8)
            stroke[5:23, 13:16] = 255
            await asyncio.to_thread(self._answer, stroke)

    def _answer(self, picture: ImageSource) -> Reading:
        if self._here is None:
            return next(stream([picture], self._reader)), None
        (batch,) = batches([picture], self._here)
        (outcome,) = infer(batch, self._here)
        return outcome, batch[0]

    async def _ask(
        self, client: Client, picture: bytes, work: Callable[[ImageSource], Result], side: int = ENOUGH_SIDE
    ) -> Result | Failure:
        """Do the work on a picture when it is the client's turn; return an error as a Failure.

        The work records its outcome. If the request does not wait for it, it is stopped, and recorded as a
        failure at the full price, the most that calls in flight may cost.
        """

        def asked(source: ImageSource) -> Result:
            try:
                return work(source)
            except Cancelled:
                late = TimedOut("the request ended before the answer came", provider=self.name)
                ref = ImageRef("<bytes>", None)
                self._record(Failure(ref, self.name, late, cost_usd=self.usd_per_picture, attempts=1))
                raise

        try:
            if self._here is not None:  # opened and read in one turn, for which the client is charged
                return await self._lanes.run(client, picture, work, large=side > ENOUGH_SIDE)
            async with self._calls.turn(client):  # decode no more pictures than can be sent
                image = await self._lanes.run(client, picture, partial(DigitImage.open, enough=side))
                return await self._calls.do(partial(asked, image))
        except DigitrecError as error:  # from the picture or the ledger
            failure = Failure(ImageRef("<bytes>", None), self.name, error)
            self._record(failure)
            return failure

    def _record(self, outcome: Outcome | SheetOutcome) -> None:
        """Count an outcome, and each failure of a policy's engines, whose cost the policy's includes."""
        failed = [one for one in getattr(outcome, "asked", ()) if isinstance(one, Failure)]
        for one in (outcome, *(replace(one, cost_usd=0.0) for one in failed)):
            self._metrics.read(one)
            if isinstance(one, Failure) and not isinstance(error := one.error, ImageError):
                fields = {"provider": one.provider, "error": type(error).__name__, "message": str(error)}
                log.warning("engine failed", extra={"fields": fields})

    def close(self) -> None:
        """Wait for the work in progress, then release the engine."""
        self._calls.close()
        self._reader.close()


class State:
    """The state of one server."""

    def __init__(self, engines: Sequence[Reader], settings: Settings) -> None:
        """Offer these engines, at least one; the first engine is the default."""
        self.settings = settings
        self.metrics = Metrics()
        self.inside = ConcurrencyLimit(settings.max_requests)
        self.lanes = Lanes()
        services = [Service(one, settings, self.metrics, self.lanes) for one in engines]
        self.services = {service.name: service for service in services}

    def service(self, name: str | None) -> Service:
        """Return the engine with this name; None: the default engine.

        Raises:
            UnknownProvider: this server does not offer the engine.
        """
        name = next(iter(self.services)) if name is None else name
        if name not in self.services:
            offered = ", ".join(self.services)
            raise UnknownProvider(f"this server does not offer that engine; it offers: {offered}")
        return self.services[name]

    def free(self) -> list[str]:
        """Return the names of the engines that are known to cost nothing; policies would vote twice.

        Raises:
            Problem: every engine costs money.
        """
        free = [one for one in self.services.values() if one.usd_per_picture == 0]
        if found := [one.name for one in free if not one.is_policy] or [one.name for one in free]:
            return found
        raise Problem(422, "invalid-request", "no engine here is free; name the engines to ask")

    def close(self) -> None:
        """Release the engines."""
        for service in self.services.values():
            service.close()
        self.lanes.close()
