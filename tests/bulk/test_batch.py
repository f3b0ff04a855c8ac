"""`digitrec.batch` finds pictures by name and counts outcomes; the death of a worker loses no row."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bulk_readers import Open
from PIL import Image

import digitrec
from digitrec import errors
from digitrec.bulk import job
from digitrec.bulk.batch import spread as in_workers
from digitrec.bulk.job import Job
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import FakeProvider

DIGITS = mnist_test()[:40]


@pytest.fixture
def scans(here: Path) -> list[str]:
    """Return the relative names of forty pictures of digits."""
    (here / "scans").mkdir()
    names = [f"scans/{number:02}.png" for number in range(40)]
    for name, image in zip(names, DIGITS.images, strict=True):
        Image.fromarray(image).save(name)
    return names


def test_outcomes_are_those_of_predict_many_and_are_counted(scans: list[str]) -> None:
    both = [Image.open(name) for name in scans[:2]]
    both[0].save(scans[0], "TIFF", save_all=True, append_images=both[1:])
    batch = digitrec.batch([*scans, "missing.png"])
    said = [(outcome.image.source, getattr(outcome, "digit", None)) for outcome in batch]
    expected = digitrec.predict_many([*scans, "missing.png"])
    assert said == [(outcome.image.source, getattr(outcome, "digit", None)) for outcome in expected]
    assert (batch.summary.images, batch.summary.digits) == (41, 40)
    assert batch.summary.failures == {"ImageError": 1}
    assert "1 file with unread pictures" in batch.summary.words()


@pytest.mark.parametrize("name", [Path("scans"), "scans/*.png", "all.tar", "scans/00.png"], ids=str)
def test_a_name_is_what_the_command_takes(scans: list[str], name: str | Path) -> None:
    with tarfile.open("all.tar", "w") as tar:
        tar.add("scans")
    expected = [7] if name == scans[0] else sorted(DIGITS.labels.tolist())
    assert sorted(outcome.digit for outcome in digitrec.batch(name)) == expected


def test_only_what_is_worked_on_is_taken(scans: list[str]) -> None:
    taken = []

    def endless() -> Iterator[str]:
        while True:
            taken.append(1)
            yield scans[0]

    assert next(digitrec.batch(endless())).digit == 7
    assert len(taken) < 1000


@pytest.mark.parametrize("error", [errors.Unreachable, errors.AuthFailed, errors.LedgerError])
def test_what_stops_all_is_raised_after_the_earlier_outcomes(scans: list[str], error: type) -> None:
    batch = digitrec.batch(scans, FakeProvider(["7", error("it stopped")]))
    assert next(batch).digit == 7
    with pytest.raises(error):
        next(batch)


@pytest.mark.parametrize("error", [errors.NotRecorded, errors.RateLimited])
def test_what_stops_one_picture_only_is_an_outcome(scans: list[str], error: type) -> None:
    batch = digitrec.batch(scans[:2], FakeProvider([error("not this one"), "7"]))
    assert [getattr(one, "digit", None) for one in batch] == [None, 7]


@pytest.mark.parametrize("other", ["7", errors.Rejected("not this one")])
def test_what_stops_all_is_raised_whatever_another_engine_says(scans: list[str], other: Any) -> None:
    refused = FakeProvider([errors.AuthFailed("no")], name="cloud")
    with pytest.raises(errors.AuthFailed):
        next(digitrec.batch(scans, digitrec.Fallback([refused, FakeProvider([other])], below=0.9)))


@pytest.mark.parametrize(("arguments", "kind"), [
    ({"provider": "guess"}, errors.UnknownProvider), ({"at_least": 2}, ValueError),
    ({"rotate": 45}, ValueError), ({"images": b"x"}, TypeError),
])  # fmt: skip
def test_wrong_arguments_are_refused_by_the_call(arguments: dict[str, Any], kind: type) -> None:
    with pytest.raises(kind):
        digitrec.batch(**{"images": [], **arguments})


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[Job]:
    """Sixteen pictures of brightness 100 to 115, eight to a task."""
    names = []
    for number in range(100, 116):
        names.append(str(tmp_path / f"{number}.png"))
        Image.new("L", (40, 40), number).save(names[-1])
    with job.opened(tmp_path / "out.jsonl") as planned:
        planned.begin(names, {}, processes=2)
        yield planned


def spread(planned: Job, opener: Any, workers: int = 2) -> None:
    for task, part in in_workers(planned.undone({}), opener, workers):
        planned.finish(task, part)


def rows(planned: Job) -> list[dict[str, Any]]:
    planned.complete(planned.summary())
    return [json.loads(line) for line in planned.out.read_text().splitlines()]


def names(found: list[dict[str, Any]]) -> list[str]:
    return [Path(row["image"]["source"]).stem for row in found]


ALL = [str(number) for number in range(100, 116)]


@pytest.mark.parametrize("opener", [Open(deadly=105), Open(stopping=105)], ids=["died", "stopped"])
def test_a_process_that_was_killed_costs_no_row(
    opener: Open, planned: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitrec.bulk.workers.STUCK_S", 20)  # a busy machine starts a process slowly
    spread(planned, replace(opener, once=tmp_path / "once"))
    assert (tmp_path / "once").exists()
    assert planned.summary().digits == 16
    assert not list(planned.failures())
    assert names(rows(planned)) == ALL


def test_a_picture_that_kills_whoever_reads_it_is_one_row(planned: Job) -> None:
    spread(planned, Open(deadly=105), 2)
    deadly = str(planned.out.parent / "105.png")
    (line,) = planned.failures()
    assert line.startswith(deadly)
    found = rows(planned)
    assert names(found) == ALL
    (told,) = [row["error"] for row in found if "error" in row]
    assert told["type"] == "ImageError"
    assert told["message"].startswith(deadly)


def test_processes_that_cannot_live_end_it(planned: Job) -> None:
    with pytest.raises(errors.DigitrecError, match="--resume"):
        spread(planned, _dies, 1)
    assert planned.summary().images == 0


def _dies() -> Any:
    import os

    os._exit(9)
