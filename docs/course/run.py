"""Run every command of the lessons, each lesson in a fresh folder, and print how long each command took.

    python docs/course/run.py [LESSON ...]       # numbers of lessons; by default all eight

It fails if a command fails, or takes more processor time than the two minutes that the course promises. It
prints the elapsed time too, which is longer on a busy machine.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COURSE = Path(__file__).resolve().parent
SAMPLES = COURSE.parents[1] / "samples"
LIMIT = 120
"""Maximum processor time of a command, over all cores, in seconds."""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a page that can be run: a command line of digitrec, or a block of Python."""

    language: str
    """"sh" or "python"."""
    text: str
    """The line, or the block."""


def pages(numbers: list[str]) -> list[Path]:
    """Return the lessons of these numbers; without numbers all."""
    return [page for page in sorted(COURSE.glob("[1-8]-*.md")) if not numbers or page.name[0] in numbers]


def steps(page: Path) -> Iterator[Step]:
    """Yield each line of the page's shell blocks, in order."""
    blocks = re.findall(
        r"^```(sh|python)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    for language, text in blocks:
        for part in text.strip().splitlines() if language == "sh" else [text]:
            yield Step(language, part)


def run(step: Step, names: dict[str, Any]) -> None:
    """Run one step in the current folder; the Python blocks of a page share their names, as in one session.

    Raises:
        subprocess.CalledProcessError: a command failed.
    """
    if step.language == "python":
        exec(compile(step.text, "lesson", "exec"), names)  # noqa: S102 (our own pages)
        return
    program, *words = shlex.split(step.text)
    subprocess.run([sys.executable, "-m", program, *words], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Run those that were named."""
    slow = []
    for page in pages(sys.argv[1:]):
        names: dict[str, Any] = {"__name__": "lesson"}
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            Path("samples").symlink_to(SAMPLES)
            for step in steps(page):
                started, computed = time.monotonic(), sum(os.times()[:4])
                run(step, names)
                seconds, computed = time.monotonic() - started, sum(os.times()[:4]) - computed
                first = step.text.splitlines()[0]
                sys.stdout.write(f"{page.name} {seconds:6.1f} s, {computed:5.1f} s computed: {first}\n")
                sys.stdout.flush()
                slow += [first] if computed > LIMIT else []
            os.chdir(COURSE)
    if slow:
        sys.exit(f"computed for longer than {LIMIT} s: {'; '.join(slow)}")


if __name__ == "__main__":
    main()
