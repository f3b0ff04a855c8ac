"""What waits shares a pass, who fails and who leaves troubles nobody else; a header is read once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from digitrec.engine import Engine
from digitrec.image import formats, headers
from digitrec.web.clients import Client
from digitrec.web.inference import Batcher

from .fakes import local, paid, png, serving

ONE = Client("one")


class Work:
    """Doubles numbers, notes its passes, and can be held up."""

    def __init__(self) -> None:
        self.passes: list[list[int]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, items: list[int]) -> list[int]:
        self.passes.append(items)
        assert self.go.wait(20)
        return [10 // (item - 13) if item == 13 else 2 * item for item in items]


async def until_first_pass(work: Work) -> None:
    while not work.passes:
        await asyncio.sleep(0)


def test_what_arrives_during_a_pass_is_done_in_the_next() -> None:
    async def run() -> tuple[list[int], list[list[int]]]:
        work = Work()
        work.go.clear()
        batcher = Batcher(work)
        first = asyncio.create_task(batcher.submit(ONE, 1))
        await until_first_pass(work)
        others = [asyncio.create_task(batcher.submit(ONE, item)) for item in (2, 3, 4)]
        await asyncio.sleep(0)
        others[1].cancel()
        await asyncio.sleep(0)
        work.go.set()
        results = [await first, await others[0], await others[2]]
        batcher.close()
        return results, work.passes

    results, passes = asyncio.run(run())
    assert results == [2, 4, 8]
    assert passes == [[1], [2, 4]]


def test_a_pass_that_fails_is_told_to_those_in_it_and_the_next_goes_on() -> None:
    async def run() -> int:
        batcher = Batcher(Work())
        with pytest.raises(ZeroDivisionError):
            await batcher.submit(ONE, 13)
        result = await batcher.submit(ONE, 5)
        batcher.close()
        return result

    assert asyncio.run(run()) == 10


@pytest.mark.parametrize("size", [(28, 28), (64, 64), (900, 900)])
@pytest.mark.parametrize("engine", [local, paid])
def test_a_header_is_read_once_before_the_picture_is_decoded(
    monkeypatch: pytest.MonkeyPatch, engine: Callable[[], Engine], size: tuple[int, int]
) -> None:
    picture, opened = png(size), []
    open_it = formats.opened

    def counted(*given: Any) -> Any:
        opened.append(given)
        return open_it(*given)

    with serving(engine()) as client:
        for where in (formats, headers):
            monkeypatch.setattr(where, "opened", counted)
        assert client.post("/predict", content=picture).json()["prediction"] == 7
    assert len(opened) == 2  # once for its size, once in earnest
