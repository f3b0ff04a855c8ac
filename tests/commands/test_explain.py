"""`digitrec explain`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import terminal
from PIL import Image

from digitrec.comparison.datasets.mnist import mnist_test


@pytest.fixture(autouse=True)
def folder(seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(seven.parent)
    Image.new("L", (100, 100), 240).save("blank.png")


run = partial(terminal.run, "explain")


def test_one_picture_is_explained_in_words_and_drawn() -> None:
    done = run("seven.png", code=0)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("seven.png: a 7, ") and "next likeliest" in lines[0]
    assert "28x28" in lines[1] and "spoke for it" in lines[2]
    assert [line.split()[0] for line in lines[3:13]] == list("0123456789")
    assert np.asarray(Image.open("digitrec-explanation/seven.png")).shape[1] > 800


def test_inside_draws_every_layer_of_each_reading() -> None:
    digit = mnist_test().images[2].copy()
    digit[12:14, ::2] = 255  # read twice: cut out, and as it stands
    Image.fromarray(digit).save("twice.png")
    done = run("seven.png", "twice.png", "blank.png", "--inside", "--out", "why", code=0)
    drawn = ["001-seven.png", "001-seven-inside.png", "002-twice.png", "002-twice-inside.png"]
    drawn += ["002-twice-inside-whole.png", "003-blank.png"]
    assert sorted(path.name for path in Path("why").iterdir()) == sorted(drawn)
    assert "inside, cut out: why/001-seven-inside.png" in done.stdout
    assert "blank.png: no digit: blank" in done.stdout
    assert "inside, as it stands: why/002-twice-inside-whole.png" in done.stdout
    sheets = [np.asarray(Image.open(f"why/{name}")) for name in drawn[3:5]]
    assert sheets[0].shape[0] > 2000 and not np.array_equal(*sheets)


def test_inside_refuses_a_model_without_layers_before_drawing() -> None:
    done = run("seven.png", "--inside", "--model", "mine.skops")
    assert done.exit_code == 2 and ".skops" in done.stderr
    assert not Path("digitrec-explanation").exists()


def test_a_missing_picture_does_not_affect_the_others() -> None:
    done = run("missing.png", "seven.png", code=1)
    assert "missing.png" in done.stderr and "a 7, " in done.stdout
