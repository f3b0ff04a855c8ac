"""Turn pictures into Predictions, and into Sheets: the numbers on them."""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Literal, Protocol, TypedDict, TypeVar, Unpack, runtime_checkable

import numpy as np

from digitrec.answer import Failure, Outcome, Prediction, Sheet, SheetOutcome
from digitrec.engine import Engine
from digitrec.errors.arguments import is_number, number, said, whole
from digitrec.image import TURNS, Box, ImageSource, Turned, one_image, several_images
from digitrec.providers.base import Provider
from digitrec.providers.registry import open_provider
from digitrec.recognise.numbers import Range
from digitrec.recognise.pipeline import batches, finished, infer, infer_numbers

Rotation = Literal[0, 90, 180, 270]
Digits = int | tuple[int, int] | None


Asked = TypeVar("Asked")


@runtime_checkable
class Policy(Protocol):
    """A strategy that asks several engines for one answer: `digitrec.Fallback` or `digitrec.Consensus`."""

    name: str
    """The policy's name in a Prediction."""
    engines: Sequence[Engine]
    """The engines that the policy may ask, in order."""

    def stream(
        self,
        images: Iterable[ImageSource],
        *,
        lenient: bool = False,  # pragma: no mutate (no test notices a mutant of a protocol)
    ) -> Iterator[Outcome]:
        """Yield an outcome for each picture, in order."""

    def close(self) -> None:
        """Release the policy's engines; may be called twice."""


Reader = Engine | Policy
"""An object that reads pictures and returns outcomes."""
AnyReader = str | Provider | Reader
"""A registered name, or a provider, an engine or a policy."""


class How(TypedDict, total=False):
    """The options of `predict`."""

    lenient: bool
    at_least: float
    rotate: Rotation


