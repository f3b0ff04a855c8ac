"""The README's first command works in a fresh copy of the tree."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from programs import ran

ROOT = Path(__file__).parents[1]
# others may write there meanwhile
OTHERS = ".git", ".venv*", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", "build"
LEFT_BEHIND = shutil.ignore_patterns(*OTHERS)


def first_command() -> str:
    found = re.search(r"```sh\n(.*?)\n```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32", reason="the README has another form of it for Windows")
def test_the_first_command_reads_a_digit_from_nothing(tmp_path: Path) -> None:
    clone = tmp_path / "digitrec"
    shutil.copytree(ROOT, clone, ignore=LEFT_BEHIND)
    # Compiling all modules takes long.
    done = ran("bash", "-euc", first_command(), cwd=clone, env=os.environ | {"PIP_COMPILE": "0"}, timeout=560)
    _, row = done.stdout.splitlines()
    sample, digit, sure, *_ = row.split()
    assert sample in first_command()
    assert digit == label_of(sample)
    assert float(sure.strip(">%")) > 50
    assert "Traceback" not in done.stderr


def label_of(sample: str) -> str:
    rows = (ROOT / "samples" / "labels.csv").read_text(encoding="utf-8").splitlines()
    return next(row.split(",")[1] for row in rows if row.startswith(Path(sample).name + ","))
