"""Turn pictures into Sheets: the numbers on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Unpack

from digitrec.answer import Answer
from digitrec.answer.prediction import Failure
from digitrec.answer.sheet import Sheet, SheetOutcome
from digitrec.engine import Engine
from digitrec.errors.arguments import whole
from digitrec.image import Box, ImageSource, PreparedImage, Turned
from digitrec.image.batch import one_image, several_images
from digitrec.recognise import How, Rotation, checked
from digitrec.recognise.layout import arranged
from digitrec.recognise.numbers import numbers_in
from digitrec.recognise.pipeline import MaybePrepared, answered, batches, finished
from digitrec.recognise.readers import AnyReader, Policy, reader_for

Digits = int | tuple[int, int] | None
Range = tuple[int, int] | None


class HowNumbers(How, total=False):
    """The options of `read`."""

    digits: Digits
    region: Box | None


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
        digits: the number of digits that each number has, or the least and the greatest; None: any. Digits
            that stand apart, as in the boxes of a form, are joined to reach it, and a number with another
            count has no value.
        lenient: also accept letters that resemble digits, beside a digit, and a lone O as zero.
        at_least: below this a number has no value and the reason "not sure"; 0..1. It is compared with the
            ``calibrated`` chance if there is one, else with the ``confidence``.
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
    (outcome,) = read_stream(
        [one_image(image)], provider,
        digits=digits, lenient=lenient, at_least=at_least, rotate=rotate, region=region,
    )  # fmt: skip
    if isinstance(outcome, Failure):
        raise outcome.error
    return outcome


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
    """Yield what `read_many` returns, in order, while the work goes on.

    Takes from ``images`` only as many as it works on at once. Arguments and errors are those of `read_many`;
    the call itself raises the errors.
    """
    expected, at_least = _expected(digits), checked(at_least, rotate)
    reader, waiting = reader_for(provider), several_images(images)
    if not isinstance(reader, Engine):
        how = {"digits": digits, "lenient": lenient, "at_least": at_least, "rotate": rotate, "region": region}
        return _of_policy(reader, waiting, how)
    engine = reader.for_numbers
    if rotate or region is not None:
        waiting = (Turned(image, rotate, region) for image in waiting)
    sheets = (
        sheet for batch in batches(waiting, engine) for sheet in _sheets(batch, engine, expected, lenient)
    )
    return (finished(sheet, at_least, rotate) for sheet in sheets)


def _of_policy(
    policy: Policy, images: Iterable[ImageSource], how: Mapping[str, Any]
) -> Iterator[SheetOutcome]:
    """Return a policy's sheets; another package's policy may only read single digits."""
    reads = getattr(policy, "read_stream", None)
    if reads is None:
        raise TypeError(f"the policy {policy.name} reads single digits; give one engine")
    found: Iterator[SheetOutcome] = reads(images, **how)
    return found


def _expected(digits: Digits) -> Range:
    if digits is None:
        return None
    least, most = digits if isinstance(digits, tuple) and len(digits) == 2 else (digits, digits)
    found = whole("digits", least, 1), whole("digits", most, 1)
    if found[0] > found[1]:
        raise ValueError(f"digits must be a number or the least and the greatest, got {digits}")
    return found


def _sheets(
    batch: Iterable[MaybePrepared], engine: Engine, expected: Range, lenient: bool
) -> list[SheetOutcome]:
    """Ask the engine about a batch; one outcome for each picture."""
    pictures = [one if isinstance(one, Failure) else replace(one, digits=expected) for one in batch]
    return answered(pictures, engine, partial(_sheet, expected=expected, lenient=lenient))


def _sheet(
    prepared: PreparedImage, answer: Answer, about: Mapping[str, Any], *, expected: Range, lenient: bool
) -> Sheet:
    assert prepared.place is not None, "no part of the whole picture was moved"
    found = numbers_in(answer, prepared.place, lenient=lenient, expected=expected)
    return Sheet(numbers=arranged(found), size=prepared.place.size, **about)
