"""The path: a picture in, a Prediction out."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from digitrec import calibration
from digitrec.calibration import Calibrations
from digitrec.decode import name_of as name_of_source
from digitrec.engine import Engine, Reply
from digitrec.errors import DigitrecError, ImageError
from digitrec.image import DigitImage, ImageRef, ImageSource, PreparedImage
from digitrec.normalise import Reading, normalise
from digitrec.prediction import Failure, Prediction
from digitrec.prepare import prepare, prepare_many
from digitrec.providers.base import Provider
from digitrec.providers.registry import open_provider

Outcome = Prediction | Failure

HELD_BYTES = 64_000_000
"""Pixels that are held at the same time, about: hundreds of large scans do not fit into a memory."""


@runtime_checkable
class Policy(Protocol):
    """Several engines that answer as one; `digitrec.policy` has the ones there are."""

    name: str
    """What to call it in a Prediction."""
    engines: Sequence[Engine]
    """Those that it may ask, in its order."""

    def stream(self, images: Iterable[ImageSource], *, lenient: bool = False) -> Iterator[Outcome]:
        """An outcome for each picture, in order."""

    def close(self) -> None:
        """Release its engines; may be called twice."""


Reader = Engine | Policy
"""What turns pictures into outcomes."""


def predict(
    image: ImageSource, provider: str | Provider | Reader = "local", *, lenient: bool = False
) -> Prediction:
    """The digit on one picture.

    Args:
        image: anything `DigitImage.open` reads.
        provider: a registered name, or a provider, an engine or a policy of your own.
        lenient: also take a letter that resembles a digit; the Prediction then says ``inferred``.

    Returns:
        A Prediction; one without a digit says why in ``reason``.

    Raises:
        ImageError: the picture cannot be read.
        ProviderError: the provider gave no usable answer.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
    """
    (outcome,) = stream([image], provider, lenient=lenient)
    if isinstance(outcome, Failure):
        raise outcome.error
    return outcome


def predict_many(
    images: Iterable[ImageSource], provider: str | Provider | Reader = "local", *, lenient: bool = False
) -> list[Outcome]:
    """The digits on many pictures: for each, in order, a Prediction or the Failure in its place.

    Args:
        images: anything `DigitImage.open` reads, each; an array of shape (N, H, W) is N pictures.
        provider: as for `predict`.
        lenient: as for `predict`.

    Raises:
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
    """
    return list(stream(images, provider, lenient=lenient))


def stream(
    images: Iterable[ImageSource], provider: str | Provider | Reader = "local", *, lenient: bool = False
) -> Iterator[Outcome]:
    """What `predict_many` returns, one after the other while the work goes on."""
    engine, waiting = reader_for(provider), several(images)
    if isinstance(engine, Policy):
        yield from engine.stream(waiting, lenient=lenient)
        return
    for places in batches(waiting, engine):
        yield from ask(places, engine, lenient=lenient)


def several(images: Iterable[ImageSource]) -> Iterable[ImageSource]:
    """The same pictures; a single name is refused, or each of its letters would be taken for a file."""
    if isinstance(images, str | bytes):
        raise TypeError("this is one picture: give it to predict or compare, or in a list")
    return images


def reader_for(provider: str | Provider | Reader) -> Reader:
    """The engine meant by a name or a provider; one per name is kept for the process."""
    if isinstance(provider, str):
        return _shared.engine(provider)
    return provider if isinstance(provider, Engine | Policy) else Engine(provider)


def name_of(reader: Reader) -> str:
    """What an engine or a policy is called in a Prediction."""
    return reader.provider.name if isinstance(reader, Engine) else reader.name


class _Shared:
    """The engines that were asked for by name, each made once for the process, whoever asks first."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a provider may ask another while it is made
        self._engines: dict[str, Engine] = {}
        self._parents: list[dict[str, Engine]] = []

    def engine(self, name: str) -> Engine:
        """The one of this name."""
        with self._lock:
            if name not in self._engines:
                self._engines[name] = Engine(open_provider(name))
            return self._engines[name]

    def start_afresh(self) -> None:
        """A child process makes its own: a lock that another thread held at the fork is never released.

        The parent's are kept, or closing them would touch its ledger.
        """
        self._lock = threading.RLock()
        self._parents.append(self._engines)
        self._engines = {}


_shared = _Shared()
if hasattr(os, "register_at_fork"):  # elsewhere there is no fork
    os.register_at_fork(after_in_child=_shared.start_afresh)