class HowNumbers(How, total=False):
    """The options of `read`."""

    digits: Digits
    region: Box | None


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
        lenient: also accept a letter that resembles a digit; the Prediction then says ``inferred``.
        at_least: minimum chance of an answer, 0..1: the ``calibrated`` chance if there is one, else the
            ``confidence``. An answer below it, or with neither, has no digit, the reason "not sure" and an
            ``unsure_digit``.
        rotate: degrees clockwise by which the picture is turned before it is read: 0, 90, 180 or 270.

    Returns:
        A Prediction; one without a digit says why in ``reason``.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        ImageError: the picture cannot be read.
        ProviderError: the provider gave no usable answer.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked at all.
    """
    return _only(*stream([one_image(image)], provider, lenient=lenient, at_least=at_least, rotate=rotate))


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
    """Yield the outcomes that `predict_many` returns, in order, each as soon as it is ready.

    ``images`` is read only as fast as the pictures are worked on, so a generator may be endless. Arguments
    and errors are those of `predict_many`; the call itself raises the errors.
    """
    at_least, turn = _checked(at_least, rotate)
    reader, waiting = reader_for(provider), _turned(several_images(images), turn)
    if isinstance(reader, Policy):
        outcomes = reader.stream(waiting, lenient=lenient)
    else:
        answers = (infer(batch, reader, lenient=lenient) for batch in batches(waiting, reader))
        outcomes = chain.from_iterable(answers)
    return (finished(outcome, at_least, turn) for outcome in outcomes)


def read(
    image: ImageSource,
    provider: AnyReader = "local",
    *,
    digits: Digits = None,
    lenient: bool = False,
    at_least: float = 0.0,
    rotate: Rotation = 0,
    region: Box | None = None,
) -> Sheet:
    """Read the numbers on one picture.

    Args:
        image: anything `digitrec.DigitImage.open` reads.
        provider: a registered name, or a provider, an engine or a policy of your own. A cloud gets the same
            request as from `predict`, so an answer in the ledger is not paid again.
        digits: the number of digits of each number, or the minimum and the maximum; None: any. Digits that
            stand apart, as in the boxes of a form, are joined until a number has that many; a number with
            more or fewer has no value.
        lenient: also accept letters that resemble digits, beside a digit, and a lone O as zero.
        at_least: minimum chance of a number, 0..1: the ``calibrated`` chance if there is one, else the
            ``confidence``. A number below it has no value and the reason "not sure".
        rotate: degrees clockwise by which the picture is turned before it is read: 0, 90, 180 or 270.
        region: left, top, right, bottom of the part to read, in pixels of the turned picture, or as shares of
            its sides if none is above 1; None: all of it.

    Returns:
        A Sheet; its ``numbers`` are empty if nothing is written on the picture.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        ImageError: the picture cannot be read, or the region is not inside it.
        ProviderError: the provider gave no usable answer.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked about numbers at all.
    """
    return _only(*read_stream(
        [one_image(image)], provider,
        digits=digits, lenient=lenient, at_least=at_least, rotate=rotate, region=region,
    ))  # fmt: skip


def read_many(
    images: Iterable[ImageSource], provider: AnyReader = "local", **how: Unpack[HowNumbers]
) -> list[SheetOutcome]:
    """Read the numbers on many pictures; return a Sheet or a Failure for each, in order.

    Args:
        images: as for `predict_many`.
        provider: as for `read`.
        how: ``digits``, ``lenient``, ``at_least``, ``rotate`` and ``region``, as for `read`.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked about numbers at all.
    """
    return list(read_stream(images, provider, **how))


def read_stream(
    images: Iterable[ImageSource],
    provider: AnyReader = "local",
    *,
    digits: Digits = None,
    lenient: bool = False,
    at_least: float = 0.0,
    rotate: Rotation = 0,
    region: Box | None = None,
) -> Iterator[SheetOutcome]:
    """Yield the outcomes that `read_many` returns, in order, each as soon as it is ready.

    ``images`` is read only as fast as the pictures are worked on. Arguments and errors are those of
    `read_many`; the call itself raises the errors.
    """
    expected, (at_least, turn) = expected_digits(digits), _checked(at_least, rotate)
    sides = np.array(region, object)  # of a ragged list NumPy makes no other array
    if region is not None and (sides.shape != (4,) or not all(map(is_number, sides))):
        raise ValueError(f"region must be four numbers: left, top, right, bottom, got {region!r}")
    part: Any = None if region is None else tuple(map(float, region))  # as JSON has it
    reader, waiting = reader_for(provider), several_images(images)
    if not isinstance(reader, Engine):
        if not hasattr(reader, "read_stream"):  # a policy of another package
            raise TypeError(f"the policy {reader.name} reads single digits; give one engine")
        found: Iterator[SheetOutcome] = reader.read_stream(
            waiting, digits=digits, lenient=lenient, at_least=at_least, rotate=turn, region=region
        )
        return found
    engine = reader.for_numbers
    answers = (
        infer_numbers(batch, engine, expected=expected, lenient=lenient)
        for batch in batches(_turned(waiting, turn, part), engine)
    )
    return (finished(sheet, at_least, turn, part) for sheet in chain.from_iterable(answers))


def _only(outcome: Asked | Failure) -> Asked:
    """Return the outcome of one picture; raise the error of a Failure."""
    if isinstance(outcome, Failure):
        raise outcome.error
    return outcome


def _checked(at_least: float, rotate: Rotation) -> tuple[float, int]:
    """Return two arguments of `stream`, NumPy's numbers as Python's, because answers are written as JSON.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
    """
    if isinstance(rotate, bool | float) or rotate not in TURNS:
        raise ValueError(f"rotate must be one of {', '.join(map(str, TURNS))}, got {said(rotate)}")
    return number("at_least", at_least, 0, 1), int(rotate)


def expected_digits(digits: Digits) -> Range:
    """Return the minimum and the maximum number of digits; None: any.

    Raises:
        TypeError, ValueError: they are not whole numbers >= 1, or the minimum is above the maximum.
    """
    if digits is None:
        return None
    least, most = digits if isinstance(digits, tuple) and len(digits) == 2 else (digits, digits)
    found = whole("digits", least, 1), whole("digits", most, 1)
    if found[0] > found[1]:
        raise ValueError(f"digits must be a number or a pair (fewest, most), got {digits}")
    return found


def _turned(images: Iterable[ImageSource], rotate: int, region: Box | None = None) -> Iterable[ImageSource]:
    """Return the pictures as sources that are turned and cropped when they are opened."""
    if not rotate and region is None:
        return images
    return (Turned(image, rotate, region) for image in images)


def reader_for(provider: AnyReader) -> Reader:
    """Return the engine of a provider or a name (one engine per process); return engines and policies as is.

    Raises:
        TypeError: the argument is none of these.
    """
    if isinstance(provider, str):
        return _shared(provider)
    return provider if isinstance(provider, Engine | Policy) else Engine(provider)


def engine_for(provider: str | Provider | Engine) -> Engine:
    """Do the same as `reader_for`, but reject policies.

    Raises:
        TypeError: the argument is a policy, or none of the accepted types.
    """
    reader = reader_for(provider)
    if not isinstance(reader, Engine):
        raise TypeError(f"a policy takes engines, but {name_of(reader)} is a policy itself")
    return reader


def listed(providers: Sequence[Asked]) -> Sequence[Asked]:
    """Return the same engines after checking that the argument is a list with at least one engine.

    Raises:
        TypeError: the argument is not a list, but for example a single name.
        ValueError: the list is empty.
    """
    if isinstance(providers, str) or not isinstance(providers, Sequence):
        raise TypeError(f"engines must be a list of names or providers, got {said(providers)}")
    if not providers:
        raise ValueError("no engine was named; name at least one")
    return providers


def name_of(reader: Reader) -> str:
    """Return the name that an engine or a policy has in a Prediction."""
    return reader.provider.name if isinstance(reader, Engine) else reader.name


def _shared(name: str) -> Engine:
    """Return the engine of this name; each process creates it once, on first use.

    A forked process starts without engines, because a lock that another thread held at the fork stays locked.
    It keeps its parent's engines alive: closing them would touch the parent's ledger.
    """
    key = (os.getpid(), name)
    with _LOCKS.setdefault(key[0], threading.RLock()):  # making a provider may ask for another provider
        if key not in _ENGINES:
            _ENGINES[key] = Engine(open_provider(name))
        return _ENGINES[key]


_LOCKS: dict[int, threading.RLock] = {}
_ENGINES: dict[tuple[int, str], Engine] = {}
