"""Generated damage of a ledger's file: nothing is forgotten silently, and nothing is counted twice."""

from __future__ import annotations

import logging
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from paid_cloud import PRICE

from digitrec.engine.ledger import Budget, Claim, Ledger
from digitrec.engine.ledger.queries import entries, recent, spending
from digitrec.engine.ledger.repair import repair
from digitrec.errors import LedgerError

from .claims import fill, question

CALLS = 24
SPENT = CALLS * PRICE
QUESTIONS = [question(number) for number in range(CALLS)]
PAGE = 4096
EXAMPLES = 12
"""Damages of each kind."""


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    sizes = [random.Random(number).choice([10, 900, 9000]) for number in range(CALLS)]
    return fill(tmp_path_factory.mktemp("healthy") / "ledger.sqlite", sizes).read_bytes()


def bits(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 3)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def junk(data: bytearray, dice: random.Random) -> None:
    at, size = dice.randrange(len(data)), dice.randint(1, 300)
    data[at : at + size] = dice.randbytes(len(data[at : at + size]))


def zeroed_page(data: bytearray, dice: random.Random) -> None:
    at = PAGE * dice.randrange(len(data) // PAGE)
    data[at : at + PAGE] = bytes(PAGE)


def exchanged_pages(data: bytearray, dice: random.Random) -> None:
    one, other = (PAGE * place for place in dice.sample(range(1, len(data) // PAGE), 2))
    data[one : one + PAGE], data[other : other + PAGE] = (
        data[other : other + PAGE], data[one : one + PAGE]
    )  # fmt: skip


def file_header(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(100)] = dice.randrange(256)


def cut_off(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data)) :]


KINDS = (bits, junk, zeroed_page, exchanged_pages, file_header, cut_off)


@pytest.mark.parametrize("damage", KINDS)
def test_damage_is_reported_once_counted_as_spent_and_never_replayed(
    damage: Callable[[bytearray, random.Random], None],
    healthy: bytes,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    for seed in range(EXAMPLES):
        dice, data = random.Random(seed), bytearray(healthy)
        damage(data, dice)
        path = tmp_path / f"{seed}.sqlite"
        path.write_bytes(data)
        caplog.clear()
        try:
            missing = used(path)
        except LedgerError as error:
            assert str(path) in str(error), seed
            if "newer digitrec" in str(error):
                continue
            repair(path)
            missing, spared = used(path), repair(path)
            assert spared.damaged is None, seed
        else:
            assert bool(missing) <= bool(caplog.records), (seed, missing)
            assert len(caplog.records) <= 1, (seed, caplog.text)
        with closing(Ledger(path)) as ledger:
            months = spending(ledger)
        assert sum(month.usd for month in months) > SPENT * 0.999 or any(m.unpriced for m in months), seed
        caplog.clear()
        assert used(path) == missing, seed
        assert not caplog.records, seed


def used(path: Path) -> list[int]:
    """Look for every answer, as an engine does; numbers of the questions that would be asked anew."""
    with closing(Ledger(path)) as ledger:
        found = ledger.find(QUESTIONS)
        for number, entry in enumerate(found):
            assert entry is None or entry.answer.raw["number"] == number
        recent(ledger, limit=CALLS)
        list(entries(ledger))
        return [number for number, entry in enumerate(found) if entry is None]


@pytest.fixture
def path(healthy: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(healthy)
    return path


@pytest.mark.parametrize(
    ("column", "value", "cost_known"),
    [("answer", "'{}'", True), ("key", "'other'", True), ("state", "'failed'", True),
     ("seal", "'0123456789abcdef'", False), ("cost_usd", "0.0", False), ("cost_usd", "NULL", False),
     ("run", "'other'", False), ("emulated", "1", False), ("asked_at", "0", False)],
)  # fmt: skip
def test_a_changed_column_is_noticed_and_what_the_call_cost_is_kept(
    path: Path, column: str, value: str, cost_known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(path)) as sqlite, sqlite:
        sqlite.execute(f"UPDATE calls SET {column} = {value} WHERE id = 5")
    with closing(Ledger(path)) as ledger:
        assert [number for number, entry in enumerate(ledger.find(QUESTIONS)) if entry is None] == [4]
        lost = recent(ledger, limit=CALLS)[-5]
        assert (lost.state, lost.cost_usd, lost.text) == ("lost", PRICE, None)
        assert (lost.provider == "paid") is cost_known
        assert sum(month.usd for month in spending(ledger)) == pytest.approx(SPENT)
        assert [record.getMessage().count("no. 5") for record in caplog.records] == [1]
        (verdict,) = ledger.claim([QUESTIONS[4]], price=PRICE, budget=Budget(), lease_s=1.0)
        assert isinstance(verdict, Claim)


def test_the_last_call_is_missed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as sqlite, sqlite:
        sqlite.execute("UPDATE calls SET id = 100 WHERE id = ?", (CALLS,))
    with closing(Ledger(path)) as ledger:
        assert sum(month.calls for month in spending(ledger)) == CALLS
