"""Process a batch: open, prepare, ask, normalise; a failure of one picture does not affect the others."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from digitrec.answer import Answer, Failure, Outcome, Prediction, Sheet, SheetOutcome
from digitrec.engine import PATIENCE_REMOTE_S, Engine, Reply
from digitrec.errors import DigitrecError, ImageError, lightened
from digitrec.image import Box, DigitImage, ImageRef, ImageSource, PreparedImage, Turned
from digitrec.image.files import name_of
from digitrec.image.pixels import ENOUGH_SIDE
from digitrec.prepare import prepare, prepare_many
from digitrec.recognise import calibration
from digitrec.recognise.calibration import Calibrations
from digitrec.recognise.normalise import normalise
from digitrec.recognise.numbers import Fields, Range, arranged, numbers_in

HELD_BYTES = 64_000_000
"""Approximate maximum size of the prepared pictures of a batch; large scans would not fit into memory."""
OPENED_BYTES = 20_000_000
"""Approximate maximum size of the opened pictures: a batch of MNIST's digits, or a dozen photos."""
BYTES_A_PIXEL = 4
"""Bytes that Pillow keeps for each pixel of a colour picture."""


MaybePrepared = PreparedImage | Failure
"""A prepared picture, or the Failure to open or prepare it."""
Opened = TypeVar("Opened", bound=ImageSource | Failure)
Item = TypeVar("Item", bound=ImageSource | MaybePrepared)
Said = TypeVar("Said", Outcome, SheetOutcome)
About = Mapping[str, Any]
"""The fields of an `EngineResult`."""
Interpret = Callable[[PreparedImage, Answer, About], Said]
"""A function from a picture, an answer and its circumstances to an outcome."""


def open_or_fail(source: ImageSource, asker: str, enough: int = ENOUGH_SIDE) -> DigitImage | Failure:
    """Open a picture; if that fails, return the Failure of the engine or policy that asked for it."""
    try:
        return DigitImage.open(source, enough=enough)
    except ImageError as error:
        original = source.source if isinstance(source, Turned) else source
        ref = original.ref if isinstance(original, DigitImage) else ImageRef(name_of(original), None)
        return Failure(ref, asker, lightened(error))


def batches(sources: Iterable[ImageSource], engine: Engine) -> Iterator[list[MaybePrepared]]:
    """Yield the prepared pictures in batches that suit the engine and are ready within its batch deadline."""
    name, enough = engine.provider.name, engine.wants.enough
    opened = map(partial(open_or_fail, asker=name, enough=enough), sources)
    return _parts(opened, lambda waiting: _batch(waiting, engine))


def chunks(opened: Iterator[Opened], most: int) -> Iterator[list[Opened]]:
    """Yield chunks of at most ``most`` sources, each ready within `PATIENCE_REMOTE_S` or a single one.

    The opened pictures of a chunk take about `HELD_BYTES` at most.
    """
    return _parts(opened, lambda left: _taken(left, most, HELD_BYTES, time.monotonic() + PATIENCE_REMOTE_S))


def _parts(items: Iterable[Opened], take: Callable[[Iterator[Opened]], list[Item]]) -> Iterator[list[Item]]:
    """Yield what ``take`` takes of the items, until nothing is left; then raise an error of their source."""
    errors: list[Exception] = []

    def until_error() -> Iterator[Opened]:
        try:
            yield from items
        except Exception as error:
            errors.append(error)

    yield from iter(partial(take, until_error()), [])
    if errors:
        raise errors[0]


def _batch(opened: Iterator[DigitImage | Failure], engine: Engine) -> list[MaybePrepared]:
    """Prepare the next pictures; at most `OPENED_BYTES` of pixels are in memory at once."""
    batch: list[MaybePrepared] = []
    room, end = HELD_BYTES, time.monotonic() + engine.patience_s
    while True:
        some = _prepared(_taken(opened, engine.batch - len(batch), OPENED_BYTES, end), engine)
        batch += some
        room -= sum(len(one.data) for one in some if isinstance(one, PreparedImage))
        if not some or len(batch) == engine.batch or room <= 0 or time.monotonic() >= end:
            return batch


def _taken(opened: Iterator[Opened], most: int, room: int, end: float) -> list[Opened]:
    """Take at least one opened picture, and more until a number, a size in bytes or a time is reached."""
    taken: list[Opened] = []
    for image in opened:
        taken.append(image)
        if isinstance(image, DigitImage):
            room -= BYTES_A_PIXEL * image.size[0] * image.size[1]
        if len(taken) == most or room <= 0 or time.monotonic() >= end:
            break
    return taken


def _prepared(opened: Sequence[DigitImage | Failure], engine: Engine) -> list[MaybePrepared]:
    """Prepare the opened pictures for the engine; keep failures in their places."""
    images = [image for image in opened if isinstance(image, DigitImage)]
    if images:
        engine.load(images[0])
    start = time.perf_counter()
    try:
        ready: Sequence[MaybePrepared] = prepare_many(images, engine.wants)
    except ImageError:  # one of the pictures cannot be sent: find it and keep the others
        ready = [_prepared_alone(image, engine) for image in images]
    own = [0.0 if isinstance(one, Failure) else one.seconds for one in ready]
    shared = (time.perf_counter() - start - sum(own)) / max(len(images), 1)
    timed = iter(
        replace(one, latency_s=shared) if isinstance(one, Failure) else replace(one, seconds=shared + alone)
        for one, alone in zip(ready, own, strict=True)
    )
    return [next(timed) if isinstance(image, DigitImage) else image for image in opened]


