"""Report failures on stderr: each reason once, with a count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import click

from digitrec.answer import Failure, Outcome, Prediction, Sheet
from digitrec.commands.process import exit_code
from digitrec.errors.text import printable
from digitrec.image import ImageRef
from digitrec.image.headers import MAX_FRAMES
from digitrec.report import predictions

Watched = TypeVar("Watched", bound=Prediction | Sheet | Failure)


class Reasons:
    """Report a reason at once and count its repetitions: a spent budget may stop thousands of pictures."""

    def __init__(self, *, firsts: bool = True) -> None:
        """With ``firsts`` also report files of which only the first picture is read."""
        self._firsts = firsts
        self._files: set[str] = set()
        self._times: Counter[str] = Counter()
        self._failures: list[Failure] = []

    def watched(self, outcomes: Iterable[Watched]) -> Iterator[Watched]:
        """Yield the outcomes, and report on each; sum up at the end."""
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                self.failure(outcome)
            self.read(outcome.image)
            yield outcome
        self.sum_up()

    def check(self, asked: int) -> None:
        """End the command with an exit code if any of the ``asked`` outcomes is a failure.

        Raises:
            SystemExit: in that case.
        """
        if self._failures:
            raise SystemExit(exit_code_of(self._failures, asked))

    def failure(self, failure: Failure, who: str = "") -> None:
        """Report a failure, with ``who`` as its prefix."""
        self._failures.append(failure)
        self._tell(f"{who}{failure.error}", f"{who}{predictions.error_line(failure)}")

    def read(self, image: ImageRef) -> None:
        """Report a file if it holds more pictures than the one that was read."""
        if not self._firsts or image.frames < 2 or image.source in self._files:
            return
        self._files.add(image.source)
        number = image.frames if image.frames <= MAX_FRAMES else f"more than {MAX_FRAMES}"
        self._tell(
            "a file with several pictures, of which the first was read",
            f"{image.source} holds {number} pictures; the first was read (--frames all reads all)",
        )

    def _tell(self, reason: str, line: str) -> None:
        reason = printable(reason)
        self._times[reason] += 1
        if self._times[reason] == 1:
            click.echo(f"digitrec: {printable(line)}", err=True)

    def sum_up(self) -> None:
        """Report how often each reason came again."""
        for reason, times in self._times.items():
            if times > 1:
                click.echo(f"digitrec: {times - 1} more: {reason}", err=True)


def exit_code_of(failures: Sequence[Failure], asked: int) -> int:
    """Return the exit code of the one error that all ``asked`` outcomes share; otherwise 1."""
    codes = {exit_code(failure.error) for failure in failures}
    return codes.pop() if len(failures) == asked and len(codes) == 1 else 1


def report_engines(outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    """Say on stderr how many pictures each engine failed on.

    Args:
        outcomes: each engine's outcomes, by its name.

    Raises:
        SystemExit: an engine failed on every picture.
    """
    useless: list[Failure] = []
    for engine, its in outcomes.items():
        failures = [outcome for outcome in its if isinstance(outcome, Failure)]
        if failures:
            what = f"{engine}: {len(failures)} of {len(its)} pictures failed"
            click.echo(
                f"digitrec: {printable(what)}, such as {predictions.error_line(failures[0])}", err=True
            )
        if len(failures) == len(its):
            useless += failures
    if useless:
        raise SystemExit(exit_code_of(useless, sum(map(len, outcomes.values()))))
