"""A clock set forward or back blocks no claim and hides no spending."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clock import Clock
from paid_cloud import PRICE

from digitrec.engine.ledger import Budget, Claim, Ledger, Verdict
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
        assert isinstance(claim(ledger, 7), Claim)  # by a program that has ended
        clock.now -= ahead
        assert isinstance(claim(ledger, 7), Claim)
        assert [call.state for call in recent(ledger)] == ["asking", "unknown"]
        assert spending(ledger)[0].usd == pytest.approx(2 * PRICE)


def test_a_clock_that_is_corrected_a_little_voids_nothing(tmp_path: Path) -> None:
    clock = Clock(NOVEMBER)
    with closing(Ledger(tmp_path / "ledger.sqlite", clock=clock)) as ledger:
        claim(ledger, 7)
        clock.now -= 0.5
        assert claim(ledger, 7) is None


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
