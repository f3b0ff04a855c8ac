"""Report failures on stderr: each reason once, with a count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import click

from digitrec.answer.prediction import Failure, Outcome
from digitrec.commands.exits import exit_code
from digitrec.errors.text import printable
from digitrec.report import predictions


class Reasons:
    """Report a reason at once and count its repetitions: a spent budget may stop thousands of pictures."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()

    def tell(self, failure: Failure, who: str = "") -> None:
        """Report a failure whose reason is new; ``who`` stands before it."""
        reason = printable(f"{who}{failure.error}")
        self._times[reason] += 1
        if self._times[reason] == 1:
            click.echo(f"digitrec: {who}{predictions.error_line(failure)}", err=True)

    def sum_up(self) -> None:
        """Report how often each reason came again."""
        for reason, times in self._times.items():
            if times > 1:
                click.echo(f"digitrec: {times - 1} more: {reason}", err=True)


def exit_code_of(failures: Sequence[Failure], asked: int) -> int:
    """The exit code of the one error that all ``asked`` outcomes failed with; 1 where only some did."""
    codes = {exit_code(failure.error) for failure in failures}
    return codes.pop() if len(failures) == asked and len(codes) == 1 else 1


def report_engines(outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    """Say on stderr how many pictures each engine failed on.

    Args:
        outcomes: for each engine, by name, what came of each picture.

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
