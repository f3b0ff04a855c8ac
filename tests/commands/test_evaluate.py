"""`digitrec evaluate`: one set with its pictures, or the whole table."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import terminal
from PIL import Image

from digitrec.models import store

run = partial(terminal.run, "evaluate")
pytestmark = pytest.mark.usefixtures("here")


def test_one_set_prints_its_accuracy_and_saves_misread_pictures() -> None:
    done = run("--data", "mnist-test", "--limit", "60", "--out", "seen", code=0)
    assert "mnist-test: accuracy " in done.stdout and "of 60, 95 % interval" in done.stdout
    assert "\nmean  " in done.stdout
    pictures = [line for line in done.stdout.splitlines() if line.endswith(".png")]
    assert len(pictures) == 4
    assert all(np.asarray(Image.open(path)).shape[1] > 500 for path in pictures)
    labels = "file,label\nseen/mnist-test-mistakes.png,none\n"
    Path("labels.csv").write_text(labels, encoding="utf-8")
    assert "nan%" not in run("--data", ".", code=0).stdout
    Path("labels.csv").write_text(f"{labels}labels.csv,1\n", encoding="utf-8")
    done = run("--data", ".", code=0)
    assert "(of 0 with probabilities), 0 refused wrongly, 1 failed" in done.stdout
    assert "labels.csv: not a picture" in done.stderr


def test_without_a_set_the_whole_table_is_written() -> None:
    run("--limit", "1", "--out", "docs", code=0)
    page = Path("docs/accuracy.md").read_text(encoding="utf-8")
    assert "| mnist-test | 1 |" in page and "| zigzag | 1 |" in page and "| scribbles | 1 |" in page
    assert store.load().version in page

    run("--limit", "2", "--table", "changes", "--seed=3", "--seed=4", "--seed=3", "--out", "docs", code=0)
    later = Path("docs/accuracy.md").read_text(encoding="utf-8")
    assert "| mnist-test | 1 |" in later and "| inverted | 2 |" in later and "Seeds: 3, 4." in later


def test_a_missing_model_and_an_unknown_set_are_refused() -> None:
    run("--data", "nowhere", code=6)
    run("--data", "mnist-test", "--model", "missing.tflite", code=5)
    run("--model-scale", "l2", code=2)
    run("--table", "numbers", "--model", "missing.tflite", code=2)
    run("--data", "mnist-test", "--table", "scenes", code=2)


def test_pictures_of_the_current_folder_have_its_name(seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = seven.parent.rename(seven.parent.with_name("odd\udcff"))
    monkeypatch.chdir(odd)
    (odd / "labels.csv").write_text("file,label\nseven.png,7\n")
    drawn = run("--data", ".", "--out", "seen", code=0).stdout
    assert r"odd\udcff: accuracy 100" in drawn and r"odd\udcff-confusion.png" in drawn
