"""Fair shares of places, turns, threads and budgets: a greedy client does not delay the others."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from digitrec import errors
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.image import InputSpec
from digitrec.providers.base import FREE
from digitrec.web import inference, problems
from digitrec.web.inference import Client, Lane
from digitrec.web.settings import Settings

from .fakes import held_up, listening, local, paid, png, serving, until_at_work

A, B, C, D = (Client(name) for name in "abcd")
DRAWING, MEDIUM, LARGE = png((280, 280)), png((600, 600)), png((1450, 1450))
PROXIED = Settings(proxies=1, rate=1e6, burst=1_000_000, max_requests=4)
clients = st.sampled_from([A, B, C, D])
quickly = trying(max_examples=60, deadline=None, database=None)


class Hours:
    """A lane of one thread with a clock of its own; it records the client of each job."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lane = Lane(1, clock=lambda: self.now)
        self.came: list[tuple[Client, int]] = []

    async def work(self, client: Client, seconds: float, number: int = 0) -> None:
        async with self.lane.turn(client):
            self.came.append((client, number))
            self.now += seconds
            await asyncio.sleep(0)

    async def all(self, *waiting: tuple[Client, float]) -> None:
        await asyncio.gather(*(self.work(*one, number) for number, one in enumerate(waiting)))


@given(st.lists(st.lists(st.floats(0.1, 10), min_size=30, max_size=30), min_size=2, max_size=4))
@quickly
def test_clients_that_always_wait_get_even_shares_whatever_each_piece_takes(costs: list[list[float]]) -> None:
    hours, used = Hours(), Counter[Client]()
    each = dict(zip((A, B, C, D), costs, strict=False))
    asyncio.run(hours.all(*[(client, cost) for client, own in each.items() for cost in own]))
    left = {client: list(own) for client, own in each.items()}
    for client, _ in hours.came:
        used[client] += left[client].pop(0)  # type: ignore[assignment]
        if not all(left.values()):
            break
        assert max(used.values()) - min(used[one] for one in each) <= 2 * 10


@given(st.integers(1, 3), st.lists(st.tuples(clients, st.booleans()), max_size=25), st.randoms())
@quickly
def test_there_are_no_more_turns_than_threads_and_all_get_one_whoever_leaves(
    threads: int, wanting: list[tuple[Client, bool]], chance: Random
) -> None:
    async def run() -> None:
        lane, now, most, done = Lane(threads), 0, 0, 0

        async def work(client: Client) -> None:
            nonlocal now, most, done
            async with lane.turn(client):
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
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
                task.cancel()
        await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)
        assert most <= threads
        assert done >= sum(not leaves for _, leaves in wanting)
        async with asyncio.timeout(5), AsyncExitStack() as everything:  # all turns are free again
            for _ in range(threads):
                await everything.enter_async_context(lane.turn(A))

    asyncio.run(run())


@contextmanager
def waiting_for_permits(monkeypatch: pytest.MonkeyPatch, *pictures: bytes) -> Iterator[threading.Semaphore]:
    """Make preparing these pictures wait for a permit; release all at the end."""
    permits, prepare = threading.Semaphore(0), inference.batches

    def wait(given: list[Any], engine: Engine) -> object:
        if isinstance(given[0], bytes) and given[0] in pictures:
            permits.acquire(timeout=30)
        return prepare(given, engine)

    monkeypatch.setattr(inference, "batches", wait)
    try:
        yield permits
    finally:
        permits.release(1000)


def post(url: str, who: str, *pictures: bytes, provider: str = "local", wait: bool = False) -> httpx.Response:
    """Post as "honest" or as "greedy"; ``wait`` retries until a place is free."""
    headers = {"x-forwarded-for": {"honest": "203.0.113.1", "greedy": "203.0.113.2"}[who]}
    files = [("file", picture) for picture in pictures]
    while True:
        answer = httpx.post(f"{url}/predict?provider={provider}", files=files, headers=headers, timeout=60)
        if answer.status_code != 503 or not wait:
            return answer


@pytest.mark.parametrize("size", [LARGE, MEDIUM], ids=["large", "medium"])
@pytest.mark.parametrize("whose", ["honest", "greedy"])
def test_large_pictures_block_no_drawings(monkeypatch: pytest.MonkeyPatch, size: bytes, whose: str) -> None:
    """This also holds for two requests of the same client."""
    with (
        listening(settings=PROXIED) as url, ThreadPoolExecutor(2) as pool,
        waiting_for_permits(monkeypatch, size),
    ):  # fmt: skip
        greedy = [pool.submit(post, url, "greedy", *[size] * 6) for _ in range(2)]
        answers = [post(url, whose, DRAWING) for _ in range(10)]
        assert not any(one.done() for one in greedy)
        assert [answer.json()["prediction"] for answer in answers] == [7] * 10


