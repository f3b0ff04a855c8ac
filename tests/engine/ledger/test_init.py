"""Finding an answer, claiming a call, recording its outcome."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clock import Clock
from paid_cloud import PaidCloud, answer, image, options

from digitrec.answer import Answer, Candidate
from digitrec.engine import Engine
from digitrec.engine.ledger import (
    CLOCK_STEP_S,
    UNUSABLE,
    Budget,
    Claim,
    Entry,
    Ledger,
    Question,
    Spending,
    clear,
    entries,
    recent,
    spending,
)
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
    assert (first.cost_usd, first.token) == (0.5, None)
    assert claim(ledger) is None
    ledger.sweep()
    assert claim(ledger) is None, "it was not cut off"
    ledger.answered(first, answer(7))
    assert isinstance(claim(ledger), Entry)


def test_a_call_that_waits_for_its_turn_keeps_its_claim(ledger: Ledger, clock: Clock) -> None:
    ledger.extend([claimed(ledger)], 30.0)
    clock.now += 11
    assert claim(ledger) is None


def test_an_error_is_not_an_answer_and_its_reservation_ends(ledger: Ledger) -> None:
    budget = Budget("run", max_cost=0.5)
    ledger.failed(claimed(ledger, budget=budget), "RateLimited", unknown=False, cost_usd=0.0)
    assert ledger.find([question()]) == [None]
    claimed(ledger, budget=budget)


def test_a_call_of_unknown_outcome_stays_spent(ledger: Ledger) -> None:
    budget = Budget("run", max_cost=0.5)
    ledger.failed(claimed(ledger, budget=budget), "TimedOut", unknown=True)
    assert isinstance(claim(ledger, budget=budget), BudgetExceeded)


def test_an_order_is_fetched_for_a_day_and_keeps_others_away_meanwhile(ledger: Ledger, clock: Clock) -> None:
    ledger.ordered(claimed(ledger), "operation-1")
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
    ledger.failed(first, error, unknown=unknown)
    assert claimed(ledger).token == token


def test_the_budget_of_a_command_is_kept_to_the_last_cent(ledger: Ledger) -> None:
    budget = Budget("run", max_cost=0.3)
    verdicts = ledger.claim([question(number) for number in range(5)], price=0.1, budget=budget, lease_s=10.0)
    assert [type(verdict) for verdict in verdicts] == [Claim] * 3 + [type(None)] * 2
    for first, cost in zip(verdicts[:3], (0.1, 0.1, 0.04), strict=True):
        ledger.answered(first, answer(7), cost_usd=cost)  # type: ignore[arg-type]
    over = str(claim(ledger, question(4), budget=budget, price=0.1))
    assert "to paid costs $0.1, but $0.24 of the $0.3" in over
    assert isinstance(claim(ledger, question(4), budget=budget, price=0.06), Claim)
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


def test_emulated_calls_do_not_use_up_the_real_budget(ledger: Ledger, clock: Clock) -> None:
    budget = Budget("run", max_cost=0.5, per_month=0.5)
    claimed(ledger, question(emulated=True), budget=budget)
    clock.now += 11  # its lease ended
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


def test_a_ledger_named_memory_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(Ledger(Path(":memory:"))) as ledger:
        claimed(ledger)
    with closing(Ledger(Path(":memory:"))) as ledger:
        assert len(recent(ledger)) == 1


def test_a_small_correction_of_the_clock_voids_nothing(ledger: Ledger, clock: Clock) -> None:
    claimed(ledger)
    clock.now -= 0.5
    assert claim(ledger) is None


def test_a_month_counts_calls_made_while_the_clock_was_wrong(ledger: Ledger, clock: Clock) -> None:
    budget, today = Budget("run", per_month=4 * 0.5), clock.now - 5 * DAY_S
    for number, now in enumerate((today, today - 300 * DAY_S, 0.0, today + DAY_S)):
        clock.now = now
        claimed(ledger, question(number), budget=budget)
    clock.now += 11  # the lease of the last one ended
    assert isinstance(claim(ledger, question(4), budget=budget), BudgetExceeded)


OCTOBER = datetime(2026, 10, 31, 12, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 20, 12, tzinfo=UTC)


def claim_of(
    ledger: Ledger, number: int, name: str, price: float | None = 0.0015, *, emulated: bool = False
) -> Claim:
    asked = Question.about(image(number), PaidCloud(name=name), emulated=emulated)
    return claimed(ledger, asked, price=price)


@pytest.fixture
def months(tmp_path: Path) -> Iterator[Ledger]:
    """Return a ledger of two months.

    October has two answers; November has an answer, a failed call, one cut off, one of unknown price, and one
    of an emulator.
    """
    clock = Clock(OCTOBER.timestamp())
    ledger = Ledger(tmp_path / "ledger.sqlite", clock=clock)
    for number in (1, 2):
        ledger.answered(claim_of(ledger, number, "google"), answer(number))
    clock.now = NOVEMBER.timestamp()
    ledger.answered(claim_of(ledger, 3, "google"), answer(3))
    ledger.failed(claim_of(ledger, 4, "google"), "Unavailable", unknown=False, cost_usd=0.0)
    claim_of(ledger, 5, "google")
    ledger.answered(claim_of(ledger, 6, "azure", None), answer(6))
    ledger.answered(claim_of(ledger, 7, "aws", 0.001, emulated=True), answer(7))
    clock.now += 60
    yield ledger
    ledger.close()


def test_recent_calls_newest_first(months: Ledger) -> None:
    calls = recent(months, limit=4)
    assert [call.state for call in calls] == ["answered", "answered", "unknown", "failed"]
    assert [call.text for call in calls] == ["7", "6", None, None]
    assert [call.cost_usd for call in calls] == [0.001, None, 0.0015, 0.0]
    assert [call.emulated for call in calls] == [True, False, False, False]
    assert calls[3].error == "Unavailable"
    assert calls[0].asked_at == NOVEMBER
    assert calls[0].image_sha256 == "sha-7"
    assert [call.provider for call in recent(months, provider="azure")] == ["azure"]


def test_spending_by_month_and_provider(months: Ledger) -> None:
    assert spending(months) == [
        Spending("2026-11", "aws", True, calls=1, usd=0.001, unpriced=0, unknown=0),
        Spending("2026-11", "azure", False, calls=1, usd=0.0, unpriced=1, unknown=0),
        Spending("2026-11", "google", False, calls=3, usd=0.003, unpriced=0, unknown=1),
        Spending("2026-10", "google", False, calls=2, usd=0.003, unpriced=0, unknown=0),
    ]


def test_every_answer_can_be_exported(months: Ledger) -> None:
    assert [entry.answer for entry in entries(months)] == [answer(number) for number in (1, 2, 3, 6, 7)]
    assert [entry.question.provider for entry in entries(months, provider="aws")] == ["aws"]


def test_a_call_with_a_damaged_answer_is_unusable(months: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    with months.transaction() as sqlite:
        sqlite.execute("UPDATE calls SET answer = 'nonsense' WHERE provider = 'azure'")
    _, azure = recent(months, limit=2)
    assert (azure.state, azure.error, azure.text) == ("answered", UNUSABLE, None)
    assert azure.endpoint == "https://paid.example"
    assert [entry.answer for entry in entries(months)] == [answer(number) for number in (1, 2, 3, 7)]
    assert len(caplog.messages) == 1


def test_twenty_calls_are_listed_by_default_with_their_words(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "more.sqlite")) as ledger:
        for number in range(21):
            two = Answer((Candidate("4", None), Candidate(str(number), None)))
            ledger.answered(claim_of(ledger, number, "google"), two)
        assert [call.text for call in recent(ledger)] == [f"4 {number}" for number in range(20, 0, -1)]


@pytest.mark.parametrize(("chosen", "left"), [
    ({}, []), ({"provider": "google"}, [6, 7]), ({"before": NOVEMBER}, [3, 6, 7]),
    ({"emulated": True}, [1, 2, 3, 6]), ({"emulated": False, "provider": "azure"}, [1, 2, 3, 7]),
])  # fmt: skip
def test_clearing_forgets_answers_alone(months: Ledger, chosen: dict[str, object], left: list[int]) -> None:
    before = spending(months)
    assert clear(months, **chosen) == 5 - len(left)  # type: ignore[arg-type]
    assert [entry.answer.raw["read"] for entry in entries(months)] == left
    assert spending(months) == before


def test_an_old_ledger_opens_and_skips_unusable_answers(old: Path) -> None:
    with closing(Ledger(old)) as ledger:
        found = ledger.find([question(number) for number in range(8)])
        assert [entry is not None for entry in found] == [True] + [False] * 7
        assert [entry.answer for entry in entries(ledger)] == [answer(0)]
        assert [call.error for call in reversed(recent(ledger))][:5] == [None] + [UNUSABLE] * 4
        assert spending(ledger)[0].calls == 8
        assert spending(ledger)[0].usd == pytest.approx(0.008)


def test_unusable_old_answers_are_asked_again(old: Path) -> None:
    cloud = PaidCloud()
    with closing(Engine(cloud, options(old.parent))) as engine:
        replies = engine.ask([image(number) for number in range(6)])
        assert [reply.outcome for reply in replies] == [answer(number) for number in range(6)]
        assert sorted(cloud.calls) == [1, 2, 3, 4, 5]
        assert all(reply.replayed for reply in engine.ask([image(number) for number in range(6)]))


def test_an_unusable_answer_does_not_hide_a_usable_one(old: Path) -> None:
    with closing(sqlite3.connect(old)) as sqlite:
        names = ", ".join([row[1] for row in sqlite.execute("PRAGMA table_info(calls)")][1:])
        sqlite.execute(f"INSERT INTO calls ({names}) SELECT {names} FROM calls WHERE id = 1")
        sqlite.execute("UPDATE calls SET answer = 'null' WHERE id = 9")
        sqlite.commit()
    with closing(Ledger(old)) as ledger:
        assert ledger.find([question(0)])[0] is not None
