"""Finding an answer, claiming a call, recording its outcome."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clock import Clock
from paid_cloud import answer

from digitrec.engine.ledger import Budget, Claim, Entry, Ledger
from digitrec.engine.ledger.book import CLOCK_STEP_S
from digitrec.engine.ledger.queries import recent, spending
from digitrec.errors import BudgetExceeded

from .claims import claim, claimed, question


def test_an_answer_is_found_again_and_never_bought_again(ledger: Ledger, clock: Clock) -> None:
    ledger.answered(claimed(ledger), answer(7))
    found = ledger.find([question(), question(8)])
    assert found == [Entry(question(), answer(7), clock.now, 0.5), None]
    assert claim(ledger) == found[0]


def test_an_emulators_answer_is_never_found_as_a_real_one(ledger: Ledger) -> None:
    ledger.answered(claimed(ledger, question(emulated=True)), answer(7))
    assert ledger.find([question()]) == [None]
    (found,) = ledger.find([question(emulated=True)])
    assert found is not None
    assert found.question.emulated


def test_one_question_is_asked_by_one_at_a_time(ledger: Ledger) -> None:
    first = claimed(ledger)
    assert (first.question, first.cost_usd, first.token) == (question(), 0.5, None)
    assert claim(ledger) is None
    ledger.sweep()
    assert claim(ledger) is None, "it was not cut off"
    ledger.answered(first, answer(7))
    assert isinstance(claim(ledger), Entry)


def test_a_call_that_waits_for_its_turn_keeps_its_claim(ledger: Ledger, clock: Clock) -> None:
    first = claimed(ledger)
    ledger.extend([first], 30.0)
    clock.now += 11
    assert claim(ledger) is None


def test_an_error_is_not_an_answer_and_its_reservation_ends(ledger: Ledger) -> None:
    budget = Budget("run", max_cost=0.5)
    first = claimed(ledger, budget=budget)
    ledger.failed(first, "RateLimited", unknown=False, charged=False)
    assert ledger.find([question()]) == [None]
    claimed(ledger, budget=budget)


def test_a_call_of_unknown_outcome_stays_spent(ledger: Ledger) -> None:
    budget = Budget("run", max_cost=0.5)
    ledger.failed(claimed(ledger, budget=budget), "TimedOut", unknown=True, charged=True)
    assert isinstance(claim(ledger, budget=budget), BudgetExceeded)


def test_an_order_is_fetched_for_a_day_and_keeps_others_away_meanwhile(ledger: Ledger, clock: Clock) -> None:
    first = claimed(ledger)
    ledger.ordered(first, "operation-1")
    clock.now += 24 * 3600 - 1
    assert claimed(ledger).token == "operation-1"
    assert claim(ledger) is None
    clock.now += 11
    assert claimed(ledger).token is None, "a day after it was ordered"


def test_a_fresh_ledger_ignores_an_order_under_way(tmp_path: Path, clock: Clock) -> None:
    with closing(Ledger(tmp_path / "ledger.sqlite", fresh=True, clock=clock)) as ledger:
        ledger.ordered(claimed(ledger), "operation-1")
        assert claimed(ledger).token is None, "asked anew, since nothing is to be found again"


@pytest.mark.parametrize(
    ("error", "unknown", "token"), [("Unavailable", True, "operation-1"), ("Rejected", False, None)]
)
def test_only_an_order_of_unknown_outcome_is_fetched_again(
    ledger: Ledger, error: str, unknown: bool, token: str | None
) -> None:
    first = claimed(ledger)
    ledger.ordered(first, "operation-1")
    ledger.failed(first, error, unknown=unknown, charged=True)
    assert claimed(ledger).token == token


def test_the_budget_of_a_command_is_kept_to_the_last_cent(ledger: Ledger) -> None:
    budget = Budget("run", max_cost=0.3)
    questions = [question(number) for number in range(5)]
    verdicts = ledger.claim(questions, price=0.1, budget=budget, lease_s=10.0)
    assert [type(verdict) for verdict in verdicts] == [Claim] * 3 + [BudgetExceeded] * 2
    assert "paid" in str(verdicts[3]) and "$0.3" in str(verdicts[3])
    assert isinstance(claim(ledger, question(9), budget=replace(budget, run="another"), price=0.1), Claim)


@pytest.fixture(params=["AAA+11", "ZZZ-14"])
def time_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set the first or the last time zone in which a month ends."""
    if not hasattr(time, "tzset"):
        pytest.skip("the time zone cannot be changed here")
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("time_zone")
def test_a_month_is_that_of_utc_from_its_first_second_to_its_last(ledger: Ledger, clock: Clock) -> None:
    budget = Budget("run", per_month=0.5)
    clock.now = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    claimed(ledger, question(1), budget=budget)
    clock.now = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
    assert isinstance(claim(ledger, question(2), budget=budget), BudgetExceeded)
    clock.now += 1
    claimed(ledger, question(2), budget=budget)


def test_emulated_calls_do_not_use_up_the_real_budget(ledger: Ledger) -> None:
    budget = Budget("run", max_cost=0.5, per_month=0.5)
    claimed(ledger, question(emulated=True), budget=budget)
    assert isinstance(claim(ledger, question(8, emulated=True), budget=budget), BudgetExceeded)
    claimed(ledger, question(8), budget=budget)


DAY_S = 86_400.0


@pytest.mark.parametrize("ahead", [DAY_S, 3600.0, CLOCK_STEP_S + 0.1])
def test_a_lease_that_begins_in_the_future_is_void(ledger: Ledger, clock: Clock, ahead: float) -> None:
    claimed(ledger)  # by a program that is gone, before the clock was set back
    clock.now -= ahead
    claimed(ledger)
    assert [call.state for call in recent(ledger)] == ["asking", "unknown"]
    assert spending(ledger)[0].usd == 2 * 0.5


def test_a_small_correction_of_the_clock_voids_nothing(ledger: Ledger, clock: Clock) -> None:
    claimed(ledger)
    clock.now -= 0.5
    assert claim(ledger) is None


def test_a_month_counts_calls_made_while_the_clock_was_wrong(ledger: Ledger, clock: Clock) -> None:
    budget, today = Budget("run", per_month=4 * 0.5), clock.now - 5 * DAY_S
    for number, now in enumerate((today, today - 300 * DAY_S, 0.0, today + DAY_S)):
        clock.now = now
        claimed(ledger, question(number), budget=budget)
    assert isinstance(claim(ledger, question(4), budget=budget), BudgetExceeded)
