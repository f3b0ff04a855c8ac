"""An output that is also an input, or has another ending, is a usage error; no file changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digitrec.cli import main
from digitrec.models.store import SHIPPED


@pytest.fixture(autouse=True)
def here(seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create a picture under several names, a folder of pictures, a labelled folder and files to replace."""
    monkeypatch.chdir(seven.parent)
    seven.rename("a.png")
    Path("link.png").symlink_to("a.png")
    for place in ("scans", "scans/deep", "digits/7", "why"):
        Path(place).mkdir(parents=True)
        shutil.copy("a.png", f"{place}/a.png")
    shutil.copy("a.png", "001-a.png")
    Path("page.html").write_text("an old page")
    shutil.copy(SHIPPED, "m.tflite")


def run(line: str) -> Result:
    return CliRunner().invoke(main, line.split(), input="a.png\n")


def content() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


INPUTS = [
    "predict a.png --save-prepared a.png",
    "predict a.png --save-prepared link.png",
    "predict a.png 001-a.png --save-prepared .",
    "read a.png --save-overlay link.png",
    "explain why/a.png --out why",
    "train --start m.tflite --data digits --out m.tflite",
    "course --picture why/a.png --out why",
    "predict a.png -p google --emulate --ledger new.sqlite --record new.sqlite",
    "evaluate --data digits --data ./digits --out new",
]
ENDINGS = [
    "predict a.png --save-prepared seen",
    "predict a.png link.png --save-prepared new.png",
    "predict a.png -p google --emulate --record new.png",
    "predict a.png -p google --emulate --ledger link.png",
    "benchmark digits --html new.md",
    "batch a.png -o new.txt",
    "batch a.png -o /dev/null",
    "explore digits --out new.html",
    "course --out new.keras",
    "train --data digits --out new.png",
    "train --data digits --out new.skops",
    "train --arch svm --data digits --out new.keras",
    "train --start digitrec --arch tutorial-cnn --out new.keras",
    "models export digitrec new.txt",
]


@pytest.mark.parametrize("line", INPUTS + ENDINGS)
def test_an_output_that_cannot_be_meant_is_a_usage_error(line: str) -> None:
    before = content()
    done = run(line)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    after = content()
    assert {name: after.get(name) for name in before} == before


@pytest.mark.parametrize(
    "line",
    [
        "predict a.png --save-prepared new.PNG",
        "predict a.png why/a.png --save-prepared new",
        "predict scans --save-prepared scans/new",
        "benchmark digits --html digits/page.html",
        "batch scans -o scans/answers.csv",
        "explain link.png --out why",
    ],
)
def test_an_output_beside_the_inputs_is_written(line: str) -> None:
    before = content()
    before.pop("page.html")
    done = run(line)
    assert done.exit_code == 0, done.output
    after = content()
    assert {name: after.get(name) for name in before} == before
    assert not list(Path().rglob("*.unfinished*"))
