"""`digitrec explain`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from digitrec.cli import main


@pytest.fixture(autouse=True)
def folder(seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(seven.parent)
    Image.new("L", (100, 100), 240).save("blank.png")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


def test_one_picture_is_explained_in_words_and_drawn() -> None:
    done = run("seven.png")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("seven.png: a 7, ") and "next likeliest" in lines[0]
    assert "28x28" in lines[1] and "spoke for it" in lines[2]
    assert [line.split()[0] for line in lines[3:13]] == list("0123456789")
    assert np.asarray(Image.open("digitrec-explanation/seven.png")).shape[1] > 800


def test_several_are_numbered_and_a_refusal_is_explained() -> None:
    done = run("seven.png", "blank.png", "--out", "why")
    assert "blank.png: no digit: blank" in done.stdout
    assert sorted(path.name for path in Path("why").iterdir()) == ["001-seven.png", "002-blank.png"]


def test_what_is_no_picture_is_refused() -> None:
    assert run("missing.png").exit_code == 1
    assert run("seven.png", "--model", "missing.tflite").exit_code == 5
