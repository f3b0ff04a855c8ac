"""One picture, many engines, side by side: what each says, and whether they agree."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import Any

from digitrec.engine import Engine
from digitrec.errors import DigitrecError, ModelError, NotConfigured, NotInstalled
from digitrec.image import DigitImage, ImageRef, ImageSource
from digitrec.prediction import Failure, Prediction
from digitrec.providers import registry
from digitrec.providers.base import Provider
from digitrec.recognise import Outcome, Reader, Unreadable, name_of, open_or_unreadable, reader_for, stream

WINDOW = 64
"""Pictures that are open at the same time: each is opened once for all engines, and then let go."""
UNSURE = 0.5
"""What the vote of an engine counts that gives no confidence at all."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What several engines said about one picture."""

    image: ImageRef
    """Which picture."""
    engines: tuple[str, ...]
    """Names of the engines, in the order they were given."""
    outcomes: tuple[Outcome, ...]
    """What each of them said, in the same order."""

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """The answers, refusals among them; whoever failed said nothing."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Prediction))

    @property
    def agree(self) -> bool | None:
        """Whether all who answered said the same, "no digit" being an answer; None for fewer than two."""
        answers = {prediction.digit for prediction in self.predictions}
        return len(answers) == 1 if len(self.predictions) > 1 else None

    @property
    def consensus(self) -> int | None:
        """The digit that more engines named than any other; None when two are level or none was named."""
        return _leader(Counter(digit for digit, _ in self._votes()))

    @property
    def weighted(self) -> int | None:
        """The digit with the most confidence behind it, added over the engines that named it.

        A vote weighs its ``calibrated`` chance where there is one, else its ``confidence``, else
        `UNSURE`. Uncalibrated confidences of different engines are not on one scale.
        """
        weights: Counter[int] = Counter()
        for digit, weight in self._votes():
            weights[digit] += weight  # type: ignore[assignment]  # a Counter adds floats as well
        return _leader(weights)

    @property
    def dissenters(self) -> tuple[str, ...]:
        """Names of the engines that answered otherwise than the consensus; empty without one."""
        if self.consensus is None:
            return ()
        said = zip(self.engines, self.outcomes, strict=True)
        return tuple(
            name for name, outcome in said
            if isinstance(outcome, Prediction) and outcome.digit != self.consensus
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """The picture, the verdicts and every outcome under its engine's name, as JSON-like values."""
        return {
            "source": self.image.source,
            "sha256": self.image.sha256,
            "agree": self.agree,
            "consensus": self.consensus,
            "weighted": self.weighted,
            "dissenters": list(self.dissenters),
            "outcomes": {
                name: outcome.as_dict() for name, outcome in zip(self.engines, self.outcomes, strict=True)
            },
        }

    def _votes(self) -> Iterator[tuple[int, float]]:
        for prediction in self.predictions:
            if prediction.digit is not None:
                yield prediction.digit, sureness(prediction, UNSURE)


def sureness(prediction: Prediction, otherwise: float) -> float:
    """The calibrated chance, else the engine's own confidence, else ``otherwise``; 0..1."""
    known = (prediction.calibrated, prediction.confidence)
    return next((value for value in known if value is not None), otherwise)


def _leader(votes: Counter[int]) -> int | None:
    """The one with the most votes; None when there is none or two are level."""
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


class Absent:
    """In the place of an engine that cannot be asked at all: its Failure, for every picture."""

    def __init__(self, name: str, error: DigitrecError) -> None:
        self.name = name
        self.engines: Sequence[Engine] = ()
        self._error = error

    def stream(self, images: Iterable[ImageSource], *, lenient: bool = False) -> Iterator[Outcome]:
        """The same Failure for each picture."""
        for image in images:
            yield Failure(DigitImage.open(image).ref, self.name, self._error)

    def close(self) -> None:
        """Nothing to release."""


def compare(
    image: ImageSource, providers: Sequence[str | Provider | Reader] | None = None, *, lenient: bool = False
) -> Comparison:
    """One picture, read by several engines at the same time.

    The time it takes is near the slowest engine's, and whoever fails does so alone.

    Args:
        image: anything `DigitImage.open` reads.
        providers: names, providers, engines or policies; None: all that are installed, configured and
            free of charge (see `free_engines`).
        lenient: also take a letter that resembles a digit; the Prediction then says ``inferred``.

    Returns:
        A Comparison; a picture that cannot be read is a Failure of every engine, and an engine that is
        not installed or not configured is a Failure for every picture.

    Raises:
        UnknownProvider: there is no provider of a name.
    """
    return next(compare_many([image], providers, lenient=lenient))


