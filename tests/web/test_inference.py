"""Batches: waiting items share a pass, and one that fails or leaves takes no other with it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from digitrec.web.inference import Batcher


class Work:
    """Doubles numbers, notes its passes, and can be held up."""

    def __init__(self) -> None:
        self.passes: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, items: list[int]) -> list[int]:
        self.passes.append(items)
        assert self.go.wait(20)
        return [10 // (item - 13) if item == 13 else 2 * item for item in items]


def test_items_that_arrive_during_a_pass_share_the_next() -> None:
    async def run() -> tuple[list[int], list[list[int]]]:
        work = Work()
        batcher = Batcher(work, 2)
        first = asyncio.create_task(batcher.submit(1))
        while not work.passes:
            await asyncio.sleep(0)
        others = [asyncio.create_task(batcher.submit(item)) for item in (2, 3, 4, 5)]
        await asyncio.sleep(0)
        others.pop(1).cancel()
        await asyncio.sleep(0)
        work.go.set()
        results = await asyncio.gather(first, *others)
        batcher.close()
        return results, work.passes

    results, passes = asyncio.run(run())
    assert results == [2, 4, 8, 10]
    assert passes == [[1], [2], [4, 5]]


def test_a_pass_that_fails_is_raised_in_those_who_wait_and_the_next_goes_on() -> None:
    async def run() -> int:
        work = Work()
        work.go.set()
        batcher = Batcher(work)
        with pytest.raises(ZeroDivisionError):
            await batcher.submit(13)
        result = await batcher.submit(5)
        batcher.close()
        return result

    assert asyncio.run(run()) == 10
