"""A damaged ledger is reported and not used; repair saves its readable rows."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from paid_cloud import PRICE
from terminal import run

from digitrec.engine.ledger import Ledger
from digitrec.engine.ledger.queries import spending
from digitrec.engine.ledger.repair import LOST, Repair, repair
from digitrec.errors import LedgerError

from .claims import fill, numbers, question

CALLS = 24
PAGE = 4096
EXAMPLES = 12
"""Damages of each kind."""


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    sizes = [random.Random(number).choice([10, 900, 9000]) for number in range(CALLS)]
    return fill(tmp_path_factory.mktemp("healthy") / "ledger.sqlite", sizes).read_bytes()


@pytest.fixture
def path(healthy: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(healthy)
    return path


def zeroed_page(data: bytearray, dice: random.Random) -> None:
    at = PAGE * dice.randrange(len(data) // PAGE)
    data[at : at + PAGE] = bytes(PAGE)


def file_header(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(100)] = dice.randrange(256)


def cut_off(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data)) :]


@pytest.mark.parametrize("damage", [zeroed_page, file_header, cut_off])
def test_a_damaged_file_is_named_and_every_readable_answer_is_saved(
    damage: Callable[[bytearray, random.Random], None], healthy: bytes, tmp_path: Path
) -> None:
    for seed in range(EXAMPLES):
        data = bytearray(healthy)
        damage(data, random.Random(seed))
        path = tmp_path / f"{seed}.sqlite"
        path.write_bytes(data)
        try:
            assert found(path) == numbers(path), seed  # zeros in an answer make it unusable
        except LedgerError as error:
            assert str(path) in str(error), seed
            if "newer digitrec" in str(error):
                continue
            done = repair(path)
            assert done.damaged is not None, seed
            assert found(path) == numbers(path), seed
            assert repair(path).damaged is None, seed


def found(path: Path) -> list[int]:
    """Return the numbers of the questions whose answer the ledger finds."""
    with closing(Ledger(path)) as ledger:
        entries = ledger.find([question(number) for number in range(CALLS)])
    for number, entry in enumerate(entries):
        assert entry is None or entry.answer.raw["number"] == number
    return [number for number, entry in enumerate(entries) if entry is not None]


def test_an_index_that_hides_answers_is_noticed_and_no_answer_is_lost(path: Path) -> None:
    indexes = "SELECT rootpage FROM sqlite_schema WHERE name IN ('calls_by_key', 'calls_by_run')"
    with closing(sqlite3.connect(path)) as sqlite:
        one, other = (slice(PAGE * (page - 1), PAGE * page) for (page,) in sqlite.execute(indexes))
    data = bytearray(path.read_bytes())
    data[one], data[other] = data[other], data[one]
    path.write_bytes(data)
    with pytest.raises(LedgerError):
        found(path)
    assert repair(path).saved == CALLS
    assert found(path) == list(range(CALLS))


def test_a_lost_call_counts_as_spent(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as sqlite:
        sqlite.execute("DELETE FROM calls WHERE id = 5")
        sqlite.execute("CREATE TABLE other (x)")
        (page,) = sqlite.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'other'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xff" * PAGE)
    told = run("ledger", "repair", "--ledger", path).stdout
    assert f"{CALLS - 1} calls saved, 1 lost" in told
    assert str(path.with_name("ledger.sqlite.damaged-1")) in told
    with closing(Ledger(path)) as ledger:
        months = {month.provider: (month.calls, month.usd) for month in spending(ledger)}
    assert months == {"paid": (CALLS - 1, pytest.approx(PRICE * (CALLS - 1))), LOST: (1, PRICE)}


def test_what_was_put_aside_before_is_kept_and_a_file_of_nothing_becomes_an_empty_ledger(path: Path) -> None:
    aside = path.with_name("ledger.sqlite.damaged-1")
    aside.write_text("an earlier one")
    path.write_bytes(b"these are not the bytes of a database" * 100)
    assert repair(path) == Repair(0, 0, path.with_name("ledger.sqlite.damaged-2"))
    assert (aside.read_text(), numbers(path)) == ("an earlier one", [])


def test_a_healthy_ledger_is_left_alone(path: Path) -> None:
    before = path.read_bytes()
    told = run("ledger", "repair", "--ledger", path)
    assert (told.exit_code, str(path) in told.stdout) == (0, True)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
