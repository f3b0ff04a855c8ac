"""The path: a picture in, a Prediction out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

from digitrec.engine import Engine, Reply
from digitrec.errors import DigitrecError, ImageError
from digitrec.image import DigitImage, ImageRef, ImageSource, PreparedImage
from digitrec.normalise import Reading, normalise
from digitrec.prediction import Failure, Prediction
from digitrec.prepare import prepare, prepare_many
from digitrec.providers.base import Provider
from digitrec.providers.registry import open_provider

Outcome = Prediction | Failure


def predict(
    image: ImageSource, provider: str | Provider | Engine = "local", *, lenient: bool = False
) -> Prediction:
    """The digit on one picture.

    Args:
        image: anything `DigitImage.open` reads.
        provider: a registered name, or a provider or engine of your own.
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
    images: Iterable[ImageSource], provider: str | Provider | Engine = "local", *, lenient: bool = False
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
    images: Iterable[ImageSource], provider: str | Provider | Engine = "local", *, lenient: bool = False
) -> Iterator[Outcome]:
    """What `predict_many` returns, one after the other while the work goes on."""
    engine = engine_for(provider)
    waiting = iter(images)
    while chunk := list(islice(waiting, engine.batch)):
        yield from _answer(chunk, engine, lenient)


def engine_for(provider: str | Provider | Engine) -> Engine:
    """The engine meant by a name, a provider or an engine; one per name is kept for the process."""
    if isinstance(provider, str):
        return _shared_engine(provider)
    return provider if isinstance(provider, Engine) else Engine(provider)


@cache
def _shared_engine(name: str) -> Engine:
    return Engine(open_provider(name))


def _answer(sources: Sequence[ImageSource], engine: Engine, lenient: bool) -> list[Outcome]:
    """Open, prepare, ask, normalise; whatever fails takes only its own place."""
    opened = [_open(source) for source in sources]
    good = [image for image in opened if isinstance(image, DigitImage)]
    prepared = iter(_prepare(good, engine))
    places = [next(prepared) if isinstance(image, DigitImage) else image for image in opened]
    askable = [place for place in places if isinstance(place, PreparedImage) and not _refused(place)]
    replies = iter(engine.ask(askable))
    provider = engine.provider.name
    return [
        _failure(place, provider) if isinstance(place, _Unreadable)
        else _gated(place, provider) if _refused(place)
        else _outcome(place, next(replies), engine, lenient)
        for place in places
    ]  # fmt: skip


class _Unreadable:
    """An image that could not be opened or prepared, and why."""

    def __init__(self, image: ImageRef, error: DigitrecError) -> None:
        self.image = image
        self.error = error


def _open(source: ImageSource) -> DigitImage | _Unreadable:
    try:
        return DigitImage.open(source)
    except ImageError as error:
        return _Unreadable(ImageRef(_source_name(source), None), error)


def _source_name(source: ImageSource) -> str:
    """What to call a source that never became an image."""
    return str(source) if isinstance(source, str | Path) else f"<{type(source).__name__}>"


def _prepare(images: Sequence[DigitImage], engine: Engine) -> list[PreparedImage | _Unreadable]:
    spec = engine.provider.wants
    try:
        return list(prepare_many(images, spec))
    except ImageError:  # one of them cannot be sent: find out which, and keep the others
        return [_prepare_one(image, engine) for image in images]


def _prepare_one(image: DigitImage, engine: Engine) -> PreparedImage | _Unreadable:
    try:
        return prepare(image, engine.provider.wants)
    except ImageError as error:
        return _Unreadable(image.ref, error)


def _refused(place: PreparedImage) -> bool:
    return place.spec.gated and place.findings.reason is not None


def _failure(place: _Unreadable, provider: str) -> Failure:
    return Failure(place.image, provider, place.error)


def _gated(place: PreparedImage, provider: str) -> Prediction:
    """A refusal decided by looking at the ink; the engine was not asked."""
    return Prediction(
        place.image, provider, None, None, place.findings.reason,
        preparation=place.spec.preparation, attempts=0,
    )  # fmt: skip


def _outcome(place: PreparedImage, reply: Reply, engine: Engine, lenient: bool) -> Outcome:
    """What the engine's reply means."""
    provider, answer = engine.provider, reply.outcome
    if isinstance(answer, DigitrecError):
        return Failure(place.image, provider.name, answer, reply.latency_s, reply.cost_usd, reply.attempts)
    reading: Reading = normalise(answer, lenient=lenient)
    return Prediction(
        place.image, provider.name, reading.digit, reading.confidence, reading.reason,
        probabilities=answer.probabilities, text=reading.text, inferred=reading.inferred,
        model_version=answer.model_version, endpoint=provider.endpoint,
        preparation=place.spec.preparation, raw=answer.raw, latency_s=reply.latency_s,
        cost_usd=reply.cost_usd, attempts=reply.attempts, emulated=reply.emulated,
        replayed=reply.replayed,
    )  # fmt: skip
