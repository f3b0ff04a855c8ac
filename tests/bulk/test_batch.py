"""`digitrec.batch` from Python: the same outcomes here, by processes, by threads; and as tables."""

from __future__ import annotations

import concurrent.futures
import io
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bulk_readers import Open, OpenPaid
from hypothesis import assume, given
from hypothesis import strategies as st
from paid_cloud import counted
from PIL import Image

import digitrec
from digitrec import errors
from digitrec.answer.prediction import Failure
from digitrec.bulk.inputs import portable
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import FakeProvider
from digitrec.engine.config import Config
from digitrec.image.files import Frame, name_of

DIGITS = mnist_test()[:40]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Forty digits by relative names."""
    monkeypatch.chdir(tmp_path)
    Path("scans").mkdir()
    names = [f"scans/{number:02}.png" for number in range(40)]
    for name, image in zip(names, DIGITS.images, strict=True):
        Image.fromarray(image).save(name)
    return names


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    """Two processes, started afresh."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield pool


def said(outcomes: Any) -> list[dict[str, Any]]:
    """Return the outcomes without what differs from run to run."""
    rows = [outcome.as_dict() for outcome in outcomes]
    for row in rows:
        for changing in ("latency_s", "opening_s", "loading_s", "probabilities", "raw", "confidence"):
            row.pop(changing, None)
    return rows


def test_outcomes_are_those_of_predict_many_and_are_counted(scans: list[str]) -> None:
    batch = digitrec.batch([*scans, "missing.png"])
    assert said(batch) == said(digitrec.predict_many([*scans, "missing.png"]))
    assert (batch.summary.images, batch.summary.digits) == (41, 40)
    assert batch.summary.failures == {"ImageError": 1}


def test_processes_give_the_same_in_order_and_may_be_used_again(
    scans: list[str], processes: Executor
) -> None:
    expected = said(digitrec.predict_many([*scans, "missing.png"]))
    for part in (1, 7, 100):
        batch = digitrec.batch([*scans, "missing.png"], executor=processes, part=part, at_once=3)
        assert said(batch) == expected, part
        assert batch.summary.images == 41
    assert processes.submit(int, "7").result() == 7, "it is the caller's, and stays open"


def any_kind(scans: list[str]) -> list[Any]:
    data = Path(scans[0]).read_bytes()
    tiff = io.BytesIO()
    pages = [Image.fromarray(image) for image in DIGITS.images[:2]]
    pages[0].save(tiff, "TIFF", save_all=True, append_images=pages[1:])
    Path("two.tif").write_bytes(tiff.getvalue())
    return [
        scans[0], Path(scans[0]), data, bytearray(data), memoryview(data), io.BytesIO(data),
        DIGITS.images[0], DIGITS.images[0] / 255, Image.open(scans[0]), digitrec.DigitImage.open(scans[0]),
        Frame("two.tif", 2, "two.tif[2]"), Frame(tiff.getvalue(), 1, "<bytes>[1]"), b"", b"nothing", "",
        "no\0name", io.BytesIO(b""), np.full((5, 5), 999.5), "https://x.example/7.png?key=planted",
    ]  # fmt: skip


def test_every_kind_of_picture_reaches_a_worker(scans: list[str], processes: Executor) -> None:
    here = said(digitrec.batch(any_kind(scans)))
    assert said(digitrec.batch(any_kind(scans), executor=processes)) == here
    assert "planted" not in json.dumps(here)
    read = [row.get("digit") for row in here]
    assert read[:12] == [7] * 10 + [2, 7]
    assert not any(read[12:])


@given(st.binary(max_size=40) | st.text(st.characters(exclude_categories=()), max_size=40))
def test_whatever_is_given_can_be_sent_and_keeps_its_name(source: Any) -> None:
    assume(source != "-")  # standard input, which is the test's
    sent = pickle.loads(pickle.dumps(portable(source, "/nowhere")))
    assert name_of(sent) == name_of(source) or "://" in source


@pytest.mark.parametrize("kind", ["folder", "pattern", "tar", "one"])
def test_a_name_is_what_the_command_takes(scans: list[str], processes: Executor, kind: str) -> None:
    with tarfile.open("all.tar", "w") as tar:
        tar.add("scans")
    name = {"folder": "scans", "pattern": "scans/*.png", "tar": "all.tar", "one": scans[0]}[kind]
    expected = [7] if kind == "one" else sorted(DIGITS.labels.tolist())
    for executor in (None, processes):
        batch = digitrec.batch(Path(name) if kind == "folder" else name, executor=executor)
        assert sorted(outcome.digit for outcome in batch) == expected


def test_a_table_and_a_frame_in_one_call_each(scans: list[str]) -> None:
    table = digitrec.batch([*scans, "missing.png"]).table()
    assert table.column("digit").to_pylist()[:3] == [7, 2, 1]
    assert str(table.schema.field("probabilities").type) == "list<item: double>"
    frame = digitrec.batch([*scans, "missing.png"]).frame()
    assert str(frame.digit.dtype) == "Int8"
    assert frame.digit.isna().tolist() == [False] * 40 + [True]
    assert list(frame.source) == [*scans, "missing.png"]
    assert digitrec.batch([]).table().num_rows == 0


def test_only_what_is_worked_on_is_taken(scans: list[str], processes: Executor) -> None:
    taken = []

    def endless() -> Iterator[str]:
        while True:
            taken.append(1)
            yield scans[0]

    with digitrec.batch(endless(), executor=processes, part=2, at_once=3) as batch:
        assert next(batch).digit == 7
        assert len(taken) == 6
    assert list(batch) == []


