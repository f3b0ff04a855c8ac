"""One process keeps the books for many: who knows the key is answered, and what it says is the ledger's."""

from __future__ import annotations

import pickle
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

import pytest
from paid_cloud import PRICE, PaidCloud, answer, image, options

from digitrec.engine import Engine
from digitrec.engine.config import Config
from digitrec.engine.ledger import Budget, Busy, Claim, Ledger, Question
from digitrec.engine.owner import Owner, far_books, kept
from digitrec.errors import BudgetExceeded, LedgerError, NotConfigured

QUESTION = Question.about(image(1), PaidCloud(), emulated=False)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """Keep a process's books as long as the test runs."""
    with kept(options(tmp_path)) as theirs:
        assert theirs._owner is not None
        yield theirs._owner


@pytest.fixture
def far(owner: Owner) -> Iterator[Ledger]:
    """Its ledger, as another process uses it."""
    with closing(far_books(owner)[0]) as far:
        yield far


def test_two_engines_share_ledger_and_budget_of_a_third_place(tmp_path: Path) -> None:
    """What is sent to another process is all that it needs, and no file of its own is made."""
    with kept(options(tmp_path, max_cost=3 * PRICE)) as theirs:
        sent = pickle.loads(pickle.dumps(theirs))
        elsewhere = replace(sent, ledger=tmp_path / "none" / "other.sqlite")
        first, second = PaidCloud(), PaidCloud()
        with Engine(first, theirs) as one, Engine(second, elsewhere) as other:
            said = one.ask([image(1), image(2)]) + other.ask([image(2), image(3), image(4)])
    assert sorted(first.calls) == [1, 2]
    assert second.calls == [3]
    assert [reply.replayed for reply in said] == [False, False, True, False, False]
    assert isinstance(said[-1].outcome, BudgetExceeded)
    assert not (tmp_path / "none").exists()
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        assert all(ledger.find([Question.about(image(1), first, emulated=False)]))


def test_all_that_is_asked_of_a_ledger_is_passed_on(far: Ledger) -> None:
    assert far.remembers
    (claim,) = far.claim([QUESTION], price=PRICE, budget=Budget(), lease_s=9)
    assert isinstance(claim, Claim)
    far.extend([claim], 9)
    far.ordered(claim, "token")
    far.failed(claim, "TimedOut", unknown=True, charged=True)
    (again,) = far.claim([QUESTION], price=PRICE, budget=Budget(), lease_s=9)
    assert isinstance(again, Claim)
    assert again.token == "token"
    far.answered(again, answer(7), cost_usd=0.5)
    (entry,) = far.find([QUESTION])
    assert entry is not None
    assert (entry.answer, entry.cost_usd) == (answer(7), 0.5)


def test_turns_are_those_of_one_queue(owner: Owner) -> None:
    (_, one), (_, other) = far_books(owner), far_books(owner)
    with closing(one), closing(other):
        waits = [who.book("x", 0.01) for who in (one, other, one)]
    assert waits[2] > waits[1] + 90 > waits[0] + 180


def test_who_does_not_know_the_key_is_told_nothing(owner: Owner, far: Ledger) -> None:
    with pytest.raises(AuthenticationError):
        Client(owner.address, authkey=b"guessed")
    with socket.create_connection(owner.address) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        assert far.find([QUESTION]) == [None], "others are answered meanwhile"
    wrong = Owner(owner.address, b"guessed", True)
    with closing(far_books(wrong)[0]) as stranger, pytest.raises(LedgerError):
        stranger.find([QUESTION])
    assert "guessed" not in repr(wrong)


def test_only_these_questions_are_answered(owner: Owner, far: Ledger) -> None:
    with Client(owner.address, authkey=owner.key) as line:
        line.send(("close", (), {}))
        with pytest.raises(EOFError):
            line.recv()
    assert far.find([QUESTION]) == [None]


def test_a_connection_that_breaks_is_made_anew(far: Any) -> None:
    far.find([QUESTION])
    far.close()
    assert far.find([QUESTION]) == [None]
    with socket.socket(fileno=far._connection.fileno()) as broken:
        broken.shutdown(socket.SHUT_RDWR)
        broken.detach()
    assert far.find([QUESTION]) == [None]


def test_when_the_owner_is_gone_nothing_is_asked(tmp_path: Path) -> None:
    cloud = PaidCloud()
    with kept(options(tmp_path)) as theirs:
        engine = Engine(cloud, theirs)
        assert engine.ask([image(1)])[0].cost_usd == PRICE
    with closing(engine), pytest.raises(LedgerError):
        engine.ask([image(2)])
    assert cloud.calls == [1]


def test_what_is_under_way_at_the_end_is_waited_for_and_nothing_more_begins(tmp_path: Path) -> None:
    """Who stopped it has no hold on a worker that is asking; the answer is paid for."""
    asking = threading.Event()
    refused: list[Exception] = []

    def worker(owner: Owner) -> None:
        with closing(far_books(owner)[0]) as far:
            (claim,) = far.claim([QUESTION], price=PRICE, budget=Budget(), lease_s=60)
            assert isinstance(claim, Claim)
            asking.set()
            while not refused:  # until the run is over
                try:
                    (other,) = far.claim([QUESTION], price=PRICE, budget=Budget(), lease_s=60)
                    assert isinstance(other, Busy)
                except LedgerError as error:
                    refused.append(error)
            time.sleep(0.3)
            far.answered(claim, answer(7))

    with kept(options(tmp_path)) as theirs:
        thread = threading.Thread(target=worker, args=(theirs._owner,))
        thread.start()
        assert asking.wait(60)
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        (entry,) = ledger.find([QUESTION])
    thread.join()
    assert "the run was stopped" in str(refused[0])
    assert entry is not None
    assert entry.answer == answer(7)


def test_a_ledger_that_fails_says_so_over_there(tmp_path: Path, far: Ledger) -> None:
    far.find([QUESTION])
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as another:
        another.execute("ALTER TABLE calls RENAME TO gone")
    with pytest.raises(LedgerError):
        far.claim([QUESTION], price=PRICE, budget=Budget(), lease_s=9)


@pytest.mark.parametrize(
    ("chosen", "host"),
    [({"record": "r.jsonl"}, "127.0.0.1"), ({}, "192.0.2.1"),
     ({"ledger": "none", "config": Config(per_month=1)}, "127.0.0.1")],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(tmp_path: Path, chosen: dict[str, Any], host: str) -> None:
    with pytest.raises(NotConfigured), kept(options(tmp_path, **chosen), host):
        pass
