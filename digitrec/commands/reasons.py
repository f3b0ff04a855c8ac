"""Failures on stderr: each reason once, and how often it came."""

from __future__ import annotations

from collections import Counter

import click

from digitrec.prediction import Failure
from digitrec.report import predictions
from digitrec.text import printable


class Reasons:
    """What stops one picture may stop thousands (a spent budget): it is told at once, and then counted."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()

    def tell(self, failure: Failure, who: str = "") -> None:
        """Tell it, unless it was told; ``who`` is said first."""
        reason = printable(f"{who}{failure.error}")
        self._times[reason] += 1
        if self._times[reason] == 1:
            click.echo(f"digitrec: {who}{predictions.error_line(failure)}", err=True)

    def sum_up(self) -> None:
        """Say how often each came again."""
        for reason, times in self._times.items():
            if times > 1:
                click.echo(f"digitrec: {times - 1} more: {reason}", err=True)
