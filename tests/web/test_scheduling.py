"""Shares: of places, of turns and of threads; whoever asks for much waits, and nobody waits for them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from digitrec.engine import Engine
from digitrec.web import inference
from digitrec.web.clients import Client
from digitrec.web.inference import Batcher
from digitrec.web.scheduling import ConcurrencyLimit, FairQueue, Lane, Turns
from digitrec.web.settings import Settings

from .fakes import SEVEN, listening, local, paid, png, until_at_work

A, B, C, D = (Client(name) for name in "abcd")
DRAWING, MIDDLING, LARGE = png((280, 280)), png((600, 600)), png((1450, 1450))
PROXIED = Settings(proxies=1, rate=1e6, burst=1_000_000, max_requests=4)
clients = st.sampled_from([A, B, C, D])


def by(name: str) -> dict[str, str]:
    """The headers of a client."""
    return {"x-forwarded-for": {"honest": "203.0.113.1", "greedy": "203.0.113.2"}[name]}


@given(st.lists(st.tuples(clients, st.floats(0, 10))))
@trying(max_examples=150, deadline=None, database=None)
def test_nothing_is_lost_and_each_clients_items_keep_their_order(items: list[tuple[Client, float]]) -> None:
    queue: FairQueue[int] = FairQueue()
    for number, (client, _) in enumerate(items):
        queue.push(client, number)
    came: list[tuple[Client, int]] = []
    while queue:
        client, number = queue.pop()
        queue.charge(client, items[number][1])
        came.append((client, number))
    assert sorted(number for _, number in came) == list(range(len(items)))
    for one in (A, B, C, D):
        numbers = [number for client, number in came if client == one]
        assert numbers == sorted(numbers)
    assert all(items[number][0] == client for client, number in came)


@given(st.lists(st.lists(st.floats(0.1, 10), min_size=40, max_size=40), min_size=2, max_size=4))
@trying(max_examples=60, deadline=None, database=None)
def test_clients_that_always_wait_get_even_shares_whatever_each_item_costs(costs: list[list[float]]) -> None:
    queue, used = FairQueue[float](), Counter[Client]()
    for client, own in zip((A, B, C, D), costs, strict=False):
        for cost in own:
            queue.push(client, cost)
    waiting = Counter({client: 40 for client, _ in zip((A, B, C, D), costs, strict=False)})
    while min(waiting.values()):
        client, cost = queue.pop()
        queue.charge(client, cost)
        used[client] += cost
        waiting[client] -= 1
        assert max(used.values()) - min(used[one] for one in waiting) <= 2 * 10


def test_whoever_comes_is_next_and_having_been_idle_earns_no_more_than_that() -> None:
    queue: FairQueue[str] = FairQueue()
    for _ in range(100):
        queue.push(A, "a")
    for _ in range(50):
        client, _ = queue.pop()
        queue.charge(client, 1)
    for _ in range(100):
        queue.push(B, "b")
    assert queue.pop()[1] == "b"
    queue.charge(B, 1)
    rest = []
    for _ in range(20):
        client, name = queue.pop()
        queue.charge(client, 1)
        rest.append(name)
    assert Counter(rest)["a"] in (9, 10, 11)


def test_a_client_whose_first_turns_are_not_over_waits_behind_one_that_had_none() -> None:
    queue: FairQueue[str] = FairQueue()
    for _ in range(3):
        queue.push(A, "a")
    queue.pop()
    queue.push(B, "b")
    assert queue.pop()[1] == "b"


@given(st.integers(1, 3), st.lists(st.tuples(clients, st.booleans()), max_size=25), st.randoms())
@trying(max_examples=60, deadline=None, database=None)
def test_no_more_have_a_turn_than_may_and_all_get_one_whoever_leaves(
    places: int, wanting: list[tuple[Client, bool]], chance: object
) -> None:
    async def run() -> None:
        turns, now, most, done = Turns(places), 0, 0, 0

        async def work(client: Client) -> None:
            nonlocal now, most, done
            async with turns.turn(client):
                now += 1
                most = max(most, now)
                try:
                    await asyncio.sleep(0)
                finally:
                    now -= 1
            done += 1

        tasks = [(asyncio.create_task(work(client)), leaves) for client, leaves in wanting]
        for task, leaves in tasks:
            if leaves:
                for _ in range(chance.randrange(4)):  # type: ignore[attr-defined]
                    await asyncio.sleep(0)
                task.cancel()
        await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)
        assert most <= places
        assert done >= sum(1 for _, leaves in wanting if not leaves)
        async with asyncio.timeout(5):  # every place is free again
            async with ExitStackOfTurns(turns, places):
                pass

    asyncio.run(run())


class ExitStackOfTurns:
    """All the turns there are, at once."""

    def __init__(self, turns: Turns, count: int) -> None:
        self._turns = [turns.turn(A) for _ in range(count)]

    async def __aenter__(self) -> None:
        for turn in self._turns:
            await turn.__aenter__()

    async def __aexit__(self, *_: object) -> None:
        for turn in self._turns:
            await turn.__aexit__(None, None, None)


def test_a_turn_costs_the_time_it_took() -> None:
    async def run() -> list[str]:
        now, came = 0.0, []
        turns = Turns(1, clock=lambda: now)

        async def work(client: Client, seconds: float) -> None:
            nonlocal now
            async with turns.turn(client):
                came.append(client.address)
                now += seconds
                await asyncio.sleep(0)

        await asyncio.gather(*(work(*one) for one in [(A, 10.0)] * 10 + [(B, 1.0)] * 30))
        return came

    assert Counter(asyncio.run(run())[:22])["b"] == 20  # ten for each of the other's


@given(st.integers(0, 30), st.lists(st.tuples(clients, st.integers(1, 5), st.booleans()), max_size=60))
@trying(max_examples=150, deadline=None, database=None)
def test_a_limit_is_passed_only_by_those_below_their_share(
    limit: int, steps: list[tuple[Client, int, bool]]
) -> None:
    shared, held = ConcurrencyLimit(limit), Counter[Client]()
    with ExitStack() as everything:
        for client, count, _ in steps:
            free = sum(held.values()) + count <= limit
            sharing = len([one for one in held if held[one]] + [client] * (not held[client]))
            assert shared.admits(client, count) == (free or held[client] + count <= limit // sharing)
            if shared.admits(client, count):
                everything.enter_context(shared.hold(client, count))
                held[client] += count
            assert shared.in_use == sum(held.values()) <= limit * (1 + 1 / 2 + 1 / 3 + 1 / 4)
    assert shared.in_use == 0 and shared.full != bool(limit)


def test_a_lane_does_the_work_of_those_who_have_had_least() -> None:
    """In one thread: a long row of one client's work, and one piece of another's that comes later."""

    async def run() -> list[str]:
        lane, done, go = Lane(1, "test"), [], threading.Event()

        def work(name: str) -> None:
            go.wait(20)
            done.append(name)

        greedy = [asyncio.create_task(lane.run(A, lambda: work("a"))) for _ in range(20)]
        await asyncio.sleep(0.05)
        late = asyncio.create_task(lane.run(B, lambda: work("b")))
        await asyncio.sleep(0.05)
        go.set()
        await asyncio.gather(*greedy, late)
        lane.close()
        return done

    assert asyncio.run(run()).index("b") == 1


def test_a_batch_that_cannot_hold_all_is_shared() -> None:
    async def run() -> list[list[str]]:
        passes: list[list[str]] = []
        go = threading.Event()

        def work(items: list[str]) -> list[str]:
            passes.append(items)
            go.wait(20)
            return items

        batcher = Batcher(work, 4)
        first = asyncio.create_task(batcher.submit(A, "a"))
        while not passes:
            await asyncio.sleep(0)
        others = [asyncio.create_task(batcher.submit(A, "a")) for _ in range(8)]
        await asyncio.sleep(0)
        others += [asyncio.create_task(batcher.submit(B, "b")) for _ in range(2)]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(first, *others)
        batcher.close()
        return passes

    assert sorted(asyncio.run(run())[1]) == ["a", "a", "b", "b"]


@contextmanager
def held_up(monkeypatch: pytest.MonkeyPatch, *pictures: bytes) -> Iterator[threading.Semaphore]:
    """Preparing one of these waits for a permit; at the end all go."""
    permits, prepare = threading.Semaphore(0), inference.preprocess

    def wait(given: list[bytes], engine: Engine) -> object:
        if given[0] in pictures:
            permits.acquire(timeout=30)
        return prepare(given, engine)

    monkeypatch.setattr(inference, "preprocess", wait)
    try:
        yield permits
    finally:
        permits.release(1000)


@pytest.mark.parametrize("size", [LARGE, MIDDLING], ids=["large", "middling"])
@pytest.mark.parametrize("whose", ["honest", "greedy"])
def test_pictures_that_are_dear_hold_no_thread_that_drawings_need(
    monkeypatch: pytest.MonkeyPatch, size: bytes, whose: str
) -> None:
    """Not even those of the client itself."""
    files = [("file", size)] * 6
    with listening(settings=PROXIED) as url, ThreadPoolExecutor(2) as pool, held_up(monkeypatch, size):
        greedy = [
            pool.submit(httpx.post, f"{url}/predict", files=files, headers=by("greedy"), timeout=60)
            for _ in range(2)
        ]
        answers = [
            httpx.post(f"{url}/predict", content=DRAWING, headers=by(whose), timeout=10) for _ in range(10)
        ]
        assert not any(one.done() for one in greedy)
        assert [answer.json()["prediction"] for answer in answers] == [7] * 10


def test_a_large_picture_waits_for_no_more_than_the_one_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    other = png((1451, 1450))
    files = [("file", LARGE)] * 10
    with (
        listening(settings=PROXIED) as url, ThreadPoolExecutor(2) as pool,
        held_up(monkeypatch, LARGE, other) as permits,
    ):  # fmt: skip
        greedy = pool.submit(httpx.post, f"{url}/predict", files=files, headers=by("greedy"), timeout=60)
        permits.release()
        while permits.acquire(blocking=False):  # the first is done: the rest has come
            permits.release()
        honest = pool.submit(httpx.post, f"{url}/predict", content=other, headers=by("honest"), timeout=60)
        until_at_work(url, 2)
        threading.Event().wait(0.5)
        permits.release(2)
        assert honest.result(20).json()["prediction"] == 7
        assert not greedy.done()


def stuck(engine: Engine) -> tuple[threading.Event, threading.Semaphore]:
    """What lets this engine answer, and what counts the pictures that have reached it."""
    go, entered = threading.Event(), threading.Semaphore(0)

    def wait(image: object, *, timeout: float) -> object:
        entered.release()
        go.wait(20)
        return SEVEN

    engine.provider.read = wait  # type: ignore[method-assign, assignment]
    go.set()
    return go, entered


@pytest.mark.parametrize("make", [local, paid])
def test_one_client_cannot_have_all_places(make: Callable[[], Engine]) -> None:
    engine = make()
    go, entered = stuck(engine)
    with listening(engine, settings=PROXIED) as url, ThreadPoolExecutor(6) as pool:

        def post(name: str, number: int) -> httpx.Response:
            picture = png((60 + number, 60))
            return httpx.post(f"{url}/predict", content=picture, headers=by(name), timeout=60)

        if make is local:
            assert entered.acquire(timeout=20)  # the warm-up

        def until_let_in(name: str, number: int) -> httpx.Response:
            """A poll of the server's state that is just under way may take a place for a moment."""
            for _ in range(100):
                if (answer := post(name, number)).status_code != 503:
                    break
                time.sleep(0.05)
            return answer

        go.clear()
        greedy = [pool.submit(until_let_in, "greedy", number) for number in range(4)]
        while httpx.get(f"{url}/ready").status_code == 200:
            time.sleep(0.2)
        surplus = post("greedy", 4)
        honest = [pool.submit(until_let_in, "honest", 5 + number) for number in range(2)]
        seen = 0
        while seen < 3:  # these six and the poll, and nobody who tries again
            time.sleep(0.2)
            seen = seen + 1 if "in_flight 7.0" in httpx.get(f"{url}/metrics").text else 0
        turned_away = post("honest", 9)
        go.set()
        statuses = [one.result().status_code for one in greedy + honest]
    assert (statuses, surplus.status_code, turned_away.status_code) == ([200] * 6, 503, 503)


