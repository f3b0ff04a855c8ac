"""`digitrec demo` reads the bundled pictures; `digitrec course` ends like each of its steps."""

import csv
from pathlib import Path
from unittest.mock import Mock

import pytest
from terminal import run

from digitrec.commands.course import PICTURES
from digitrec.lab.evaluation import explore

SAMPLES = Path(__file__).parents[2] / "samples"


def test_demo_reads_each_picture_as_it_is_labelled() -> None:
    lines = run("demo", code=0).stdout.splitlines()
    rows = dict(line.split()[:2] for line in lines if line.partition(" ")[0].endswith(".jpg"))
    with (SAMPLES / "labels.csv").open() as file:
        labels = {row["file"]: row["label"].replace("none", "-") for row in csv.DictReader(file)}
    assert rows == {file.name: labels[file.name] for file in PICTURES.glob("*.jpg")}


def test_an_interrupted_course_ends_like_any_command(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "explore", Mock(side_effect=KeyboardInterrupt))
    assert "digitrec: interrupted" in run("course", "--quick", code=130).stderr
