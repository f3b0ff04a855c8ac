"""Processes that die: no row is lost, none is there twice, and a picture that kills is one row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bulk_readers import Open
from PIL import Image

from digitrec.bulk import job, run
from digitrec.bulk.job import Job
from digitrec.bulk.reading import How
from digitrec.errors import DigitrecError


@pytest.fixture
def planned(tmp_path: Path) -> Job:
    """Twelve pictures of brightness 100 to 111, four to a part."""
    names = []
    for number in range(100, 112):
        names.append(str(tmp_path / f"{number}.png"))
        Image.new("L", (40, 40), number).save(names[-1])
    return job.begin(tmp_path / "out", names, "jsonl", {}, part=4)


def rows(planned: Job) -> list[dict[str, Any]]:
    return [json.loads(line) for file in planned.files() for line in file.read_text().splitlines()]


def names(planned: Job) -> list[str]:
    return [Path(row["image"]["source"]).stem for row in rows(planned)]


ALL = [str(number) for number in range(100, 112)]


def test_every_image_is_in_one_row_by_whichever_process(planned: Job) -> None:
    summaries = list(run.spread(planned, Open(), How(), run.processes(2)))
    assert sum(summary.images for summary in summaries) == 12
    assert names(planned) == ALL
    assert planned.done().digits == 12
    assert not list(planned.undone())


def test_a_process_that_was_killed_costs_no_row(planned: Job, tmp_path: Path) -> None:
    list(run.spread(planned, Open(deadly=105, once=tmp_path / "died"), How(), run.processes(2)))
    assert (tmp_path / "died").exists()
    assert names(planned) == ALL
    assert planned.done().failures == {}


def test_a_picture_that_kills_whoever_reads_it_is_one_row(planned: Job) -> None:
    list(run.spread(planned, Open(deadly=105), How(), run.processes(2)))
    assert names(planned) == ALL
    assert planned.done().failures == {"ImageError": 1}
    (told,) = [row["error"]["message"] for row in rows(planned) if "error" in row]
    assert told.startswith(
        planned.folder.parent.joinpath("105.png").as_posix() + ": the process that read it died"
    )


def test_processes_that_cannot_live_end_it(planned: Job) -> None:
    with pytest.raises(DigitrecError, match="go on with --resume"):
        list(run.spread(planned, _dies, How(), run.processes(1)))
    assert not planned.done().images


def _dies() -> Any:
    import os

    os._exit(9)
