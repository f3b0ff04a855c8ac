"""`digitrec explain`."""

from __future__ import annotations

import json
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


def test_json_has_every_part_of_the_explanation() -> None:
    done = run("seven.png", "blank.png", "missing.png", "--inside", "--output", "json")
    assert done.exit_code == 1 and "missing.png" in done.stderr
    seven, blank = json.loads(done.stdout)
    assert (seven["image"], seven["digit"], seven["grad_cam"][0]["digit"]) == ("seven.png", 7, 7)
    assert np.array(seven["saliency"]).shape == np.array(seven["grad_cam"][1]["map"]).shape == (28, 28)
    assert np.array(seven["grad_cam"][0]["map"]).max() > 0.05
    assert len(seven["inside"][0]["layers"]) == 16
    assert [Path(name).exists() for name in seven["pictures"]] == [True] * 2
    assert blank["reason"] == "blank"
    assert not any(blank[name] for name in ("grad_cam", "inside"))