def _prepared_alone(image: DigitImage, engine: Engine) -> MaybePrepared:
    try:
        return prepare(image, engine.wants)
    except ImageError as error:
        return Failure(image.ref, engine.provider.name, lightened(error))


def finished(outcome: Said, at_least: float, turned: int, region: Box | None = None) -> Said:
    """Add the turn to an outcome and its parts, and remove answers that are less sure than ``at_least``.

    A sheet gets its ``region``; a policy's sheet has that of its engine.
    """
    if isinstance(outcome, Failure) or not (at_least or turned or region):
        return outcome
    asked: Any = tuple(finished(one, 0.0, turned) for one in outcome.asked)
    part: Any = {"region": region} if region else {}
    outcome = replace(outcome, turned=turned, asked=asked, **part)
    return outcome.at_least(at_least) if at_least else outcome


def infer(batch: Iterable[MaybePrepared], engine: Engine, *, lenient: bool = False) -> list[Outcome]:
    """Ask the engine and normalise its answers, one outcome for each picture."""
    gated = [_gated(one, engine) if isinstance(one, PreparedImage) else one for one in batch]
    return _answered(gated, engine, partial(_prediction, lenient=lenient, calibrations=calibration.known()))


def infer_numbers(
    batch: Iterable[MaybePrepared],
    engine: Engine,
    *,
    expected: Range,
    lenient: bool,
    fields: Fields = (),
) -> list[SheetOutcome]:
    """Ask the engine for numbers, one outcome for each picture; the options are those of `numbers_in`."""
    pictures = [one if isinstance(one, Failure) else replace(one, digits=expected) for one in batch]
    return _answered(pictures, engine, partial(_sheet, lenient=lenient, fields=fields))


def _answered(
    batch: Sequence[PreparedImage | Said], engine: Engine, interpret: Interpret[Said]
) -> list[Said | Failure]:
    """Ask the engine about the prepared pictures of a batch; keep other outcomes in their places."""
    replies = iter(engine.ask([one for one in batch if isinstance(one, PreparedImage)]))
    return [
        _outcome(one, next(replies), engine, interpret) if isinstance(one, PreparedImage) else one
        for one in batch
    ]


def _outcome(
    prepared: PreparedImage, reply: Reply, engine: Engine, interpret: Interpret[Said]
) -> Said | Failure:
    """Interpret the engine's reply to one picture."""
    provider, answer, image = engine.provider, reply.outcome, prepared.image
    latency_s = prepared.seconds + reply.latency_s
    if isinstance(answer, DigitrecError):
        return Failure(image, provider.name, answer, latency_s, reply.cost_usd, reply.attempts)
    about = {
        "image": image, "provider": provider.name, "model_version": answer.model_version,
        "endpoint": provider.endpoint, "preparation": prepared.spec.preparation, "raw": answer.raw,
        "latency_s": latency_s, "cost_usd": reply.cost_usd, "attempts": reply.attempts,
        "emulated": reply.emulated, "replayed": reply.replayed, "opening_s": image.opening_s,
        "loading_s": engine.loading_s or 0.0,
    }  # fmt: skip
    return interpret(prepared, answer, about)


def _gated(prepared: PreparedImage, engine: Engine) -> PreparedImage | Prediction:
    """Return the picture, or its refusal without asking the engine if its ink shows no single digit."""
    spec, reason = prepared.spec, prepared.findings.reason
    if not spec.gated or reason is None or (spec.overrules and prepared.whole is not None):
        return prepared
    return Prediction(
        prepared.image, engine.provider.name, None, None, reason, preparation=spec.preparation, attempts=0,
        latency_s=prepared.seconds, opening_s=prepared.image.opening_s, loading_s=engine.loading_s or 0.0,
    )  # fmt: skip


def _prediction(
    prepared: PreparedImage, answer: Answer, about: About, *, lenient: bool, calibrations: Calibrations
) -> Prediction:
    """Normalise an engine's answer and apply its calibration."""
    reading = normalise(answer, repeat=prepared.spec.repeat, lenient=lenient)
    trust = prepared.findings.trust
    confidence = None if reading.confidence is None else reading.confidence * trust
    prediction = Prediction(
        **about, **reading._replace(confidence=confidence)._asdict(), probabilities=answer.probabilities,
        left_out=prepared.findings.left_out,
    )  # fmt: skip
    return calibration.apply(prediction, calibrations)


def _sheet(prepared: PreparedImage, answer: Answer, about: About, *, lenient: bool, fields: Fields) -> Sheet:
    """Return the numbers in an engine's answer, in reading order."""
    place = prepared.place
    assert place is not None, "no part of the whole picture was moved"
    found = numbers_in(answer, place, lenient=lenient, expected=prepared.digits, fields=fields)
    return Sheet(numbers=arranged(found), size=place.size, **about)
