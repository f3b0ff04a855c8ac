"""The lessons have the right form and valid commands; quick commands are run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pages import ROOT, loaded, parsed

from digitrec.cli import main

COURSE = ROOT / "docs" / "course"
IMAGES = ROOT / "docs" / "images" / "course"
run = loaded(COURSE / "run.py")
lesson = loaded(COURSE / "lesson.py")
PAGES = run.pages([])
QUICK = ("explain", "predict")
"""Commands that are run here; docs/course/run.py runs the others too, which train or measure."""
LARGEST = 100_000
"""Bytes of a picture."""

each_lesson = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@each_lesson
def test_a_lesson_has_a_goal_pictures_and_three_exercises_with_answers(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {page.name[0]}\. .+\n\n\*\*Goal\.\*\* ", text)
    numbers, answers = (
        re.findall(r"^### Exercise (\d)$", text, re.MULTILINE),
        text.count("<summary>Answer</summary>"),
    )
    assert (numbers, answers) == (["1", "2", "3"], 3)
    pictures = {
        Path(shown).name for shown in re.findall(r"!\[[^\]]{20,}\]\(\.\./images/course/([^)]+)\)", text)
    }
    assert pictures == {path.name for path in IMAGES.glob(f"{page.name[0]}-*.png")}
    assert pictures
    assert [name for name in pictures if (IMAGES / name).stat().st_size > LARGEST] == []


@each_lesson
def test_every_command_of_a_lesson_is_taken_by_the_command_line(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("samples").symlink_to(ROOT / "samples")
    commands = [step.text for step in run.steps(page) if step.language == "sh"]
    assert commands
    for command in commands:
        parsed(command)
        for made in re.findall(r"--out (\S+\.\w+)", command):
            Path(made).touch()  # for those after it


@each_lesson
def test_what_is_quick_in_a_lesson_runs_and_prints_what_stands_there(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("samples").symlink_to(ROOT / "samples")
    text, names = page.read_text(encoding="utf-8"), dict[str, Any]()
    for step in run.steps(page):
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
            done = CliRunner().invoke(main, arguments)
            assert done.exit_code == 0, f"{step.text}\n{done.output}\n{done.exception!r}"


NUMBER = r"\d+(?:\.\d+)?"


def words(printed: str) -> list[str]:
    return re.sub(NUMBER, "", printed).split()


def numbers(printed: str) -> list[float]:
    return [float(found) for found in re.findall(NUMBER, printed)]


def test_there_are_eight_lessons_and_the_first_page_leads_to_each() -> None:
    lessons = [page.name for page in run.pages([])]
    assert [name[0] for name in lessons] == list("12345678")
    first = (COURSE / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d-[^)]+)\)", first) == lessons