def test_numbers_are_read_on_one_picture_at_a_time() -> None:
    engine, go, entered = held_up(Engine(FakeProvider(["7"], wants=InputSpec("png", enough=1500))))
    with listening(engine) as url, ThreadPoolExecutor(2) as pool:
        assert entered.acquire(timeout=20)  # the warm-up
        go.clear()
        both = [pool.submit(httpx.post, f"{url}/v1/read", content=png((60 + n, 60))) for n in range(2)]
        assert [entered.acquire(timeout=seconds) for seconds in (20, 0.3)] == [True, False]
        go.set()
        assert [one.result().status_code for one in both] == [200, 200]


def test_one_client_cannot_have_all_places() -> None:
    engine, go, entered = held_up(local())
    with listening(engine, settings=PROXIED) as url, ThreadPoolExecutor(6) as pool:
        assert entered.acquire(timeout=20)  # the warm-up
        go.clear()
        greedy = [pool.submit(post, url, "greedy", png((60 + number, 60)), wait=True) for number in range(4)]
        while httpx.get(f"{url}/ready").status_code == 200:
            pass
        surplus = post(url, "greedy", png((64, 60)))
        honest = [pool.submit(post, url, "honest", png((65 + number, 60)), wait=True) for number in range(2)]
        until_at_work(url, 6)
        turned_away = post(url, "honest", png((69, 60)))
        go.set()
        statuses = [one.result().status_code for one in greedy + honest]
    assert (statuses, surplus.status_code, turned_away.status_code) == ([200] * 6, 503, 503)


def test_one_client_cannot_have_all_requests_to_a_remote_engine() -> None:
    cloud, go, entered = held_up(paid())
    other = paid()
    other.provider.name = "other"
    go.clear()
    with listening(other, cloud, settings=Settings(proxies=1)) as url, ThreadPoolExecutor(2) as pool:
        ask = partial(post, url, provider="cloud")
        greedy = pool.submit(ask, "greedy", *[png((60 + number, 60)) for number in range(32)])
        for _ in range(8):
            assert entered.acquire(timeout=20)
        more = ask("greedy", DRAWING)
        address = {"x-forwarded-for": "203.0.113.2"}
        both = httpx.post(f"{url}/compare?provider=other&provider=cloud", content=DRAWING, headers=address)
        honest = pool.submit(ask, "honest", DRAWING)
        threading.Event().wait(0.3)
        assert not honest.done()  # admitted, and waiting for a turn
        go.set()
        statuses = [one.status_code for one in (greedy.result(), more, both, honest.result())]
        assert "digitrec_http_turned_away_total 2.0" in httpx.get(f"{url}/metrics").text
    assert statuses == [200, 503, 503, 200]
    assert other.provider.calls == 0  # type: ignore[attr-defined]


def test_a_request_that_has_ended_asks_no_more() -> None:
    busy = errors.Unavailable("busy", status=503, retry_after=0.2)
    cloud = Engine(FakeProvider([busy], price=FREE, endpoint="http://127.0.0.1:9"), Options(attempts=99))
    with listening(cloud, settings=Settings(seconds=1.0)) as url:
        assert httpx.post(f"{url}/predict", content=DRAWING, timeout=30).status_code == 504
        threading.Event().wait(0.5)
        calls = cloud.provider.calls  # type: ignore[attr-defined]
        threading.Event().wait(1.0)
    assert cloud.provider.calls == calls >= 1  # type: ignore[attr-defined]


PICTURES = [png((60 + number, 60)) for number in range(12)]
"""All differ, so that each answer costs a cent."""
PAID = "/predict?provider=cloud"


def test_the_engines_own_budget_is_told_without_advice_for_the_command_line() -> None:
    with serving(local(), paid(max_cost=0.015)) as client:
        first, second = (client.post(PAID, content=picture) for picture in PICTURES[:2])
        listed = client.post(PAID, files=[("file", picture) for picture in PICTURES[2:4]])
    assert (first.status_code, second.status_code, listed.status_code) == (200, 402, 200)
    assert listed.json()["predictions"][0]["problem"]["status"] == 402
    assert "--" not in second.text + listed.text and "$" not in second.text


ADVICE = ["raise --max-cost", "pip install '.[heif]' in digitrec's folder", "digitrec.DigitImage.open",
          "the configuration file"]  # fmt: skip
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


@given(
    st.sampled_from(KINDS).filter(lambda kind: issubclass(kind, errors.DigitrecError)),
    st.text(max_size=20), st.sampled_from(ADVICE), st.text(max_size=20),
)  # fmt: skip
@trying(max_examples=200, deadline=None, database=None)
def test_no_error_brings_visitors_advice_for_the_operator(
    kind: type[errors.DigitrecError], before: str, advice: str, after: str
) -> None:
    assert advice not in problems.from_error(kind(f"{before} {advice} {after}")).detail
