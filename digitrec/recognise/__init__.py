"""The path: a picture in, a Prediction out."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from digitrec import calibration
from digitrec.arguments import number, said
from digitrec.calibration import Calibrations
from digitrec.engine import Engine, Reply
from digitrec.errors import DigitrecError, ImageError
from digitrec.image import TURNS, DigitImage, ImageRef, ImageSource, PreparedImage, Turned
from digitrec.image.batch import one, several
from digitrec.image.files import name_of as name_of_source
from digitrec.prediction import Failure, Prediction, sureness
from digitrec.prepare import prepare, prepare_many
from digitrec.providers.base import Provider
from digitrec.recognise.normalise import Reading, normalise
from digitrec.recognise.readers import Outcome, Policy, Reader, engine_for, listed, name_of, reader_for

__all__ = [
    "Outcome", "Place", "Policy", "Reader", "Rotation", "Unreadable", "ask", "batches", "engine_for",
    "listed", "look", "name_of", "open_or_unreadable", "predict", "predict_many", "reader_for", "stream",
    "windows",
]  # fmt: skip

Rotation = Literal[0, 90, 180, 270, "auto"]

HELD_BYTES = 64_000_000
"""Pixels that are held at the same time, about: hundreds of large scans do not fit into a memory."""


def predict(
    image: ImageSource,
    provider: str | Provider | Reader = "local",
    *,
    lenient: bool = False,
    at_least: float = 0.0,
    rotate: Rotation = 0,
) -> Prediction:
    """The digit on one picture.

    Args:
        image: anything `DigitImage.open` reads.
        provider: a registered name, or a provider, an engine or a policy of your own.
        lenient: also take a letter that resembles a digit; the Prediction then says ``inferred``.
        at_least: below this the answer is no digit but "not sure", with ``unsure_digit``; 0..1. It is
            compared with the ``calibrated`` chance where there is one, else with the ``confidence``; an
            answer with neither is never sure.
        rotate: degrees clockwise by which the picture is turned before it is read: 0, 90, 180 or 270.
            "auto": it is read all four ways, by a network on 28x28 pixels, and where two ways show two
            digits about as clearly the answer is no digit but "could be turned".

    Returns:
        A Prediction; one without a digit says why in ``reason``.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        ImageError: the picture cannot be read.
        ProviderError: the provider gave no usable answer.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
    """
    (outcome,) = stream([one(image)], provider, lenient=lenient, at_least=at_least, rotate=rotate)
    if isinstance(outcome, Failure):
        raise outcome.error
    return outcome


def predict_many(
    images: Iterable[ImageSource],
    provider: str | Provider | Reader = "local",
    *,
    lenient: bool = False,
    at_least: float = 0.0,
    rotate: Rotation = 0,
) -> list[Outcome]:
    """The digits on many pictures: for each, in order, a Prediction or the Failure in its place.

    Args:
        images: anything `DigitImage.open` reads, each. An array of shape (N, H, W), (N, H, W, 1),
            (N, H, W, 3) or (N, H, W, 4) is N pictures, whose range is told from all of them.
        provider, lenient, at_least, rotate: as for `predict`.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        ImageError: the range of an array's values cannot be told.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
    """
    return list(stream(images, provider, lenient=lenient, at_least=at_least, rotate=rotate))


def stream(
    images: Iterable[ImageSource],
    provider: str | Provider | Reader = "local",
    *,
    lenient: bool = False,
    at_least: float = 0.0,
    rotate: Rotation = 0,
) -> Iterator[Outcome]:
    """What `predict_many` returns, one after the other while the work goes on.

    It takes from ``images`` only as many as are worth working on together, so any number can pass, from a
    generator without end as well. Arguments and errors are those of `predict_many`, raised by the call.
    """
    at_least = number("at_least", at_least, 0, 1)
    if isinstance(rotate, bool) or rotate not in ("auto", *TURNS):
        raise ValueError(f'rotate is "auto" or one of {", ".join(map(str, TURNS))}, not {said(rotate)}')
    reader, waiting = reader_for(provider), several(images)
    if rotate == "auto":
        outcomes = _upright(waiting, _turning(reader), lenient)
    elif rotate:
        turned = _outcomes((Turned(image, rotate) for image in waiting), reader, lenient)
        outcomes = (_marked(outcome, rotate) for outcome in turned)
    else:
        outcomes = _outcomes(waiting, reader, lenient)
    return (_sure(outcome, at_least) for outcome in outcomes) if at_least else outcomes


def _outcomes(images: Iterable[ImageSource], reader: Reader, lenient: bool) -> Iterator[Outcome]:
    if isinstance(reader, Policy):
        return reader.stream(images, lenient=lenient)
    return (outcome for places in batches(images, reader) for outcome in ask(places, reader, lenient=lenient))


def _sure(outcome: Outcome, at_least: float) -> Outcome:
    """The outcome, or "not sure" in its place."""
    if isinstance(outcome, Failure) or outcome.digit is None or sureness(outcome, -1.0) >= at_least:
        return outcome
    return outcome.unless("not sure")


def _marked(outcome: Outcome, turned: int) -> Outcome:
    return outcome if isinstance(outcome, Failure) else replace(outcome, turned=turned)


def _turning(reader: Reader) -> Engine:
    """The engine, if it may be asked four times about each picture and says how clear each answer is."""
    if isinstance(reader, Engine) and reader.provider.wants.encoding == "mnist":
        return reader
    raise ValueError(
        f'rotate "auto" reads a picture four times, with a network on 28x28 pixels; {name_of(reader)} is none'
    )


def _upright(images: Iterable[ImageSource], engine: Engine, lenient: bool) -> Iterator[Outcome]:
    """Each picture read four ways, and what follows from it."""
    from digitrec.recognise.orientation import upright

    for opened in windows(images, max(1, engine.batch // len(TURNS)), engine.patience_s):
        good = [image for image in opened if isinstance(image, DigitImage)]
        readings = _outcomes((image.turned(turn) for image in good for turn in TURNS), engine, lenient)
        for image in opened:
            if isinstance(image, Unreadable):
                yield _failure(image, engine.provider.name)
            else:
                yield upright([next(readings) for _ in TURNS])


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
