"""``digitrec.batch``: any number of pictures from Python, with counts and costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from digitrec.answer.prediction import Outcome
from digitrec.bulk import inputs
from digitrec.bulk.run import outcomes
from digitrec.bulk.summary import Summary
from digitrec.image import ImageSource
from digitrec.image.files import Skipped
from digitrec.providers.base import Provider
from digitrec.recognise import Rotation
from digitrec.recognise.readers import Reader, reader_for


class Batch(Iterator[Outcome]):
    """An iterator over the outcomes of many pictures, in order, with a summary of those so far."""

    def __init__(self, outcomes: Iterator[Outcome]) -> None:
        self.summary = Summary()
        """Counts and cost of the outcomes so far."""
        self._counted = self.summary.counted(outcomes)

    def __next__(self) -> Outcome:
        """Return the next outcome."""
        return next(self._counted)


def batch(
    images: str | Path | Iterable[ImageSource],
    provider: str | Provider | Reader = "local",
    *,
    lenient: bool = False,
    at_least: float = 0.0,
    rotate: Rotation = 0,
) -> Batch:
    """Read any number of pictures; return an iterator over the outcomes, in order, with a ``summary``.

    It takes from ``images`` only what is being worked on, so any number can pass. Nothing is written, and
    this process reads all pictures: the command ``digitrec batch`` uses all cores, writes files and
    continues after a crash.

    Args:
        images: anything that `digitrec.stream` takes; or one string as the command takes it: a folder, a
            pattern, a ``.tar`` or ``.zip``.
        provider, lenient, at_least, rotate: as for `digitrec.predict`.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
        DigitrecError: while iterating: an error that stops all pictures that follow as well (a spent budget,
            rejected credentials, no network). Earlier outcomes are yielded first.
    """
    if isinstance(images, str | Path):
        images = cast(Iterable[ImageSource], inputs.expand([str(images)], Skipped()))
    how = {"lenient": lenient, "at_least": at_least, "rotate": rotate}
    return Batch(outcomes(images, reader_for(provider), how))
