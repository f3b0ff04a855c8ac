"""A type checker finds digitrec's types and accepts a program that uses it."""

import os
import re
from pathlib import Path

from programs import python

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
digitrec.predict(Path("7.png"), rotate=180, at_least=0.9)
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


digitrec.predict(7)  # wrong
digitrec.predict("7.png", rotate=45)  # wrong
digitrec.predict("7.png", None)  # wrong
digitrec.Engine(30)  # wrong
digitrec.predikt("7.png")  # wrong
"""


def test_mypy_accepts_what_the_docstrings_promise_and_rejects_the_rest(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    mypy = ["-m", "mypy", "--strict", "--cache-dir", tmp_path, "program.py"]
    done = python(*mypy, code=1, cwd=tmp_path, env=os.environ | {"MYPYPATH": str(ROOT)})
    found = {int(line) for line in re.findall(r"^program\.py:(\d+): error", done.stdout, re.MULTILINE)}
    lines = enumerate(PROGRAM.splitlines(), start=1)
    assert found == {number for number, line in lines if line.endswith("# wrong")}, done.stdout