def look(sources: Iterable[ImageSource], engine: Engine) -> list[Place]:
    """The first half of the path: for each source what the engine will be given, or why it is no image."""
    return [place for places in batches(sources, engine) for place in places]


def batches(sources: Iterable[ImageSource], engine: Engine) -> Iterator[list[Place]]:
    """The same, as many at a time as the engine is best given at once and came within its patience."""
    for opened in windows(sources, engine.batch, engine.patience_s):
        prepared = iter(_prepare([image for image in opened if isinstance(image, DigitImage)], engine))
        yield [next(prepared) if isinstance(image, DigitImage) else image for image in opened]


def windows(
    sources: Iterable[ImageSource], most: int, seconds: float = math.inf
) -> Iterator[list[DigitImage | Unreadable]]:
    """The pictures, opened: as many at a time as the limits and `HELD_BYTES` allow, and one at least."""
    window: list[DigitImage | Unreadable] = []
    held, start = 0, time.monotonic()
    for source in sources:
        image = open_or_unreadable(source)
        window.append(image)
        held += image.pixels.nbytes if isinstance(image, DigitImage) else 0
        if len(window) == most or held >= HELD_BYTES or time.monotonic() - start >= seconds:
            yield window
            window, held, start = [], 0, time.monotonic()
    if window:
        yield window


def ask(places: Sequence[Place], engine: Engine, *, lenient: bool = False) -> list[Outcome]:
    """The second half: ask and normalise; whatever failed takes only its own place."""
    askable = [place for place in places if isinstance(place, PreparedImage) and not _refused(place)]
    replies = iter(engine.ask(askable))
    provider, calibrations = engine.provider.name, calibration.known()
    return [
        _failure(place, provider) if isinstance(place, Unreadable)
        else _gated(place, provider) if _refused(place)
        else _outcome(place, next(replies), engine, lenient, calibrations)
        for place in places
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An image that could not be opened or prepared."""

    image: ImageRef
    """Which image."""
    error: DigitrecError
    """What is wrong with it."""


Place = PreparedImage | Unreadable
"""What has become of an image half-way along the path."""


def open_or_unreadable(source: ImageSource) -> DigitImage | Unreadable:
    """The picture, or why it is none."""
    try:
        return DigitImage.open(source)
    except ImageError as error:
        return Unreadable(ImageRef(name_of_source(source), None), error)


def _prepare(images: Sequence[DigitImage], engine: Engine) -> list[Place]:
    spec = engine.provider.wants
    try:
        return list(prepare_many(images, spec))
    except ImageError:  # one of them cannot be sent: find out which, and keep the others
        return [_prepare_one(image, engine) for image in images]


def _prepare_one(image: DigitImage, engine: Engine) -> Place:
    try:
        return prepare(image, engine.provider.wants)
    except ImageError as error:
        return Unreadable(image.ref, error)


def _refused(place: PreparedImage) -> bool:
    return place.spec.gated and place.findings.reason is not None


def _failure(place: Unreadable, provider: str) -> Failure:
    return Failure(place.image, provider, place.error)


def _gated(place: PreparedImage, provider: str) -> Prediction:
    """A refusal decided by looking at the ink; the engine was not asked."""
    return Prediction(
        place.image, provider, None, None, place.findings.reason,
        preparation=place.spec.preparation, attempts=0,
    )  # fmt: skip


def _outcome(
    place: PreparedImage, reply: Reply, engine: Engine, lenient: bool, calibrations: Calibrations
) -> Outcome:
    """What the engine's reply means."""
    provider, answer = engine.provider, reply.outcome
    if isinstance(answer, DigitrecError):
        return Failure(place.image, provider.name, answer, reply.latency_s, reply.cost_usd, reply.attempts)
    reading: Reading = normalise(answer, repeat=place.spec.repeat, lenient=lenient)
    prediction = Prediction(
        place.image, provider.name, reading.digit, reading.confidence, reading.reason,
        probabilities=answer.probabilities, text=reading.text, inferred=reading.inferred,
        model_version=answer.model_version, endpoint=provider.endpoint,
        preparation=place.spec.preparation, raw=answer.raw, latency_s=reply.latency_s,
        cost_usd=reply.cost_usd, attempts=reply.attempts, emulated=reply.emulated,
        replayed=reply.replayed,
    )  # fmt: skip
    return calibration.apply(prediction, calibrations)
