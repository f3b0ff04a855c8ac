"""Asynchronous functions: the same answers, concurrent, and cancelled with their caller."""

import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

import digitrec
from digitrec.answer import Answer, Failure, Prediction
from digitrec.comparison.policy import Consensus, Fallback
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine, Options
from digitrec.errors import ImageError, Unavailable, UnknownProvider
from digitrec.image import ImageSource, PreparedImage
from digitrec.providers.base import Price

SEVEN = drawn_seven()
Run = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine in an event loop of each kind."""
    return lambda main: anyio.run(main, backend=request.param)


class Cloud(FakeProvider):
    """A provider that costs money and waits in each call until the test releases it."""

    def __init__(self, script: list[Any] | None = None) -> None:
        price, endpoint = Price(0.001, "made up"), "http://127.0.0.1:9"
        super().__init__(script or ["7"], price=price, endpoint=endpoint, name="cloud")
        self.asked = threading.Event()
        self.let_on = threading.Event()

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        self.asked.set()
        assert self.let_on.wait(20)
        return super().read(image, timeout=timeout)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    one = Cloud()
    yield one
    one.let_on.set()


def engine(provider: Cloud, folder: Path, **changed: Any) -> Engine:
    settings: dict[str, Any] = {"ledger": folder / "ledger.sqlite", "timeout": 30.0, **changed}
    return Engine(provider, Options(**settings))


def pictures(count: int) -> list[np.ndarray]:
    """Sevens that all differ, so that the ledger knows no answer."""
    shades = [SEVEN.pixels.copy() for _ in range(count)]
    for number, pixels in enumerate(shades):
        pixels[0, number] = 200
    return shades


def nobody_at_work(others: list[threading.Thread]) -> None:
    """Wait until the threads of abandoned engines have ended; do not wait for threads of other tests."""
    for _ in range(1000):
        ours = [thread for thread in threading.enumerate() if thread not in others]
        if not any(thread.name.startswith("digitrec") for thread in ours):
            return
        time.sleep(0.02)
    raise AssertionError("a thread goes on")


def test_it_answers_as_the_other_door_does(run: Run) -> None:
    async def main() -> None:
        for options in ({}, {"at_least": 0.99999}, {"rotate": 90}):
            found = await digitrec.apredict(SEVEN, **options)  # type: ignore[arg-type]
            assert replace(found, latency_s=0.0) == replace(digitrec.predict(SEVEN, **options), latency_s=0.0)

    run(main)


def test_it_raises_what_the_other_door_raises(run: Run) -> None:
    async def main() -> None:
        with pytest.raises(ImageError, match="not-there"):
            await digitrec.apredict("not-there.jpg")
        with pytest.raises(UnknownProvider):
            await digitrec.apredict(SEVEN, "nobody")
        with pytest.raises(ValueError, match="at_least"):
            await digitrec.apredict(SEVEN, at_least=2)
        with pytest.raises(Unavailable):
            await digitrec.apredict(SEVEN, FakeProvider([Unavailable("broken")]))
        with pytest.raises(TypeError):
            await anext(digitrec.astream(SEVEN))  # type: ignore[arg-type]

    run(main)


def test_many_come_in_order_and_a_bad_one_takes_its_own_place(run: Run) -> None:
    async def main() -> None:
        for provider in (FakeProvider(["1", "2"]), Fallback([FakeProvider(["1", "2"]), "local"], 0.0)):
            sources: list[ImageSource] = [SEVEN, "not-there.jpg", SEVEN]
            outcomes = [it async for it in digitrec.astream(iter(sources), provider)]
            assert [it.digit for it in outcomes if isinstance(it, Prediction)] == [1, 2]
            assert isinstance(outcomes[1], Failure)

    run(main)


class Meeting(Cloud):
    """A provider that answers when enough calls for the barrier are in flight, and keeps the maximum."""

    def __init__(self, parties: int) -> None:
        super().__init__()
        self._barrier = threading.Barrier(parties)
        self._lock = threading.Lock()
        self._inside = self.most = 0

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        try:
            self._barrier.wait(60)
            time.sleep(0.01)
        finally:
            with self._lock:
                self._inside -= 1
        return Answer(raw={})


@pytest.mark.parametrize(("allowed", "asked_for"), [(60, 60), (3, 12)])  # 60 is more than AnyIO's own 40
def test_concurrency_is_the_engines_limit(run: Run, tmp_path: Path, allowed: int, asked_for: int) -> None:
    cloud = Meeting(allowed)
    with engine(cloud, tmp_path, concurrency=allowed, timeout=90.0, attempt_timeout=90.0) as asked:
        run(lambda: all_at_once(asked, asked_for))
    assert cloud.most == allowed


async def all_at_once(asked: digitrec.Provider | Engine | Fallback, count: int) -> None:
    async with anyio.create_task_group() as group:
        for picture in pictures(count):
            group.start_soon(digitrec.apredict, picture, asked)


def test_a_provider_instance_has_anyios_limit(run: Run) -> None:
    cloud = Meeting(40)
    run(lambda: all_at_once(cloud, 80))
    assert cloud.most == 40


def test_a_policy_has_the_lowest_limit_of_its_engines(run: Run, tmp_path: Path) -> None:
    cloud = Meeting(2)
    wide, narrow = (engine(it, tmp_path, concurrency=limit) for it, limit in ((cloud, 5), (Cloud(), 2)))
    with closing(Fallback([wide, narrow], 0.0)) as policy:
        run(lambda: all_at_once(policy, 8))
    assert cloud.most == 2


async def when_asked(cloud: Cloud) -> None:
    while not cloud.asked.is_set():
        await anyio.sleep(0.01)


def cancelled(run: Run, work: Callable[..., Any], *clouds: Cloud) -> list[int]:
    """Cancel the work when all clouds have a request; return the number of requests to each."""
    others = threading.enumerate()

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(work)
            for cloud in clouds:
                await when_asked(cloud)
            group.cancel_scope.cancel()
        assert not any(cloud.let_on.is_set() for cloud in clouds)  # their callers were cancelled

    run(main)
    time.sleep(0.5)  # longer than the interval in which a thread checks for cancellation
    for cloud in clouds:
        cloud.let_on.set()
    nobody_at_work(others)
    return [cloud.calls for cloud in clouds]


@pytest.mark.parametrize("door", ["apredict", "astream"])
def test_cancelled_it_is_over_at_once_and_the_call_in_flight_still_reaches_the_ledger(
    run: Run, tmp_path: Path, cloud: Cloud, door: str
) -> None:
    asked = engine(cloud, tmp_path, concurrency=1, attempts=5)
    first, *others = pictures(4)

    async def work() -> None:
        if door == "apredict":
            await digitrec.apredict(first, asked)
        else:
            _ = [it async for it in digitrec.astream([first, *others], asked)]
        raise AssertionError("it was cancelled")

    assert cancelled(run, work, cloud) == [1]
    assert digitrec.predict(first, asked).replayed
    asked.close()


def test_cancelled_nothing_is_tried_again(run: Run, tmp_path: Path) -> None:
    cloud = Cloud([Unavailable("broken", status=503)])
    asked = engine(cloud, tmp_path, attempts=5)
    assert cancelled(run, partial(digitrec.apredict, SEVEN, asked), cloud) == [1]
    asked.close()


def test_cancelled_all_engines_of_a_policy_stop(run: Run, tmp_path: Path) -> None:
    clouds = [Cloud(), Cloud()]
    policy = Consensus([engine(cloud, tmp_path, ledger="none", concurrency=1) for cloud in clouds], agree=2)

    async def work() -> None:
        _ = [it async for it in digitrec.astream(pictures(5), policy)]

    assert cancelled(run, work, *clouds) == [1, 1]
    policy.close()


def test_left_before_its_end_it_takes_no_more_pictures(run: Run, tmp_path: Path, cloud: Cloud) -> None:
    cloud.let_on.set()
    taken: list[int] = []

    def endless() -> Iterator[np.ndarray]:
        for number in range(10_000):
            taken.append(number)
            yield pictures(number % 90 + 1)[-1]

    async def main() -> None:
        with engine(cloud, tmp_path) as asked:
            outcomes = digitrec.astream(endless(), asked)
            async for outcome in outcomes:
                assert isinstance(outcome, Prediction)
                break
            await outcomes.aclose()

    run(main)
    assert len(taken) == 16  # one batch
