"""The options that make one answer out of several engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from digitrec.commands import options, values
from digitrec.engine import Engine

if TYPE_CHECKING:
    from digitrec.comparison.policy import EnginePolicy


@dataclass(frozen=True, slots=True)
class Rule:
    """The options of `policy`, together."""

    fallback: list[str]
    below: float
    consensus: int | None

    def names(self, first: Sequence[str], *, together: bool = False) -> list[str]:
        """All engines that may be asked, in their order.

        Args:
            first: those of ``--provider``.
            together: they shall give one answer, so several need a policy.

        Raises:
            click.UsageError: the options contradict each other.
        """
        if self.fallback and self.consensus is not None:
            raise click.UsageError("--fallback and --consensus exclude each other.")
        names = [*first, *self.fallback]
        if together and len(names) > 1 and not self.fallback and self.consensus is None:
            raise click.UsageError(
                "several engines give one answer with --consensus or --fallback; to see what each says, use "
                "`digitrec compare`."
            )
        if len(set(names)) < len(names):
            raise click.UsageError(f"an engine is named twice: {', '.join(names)}.")
        if self.consensus is not None and not 2 <= self.consensus <= len(names):
            raise click.UsageError(
                f"--consensus {self.consensus} needs that many engines, and 2 at least: name them with "
                "--provider A,B,C."
            )
        return names

    def policy(self, engines: Sequence[Engine]) -> EnginePolicy | None:
        """What the options make of the engines; None: nothing, each answers for itself."""
        if not self.fallback and self.consensus is None:
            return None
        if self.consensus is None:
            from digitrec.comparison.fallback import (
                Fallback,  # most commands ask one engine, which needs none
            )

            return Fallback(engines, self.below)
        from digitrec.comparison.consensus import Consensus

        return Consensus(engines, self.consensus)


_OPTIONS = (
    click.option("--fallback", callback=options.names, metavar="NAMES", shell_complete=values.providers,
                 help="Engines to ask in this order if one is unsure or fails."),
    click.option("--below", type=options.Number(0, 1), default=0.9, show_default=True, metavar="CHANCE",
                 help="Unsure: below this probability (see `digitrec calibrate`)."),
    click.option("--consensus", type=int, metavar="N", shell_complete=values.votes,
                 help="Only take a digit that N engines agree on."),
)  # fmt: skip
policy = options.gathered("rule", Rule, _OPTIONS)
"""``--fallback``, ``--below`` and ``--consensus``, as one `Rule`."""
