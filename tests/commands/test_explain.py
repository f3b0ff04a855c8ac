"""`digitrec explain`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from digitrec.cli import main
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.evaluation.layout import layout


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


def test_inside_draws_every_layer_of_each_reading() -> None:
    digit = mnist_test().images[2].copy()
    digit[12:14, ::2] = 255  # read twice: cut out, and as it stands
    Image.fromarray(digit).save("twice.png")
    done = run("seven.png", "twice.png", "blank.png", "--inside", "--out", "why")
    assert done.exit_code == 0, done.output
    drawn = ["001-seven.png", "001-seven-inside.png", "002-twice.png", "002-twice-inside.png"]
    drawn += ["002-twice-inside-whole.png", "003-blank.png"]
    assert sorted(path.name for path in Path("why").iterdir()) == sorted(drawn)
    assert "inside, cut out: why/001-seven-inside.png" in done.stdout
    assert "inside, as it stands: why/002-twice-inside-whole.png" in done.stdout
    sheets = [np.asarray(Image.open(f"why/{name}")) for name in drawn[3:5]]
    assert sheets[0].shape[0] > 2000 and not np.array_equal(*sheets)


def test_what_cannot_be_looked_into_is_refused_before_anything_is_drawn() -> None:
    done = run("seven.png", "--inside", "--model", "mine.skops")
    assert done.exit_code == 2 and ".skops" in done.stderr
    assert run("seven.png", "--map", "--nearest").exit_code == 2
    assert not Path("digitrec-explanation").exists()


def test_the_nearest_training_digits_are_drawn_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digitrec.lab.datasets.download.mnist_train", lambda: mnist_test()[:300])
    done = run("seven.png", "blank.png", "--nearest", "--out", "why")
    assert done.exit_code == 0, done.output
    assert "nearest training digits: 12 of 12 a 7" in done.stdout
    drawn = ["001-seven-nearest.png", "001-seven.png", "002-blank.png"]
    assert sorted(path.name for path in Path("why").iterdir()) == drawn


def test_without_mnist_the_rest_is_explained_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DIGITREC_DATA", str(tmp_path))
    done = run("seven.png", "--nearest")
    assert done.exit_code == 1 and "picture: digitrec-explanation/seven.png" in done.stdout
    assert done.stderr.startswith("digitrec: the nearest training digits cannot be shown: ")
    assert "train-images-idx3-ubyte.gz" in done.stderr and len(done.stderr.splitlines()) == 1


def test_all_of_it_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digitrec.lab.datasets.download.mnist_train", lambda: mnist_test()[:300])
    done = run("seven.png", "blank.png", "missing.png", "--nearest", "--inside", "--output", "json")
    assert done.exit_code == 1 and "missing.png" in done.stderr
    seven, blank = json.loads(done.stdout)
    assert (seven["image"], seven["digit"], seven["grad_cam"][0]["digit"]) == ("seven.png", 7, 7)
    assert np.array(seven["saliency"]).shape == np.array(seven["grad_cam"][1]["map"]).shape == (28, 28)
    assert np.array(seven["grad_cam"][0]["map"]).max() > 0.05
    assert [one["label"] for one in seven["nearest"]] == [7] * 12
    assert len(seven["inside"][0]["layers"]) == 16
    assert [Path(name).exists() for name in seven["pictures"]] == [True] * 3
    assert blank["reason"] == "blank"
    assert not any(blank[name] for name in ("grad_cam", "nearest", "inside"))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map with fewer digits around, since t-SNE takes its time."""
    monkeypatch.setattr("digitrec.lab.evaluation.layout.layout", partial(layout, around=60))


@pytest.mark.usefixtures("few")
def test_a_map_of_a_labelled_folder() -> None:
    for place in range(6):
        folder = Path("mine", str(mnist_test().labels[place]))
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mnist_test().images[place]).save(folder / f"{place}.png")
    Image.open("blank.png").save(folder / "blank.png")
    done = run("mine", "--map", "--out", "why")
    assert done.exit_code == 0, done.output
    assert [path.name for path in Path("why").iterdir()] == ["map.png"]
    assert done.stdout.splitlines()[0] == "6 pictures among 60 of MNIST's test digits: why/map.png"
    assert "left out" in done.stdout and "blank" in done.stdout
    told = json.loads(run("mine", "seven.png", "missing.png", "--map", "--output", "json").stdout)
    assert len(told["around"]) == 60 and len(told["own"]) == 7
    labels = {Path(one["image"]).name: (one["label"], one["digit"]) for one in told["own"]}
    assert labels["0.png"] == (7, 7) and labels["seven.png"] == (None, 7)
    assert {Path(one["image"]).name for one in told["left_out"]} == {"blank.png", "missing.png"}


def test_a_map_of_nothing_is_told_in_a_line() -> None:
    done = run("blank.png", "--map")
    assert done.exit_code == 6
    assert "no picture with a digit on it" in done.stderr
