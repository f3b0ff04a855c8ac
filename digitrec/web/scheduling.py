"""Whose turn it is: clients share places and threads, by the time that the work of each has taken."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Generic, TypeVar

from digitrec.errors import ImageError
from digitrec.image.headers import Header, header, too_dear
from digitrec.web import memory
from digitrec.web.clients import Client

THREADS = min(4, os.cpu_count() or 1)
LANES = ((250_000, THREADS), (2_000_000, THREADS), (math.inf, 1))
"""The most pixels of a lane's pictures, and its threads. The first is for what people draw; the last, where a
picture may take `Settings.max_decoding_bytes`, for one at a time."""
LARGE = len(LANES) - 1
TURN = 1e-6
"""What having a turn costs in itself, s: until the rest is known, whoever had none goes first."""
MAX_REMEMBERED = 1000
"""Clients whose use is remembered; beyond it those are forgotten who have no more than those who wait."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class ConcurrencyLimit:
    """How much may be under way at one moment, and how much is.

    One client may have all of it while nobody else wants any. When it is full, a client is still let in
    that has less than an even share, so the whole may pass the limit: by the sum 1/2 + 1/3 + ... over the
    clients, which for 24 places is less than threefold.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.in_use = 0
        self._held: Counter[Client] = Counter()

    @property
    def full(self) -> bool:
        """Whether the next one is turned away, unless its client has less than its share."""
        return self.in_use >= self._limit

    def admits(self, client: Client, count: int = 1) -> bool:
        """Return whether so many more of one client are let in now."""
        clients = len(self._held.keys() | {client})
        below_share = clients > 1 and self._held[client] + count <= self._limit // clients
        return self.in_use + count <= self._limit or below_share

    @contextmanager
    def hold(self, client: Client, count: int = 1) -> Iterator[None]:
        """Have so many until the end of the ``with``; whether they are admitted was asked before."""
        self.in_use += count
        self._held[client] += count
        try:
            yield
        finally:
            self.in_use -= count
            self._held[client] -= count
            if not self._held[client]:
                del self._held[client]


class FairQueue(Generic[Item]):
    """What waits, of many clients; next is always the first of the client that has used least.

    Start-time fair queueing (Goyal, Vin and Cheng, 1996), with the cost charged once it is known: a client
    that begins to wait starts level with those who wait, so that having been idle earns nothing. While
    nobody waits, whatever was used is forgotten.
    """

    def __init__(self) -> None:
        self._waiting: dict[Client, deque[Item]] = {}
        self._used: dict[Client, float] = {}
        self._level = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def push(self, client: Client, item: Item) -> None:
        """Let an item wait behind the others of its client."""
        if client not in self._waiting:
            self._waiting[client] = deque()
            self._used[client] = max(self._used.get(client, 0.0), self._level)
        self._waiting[client].append(item)

    def pop(self) -> tuple[Client, Item]:
        """The next item and whose it is; the queue is not empty."""
        client = min(self._waiting, key=self._used.__getitem__)  # of several the one that came first
        item = self._waiting[client].popleft()
        self._level = self._used[client]
        self._used[client] += TURN
        if not self._waiting[client]:
            del self._waiting[client]
        return client, item

    def charge(self, client: Client, cost: float) -> None:
        """Add to what a client has used."""
        if not self._waiting:
            self._used.clear()
            self._level = 0.0
            return
        self._used[client] = max(self._used.get(client, 0.0), self._level) + cost
        if len(self._used) > MAX_REMEMBERED:
            self._used = {
                one: used for one, used in self._used.items() if used > self._level or one in self._waiting
            }


class Turns:
    """A semaphore that is fair to clients: so many have a turn at once, and whoever used least is next."""

    def __init__(self, places: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._free = places
        self._clock = clock
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue()

    @asynccontextmanager
    async def turn(self, client: Client) -> AsyncIterator[None]:
        """Wait for a turn, and have it until the end of the ``with``; its time is what it costs."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.push(client, future)
        self._hand_out()
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():  # it had just been given
                self._free += 1
                self._hand_out()
            raise
        start = self._clock()
        try:
            yield
        finally:
            self._free += 1
            self._queue.charge(client, self._clock() - start)
            self._hand_out()

    def _hand_out(self) -> None:
        while self._free and len(self._queue):
            _, future = self._queue.pop()
            if not future.done():
                self._free -= 1
                future.set_result(None)


class Lane:
    """Threads in which the work of many clients is done in turn."""

    def __init__(self, threads: int, name: str) -> None:
        self._turns = Turns(threads)
        self._pool = ThreadPoolExecutor(threads, name)

    async def run(self, client: Client, work: Callable[[], Result]) -> Result:
        """What the work gives or raises."""
        async with self._turns.turn(client):
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Let what is under way end."""
        self._pool.shutdown()


class Lanes:
    """The threads of one server for pictures: lanes for small, for middling and for large ones.

    What a picture costs its client is the time it took: no size, format or trick has to be judged
    beforehand. Its pixels only say which lane it takes, so that a large one never holds a thread that a
    small one needs, and no two large ones are in memory at once.
    """

    def __init__(self, max_bytes: int) -> None:
        """Refuse pictures that take more memory than this to decode."""
        self._max_bytes = max_bytes
        self._lanes = [Lane(threads, f"digitrec-lane-{most}") for most, threads in LANES]

    async def run(
        self, client: Client, picture: bytes, promised: Header | None, work: Callable[[], Result]
    ) -> Result:
        """What the work on an encoded picture gives or raises.

        Args:
            promised: what its header says, where that was read already.

        Raises:
            ImageError: it takes too much memory to decode.
        """
        first = self._lanes[0]
        done, lane = await first.run(client, partial(self._if_small, picture, promised, work))
        if done:
            return done[0]
        return await self._lanes[lane].run(client, partial(_giving_back, work) if lane == LARGE else work)

    def _if_small(
        self, picture: bytes, promised: Header | None, work: Callable[[], Result]
    ) -> tuple[tuple[Result] | None, int]:
        """The result where this lane is the picture's own, and which lane is."""
        promised = header(picture) if promised is None else promised
        if promised.memory > self._max_bytes:
            raise ImageError(too_dear(promised.pixels))
        lane = next(number for number, (most, _) in enumerate(LANES) if promised.pixels <= most)
        return (None if lane else (work(),)), lane

    def close(self) -> None:
        """Let what is under way end."""
        for lane in self._lanes:
            lane.close()


def _giving_back(work: Callable[[], Result]) -> Result:
    """What the work gives or raises, and nothing of what it took is kept."""
    try:
        return work()
    finally:
        memory.give_back()