def compare_many(
    images: Iterable[ImageSource],
    providers: Sequence[str | Provider | Reader] | None = None,
    *,
    lenient: bool = False,
) -> Iterator[Comparison]:
    """The same for many pictures: a Comparison for each, in order, as they are ready."""
    names = free_engines(os.environ)[0] if providers is None else providers
    readers = [_reader_or_absent(provider) for provider in names]
    labels = tuple(name_of(reader) for reader in readers)
    rows: dict[int, dict[int, Outcome]] = {}
    ready = 0
    for arrival in race(images, readers, lenient=lenient):
        rows.setdefault(arrival.image, {})[arrival.reader] = arrival.outcome
        while len(rows.get(ready, ())) == len(readers):
            row = rows.pop(ready)
            outcomes = tuple(row[place] for place in range(len(readers)))
            yield Comparison(outcomes[0].image, labels, outcomes)
            ready += 1


def _reader_or_absent(provider: str | Provider | Reader) -> Reader:
    try:
        return reader_for(provider)
    except (NotInstalled, NotConfigured, ModelError) as error:
        return Absent(str(provider), error)


def free_engines(env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The engines that can be asked at once and cost nothing, and why each of the others is left out.

    Told offline, as `digitrec.providers.registry.listings` does.

    Raises:
        NotConfigured: there is none.
    """
    chosen, left_out = [], {}
    for listing in registry.listings(env):
        if listing.status.missing:
            left_out[listing.name] = "; ".join(listing.status.missing)
        elif listing.price is None:
            left_out[listing.name] = "its price is not known, so it is asked only by name"
        elif listing.price.usd > 0:
            left_out[listing.name] = f"costs ${1000 * listing.price.usd:.2f} per 1,000, so only by name"
        else:
            chosen.append(listing.name)
    if not chosen:
        raise NotConfigured("no free engine is installed and configured; name the engines to ask")
    return chosen, left_out


@dataclass(frozen=True, slots=True)
class Arrival:
    """One outcome, when it arrives."""

    reader: int
    """Place of the engine among those that were asked."""
    image: int
    """Place of the picture among those that were given."""
    outcome: Outcome
    """What the engine said about it."""
    spent_s: float
    """Seconds of this engine's time since its outcome before this one, >= 0."""


def race(
    images: Iterable[ImageSource], readers: Sequence[Reader], *, lenient: bool = False
) -> Iterator[Arrival]:
    """Every engine's outcome for every picture, in the order in which they arrive.

    Each engine works in a thread of its own, so a slow or failing one costs the others nothing; the
    threads never keep the program from ending. Leaving the iterator stops them after the call in flight.
    """
    waiting = iter(images)
    start = 0
    while window := list(islice(waiting, WINDOW)):
        opened = {start + place: open_or_unreadable(source) for place, source in enumerate(window)}
        good = {place: image for place, image in opened.items() if isinstance(image, DigitImage)}
        for place, failed in opened.items():
            if isinstance(failed, Unreadable):
                for number, reader in enumerate(readers):
                    yield Arrival(number, place, Failure(failed.image, name_of(reader), failed.error), 0.0)
        yield from gather([(reader, good) for reader in readers], lenient=lenient)
        start += len(window)


def gather(work: Sequence[tuple[Reader, Mapping[int, DigitImage]]], *, lenient: bool) -> Iterator[Arrival]:
    """Each engine's outcomes for its own pictures, all engines at work at the same time."""
    arrivals: SimpleQueue[Arrival | BaseException] = SimpleQueue()
    stop = threading.Event()
    for number, (reader, images) in enumerate(work):
        lane = _Lane(number, reader, images, lenient, arrivals, stop)
        threading.Thread(target=lane.run, name=f"digitrec-{name_of(reader)}", daemon=True).start()
    try:
        for _ in range(sum(len(images) for _, images in work)):
            arrival = arrivals.get()
            if isinstance(arrival, BaseException):
                raise arrival
            yield arrival
    finally:
        stop.set()


@dataclass(frozen=True, slots=True)
class _Lane:
    """One engine at work."""

    number: int
    reader: Reader
    images: Mapping[int, DigitImage]
    lenient: bool
    arrivals: SimpleQueue[Arrival | BaseException]
    stop: threading.Event

    def run(self) -> None:
        """Put every outcome into the queue; an error of ours as a Failure of all that is left."""
        left = dict(self.images)
        before = time.perf_counter()
        try:
            outcomes = stream(self.images.values(), self.reader, lenient=self.lenient)
            for place, outcome in zip(self.images, outcomes, strict=True):
                if self.stop.is_set():
                    return
                now = time.perf_counter()
                self.arrivals.put(Arrival(self.number, place, outcome, now - before))
                before = now
                del left[place]
        except DigitrecError as error:
            for place, image in left.items():
                failure = Failure(image.ref, name_of(self.reader), error)
                self.arrivals.put(Arrival(self.number, place, failure, 0.0))
        except BaseException as error:  # a bug: raised again where the outcomes are awaited
            self.arrivals.put(error)
