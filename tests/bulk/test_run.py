"""Processes that die: no row is lost or doubled, and a picture that kills its reader is one row."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    tasks = (Task(first, images, {}, "jsonl") for first, images in planned.undone())
    for task, part in run.spread(tasks, opener, workers):
        planned.finish(task.first, len(task.images), part)


def rows(planned: Job) -> list[dict[str, Any]]:
    planned.complete()
    return [json.loads(line) for line in planned.out.read_text().splitlines()]


def names(found: list[dict[str, Any]]) -> list[str]:
    return [Path(row["image"]["source"]).stem for row in found]


ALL = [str(number) for number in range(100, 116)]


def test_a_process_that_was_killed_costs_no_row(planned: Job, tmp_path: Path) -> None:
    spread(planned, Open(deadly=105, once=tmp_path / "died"), 2)
    assert (tmp_path / "died").exists()
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
    with pytest.raises(DigitrecError, match="--resume"):
        spread(planned, _dies, 1)
    assert planned.summary().images == 0


def test_a_process_that_was_stopped_costs_no_row(
    planned: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitrec.bulk.workers.STUCK_S", 20)  # a busy machine starts a process slowly
    spread(planned, Open(stopping=105, once=tmp_path / "stopped"))
    assert (tmp_path / "stopped").exists()
    assert not list(planned.failures())
    assert names(rows(planned)) == ALL


def _dies() -> Any:
    import os

    os._exit(9)
