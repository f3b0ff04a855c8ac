"""Processes that die: no row is lost or doubled, and a picture that kills its reader is one row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bulk_readers import Open
from PIL import Image

from digitrec.bulk import job, run
from digitrec.bulk.job import Job
from digitrec.bulk.run import Task
from digitrec.errors import DigitrecError


@pytest.fixture
def planned(tmp_path: Path) -> Job:
    """Twelve pictures of brightness 100 to 111, four to a part."""
    names = []
    for number in range(100, 112):
        names.append(str(tmp_path / f"{number}.png"))
        Image.new("L", (40, 40), number).save(names[-1])
    return job.begin(tmp_path / "out", lambda _: names, "jsonl", {}, part=4)


def spread(planned: Job, opener: Any, workers: int = 2) -> None:
    tasks = (Task(number, images, {}, "jsonl", planned.file(number)) for number, images in planned.undone(()))
    for task, part in run.spread(tasks, opener, workers):
        planned.finish(task.number, part)


def rows(planned: Job) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for number in range(planned.count)
        for line in planned.file(number).read_text().splitlines()
    ]


def names(planned: Job) -> list[str]:
    return [Path(row["image"]["source"]).stem for row in rows(planned)]


ALL = [str(number) for number in range(100, 112)]


def test_a_process_that_was_killed_costs_no_row(planned: Job, tmp_path: Path) -> None:
    spread(planned, Open(deadly=105, once=tmp_path / "died"), 2)
    assert (tmp_path / "died").exists()
    assert names(planned) == ALL
    assert not list(planned.failures())
    assert sum(summary.digits for summary in planned.done().values()) == 12


def test_a_picture_that_kills_whoever_reads_it_is_one_row(planned: Job) -> None:
    spread(planned, Open(deadly=105), 2)
    assert names(planned) == ALL
    (told,) = [row["error"] for row in rows(planned) if "error" in row]
    (line,) = planned.failures()
    assert told["type"] == "ImageError"
    assert told["message"].startswith(str(planned.folder.parent / "105.png"))
    assert line.startswith(str(planned.folder.parent / "105.png"))


def test_processes_that_cannot_live_end_it(planned: Job) -> None:
    with pytest.raises(DigitrecError, match="--resume"):
        spread(planned, _dies, 1)
    assert not planned.done()


def test_a_process_that_was_stopped_costs_no_row(
    planned: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitrec.bulk.workers.STUCK_S", 20)  # a busy machine starts a process slowly
    spread(planned, Open(stopping=105, once=tmp_path / "stopped"))
    assert (tmp_path / "stopped").exists()
    assert names(planned) == ALL
    assert not list(planned.failures())


def _dies() -> Any:
    import os

    os._exit(9)
