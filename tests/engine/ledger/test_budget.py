"""What may be spent: for a command, for a month, and apart for emulators."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from clock import Clock

from digitrec.engine.ledger import Budget, Claim, Ledger
from digitrec.errors import BudgetExceeded

from .claims import claim, claimed, question


def test_the_budget_of_a_command_is_kept_to_the_last_cent(ledger: Ledger) -> None:
    budget = Budget("run", max_cost=0.3)
    questions = [question(number) for number in range(5)]
    verdicts = ledger.claim(questions, price=0.1, budget=budget, lease_s=10.0)
    assert [type(verdict) for verdict in verdicts] == [Claim] * 3 + [BudgetExceeded] * 2
    assert str(verdicts[3]) == (
        "not asked: a call to paid costs $0.1, and of the $0.3 for this command $0.3 are spent; "
        "raise --max-cost or stop here"
    )
    assert isinstance(claim(ledger, question(9), budget=replace(budget, run="another"), price=0.1), Claim)


def test_the_standing_budget_holds_for_all_commands_of_a_month(ledger: Ledger, clock: Clock) -> None:
    claimed(ledger, question(1), budget=Budget("one", per_month=1.0))
    claimed(ledger, question(2), budget=Budget("two", per_month=1.0))
    refused = claim(ledger, question(3), budget=Budget("three", per_month=1.0))
    assert isinstance(refused, BudgetExceeded)
    assert str(refused) == (
        "not asked: a call to paid costs $0.5, and of the $1 for this month $1 are spent; raise "
        "budget.per_month in the configuration file or wait for the next month"
    )
    clock.now += 60  # the first of December, UTC
    claimed(ledger, question(3), budget=Budget("three", per_month=1.0))


@pytest.fixture(params=["AAA+11", "ZZZ-14"])
def time_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """The first and the last place on earth at which a month ends."""
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


def test_a_call_of_unknown_price_counts_as_nothing(ledger: Ledger) -> None:
    budget = Budget("run", max_cost=0.5)
    assert isinstance(claim(ledger, question(1), budget=budget, price=None), Claim)
    assert isinstance(claim(ledger, question(2), budget=budget, price=0.5), Claim)
    assert isinstance(claim(ledger, question(3), budget=budget, price=None), Claim)


@pytest.mark.parametrize("limits", [{"max_cost": 0.5}, {"per_month": 0.5}])
def test_either_limit_holds_alone(ledger: Ledger, limits: dict[str, float]) -> None:
    assert not Budget("run").limited
    budget = Budget("run", **limits)  # type: ignore[arg-type]
    assert budget.limited
    claimed(ledger, question(1), budget=budget)
    assert isinstance(claim(ledger, question(2), budget=budget), BudgetExceeded)
