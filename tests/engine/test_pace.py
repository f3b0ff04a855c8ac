"""The time of one request: its own runs, a vendor's queue puts its end off."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from clock import Clock
from paid_cloud import PRICE, PaidCloud, image, options

from digitrec.answer import Answer
from digitrec.engine import Engine
from digitrec.engine.config import Config
from digitrec.engine.ledger import Budget, Claim, Ledger, Question
from digitrec.engine.pace import SHORTEST_CALL_S, Pace
from digitrec.engine.rate import Limiter
from digitrec.engine.terms import Halt, Terms
from digitrec.image import PreparedImage


class Noting(Ledger):
    """A ledger that notes for how long claims are extended."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.extended: list[float] = []

    def extend(self, claims: Sequence[Claim], lease_s: float) -> None:
        self.extended.append(lease_s)
        super().extend(claims, lease_s)


class Sleepless(Halt):
    """Notes for how long it would sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> bool:
        self.slept.append(seconds)
        return not self.stopped


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("digitrec.engine.pace.time", SimpleNamespace(monotonic=clock))
    return clock


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Noting]:
    with closing(Noting(tmp_path / "ledger.sqlite")) as ledger:
        yield ledger


@pytest.fixture
def halt() -> Sleepless:
    return Sleepless()


@pytest.fixture
def pace(tmp_path: Path, clock: Clock, ledger: Noting, halt: Sleepless) -> Iterator[Callable[..., Pace]]:
    """Makes the pace of a request that has 10 s in all and 3 s for a call."""
    with closing(Limiter(tmp_path / "rate.sqlite", clock=clock)) as limiter:

        def make(rate: float | None = None, *, started: bool = True) -> Pace:
            how = options(tmp_path, timeout=10.0)
            terms = Terms(
                PaidCloud(), how, ledger, limiter, Budget(), PRICE, rate, emulated=False, attempt_s=3.0
            )
            made = Pace(terms, halt)
            if started:
                made.start()
            return made

        yield make


@pytest.fixture
def claims(ledger: Noting) -> list[Claim]:
    asked = Question.about(image(7), PaidCloud(), emulated=False)
    (claim,) = ledger.claim([asked], price=PRICE, budget=Budget(), lease_s=60.0)
    assert isinstance(claim, Claim)
    return [claim]


def test_a_call_has_its_own_time_and_never_more_than_is_left(pace: Callable[..., Pace], clock: Clock) -> None:
    assert pace(started=False).left_s == math.inf
    running = pace()
    assert (running.left_s, running.call_s) == (10.0, 3.0)
    clock.now += 8.0
    assert (running.left_s, running.call_s) == (2.0, 2.0)
    clock.now += 5.0
    assert (running.left_s, running.call_s) == (-3.0, SHORTEST_CALL_S)


def test_waiting_for_a_turn_costs_no_time_and_no_claim(
    pace: Callable[..., Pace], claims: list[Claim], ledger: Noting, halt: Sleepless
) -> None:
    first, second = pace(5.0), pace(5.0)
    lease_s = second._terms.lease_s
    assert first.take_turn(claims)
    assert (first.left_s, halt.slept, ledger.extended) == (10.0, [0.0], [])
    assert second.take_turn(claims)
    assert second.left_s == pytest.approx(10.2)
    assert halt.slept == pytest.approx([0.0, 0.2])
    assert ledger.extended == pytest.approx([0.2 + lease_s])
    halt.stop()
    assert not pace(5.0).take_turn(claims)


def test_without_a_limit_nobody_waits(
    pace: Callable[..., Pace], claims: list[Claim], halt: Sleepless
) -> None:
    running = pace()
    assert [running.take_turn(claims) for _ in range(3)] == [True] * 3
    assert (running.left_s, halt.slept) == (10.0, [])


def test_a_pause_keeps_the_claim_and_takes_of_the_time(
    pace: Callable[..., Pace], claims: list[Claim], ledger: Noting, halt: Sleepless
) -> None:
    running = pace(5.0)
    assert running.pause(claims, 2.0)
    assert (running.left_s, halt.slept) == (10.0, [2.0])
    assert ledger.extended == [2.0 + running._terms.lease_s]
    halt.stop()
    assert not running.pause(claims, 2.0)


@pytest.mark.parametrize(("rate", "left_s"), [(5.0, 10.5), (None, 10.0)])
def test_waiting_for_anothers_answer_costs_no_time_where_that_one_may_wait_for_a_turn(
    pace: Callable[..., Pace], halt: Sleepless, rate: float | None, left_s: float
) -> None:
    running = pace(rate)
    running.wait_for_another(0.5)
    assert (running.left_s, halt.slept) == (left_s, [0.5])


class Timed(PaidCloud):
    """Remembers how long each request was given."""

    attempt_timeout = 60.0

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        self.given_s = timeout
        return super().read(image, timeout=timeout)


@pytest.mark.parametrize(
    ("chosen", "expected_s"),
    [
        ({}, 60.0),
        ({"config": Config(attempt_timeouts={"paid": 20.0})}, 20.0),
        ({"config": Config(attempt_timeouts={"paid": 20.0}), "attempt_timeout": 90.0}, 90.0),
        ({"timeout": 15.0}, 15.0),
    ],
)
def test_a_request_has_the_time_of_options_configuration_or_provider(
    chosen: dict[str, Any], expected_s: float, tmp_path: Path
) -> None:
    cloud = Timed()
    with Engine(cloud, options(tmp_path, **{"timeout": 120.0, **chosen})) as engine:
        engine.ask([image(7)])
    assert cloud.given_s == pytest.approx(expected_s, abs=5.0)
