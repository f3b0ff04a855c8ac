"""The lessons have valid commands; quick commands and all Python are run."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import terminal
from pages import ROOT, loaded, parsed

run = loaded(ROOT / "docs" / "course" / "run.py")
QUICK = ("explain", "predict")
"""Commands that are run here; docs/course/run.py runs the others too, which train or measure."""

each_lesson = pytest.mark.parametrize("page", run.pages([]), ids=lambda page: page.stem)


@each_lesson
def test_every_command_of_a_lesson_is_valid(page: Path, here: Path) -> None:
    Path("samples").symlink_to(ROOT / "samples")
    for command in [step.text for step in run.steps(page) if step.language == "sh"]:
        parsed(command)
        for made in re.findall(r"--out (\S+\.\w+)", command):
            Path(made).touch()  # later commands read it


@each_lesson
def test_what_is_quick_in_a_lesson_runs_and_prints_what_stands_there(
    page: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("samples").symlink_to(ROOT / "samples")
    text, names = page.read_text(encoding="utf-8"), dict[str, Any]()
    for step in dict.fromkeys(run.steps(page)):
        if step.language == "python":
            run.run(step, names)
            printed = capsys.readouterr().out
            after = text.partition(step.text + "```\n")[2]
            if stands := re.match(r"\n(?:<!--[\w-]+-->\n)?```text\n(.*?)```", after, re.DOTALL):
                assert words(printed) == words(stands[1])
                assert numbers(printed) == pytest.approx(numbers(stands[1]), abs=0.5, rel=0.02)
            continue
        _, *arguments = shlex.split(step.text)
        if arguments[0] in QUICK and "--model" not in arguments:
            terminal.run(*arguments, code=0)


NUMBER = r"\d+(?:\.\d+)?"


def words(printed: str) -> list[str]:
    return re.sub(NUMBER, "", printed).split()


def numbers(printed: str) -> list[float]:
    return [float(found) for found in re.findall(NUMBER, printed)]
