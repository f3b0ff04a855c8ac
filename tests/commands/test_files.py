"""An output that is also an input or another output is a usage error; no file changes."""

import os
import shutil
from pathlib import Path

import pytest
import terminal
from click.testing import Result

from digitrec.models.store import SHIPPED


@pytest.fixture(autouse=True)
def folder(here: Path, seven: Path) -> None:
    """Create a picture under several names, a folder of pictures, a labelled folder and files to replace."""
    seven.rename("a.png")
    Path("link.png").symlink_to("a.png")
    os.link("a.png", "hard.png")
    for place in ("scans", "scans/deep", "digits/7", "why"):
        Path(place).mkdir(parents=True)
        shutil.copy("a.png", f"{place}/a.png")
    shutil.copy("a.png", "001-a.png")
    Path("list.txt").write_text("a.png\n")
    Path("page.html").write_text("an old page")
    shutil.copy("a.png", "picture.html")
    shutil.copy(SHIPPED, "m.tflite")
    Path("recording.jsonl").write_text("")


def run(line: str, code: int) -> Result:
    return terminal.run(*line.split(), code=code, input="a.png\n")


def content() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


INPUTS = [
    "predict a.png --save-prepared a.png", "predict a.png --save-prepared link.png",
    "predict a.png --save-prepared hard.png", "predict a.png 001-a.png --save-prepared .",
    "predict a.png -p google --emulate --record a.png", "predict a.png -p google --emulate --ledger link.png",
    "predict a.png -p google --replay recording.jsonl --record ./recording.jsonl",
    "compare a.png -p google --emulate --ledger link.png",
    "compare picture.html -p local --html picture.html", "explain why/a.png --out why",
    "explore digits --out digits", "evaluate --data digits --out digits/7/more",
    "tune --data digits --out digits", "train --data digits --arch knn --out digits/7/m.skops",
    "train --data digits --arch knn --out digits/m.skops", "explore digits --out digits/new",
    "train --start m.tflite --data digits --out m.tflite", "benchmark digits --html digits/3/page.html",
    "calibrate digits --ledger digits/7/a.png", "course --picture why/a.png --out why",
    "batch - -o answers.csv -p google --emulate --ledger a.png",
    "batch scans -o answers.csv --ledger scans/deep/a.png",
]  # fmt: skip
OUTPUTS = [
    "predict a.png -p google --emulate --ledger new.sqlite --record ./new.sqlite",
    "batch a.png -o z.jsonl --record scans/../z.jsonl", "evaluate --data digits --data ./digits --out new",
]  # fmt: skip
ENDINGS = [
    "predict a.png --save-prepared seen", "predict a.png link.png --save-prepared new.png",
    "predict a.png -p google --emulate --record new.png", "benchmark digits --html new.md",
    "batch a.png -o new.txt", "batch a.png -o /dev/null", "explore digits --out new.html",
    "course --out new.keras", "course --arch knn --out new", "course --data mnist-test --out new",
    "train --data digits --out new.png", "train --data digits --out new.skops",
    "train --arch svm --data digits --out new.keras", "models export digitrec new.txt",
    "train --start digitrec --arch tutorial-cnn --out new.keras",
]  # fmt: skip


@pytest.mark.parametrize("line", INPUTS + OUTPUTS + ENDINGS)
def test_an_output_that_cannot_be_meant_is_a_usage_error(line: str) -> None:
    before = content()
    assert "Traceback" not in run(line, 2).output
    after = content()
    assert {name: after.get(name) for name in before} == before


@pytest.mark.parametrize("line", [
    "predict a.png --save-prepared new.PNG", "predict a.png why/a.png --save-prepared new",
    "predict scans --save-prepared scans/new", "benchmark digits --html digits/page.html",
    "batch scans -o scans/answers.csv", "explain link.png --out why",
])  # fmt: skip
def test_an_output_beside_the_inputs_is_written(line: str) -> None:
    before = content()
    before.pop("page.html")
    run(line, 0)
    after = content()
    assert {name: after.get(name) for name in before} == before
    assert not list(Path().rglob("*.unfinished*"))
