"""Compare ratios with their goals, print them and write them into the docs: the end of every benchmark."""

import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Figure:
    """One ratio and its goal."""

    what: str
    """What is divided by what."""
    ratio: float
    """The measured ratio."""
    goal: float | None
    """The target ratio; None: the ratio is only reported."""
    at_least: bool
    """True: met when ratio >= goal; False: when ratio <= goal."""
    detail: str
    """The two medians that it compares, with units."""

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        if self.goal is None:
            return True
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    def __str__(self) -> str:
        """Format the figure with its medians, for the terminal."""
        return f"{self.what}: {self.ratio:.2f} ({self.detail})"

    def row(self) -> str:
        """Format the figure as a row of the table."""
        goal = "" if self.goal is None else f"{'>=' if self.at_least else '<='} {self.goal:g}"
        verdict = "" if self.met else " **missed**"
        return f"| {self.what} | {self.ratio:.2f} | {goal}{verdict} |"


def publish(section: str, figures: Sequence[Figure]) -> None:
    """Print the figures, write them into their section of docs/benchmarks.md, exit 1 when one misses."""
    print(*figures, sep="\n")
    publish_rows(section, table(figures))
    if not all(figure.met for figure in figures):
        sys.exit("a goal was missed")


def table(figures: Sequence[Figure]) -> list[str]:
    """Format the figures as the lines of a table."""
    head = ["| what | ratio | goal |", "|---|---|---|"]
    return [*head, *(figure.row() for figure in figures)]


def publish_rows(section: str, rows: Sequence[str]) -> None:
    """Print a table and write it into its section of docs/benchmarks.md.

    Above it stand the day, the command, the commit (uncommitted changes do not show in it) and the machine.
    """
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    day = datetime.datetime.now(datetime.UTC).date()
    git = ["git", "-C", str(ROOT), "rev-parse", "--short=7", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    head = [
        f"Measured on {day} by `python bench/{command}` at {commit},",
        f"{machine}, shared with other work:",
    ]
    body = "\n".join([*head, "", *rows])
    print(body)
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(rf"(?s)(## {re.escape(section)}\n).*?(?=\n## |\Z)")
    assert pattern.search(text), f"{PAGE.name} has no section {section!r}"
    PAGE.write_text(pattern.sub(lambda found: f"{found[1]}\n{body}\n", text), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Process:
    """The time and memory of one run of a program."""

    seconds: float
    """Wall time of the whole process, s."""
    megabytes: float
    """Peak resident memory, MB."""
    processor: float
    """Processor time of the process and of all processes that it started, s."""


_LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
spent = usage.ru_utime + usage.ru_stime
print(json.dumps([time.perf_counter() - start, usage.ru_maxrss, spent, os.waitstatus_to_exitcode(status)]))
"""


def run(command: Sequence[str]) -> Process:
    """Run a program to its end and discard its output; raise an error if it fails.

    A small process starts it, because a child's peak memory includes that of its parent at the fork. It may
    store compiled modules, whatever the environment says: users have them too, because pip compiles.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    launched = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, *command], capture_output=True, text=True, check=True, env=env
    )
    seconds, kilobytes, processor, code = json.loads(launched.stdout)
    if code:
        sys.exit(f"{' '.join(command)} exited with {code}")
    return Process(seconds, kilobytes / 1024, processor)


def alternate(*actions: Callable[[], float], rounds: int) -> list[float]:
    """Return the median of each action's figure; the actions take turns, so drift affects all equally."""
    figures = [[action() for action in actions] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*figures, strict=True)]


def processor(action: Callable[[], object]) -> float:
    """Return the processor time of this process for one call, s."""
    start = time.process_time()
    action()
    return time.process_time() - start


def seconds(action: Callable[[], object]) -> float:
    """Return the time of one call, s."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
