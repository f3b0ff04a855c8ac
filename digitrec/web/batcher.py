"""Many small pieces of work done in one pass, off the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

BATCH = 64
"""Items in one pass at most."""

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