def test_of_an_engine_elsewhere_one_client_cannot_have_all_questions() -> None:
    cloud = paid()
    go, entered = stuck(cloud)
    go.clear()
    with listening(local(), cloud, settings=Settings(proxies=1)) as url, ThreadPoolExecutor(1) as pool:
        files = [("file", png((60 + number, 60))) for number in range(32)]
        greedy = pool.submit(
            httpx.post, f"{url}/predict?provider=cloud", files=files, headers=by("greedy"), timeout=60
        )
        for _ in range(8):
            assert entered.acquire(timeout=20)
        more = httpx.post(f"{url}/predict?provider=cloud", content=DRAWING, headers=by("greedy"))
        honest = ThreadPoolExecutor(1).submit(
            httpx.post, f"{url}/predict?provider=cloud", content=DRAWING, headers=by("honest"), timeout=60
        )
        threading.Event().wait(0.3)
        assert not honest.done()  # let in, and waiting for a turn
        go.set()
        statuses = (greedy.result().status_code, more.status_code, honest.result().status_code)
    assert statuses == (200, 503, 200)


def test_under_attack_every_drawing_is_answered() -> None:
    """Two clients that post pictures of 16 million pixels again and again; bench/starve.py in short."""
    files, over = [("file", png((4000, 4000)))] * 16, threading.Event()

    def attack(url: str, number: int) -> None:
        while not over.is_set():
            headers = {"x-forwarded-for": f"198.51.100.{number}"}
            httpx.post(f"{url}/predict", files=files, headers=headers, timeout=60)

    settings = Settings(proxies=1, seconds=4)
    with listening(settings=settings) as url, ThreadPoolExecutor(2) as pool:
        attacks = [pool.submit(attack, url, number) for number in range(2)]
        answers = [
            httpx.post(f"{url}/predict", content=DRAWING, headers=by("honest"), timeout=60).status_code
            for _ in range(10)
        ]
        over.set()
        for one in attacks:
            one.result()
    assert answers == [200] * 10
