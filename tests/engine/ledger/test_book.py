"""Finding an answer, claiming a call, writing down what came of it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from clock import Clock
from paid_cloud import answer

from digitrec.engine.ledger import Budget, Busy, Claim, Entry, Ledger
from digitrec.errors import BudgetExceeded

from .claims import NO_LIMIT, claim, claimed, question


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


def test_one_question_is_asked_by_one_at_a_time(ledger: Ledger, clock: Clock) -> None:
    first = claimed(ledger)
    assert (first.question, first.cost_usd, first.token) == (question(), 0.5, None)
    assert claim(ledger) == Busy(clock.now + 10.0)
    ledger.sweep()
    assert claim(ledger) == Busy(clock.now + 10.0), "it was not cut off"
    ledger.answered(first, answer(7))
    assert isinstance(claim(ledger), Entry)


def test_the_same_question_twice_in_one_request_is_claimed_once(ledger: Ledger) -> None:
    first, second = ledger.claim([question(), question()], price=0.5, budget=NO_LIMIT, lease_s=10.0)
    assert isinstance(first, Claim)
    assert isinstance(second, Busy)


def test_a_call_that_waits_for_its_turn_keeps_its_claim(ledger: Ledger, clock: Clock) -> None:
    first = claimed(ledger)
    ledger.extend([first], 30.0)
    clock.now += 11
    assert isinstance(claim(ledger), Busy)


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
    assert claim(ledger) == Busy(clock.now + 10.0)
    clock.now += 11
    assert claimed(ledger).token is None, "a day after it was ordered"


def test_an_order_under_way_is_left_to_whoever_placed_it(tmp_path: Path, clock: Clock) -> None:
    with closing(Ledger(tmp_path / "ledger.sqlite", fresh=True, clock=clock)) as ledger:
        ledger.ordered(claimed(ledger), "operation-1")
        assert claimed(ledger).token is None, "asked anew, since nothing is to be found again"


def test_an_order_of_unknown_outcome_is_fetched_again(ledger: Ledger) -> None:
    first = claimed(ledger)
    ledger.ordered(first, "operation-1")
    ledger.failed(first, "Unavailable", unknown=True, charged=True)
    assert claimed(ledger).token == "operation-1"


def test_an_order_that_failed_for_good_is_made_again(ledger: Ledger) -> None:
    first = claimed(ledger)
    ledger.ordered(first, "operation-1")
    ledger.failed(first, "Rejected", unknown=False, charged=True)
    assert claimed(ledger).token is None


def test_a_ledger_in_memory_counts_money_and_finds_no_answer() -> None:
    ledger = Ledger(None)
    budget = Budget("run", max_cost=1.0)
    ledger.answered(claimed(ledger, budget=budget), answer(7))
    assert ledger.find([question()]) == [None]
    claimed(ledger, budget=budget)
    assert isinstance(claim(ledger, budget=budget), BudgetExceeded)
    ledger.close()
