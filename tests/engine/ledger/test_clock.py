"""A clock that is set, forward and back, blocks nobody and hides no spending."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from clock import Clock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paid_cloud import PRICE, answer

from digitrec.engine.ledger import Budget, Busy, Claim, Entry, Ledger, Verdict
from digitrec.engine.ledger.book import CLOCK_STEP_S
from digitrec.engine.ledger.queries import recent, spending
from digitrec.errors import BudgetExceeded

from .claims import question

DAY_S = 86_400.0
LEASE_S = 12.0
NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC).timestamp()


def claim(ledger: Ledger, number: int, budget: Budget = Budget("run")) -> Verdict:
    (verdict,) = ledger.claim([question(number)], price=PRICE, budget=budget, lease_s=LEASE_S)
    return verdict


@pytest.mark.parametrize("ahead", [DAY_S, 3600.0, CLOCK_STEP_S + 0.1])
def test_a_lease_of_the_future_is_void(tmp_path: Path, ahead: float) -> None:
    clock = Clock(NOVEMBER)
    with closing(Ledger(tmp_path / "ledger.sqlite", clock=clock)) as ledger:
        assert isinstance(claim(ledger, 7), Claim)  # by a program that is gone
        clock.now -= ahead
        assert isinstance(claim(ledger, 7), Claim)
        assert [call.state for call in recent(ledger)] == ["asking", "unknown"]
        assert spending(ledger)[0].usd == pytest.approx(2 * PRICE)


def test_a_clock_that_is_corrected_a_little_voids_nothing(tmp_path: Path) -> None:
    clock = Clock(NOVEMBER)
    with closing(Ledger(tmp_path / "ledger.sqlite", clock=clock)) as ledger:
        claim(ledger, 7)
        clock.now -= 0.5
        assert isinstance(claim(ledger, 7), Busy)


def test_the_month_counts_what_was_asked_while_the_clock_was_in_another(tmp_path: Path) -> None:
    clock, budget = Clock(NOVEMBER), Budget("run", per_month=4 * PRICE)
    with closing(Ledger(tmp_path / "ledger.sqlite", clock=clock)) as ledger:
        assert isinstance(claim(ledger, 0, budget), Claim)
        clock.now = NOVEMBER - 300 * DAY_S
        assert isinstance(claim(ledger, 1, budget), Claim)
        clock.now = 0.0
        assert isinstance(claim(ledger, 2, budget), Claim)
        clock.now = NOVEMBER + DAY_S
        assert isinstance(claim(ledger, 3, budget), Claim)
        assert isinstance(claim(ledger, 4, budget), BudgetExceeded)


STEP = st.one_of(
    st.tuples(st.just("clock"), st.floats(-40 * DAY_S, 40 * DAY_S)),
    st.tuples(st.just("pass"), st.floats(0, 20)),
    st.tuples(st.just("claim"), st.integers(0, 3)),
    st.tuples(st.just("answer"), st.integers(0, 5)),
    st.tuples(st.just("fail"), st.integers(0, 5)),
    st.tuples(st.just("free"), st.integers(0, 5)),
    st.tuples(st.just("order"), st.integers(0, 5)),
    st.tuples(st.just("extend"), st.integers(0, 5)),
    st.tuples(st.just("sweep"), st.just(0)),
)


LATE: dict[str, Callable[[Ledger, Claim], None]] = {
    "fail": lambda ledger, one: ledger.failed(one, "TimedOut", unknown=True, charged=True),
    "order": lambda ledger, one: ledger.ordered(one, f"order-{one.id}"),
    "extend": lambda ledger, one: ledger.extend([one], LEASE_S),
}
"""What may come at any time, also of a call that was given up."""


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEP, max_size=60))
def test_whatever_the_clock_does(
    steps: list[tuple[str, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nothing answered is bought again, all that was sent is counted, and nobody waits for ever."""
    clock = Clock(NOVEMBER)
    sent = freed = 0
    claims: list[Claim] = []
    done: set[int] = set()
    answered: set[str] = set()
    with closing(Ledger(tmp_path_factory.mktemp("clock") / "ledger.sqlite", clock=clock)) as ledger:

        def ask(number: int) -> Verdict:
            nonlocal sent
            verdict = claim(ledger, number)
            if question(number).key in answered:
                assert isinstance(verdict, Entry)
            if isinstance(verdict, Busy):
                assert verdict.until - clock.now <= LEASE_S + CLOCK_STEP_S
            if isinstance(verdict, Claim):
                sent += verdict.cost_usd != 0.0
                claims.append(verdict)
            return verdict

        for what, value in steps:
            one = claims[int(value) % len(claims)] if claims and value >= 0 else None
            if what in ("clock", "pass"):
                clock.now += value
            elif what == "claim":
                ask(int(value))
            elif what == "sweep":
                ledger.sweep()
            elif one is None:
                continue
            elif what == "answer":
                ledger.answered(one, answer(7))
                answered.add(one.question.key)
                done.add(one.id)
            elif what == "free" and one.id not in done:
                ledger.failed(one, "Unreachable", unknown=False, charged=False)
                freed += 1
            elif what in LATE:
                LATE[what](ledger, one)
        # Whoever stays gets it: after one lease at most the question is free, or answered.
        for number in range(4):
            for tries in count():
                assert tries <= 1
                if not isinstance(verdict := ask(number), Busy):
                    break
                clock.now = max(clock.now, verdict.until)
        counted = sum(month.usd for month in spending(ledger))
        assert counted >= (sent - freed) * PRICE - 1e-9
        assert sum(month.calls for month in spending(ledger)) == sent
