"""The path of a batch: open, preprocess, infer, normalise; what fails takes only its own one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from digitrec import calibration
from digitrec.calibration import Calibrations
from digitrec.engine import Engine, Reply
from digitrec.errors import DigitrecError, ImageError
from digitrec.image import DigitImage, ImageRef, ImageSource, PreparedImage
from digitrec.image.files import name_of
from digitrec.prediction import Failure, Outcome, Prediction
from digitrec.prepare import prepare, prepare_many
from digitrec.recognise.normalise import Reading, normalise

HELD_BYTES = 64_000_000
"""Of pictures that are asked about together, about: hundreds of large scans do not fit into a memory."""
OPENED_BYTES = 20_000_000
"""Pixels that are held until they are prepared, about: a batch of MNIST's digits, or a dozen photos."""

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An image that could not be opened or prepared."""

    image: ImageRef
    """Which image."""
    error: DigitrecError
    """What is wrong with it."""


MaybePrepared = PreparedImage | Unreadable
"""What has become of an image half-way along the path."""


def open_or_unreadable(source: ImageSource) -> DigitImage | Unreadable:
    """The picture, or why it is none."""
    try:
        return DigitImage.open(source)
    except ImageError as error:
        return Unreadable(ImageRef(name_of(source), None), error)


def preprocess(sources: Iterable[ImageSource], engine: Engine) -> list[MaybePrepared]:
    """The first half of the path: for each source what the engine will be given, or why it is no image."""
    return [one for batch in batches(sources, engine) for one in batch]


def batches(sources: Iterable[ImageSource], engine: Engine) -> Iterator[list[MaybePrepared]]:
    """The same, as many at a time as the engine is best given at once and came within its patience."""
    return _windows(_prepared(sources, engine), _bytes_to_send, engine.batch, engine.patience_s, HELD_BYTES)


def chunks(
    sources: Iterable[ImageSource], most: int, seconds: float = math.inf
) -> Iterator[list[DigitImage | Unreadable]]:
    """The pictures, opened: as many at a time as the limits and `HELD_BYTES` allow, and one at least."""
    return _windows(map(open_or_unreadable, sources), _bytes_of_pixels, most, seconds, HELD_BYTES)


def _windows(
    items: Iterable[One], size: Callable[[One], int], most: int, seconds: float, held: int
) -> Iterator[list[One]]:
    """So many at a time as came within so many seconds, and no more bytes than are held: one at least."""
    window: list[One] = []
    room, start = held, time.monotonic()
    for item in items:
        window.append(item)
        room -= size(item)
        del item  # whoever empties a window has let go of all that was in it
        if len(window) == most or room <= 0 or time.monotonic() - start >= seconds:
            yield window
            window, room, start = [], held, time.monotonic()
    if window:
        yield window


def _prepared(sources: Iterable[ImageSource], engine: Engine) -> Iterator[MaybePrepared]:
    """What the engine will be given, one after the other; of few of the pictures pixels are held."""
    images = map(open_or_unreadable, sources)
    for opened in _windows(images, _bytes_of_pixels, engine.batch, engine.patience_s, OPENED_BYTES):
        prepared = iter(_prepare([image for image in opened if isinstance(image, DigitImage)], engine))
        ready = [next(prepared) if isinstance(image, DigitImage) else image for image in opened]
        opened.clear()  # or they would be held while the next are opened
        yield from ready


def _bytes_of_pixels(image: DigitImage | Unreadable) -> int:
    return image.pixels.nbytes if isinstance(image, DigitImage) else 0


def _bytes_to_send(image: MaybePrepared) -> int:
    return len(image.data) if isinstance(image, PreparedImage) else 0


def infer(batch: Sequence[MaybePrepared], engine: Engine, *, lenient: bool = False) -> list[Outcome]:
    """The second half: ask the engine and normalise; what failed takes only its own place."""
    askable = [one for one in batch if isinstance(one, PreparedImage) and not _refused(one)]
    replies = iter(engine.ask(askable))
    provider, calibrations = engine.provider.name, calibration.known()
    return [
        failed(one, provider) if isinstance(one, Unreadable)
        else _gated(one, provider) if _refused(one)
        else _outcome(one, next(replies), engine, lenient, calibrations)
        for one in batch
    ]  # fmt: skip


def _prepare(images: Sequence[DigitImage], engine: Engine) -> list[MaybePrepared]:
    spec = engine.provider.wants
    try:
        return list(prepare_many(images, spec))
    except ImageError:  # one of them cannot be sent: find out which, and keep the others
        return [_prepare_one(image, engine) for image in images]


def _prepare_one(image: DigitImage, engine: Engine) -> MaybePrepared:
    try:
        return prepare(image, engine.provider.wants)
    except ImageError as error:
        return Unreadable(image.ref, error)


def _refused(prepared: PreparedImage) -> bool:
    return prepared.spec.gated and prepared.findings.reason is not None


def failed(unreadable: Unreadable, provider: str) -> Failure:
    """What comes of a picture about which nobody was asked."""
    return Failure(unreadable.image, provider, unreadable.error)


def _gated(prepared: PreparedImage, provider: str) -> Prediction:
    """A refusal decided by looking at the ink; the engine was not asked."""
    return Prediction(
        prepared.image, provider, None, None, prepared.findings.reason,
        preparation=prepared.spec.preparation, attempts=0,
    )  # fmt: skip


def _outcome(
    prepared: PreparedImage, reply: Reply, engine: Engine, lenient: bool, calibrations: Calibrations
) -> Outcome:
    """What the engine's reply means."""
    provider, answer = engine.provider, reply.outcome
    if isinstance(answer, DigitrecError):
        return Failure(prepared.image, provider.name, answer, reply.latency_s, reply.cost_usd, reply.attempts)
    reading: Reading = normalise(answer, repeat=prepared.spec.repeat, lenient=lenient)
    prediction = Prediction(
        prepared.image, provider.name, reading.digit, reading.confidence, reading.reason,
        probabilities=answer.probabilities, text=reading.text, inferred=reading.inferred,
        model_version=answer.model_version, endpoint=provider.endpoint,
        preparation=prepared.spec.preparation, raw=answer.raw, latency_s=reply.latency_s,
        cost_usd=reply.cost_usd, attempts=reply.attempts, emulated=reply.emulated,
        replayed=reply.replayed,
    )  # fmt: skip
    return calibration.apply(prediction, calibrations)
