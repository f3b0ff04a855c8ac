"""What a network is shown again while it learns something new, so that it forgets nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits
from digitrec.comparison.datasets.sampling import sampled
from digitrec.errors import DataError, NotInstalled
from digitrec.lab.datasets.download import mnist_train
from digitrec.lab.handwriting import printed, staging, synthetic
from digitrec.lab.handwriting.writer import Writer

log = logging.getLogger(__name__)

_PORTION = 100  # pictures made between two words of progress
_DRAWN = 1.1  # of those drawn in place of MNIST's some are not found again by the preparation


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Pictures of all that it has to go on reading, and refusing."""

    pictures: Digits
    """28x28, `NO_DIGIT` among them."""
    source: str
    """Whose the written digits are: "mnist-train", or "drawn" where that cannot be had."""
    written: int
    """How many of the pictures are such digits."""

    @property
    def senseless(self) -> int:
        """How many show no digit."""
        return int((self.pictures.labels == NO_DIGIT).sum())


def rehearsal(written: int, made: int, scenes: int, seed: int, told: Callable[[float], object]) -> Rehearsal:
    """So many digits of MNIST's 60,000, and about so many pictures and scenes made of them.

    Where MNIST's cannot be had, digits of the synthetic hand stand in for them, and that is told as a warning
    of the logger.

    Args:
        written: digits, >= 100.
        made: pictures of `synthetic.make`, of which some show no digit.
        scenes: pictures of `staging.staged`, of which some show writing to be refused.
        seed: decides which.
        told: called with the share, 0..1, that is made.

    Raises:
        NotInstalled: Matplotlib is missing, whose fonts are printed with.
    """
    rng = np.random.default_rng([seed, 0])
    try:
        whole = mnist_train()
        digits = whole[sampled(whole.labels, written)]
        source = "mnist-train"
    except (DataError, NotInstalled) as error:
        log.warning("digits of a synthetic hand stand in for MNIST's, which cannot be had: %s", error)
        digits = synthetic.drawn(round(_DRAWN * written), rng)[:written]
        source = "drawn"
    portions = [(synthetic.make, count) for count in _counts(made)]
    portions += [(staging.staged, count) for count in _counts(scenes)]
    pictures = digits
    writer = Writer(digits, printed.fonts_to_learn(), varied=0.3)
    for number, (kind, count) in enumerate(portions, 1):
        pictures += kind(writer, count, [seed, number])
        told(number / len(portions))
    return Rehearsal(pictures, source, len(digits))


def _counts(count: int) -> list[int]:
    """The sizes of the portions in which so many are made."""
    return [min(_PORTION, count - start) for start in range(0, count, _PORTION)]
