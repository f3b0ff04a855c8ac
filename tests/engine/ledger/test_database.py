"""The ledger's file: private to this user, with a clear error for every problem."""

import random
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import Mock

import pytest
from paid_cloud import PRICE
from programs import python
from terminal import run

from digitrec.engine.ledger import Budget, Claim, Ledger, database, entries, spending
from digitrec.engine.ledger.database import LOST, Repair, repair
from digitrec.errors import BudgetExceeded, LedgerError

from .claims import fill, numbers, question

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="file modes and limits are those of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "ledger.sqlite"


@POSIX
def test_nobody_else_can_read_it(path: Path) -> None:
    with closing(Ledger(path)):
        files = list(path.parent.iterdir())
        assert len(files) == 3  # SQLite's two companions too
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_ledger_of_a_newer_digitrec_is_not_touched(path: Path) -> None:
    fill(path, [10] * 1)
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.execute("PRAGMA user_version = 99")
    for use in (Ledger, repair):
        with pytest.raises(LedgerError) as caught:
            use(path)
        assert f"the ledger {path} was written" in str(caught.value)
    assert path.exists()


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="--no-ledger"):
        Ledger(tmp_path / "file" / "ledger.sqlite")
    with pytest.raises(LedgerError, match="--no-ledger") as caught:
        Ledger(tmp_path)
    assert str(caught.value).startswith(f"the ledger {tmp_path} cannot")


def test_a_ledger_that_somebody_holds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path, [10] * 1)
    monkeypatch.setattr(database, "LOCKED_S", 0.1)
    with closing(Ledger(path)) as ledger, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError):
            ledger.sweep()
        assert len(list(entries(ledger))) == 1  # reading still works


@POSIX
def test_a_full_disk_changes_nothing_that_was_recorded(path: Path) -> None:
    fill(path, [10] * 20)
    program = (
        "import resource, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\nimport claims\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "claims.fill_more(Path(sys.argv[1]))\n"
    )
    tests = Path(__file__).parent
    done = python("-c", program, path, tests, code=1, env={"PYTHONPATH": str(tests.parents[1])})
    recorded = [int(number) for number in done.stdout.split()]
    assert "digitrec.errors.LedgerError" in done.stderr, done.stderr
    assert "disk" in done.stderr
    assert 0 < len(recorded) < 100
    assert numbers(path) == [*range(20), *recorded]


READING = """
import os, sys
from pathlib import Path
from contextlib import closing
from digitrec.errors import LedgerError
from digitrec.engine.ledger import Ledger, entries, recent, spending
folder = Path(sys.argv[1])
recent(Ledger(None))
if os.getuid() == 0:
    os.setuid(65534)  # nobody: root may write anywhere
with closing(Ledger(folder / "ledger.sqlite", copied=True)) as ledger:
    print(len(list(entries(ledger))), len(recent(ledger)), spending(ledger)[0].calls)
try:
    with closing(Ledger(folder / "ledger.sqlite")) as ledger:
        ledger.sweep()
except LedgerError as error:
    print(error)
"""


@POSIX
@pytest.mark.parametrize("left_over", [False, True])
@pytest.mark.parametrize("file_too", [False, True])
def test_a_ledger_that_cannot_be_written_can_be_looked_at(left_over: bool, file_too: bool) -> None:
    with TemporaryDirectory(dir="/tmp") as name:  # a folder that another user may enter
        folder = Path(name)
        path = folder / "ledger.sqlite"
        with closing(Ledger(path)):  # while the ledger is open, new rows stay in the WAL file
            fill(path, [10] * 7)
            copies = {file: file.read_bytes() for file in (path, Path(f"{path}-wal"))}
        if left_over:  # by a program that was killed
            for file, content in copies.items():
                file.write_bytes(content)
        for file in folder.iterdir():
            file.chmod(0o444 if file_too else 0o666)
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        folder.chmod(0o555)
        done = python("-c", READING, folder, code=None)
        folder.chmod(0o755)
        assert done.returncode == 0, done.stderr
        counted, refused = done.stdout.splitlines()
        assert counted == "7 7 7"
        assert "--ledger" in refused
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


@POSIX
def test_a_forked_process_uses_a_connection_of_its_own(path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from digitrec.engine.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1])); mine = ledger._sqlite\n"
        "child = os.fork(); ledger.sweep()\n"
        "if child: assert os.waitpid(child, 0)[1] == 0; assert ledger._sqlite is mine\n"
        "else: os._exit(ledger._sqlite is mine)\n"
    )
    python("-W", "ignore", "-c", program, path, "")


CALLS = 24
PAGE = 4096
EXAMPLES = 12
"""Damages of each kind."""


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    sizes = [random.Random(number).choice([10, 900, 9000]) for number in range(CALLS)]
    return fill(tmp_path_factory.mktemp("healthy") / "ledger.sqlite", sizes).read_bytes()


@pytest.fixture
def full(healthy: bytes, tmp_path: Path) -> Path:
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


def test_an_index_that_hides_answers_is_noticed_and_no_answer_is_lost(full: Path) -> None:
    indexes = "SELECT rootpage FROM sqlite_schema WHERE name IN ('calls_by_key', 'calls_by_run')"
    with closing(sqlite3.connect(full)) as sqlite:
        one, other = (slice(PAGE * (page - 1), PAGE * page) for (page,) in sqlite.execute(indexes))
    data = bytearray(full.read_bytes())
    data[one], data[other] = data[other], data[one]
    full.write_bytes(data)
    with pytest.raises(LedgerError):
        found(full)
    assert repair(full).saved == CALLS
    assert found(full) == list(range(CALLS))


