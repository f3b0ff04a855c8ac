"""`digitrec explain`."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import terminal
from PIL import Image


@pytest.fixture(autouse=True)
def folder(here: Path, seven: Path) -> None:
    Image.new("L", (100, 100), 240).save("blank.png")


run = partial(terminal.run, "explain")


def test_one_picture_is_explained_in_words_and_drawn() -> None:
    lines = run("seven.png", code=0).stdout.splitlines()
    assert lines[0].startswith("seven.png: a 7, ") and "next likeliest" in lines[0]
    assert "28x28" in lines[1] and "mattered most" in lines[2]
    assert [line.split()[0] for line in lines[3:13]] == list("0123456789")
    assert np.asarray(Image.open("digitrec-explanation/seven.png")).shape[1] > 800


def test_a_missing_picture_does_not_affect_the_others() -> None:
    done = run("missing.png", "seven.png", "blank.png", "--out", "why", code=1)
    assert "missing.png" in done.stderr and "a 7, " in done.stdout
    assert "blank.png: no digit: blank" in done.stdout
    assert sorted(path.name for path in Path("why").iterdir()) == ["002-seven.png", "003-blank.png"]
