"""Turn pictures into Predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal, TypedDict, Unpack

from digitrec.answer.prediction import Failure, Outcome, Prediction
from digitrec.errors.arguments import number, said
from digitrec.image import TURNS, ImageSource, Turned
from digitrec.image.batch import one_image, several_images
from digitrec.recognise.pipeline import batches, finished, infer
from digitrec.recognise.readers import AnyReader, Policy, reader_for

Rotation = Literal[0, 90, 180, 270]


class How(TypedDict, total=False):
    """The options of `predict`."""

    lenient: bool
    at_least: float
    rotate: Rotation


def predict(
    image: ImageSource,
    provider: AnyReader = "local",
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
    images: Iterable[ImageSource], provider: AnyReader = "local", **how: Unpack[How]
) -> list[Outcome]:
    """Read many pictures; return a Prediction or a Failure for each, in order.

    Args:
        images: sources that `DigitImage.open` reads. An array of shape (N, H, W), (N, H, W, 1),
            (N, H, W, 3) or (N, H, W, 4) is N pictures of one value range.
        provider: as for `predict`.
        how: ``lenient``, ``at_least`` and ``rotate``, as for `predict`.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        ImageError: the value range of an array is ambiguous.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
    """
    return list(stream(images, provider, **how))


def stream(
    images: Iterable[ImageSource],
    provider: AnyReader = "local",
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
    if rotate:
        waiting = (Turned(image, rotate) for image in waiting)
    if isinstance(reader, Policy):
        outcomes = reader.stream(waiting, lenient=lenient)
    else:
        answers = (infer(batch, reader, lenient=lenient) for batch in batches(waiting, reader))
        outcomes = chain.from_iterable(answers)
    return (finished(outcome, at_least, rotate) for outcome in outcomes)


def checked(at_least: float, rotate: Rotation) -> float:
    """Return ``at_least`` as a float after checking both arguments of `stream`.

    Raises:
        TypeError, ValueError: one is of the wrong kind or out of its range.
    """
    if isinstance(rotate, bool) or rotate not in TURNS:
        raise ValueError(f"rotate must be one of {', '.join(map(str, TURNS))}, got {said(rotate)}")
    return number("at_least", at_least, 0, 1)
