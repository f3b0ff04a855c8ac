"""`digitrec evaluate`: one set with its pictures, or the whole table."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import terminal
from PIL import Image

from digitrec.models import store


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


run = partial(terminal.run, "evaluate")


def test_one_set_is_summed_up_and_leaves_its_pictures() -> None:
    done = run("--data", "mnist-test", "--limit", "60", "--out", "seen", code=0)
    assert "mnist-test: accuracy " in done.stdout and "of 60, 95 % interval" in done.stdout
    assert "\nmean  " in done.stdout
    pictures = [line for line in done.stdout.splitlines() if line.endswith(".png")]
    assert len(pictures) == 5
    assert all(np.asarray(Image.open(path)).shape[1] > 500 for path in pictures)
    with Path("seen/mnist-test-misread.csv").open(newline="") as file:
        assert csv.DictReader(file).fieldnames == ["place", "file", "actual", "predicted", "confidence"]


def test_without_a_set_the_whole_table_is_written() -> None:
    run("--limit", "1", "--out", "docs", code=0)
    page = Path("docs/accuracy.md").read_text(encoding="utf-8")
    assert "| mnist-test | 1 |" in page and "| zigzag | 1 |" in page and "| scribbles | 1 |" in page
    assert store.load().version in page
    assert "(images/accuracy-coverage.png)" in page and Path("docs/images/accuracy-coverage.png").is_file()


def test_a_file_that_is_no_model_and_a_set_that_is_none_are_refused() -> None:
    assert run("--data", "nowhere").exit_code == 6
    assert run("--data", "mnist-test", "--model", "missing.tflite").exit_code == 5
    assert run("--model-scale", "l2").exit_code == 2
