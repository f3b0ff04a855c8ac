"""The tutorial's commands, run one after the other as a reader would, in a folder of its own."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from pages import loaded

from digitrec.cli import main

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras 3.15


SMALL = {"epochs": 1, "limit": 60, "limit-test": 100, "trials": 1}
"""Values of options for which a command takes seconds."""


def commands() -> list[str]:
    run = loaded(ROOT / "docs" / "course" / "run.py")
    steps = [step.text for step in run.steps(ROOT / "docs" / "tutorial.md") if step.language == "sh"]
    return [re.sub(r"--(\S+) (\d+)", _small, step) for step in steps]


def _small(option: re.Match[str]) -> str:
    return f"--{option[1]} {SMALL.get(option[1], option[2])}"


@pytest.mark.timeout(900)
def test_the_commands_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    for command in commands():
        program, *arguments = shlex.split(command)
        assert program == "digitrec"
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception!r}"
    pictures = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    for name in (
        "digitrec-exploration/embedding.png",
        "digitrec-explanation/photo-shadow.png",
        "mnist_cnn_model-curves.png",
        "digitrec-evaluation/mnist-test-mistakes.png",
        "digitrec-models/images/models-accuracy.png",
    ):
        assert name in pictures
