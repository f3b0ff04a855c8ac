"""Turn pictures into Predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from digitrec.answer.prediction import Failure, Outcome, Prediction, sureness
from digitrec.engine import Engine
from digitrec.errors.arguments import number, said
from digitrec.image import TURNS, DigitImage, ImageSource, Turned
from digitrec.image.batch import one_image, several_images
from digitrec.providers.base import Provider
from digitrec.recognise.pipeline import batches, chunks, infer
from digitrec.recognise.readers import Policy, Reader, name_of, reader_for

Rotation = Literal[0, 90, 180, 270, "auto"]


def predict(
    image: ImageSource,
    provider: str | Provider | Reader = "local",
    *,
    lenient: bool = False,
    at_least: float = 0.0,
    rotate: Rotation = 0,
) -> Prediction:
    """Read the digit on one picture.

    Args:
        image: anything `DigitImage.open` reads.
        provider: a registered name, or a provider, an engine or a policy of your own.
        lenient: also take a letter that resembles a digit; the Prediction then says ``inferred``.
        at_least: below this the answer has no digit, the reason "not sure" and an ``unsure_digit``; 0..1.
            It is compared with the ``calibrated`` chance if there is one, else with the ``confidence``; an
            answer with neither is never sure.
        rotate: degrees clockwise by which the picture is turned before it is read: 0, 90, 180 or 270.
            "auto": a network on 28x28 pixels reads it all four ways; if two ways show two digits about as
            clearly, the answer has no digit and the reason "could be turned".

    Returns:
        A Prediction; one without a digit says why in ``reason``.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        ImageError: the picture cannot be read.
        ProviderError: the provider gave no usable answer.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
    """
    (outcome,) = stream([one_image(image)], provider, lenient=lenient, at_least=at_least, rotate=rotate)
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
    """Read many pictures; return a Prediction or a Failure for each, in order.

    Args:
        images: sources that `DigitImage.open` reads. An array of shape (N, H, W), (N, H, W, 1),
            (N, H, W, 3) or (N, H, W, 4) is N pictures of one value range.
        provider, lenient, at_least, rotate: as for `predict`.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        ImageError: the value range of an array is ambiguous.
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
    """Yield what `predict_many` returns, in order, while the work goes on.

    Takes from ``images`` only as many as it works on at once, so a generator may be endless. Arguments and
    errors are those of `predict_many`; the call itself raises the errors.
    """
    at_least = checked(at_least, rotate)
    reader, waiting = reader_for(provider), several_images(images)
    if rotate == "auto":
        outcomes = _upright(waiting, _turning(reader), lenient)
    elif rotate:
        turned = _outcomes((Turned(image, rotate) for image in waiting), reader, lenient)
        outcomes = (_marked(outcome, rotate) for outcome in turned)
    else:
        outcomes = _outcomes(waiting, reader, lenient)
    return (_sure(outcome, at_least) for outcome in outcomes) if at_least else outcomes


def checked(at_least: float, rotate: Rotation) -> float:
    """Return ``at_least`` as a float after checking both arguments of `stream`.

    Raises:
        TypeError, ValueError: one is of the wrong kind or out of its range.
    """
    if isinstance(rotate, bool) or rotate not in ("auto", *TURNS):
        raise ValueError(f'rotate is "auto" or one of {", ".join(map(str, TURNS))}, not {said(rotate)}')
    return number("at_least", at_least, 0, 1)


def _outcomes(images: Iterable[ImageSource], reader: Reader, lenient: bool) -> Iterator[Outcome]:
    if isinstance(reader, Policy):
        return reader.stream(images, lenient=lenient)
    return (outcome for batch in batches(images, reader) for outcome in infer(batch, reader, lenient=lenient))


def _sure(outcome: Outcome, at_least: float) -> Outcome:
    """Replace an answer that is less sure by the refusal "not sure"."""
    if isinstance(outcome, Failure) or outcome.digit is None or sureness(outcome, -1.0) >= at_least:
        return outcome
    return outcome.unless("not sure")


def _marked(outcome: Outcome, turned: int) -> Outcome:
    return outcome if isinstance(outcome, Failure) else replace(outcome, turned=turned)


def _turning(reader: Reader) -> Engine:
    """Return the engine if it reads 28x28 pixels, so that its four answers can be compared."""
    if isinstance(reader, Engine) and reader.provider.wants.encoding == "mnist":
        return reader
    raise ValueError(
        f'rotate "auto" reads a picture four times, with a network on 28x28 pixels; {name_of(reader)} is none'
    )


def _upright(images: Iterable[ImageSource], engine: Engine, lenient: bool) -> Iterator[Outcome]:
    """Read each picture four ways and choose the clearest."""
    from digitrec.recognise.orientation import upright

    name, most = engine.provider.name, max(1, engine.batch // len(TURNS))
    for opened in chunks(images, name, most, engine.patience_s):
        good = [image for image in opened if isinstance(image, DigitImage)]
        readings = _outcomes((image.turned(turn) for image in good for turn in TURNS), engine, lenient)
        for image in opened:
            yield image if isinstance(image, Failure) else upright([next(readings) for _ in TURNS])