def test_a_picture_that_kills_its_reader_is_told(tmp_path: Path) -> None:
    names = []
    for number in range(100, 104):
        names.append(str(tmp_path / f"{number}.png"))
        Image.new("L", (40, 40), number).save(names[-1])
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        batch = digitrec.batch(names, Open(deadly=102), executor=pool, part=1)
        outcomes = []
        with pytest.raises(errors.DigitrecError, match="a process of the executor died"):
            outcomes.extend(iter(batch.__next__, None))
    assert batch.summary.images <= 2


class Surviving(Executor):
    """An executor of which a worker dies as Dask's do: the work is lost, the others live."""

    class KilledWorker(Exception):
        pass

    def submit(self, what: Any, /, *args: Any, **named: Any) -> concurrent.futures.Future[Any]:
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        names = [name_of(image) for image in args[0].images]
        if any(name.endswith("102.png") for name in names if "died" not in repr(args[0].images)):
            done.set_exception(self.KilledWorker())
        else:
            done.set_result(what(*args, **named))
        return done


def test_where_the_others_live_it_is_one_failure(tmp_path: Path) -> None:
    names = [str(tmp_path / f"{number}.png") for number in range(100, 104)]
    for number, name in enumerate(names, 100):
        Image.new("L", (40, 40), number).save(name)
    outcomes = list(digitrec.batch(names, Open(), executor=Surviving(), part=4))
    assert [isinstance(outcome, Failure) for outcome in outcomes] == [False, False, True, False]
    assert "the process that read it died" in str(outcomes[2].error)


def pictures(folder: Path, count: int) -> list[str]:
    names = [str(folder / f"{number}.png") for number in range(count)]
    for number, name in enumerate(names):
        Image.new("L", (40, 40), number).save(name)
    return names


@pytest.mark.parametrize("error", [errors.Unreachable, errors.AuthFailed, errors.LedgerError])
def test_what_stops_all_stops_workers_too(tmp_path: Path, processes: Executor, error: type) -> None:
    raising = partial(FakeProvider, ["7", error("it stopped")])
    batch = digitrec.batch(pictures(tmp_path, 4), raising, executor=processes)
    assert next(batch).digit == 7
    with pytest.raises(error, match="it stopped"):
        next(batch)


def test_money_and_answers_are_one_for_all_workers(tmp_path: Path, processes: Executor) -> None:
    """Each process asks ours: the budget is not one for each, and nobody pays for the same twice."""
    from digitrec.engine.owner import kept

    names = pictures(tmp_path, 30)
    options = digitrec.Options(
        ledger=tmp_path / "paid.sqlite", _config=Config(), max_cost=0.0201, concurrency=2
    )
    with kept(options) as theirs:
        opener = OpenPaid(tmp_path / "calls", theirs)
        batch = digitrec.batch(names, opener, executor=processes, part=3)
        with pytest.raises(errors.BudgetExceeded, match=r"of the \$0\.0201 for this command"):
            list(batch)
    assert len(counted(tmp_path / "calls")) == 20
    assert len(set(counted(tmp_path / "calls"))) == 20
    more = digitrec.Options(ledger=tmp_path / "paid.sqlite", _config=Config(), _run=options._run)
    with kept(more) as theirs:
        opener = OpenPaid(tmp_path / "calls", theirs)
        batch = digitrec.batch(names, opener, executor=processes, part=3)
        assert len(list(batch)) == 30
    assert batch.summary.replayed == 20
    assert sorted(counted(tmp_path / "calls")) == list(range(30))


@pytest.mark.parametrize(
    ("arguments", "kind", "match"),
    [
        ({"executor": "dask"}, TypeError, "concurrent.futures.Executor"),
        ({"executor": ThreadPoolExecutor(1), "part": 0}, ValueError, "part"),
        ({"executor": ThreadPoolExecutor(1), "at_once": 0}, ValueError, "at_once"),
        ({"executor": ThreadPoolExecutor(1), "provider": FakeProvider()}, TypeError, "a function that opens"),
        ({"executor": ThreadPoolExecutor(1), "provider": "guess"}, errors.UnknownProvider, "guess"),
        ({"provider": FakeProvider(), "options": digitrec.Options()}, TypeError, "options are for"),
        ({"at_least": 2}, ValueError, "at_least"),
        ({"rotate": 45}, ValueError, "rotate"),
        ({"images": b"x"}, TypeError, "one picture"),
    ],
)
def test_wrong_arguments_are_refused_by_the_call(arguments: dict[str, Any], kind: type, match: str) -> None:
    with pytest.raises(kind, match=match):
        digitrec.batch(**{"images": [], **arguments})


NOTEBOOK = """
import asyncio, multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import digitrec
digitrec.batch  # a name, whatever was imported
import digitrec.bulk.batch, digitrec.commands.batch
assert callable(digitrec.batch)

async def cell():  # a notebook's cells run inside a loop
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        return [outcome.digit for outcome in digitrec.batch(sys.argv[1:], executor=pool)]
print(asyncio.run(cell()))
"""


def test_it_works_where_there_is_no_main_module_to_import(scans: list[str]) -> None:
    """As in a notebook, whose processes have no file to start from."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK, *scans[:3]],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.stdout.strip() == "[7, 2, 1]", done.stderr
