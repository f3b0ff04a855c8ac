"""Fair shares for clients: of places, turns, decoding threads and their memory."""

from __future__ import annotations

import asyncio
import ctypes
import math
import os
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import TypeVar

from digitrec.errors import ImageError
from digitrec.image.headers import header, kind, too_dear
from digitrec.web.clients import Client
from digitrec.web.problems import NOT_READ

THREADS = min(4, os.cpu_count() or 1)
LANES = ((250_000, THREADS), (2_000_000, THREADS), (math.inf, 1))
"""The most pixels of a lane's pictures, and its threads. The first lane is for drawings. The last decodes one
picture at a time, because each may take `Settings.max_decoding_bytes`."""
EXPLANATIONS = 1
"""Explanations at the same time: one asks the network 785 times, which takes 0.3 s."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of the parameters in glibc's malloc.h."""
LARGE_BLOCK = 4_000_000
"""Bytes from which a block of memory is mapped on its own, and returned when it is freed. With less, an
ordinary photo takes a third longer."""
KEPT = 16_000_000
"""Free bytes that the heap may keep at its end; with glibc's own 128 kB a drawing takes a fifth longer."""
TURN_S = 1e-6
"""Seconds charged when a turn begins, so that a client without a turn precedes one whose turn still runs."""
MAX_REMEMBERED = 1000
"""Clients whose use is remembered; beyond it the one charged longest ago is forgotten."""

Result = TypeVar("Result")


class ConcurrencyLimit:
    """A limit on work in progress, shared by clients.

    One client may use all places while no other client needs one. When all are taken, a client with less
    than an even share is still admitted, so the total may exceed the limit: by the sum 1/2 + 1/3 + ... over
    the clients, which for 24 places is less than threefold.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.in_use = 0
        self._held: Counter[Client] = Counter()

    @property
    def full(self) -> bool:
        """Whether the next request is rejected, unless its client has less than its share."""
        return self.in_use >= self._limit

    def admits(self, client: Client, count: int = 1) -> bool:
        """Return whether ``count`` more places are granted to a client now."""
        clients = len(self._held.keys() | {client})
        below_share = clients > 1 and self._held[client] + count <= self._limit // clients
        return self.in_use + count <= self._limit or below_share

    @contextmanager
    def hold(self, client: Client, count: int = 1) -> Iterator[None]:
        """Hold ``count`` places until the end of the ``with``; the caller has asked `admits`."""
        self.in_use += count
        self._held[client] += count
        try:
            yield
        finally:
            self.in_use -= count
            self._held[client] -= count
            self._held += Counter()  # drops clients that hold nothing


class Lane:
    """Threads for the work of many clients; the next turn goes to the client that has used least time.

    Start-time fair queueing (Goyal, Vin and Cheng, 1996), with the time charged when a turn ends. A client
    that begins to wait starts level with those already waiting, so being idle earns no credit.
    """

    def __init__(self, threads: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._free = threads
        self._clock = clock
        self._pool = ThreadPoolExecutor(threads, "digitrec-web")
        self._waiting: dict[Client, deque[asyncio.Future[float]]] = {}
        self._used: dict[Client, float] = {}
        self._level = 0.0

    async def run(self, client: Client, work: Callable[[], Result]) -> Result:
        """Run the work in a thread when it is the client's turn; return or raise what it does."""
        async with self.turn(client):
            return await self.do(work)

    async def do(self, work: Callable[[], Result]) -> Result:
        """Run the work in a thread; the caller has a turn."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    @asynccontextmanager
    async def turn(self, client: Client) -> AsyncIterator[None]:
        """Wait for a turn, and hold it until the end of the ``with``."""
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
        self._used.pop(client, None)  # so that the order is by the last charge
        self._used[client] = used
        if len(self._used) > MAX_REMEMBERED:
            del self._used[next(iter(self._used))]

    def close(self) -> None:
        """Wait for the work in progress."""
        self._pool.shutdown()


class Lanes:
    """The threads of one server that decode pictures: a lane each for small, medium and large ones.

    A picture costs its client the time it took, so no format or trick has to be judged beforehand. Its size
    only selects the lane: a large picture never holds a thread that a small one needs, and no two large
    ones are in memory at once.
    """

    def __init__(self, max_bytes: int) -> None:
        """Reject pictures that take more than ``max_bytes`` of memory to decode."""
        self._max_bytes = max_bytes
        self._lanes = [Lane(threads) for _, threads in LANES]
        self.explaining = Lane(EXPLANATIONS)

    async def run(self, client: Client, picture: bytes, work: Callable[[], Result]) -> Result:
        """Run work that decodes an encoded picture; return or raise what it does.

        Raises:
            ImageError: it takes too much memory to decode, or has a format that a server does not read.
        """
        number = await self._lanes[0].run(client, partial(self._number, picture))
        is_last = number == len(LANES) - 1
        return await self._lanes[number].run(client, partial(_given_back, work) if is_last else work)

    def _number(self, picture: bytes) -> int:
        """Check a picture, and return the number of its lane."""
        if (found := kind(picture)) in NOT_READ:
            raise ImageError(f"{found} is not read here; send a JPEG or a PNG")
        promised = header(picture)
        if promised.memory > self._max_bytes:
            raise ImageError(too_dear(promised.pixels))
        return next(number for number, (most, _) in enumerate(LANES) if promised.pixels <= most)

    def close(self) -> None:
        """Wait for the work in progress."""
        for lane in (*self._lanes, self.explaining):
            lane.close()


def give_large_blocks_back() -> None:
    """Return large blocks to the system as soon as they are freed, from now on.

    After the first large block is freed, glibc takes blocks of up to 32 MB out of the heap of the thread
    that asks, and keeps freed memory there: each thread comes to hold the largest picture it ever read.
    Thresholds that are set stay as they are (mallopt(3)). Other systems' allocators are left alone.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        mallopt(M_TRIM_THRESHOLD, KEPT)


def _given_back(work: Callable[[], Result]) -> Result:
    """Run the work, then return free memory in the heaps of all threads (malloc_trim(3)): milliseconds."""
    try:
        return work()
    finally:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
