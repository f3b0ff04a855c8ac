"""Queries: recent calls, spending, every answer; and clearing the ledger."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clock import Clock
from paid_cloud import PaidCloud, answer, image, options

from digitrec.answer import Answer, Candidate
from digitrec.engine import Engine
from digitrec.engine.ledger import Budget, Claim, Ledger, Question
from digitrec.engine.ledger.queries import UNUSABLE, Spending, clear, entries, recent, spending

from .claims import question

OCTOBER = datetime(2026, 10, 31, 12, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 20, 12, tzinfo=UTC)


def claim(
    ledger: Ledger, number: int, name: str, price: float | None = 0.0015, *, emulated: bool = False
) -> Claim:
    asked = Question.about(image(number), PaidCloud(name=name), emulated=emulated)
    (verdict,) = ledger.claim([asked], price=price, budget=Budget("run"), lease_s=10.0)
    assert isinstance(verdict, Claim)
    return verdict


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Return a ledger of two months.

    October has two answers; November has an answer, a failed call, one cut off, one of unknown price, and one
    of an emulator.
    """
    clock = Clock(OCTOBER.timestamp())
    ledger = Ledger(tmp_path / "ledger.sqlite", clock=clock)
    for number in (1, 2):
        ledger.answered(claim(ledger, number, "google"), answer(number))
    clock.now = NOVEMBER.timestamp()
    ledger.answered(claim(ledger, 3, "google"), answer(3))
    ledger.failed(claim(ledger, 4, "google"), "Unavailable", unknown=False, charged=False)
    claim(ledger, 5, "google")
    ledger.answered(claim(ledger, 6, "azure", None), answer(6))
    ledger.answered(claim(ledger, 7, "aws", 0.001, emulated=True), answer(7))
    clock.now += 60
    yield ledger
    ledger.close()


def test_recent_calls_newest_first(ledger: Ledger) -> None:
    calls = recent(ledger, limit=4)
    assert [call.state for call in calls] == ["answered", "answered", "unknown", "failed"]
    assert [call.text for call in calls] == ["7", "6", None, None]
    assert [call.cost_usd for call in calls] == [0.001, None, 0.0015, 0.0]
    assert [call.emulated for call in calls] == [True, False, False, False]
    assert calls[3].error == "Unavailable"
    assert calls[0].asked_at == NOVEMBER
    assert calls[0].image_sha256 == "sha-7"


def test_recent_calls_of_one_provider(ledger: Ledger) -> None:
    assert [call.provider for call in recent(ledger, provider="azure")] == ["azure"]


def test_spending_by_month_and_provider(ledger: Ledger) -> None:
    assert spending(ledger) == [
        Spending("2026-11", "aws", True, calls=1, usd=0.001, unpriced=0, unknown=0),
        Spending("2026-11", "azure", False, calls=1, usd=0.0, unpriced=1, unknown=0),
        Spending("2026-11", "google", False, calls=3, usd=0.003, unpriced=0, unknown=1),
        Spending("2026-10", "google", False, calls=2, usd=0.003, unpriced=0, unknown=0),
    ]


def test_every_answer_can_be_exported(ledger: Ledger) -> None:
    assert [entry.answer for entry in entries(ledger)] == [answer(number) for number in (1, 2, 3, 6, 7)]
    assert [entry.question.provider for entry in entries(ledger, provider="aws")] == ["aws"]


def test_a_call_with_a_damaged_answer_is_listed_as_unusable(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with ledger.database.transaction() as sqlite:
        sqlite.execute("UPDATE calls SET answer = 'nonsense' WHERE provider = 'azure'")
    _, azure = recent(ledger, limit=2)
    assert (azure.state, azure.error, azure.text) == ("answered", UNUSABLE, None)
    assert azure.endpoint == "https://paid.example"
    assert [entry.answer for entry in entries(ledger)] == [answer(number) for number in (1, 2, 3, 7)]
    assert len(caplog.messages) == 1


def test_twenty_calls_are_listed_by_default_with_their_words(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "more.sqlite")) as ledger:
        for number in range(21):
            two = Answer((Candidate("4", None), Candidate(str(number), None)))
            ledger.answered(claim(ledger, number, "google"), two)
        assert [call.text for call in recent(ledger)] == [f"4 {number}" for number in range(20, 0, -1)]


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ({}, []),
        ({"provider": "google"}, [6, 7]),
        ({"before": NOVEMBER}, [3, 6, 7]),
        ({"emulated": True}, [1, 2, 3, 6]),
        ({"emulated": False, "provider": "azure"}, [1, 2, 3, 7]),
    ],
)
def test_clearing_forgets_answers_and_no_spending(
    ledger: Ledger, chosen: dict[str, object], left: list[int]
) -> None:
    before = spending(ledger)
    assert clear(ledger, **chosen) == 5 - len(left)  # type: ignore[arg-type]
    assert [entry.answer.raw["read"] for entry in entries(ledger)] == left
    assert spending(ledger) == before


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(Path(__file__).parent / "old" / "version-1.sqlite", tmp_path / "ledger.sqlite"))


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
        columns = [row[1] for row in sqlite.execute("PRAGMA table_info(calls)")][1:]
        names = ", ".join(columns)
        sqlite.execute(f"INSERT INTO calls ({names}) SELECT {names} FROM calls WHERE id = 1")
        sqlite.execute("UPDATE calls SET answer = 'null' WHERE id = 9")
        sqlite.commit()
    with closing(Ledger(old)) as ledger:
        assert ledger.find([question(0)])[0] is not None
