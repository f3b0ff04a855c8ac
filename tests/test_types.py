"""What a type checker says to a program that uses digitrec, and that it finds it at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = """
import io
from pathlib import Path

import numpy as np
from PIL import Image
from typing_extensions import assert_type

import digitrec

digitrec.predict(np.zeros((28, 28)))
digitrec.predict(np.zeros((28, 28), np.float32))
digitrec.predict(np.zeros((28, 28), bool))
digitrec.predict(np.zeros((28, 28), np.uint8))
digitrec.predict(np.zeros((28, 28), np.int64) > 0)
digitrec.predict(Image.new("L", (28, 28)))
digitrec.predict(b"bytes")
digitrec.predict(Path("7.png"), rotate="auto", at_least=0.9)
digitrec.predict(io.BytesIO(b"bytes"), rotate=90)
with open("7.png", "rb") as file:
    digitrec.predict(file)
digitrec.predict_many(np.zeros((5, 28, 28)))
digitrec.predict_many([np.zeros((28, 28)), "7.png"])
with digitrec.Engine("local") as engine, digitrec.Fallback(["local", engine], below=0.9) as policy:
    for outcome in digitrec.stream((Path(name) for name in "ab"), policy):
        if isinstance(outcome, digitrec.Prediction):
            assert_type(outcome.digit, int | None)
        else:
            assert_type(outcome.error, digitrec.DigitrecError)
digitrec.compare("7.png", ["local", engine])
digitrec.Options(max_cost=0.5, ledger=Path("a"))
digitrec.Consensus(["local", "tesseract"], agree=2)


async def awaited() -> None:
    assert_type((await digitrec.apredict("7.png", rotate=90)).digit, int | None)
    async for outcome in digitrec.astream(["7.png"], engine):
        assert_type(outcome, digitrec.Prediction | digitrec.Failure)
"""
WRONG = """
import digitrec

digitrec.predict(7)
digitrec.predict("7.png", rotate=45)
digitrec.predict("7.png", None)
digitrec.Engine(30)
"""


def checked(program: str, folder: Path) -> str:
    """What mypy --strict says of a program outside the clone."""
    file = folder / "program.py"
    file.write_text(program)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder), file.name], cwd=folder,
        capture_output=True, text=True, check=False, env={**os.environ, "MYPYPATH": str(ROOT)},
    )  # fmt: skip
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


def test_what_the_docstrings_promise_the_types_take(folder: Path) -> None:
    assert checked(PROGRAM, folder).startswith("Success")


def test_what_is_wrong_is_told_before_it_is_run(folder: Path) -> None:
    said = checked(WRONG, folder)
    assert [f"program.py:{line}: error" in said for line in (4, 5, 6, 7)] == [True] * 4
