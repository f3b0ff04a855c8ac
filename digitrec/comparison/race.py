"""Ask several engines about the same pictures at the same time, independently of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from digitrec.answer.prediction import Failure, Outcome
from digitrec.engine import Engine
from digitrec.engine.threads import spread
from digitrec.errors import DigitrecError
from digitrec.image import DigitImage, ImageRef, ImageSource, files
from digitrec.image.batch import several_images
from digitrec.recognise import stream
from digitrec.recognise.pipeline import chunks
from digitrec.recognise.readers import Reader, name_of

Ask = Callable[[Iterable[ImageSource], Reader], Iterator[Outcome]]
"""`recognise.stream` with its options bound."""
WINDOW = 64
"""Maximum number of pictures open at the same time, unless an engine has a larger batch."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One outcome, in order of arrival."""

    reader: int
    """Index of the engine."""
    image: int
    """Index of the picture."""
    outcome: Outcome
    """The engine's outcome for the picture."""


def race(
    images: Iterable[ImageSource], readers: Sequence[Reader], ask: Ask = stream, *, shared: bool = True
) -> Iterator[Arrival]:
    """Yield every engine's outcome for every picture, in order of arrival.

    Each engine works in a thread of its own, so a slow or failing one does not affect the others; the
    threads never keep the program from ending. Leaving the iterator stops them after the call in flight.

    Args:
        images: the pictures.
        readers: the engines.
        ask: function that asks an engine about pictures.
        shared: open each picture once, as large as a digit needs it; False: each engine opens it itself.
    """
    start, waiting = 0, iter(several_images(images))
    most = max([WINDOW, *(reader.batch for reader in readers if isinstance(reader, Engine))])
    windows: Iterator[Sequence[ImageSource | Failure]] = (
        chunks(waiting, "", most) if shared else iter(lambda: list(islice(waiting, most)), [])
    )
    for window in windows:
        good = {place: image for place, image in enumerate(window, start) if not isinstance(image, Failure)}
        for place, failed in enumerate(window, start):
            if isinstance(failed, Failure):
                for number, reader in enumerate(readers):
                    yield Arrival(number, place, replace(failed, provider=name_of(reader)))
        yield from gather([(reader, good) for reader in readers], ask)
        start += len(window)


def gather(work: Sequence[tuple[Reader, Mapping[int, ImageSource]]], ask: Ask) -> Iterator[Arrival]:
    """Yield the outcomes of each engine for its own pictures; all engines work at the same time."""

    def lane(number: int) -> Iterator[Arrival]:
        """Yield one engine's outcomes; after a DigitrecError, a Failure for each picture that is left."""
        reader, images = work[number]
        left = dict(images)
        try:
            for place, outcome in zip(images, ask(images.values(), reader), strict=True):
                yield Arrival(number, place, outcome)
                del left[place]
        except DigitrecError as error:
            for place, image in left.items():
                ref = image.ref if isinstance(image, DigitImage) else ImageRef(files.name_of(image), None)
                yield Arrival(number, place, Failure(ref, name_of(reader), error))

    return (arrival for _, arrival in spread(range(len(work)), lane, at_once=len(work)))


class Absent:
    """Stand-in for an engine that cannot be opened: a Failure for every picture."""

    def __init__(self, name: str, error: DigitrecError) -> None:
        self.name = name
        self.engines: Sequence[Engine] = ()
        self._error = error

    def stream(self, images: Iterable[ImageSource], **how: Any) -> Iterator[Outcome]:
        """Yield the same failure for each picture."""
        for image in images:
            yield Failure(DigitImage.open(image).ref, self.name, self._error)

    read_stream = stream

    def close(self) -> None:
        """Nothing to release."""