def spoil(path: Path, change: str = "") -> None:
    """Change a ledger, and damage a table of it that has no calls."""
    with closing(sqlite3.connect(path, isolation_level=None)) as sqlite:
        sqlite.executescript(f"{change}; CREATE TABLE other (x)")
        (page,) = sqlite.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'other'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xff" * PAGE)


def test_calls_that_are_only_in_sqlites_log_are_saved(full: Path) -> None:
    spoil(full)
    with closing(sqlite3.connect(full)) as sqlite:
        sqlite.execute("UPDATE calls SET run = 'last'")
        sqlite.commit()
        copies = {file: file.read_bytes() for file in (full, Path(f"{full}-wal"))}
    for file, content in copies.items():  # as a killed program leaves them
        file.write_bytes(content)
    assert repair(full).saved == CALLS
    with closing(sqlite3.connect(full)) as sqlite:
        assert sqlite.execute("SELECT DISTINCT run FROM calls").fetchall() == [("last",)]


@POSIX
def test_a_repaired_ledger_needs_no_restart(full: Path) -> None:
    spoil(full)
    with closing(Ledger(full)) as running:
        with pytest.raises(LedgerError):
            running.sweep()
        repair(full)
        running.sweep()
        assert len(list(entries(running))) == CALLS


def test_a_lost_call_counts_as_spent(full: Path) -> None:
    spoil(full, "DELETE FROM calls WHERE id = 5; UPDATE calls SET cost_usd = 0 WHERE id = 6")
    told = run("ledger", "repair", "--ledger", full).stdout
    assert f"{CALLS - 1} calls saved, 1 lost" in told
    assert str(full.with_name("ledger.sqlite.damaged-1")) in told
    with closing(Ledger(full)) as ledger:
        months = {month.provider: (month.month, month.calls, month.usd) for month in spending(ledger)}
        budget = Budget("run", max_cost=PRICE * (CALLS - 0.5))
        (verdict,) = ledger.claim([question(CALLS)], price=PRICE, budget=budget, lease_s=1)
        assert isinstance(verdict, BudgetExceeded)
    now = months["paid"][0]
    paid = now, CALLS - 1, pytest.approx(PRICE * (CALLS - 2))
    assert months == {"paid": paid, LOST: (now, 1, PRICE)}, "at the highest price, and this month"


def test_calls_lost_from_an_earlier_month_are_alone_in_this_one_and_emulated_are_free(full: Path) -> None:
    spoil(full, "DELETE FROM calls WHERE id = 5; UPDATE calls SET asked_at = 0")
    assert repair(full).lost == 1
    with closing(Ledger(full)) as ledger:
        budget = Budget("run", per_month=2 * PRICE)
        (verdict,) = ledger.claim([question(CALLS)], price=PRICE, budget=budget, lease_s=1)
        assert isinstance(verdict, Claim)
    spoil(full, "DELETE FROM calls WHERE id = 6; UPDATE calls SET emulated = 1")
    repair(full)
    with closing(Ledger(full)) as ledger:
        assert all(month.emulated for month in spending(ledger))


def test_another_programs_database_is_not_touched(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.executescript("PRAGMA user_version = 2; CREATE TABLE calls (number TEXT)")
    before = path.read_bytes()
    for use in (Ledger, repair):
        with pytest.raises(LedgerError, match="another program's"):
            use(path)
    assert path.read_bytes() == before and [*path.parent.iterdir()] == [path]


def test_an_interrupted_repair_changes_nothing(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(full)
    before = full.read_bytes()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(database, "_copy_calls", Mock(side_effect=KeyboardInterrupt))
        repair(full)
    assert ([file.name for file in full.parent.iterdir()], full.read_bytes()) == ([full.name], before)
    assert repair(full).saved == CALLS


def test_most_calls_of_a_file_without_its_end_are_saved(full: Path) -> None:
    full.write_bytes(full.read_bytes()[: int(0.9 * full.stat().st_size)])
    assert repair(full).saved > 0.8 * CALLS


def test_a_damaged_ledger_of_an_earlier_version_is_repaired(old: Path) -> None:
    spoil(old)
    assert repair(old).saved == 8


def test_there_must_be_a_file_to_repair(path: Path) -> None:
    with pytest.raises(LedgerError, match="check the name"):
        repair(path)
    assert not path.parent.exists()


def test_what_was_put_aside_before_is_kept_and_a_file_of_nothing_becomes_an_empty_ledger(full: Path) -> None:
    aside = full.with_name("ledger.sqlite.damaged-1")
    aside.write_text("an earlier one")
    full.write_bytes(b"these are not the bytes of a database" * 100)
    assert repair(full) == Repair(0, 0, full.with_name("ledger.sqlite.damaged-2"))
    assert (aside.read_text(), numbers(full)) == ("an earlier one", [])


def test_a_healthy_ledger_is_left_alone(full: Path) -> None:
    before = full.read_bytes()
    told = run("ledger", "repair", "--ledger", full)
    assert (told.exit_code, str(full) in told.stdout) == (0, True)
    assert repair(full) == Repair(CALLS, 0, None)
    assert full.read_bytes() == before
    assert [file.name for file in full.parent.iterdir()] == [full.name]


def test_a_ledger_in_use_is_not_damaged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copyfile = shutil.copyfile
    with closing(Ledger(path)), monkeypatch.context() as patch:
        then_written = lambda a, b, **_: copyfile(a, b) and a == path and fill(path, [90_000] * 100)  # noqa: E731
        patch.setattr(shutil, "copyfile", then_written)
        assert repair(path).damaged is None, "copying the file and then its log mixes two states"
