"""Turn pictures into Sheets: the numbers on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from digitrec.answer.prediction import Failure
from digitrec.answer.sheet import Sheet, SheetOutcome
from digitrec.engine import Engine, Reply
from digitrec.errors import DigitrecError
from digitrec.errors.arguments import number, said, whole
from digitrec.image import TURNS, Box, ImageSource, PreparedImage, Turned
from digitrec.image.batch import one_image, several_images
from digitrec.providers.base import Provider
from digitrec.recognise import Rotation
from digitrec.recognise.layout import arranged
from digitrec.recognise.numbers import NOT_SURE, numbers_in
from digitrec.recognise.pipeline import batches, open_or_fail
from digitrec.recognise.readers import Policy, Reader, name_of, reader_for

Digits = int | tuple[int, int] | None


def read(
    image: ImageSource,
    provider: str | Provider | Reader = "local",
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
            "auto": an engine on this machine reads it all four ways, and the way that shows the most digits
            counts; if two ways show about as many, no number has a value (reason "could be turned").
        region: left, top, right, bottom of the part to read, in pixels of the turned picture, or as shares of
            its sides if none is above 1; None: all of it. It excludes "auto".

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
    images: Iterable[ImageSource],
    provider: str | Provider | Reader = "local",
    *,
    digits: Digits = None,
    lenient: bool = False,
    at_least: float = 0.0,
    rotate: Rotation = 0,
    region: Box | None = None,
) -> list[SheetOutcome]:
    """Read the numbers on many pictures; return a Sheet or a Failure for each, in order.

    Args:
        images: as for `predict_many`.
        provider, digits, lenient, at_least, rotate, region: as for `read`.

    Raises:
        TypeError, ValueError: an argument is of the wrong kind or out of its range.
        UnknownProvider, NotInstalled, NotConfigured: the provider cannot be asked about numbers at all.
    """
    return list(
        read_stream(
            images, provider, digits=digits, lenient=lenient, at_least=at_least, rotate=rotate, region=region
        )
    )


def read_stream(
    images: Iterable[ImageSource],
    provider: str | Provider | Reader = "local",
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
    expected, at_least = _expected(digits), number("at_least", at_least, 0, 1)
    if isinstance(rotate, bool) or rotate not in ("auto", *TURNS):
        raise ValueError(f'rotate must be "auto" or one of {", ".join(map(str, TURNS))}, got {said(rotate)}')
    reader, waiting = reader_for(provider), several_images(images)
    if rotate == "auto":
        if region is not None:
            raise ValueError('rotate "auto" reads the whole picture; leave region out')
        return _upright(waiting, _turning(reader), at_least, {"digits": digits, "lenient": lenient})
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


def _turning(reader: Reader) -> Engine:
    """Return the engine if reading a picture four times costs nothing but time."""
    if isinstance(reader, Engine) and reader.usd_per_image == 0 and reader.provider.endpoint is None:
        return reader.for_numbers
    raise ValueError(
        f'rotate "auto" reads a picture four times, with an engine on this machine, not {name_of(reader)}'
    )


def _upright(
    images: Iterable[ImageSource], engine: Engine, at_least: float, how: Mapping[str, Any]
) -> Iterator[SheetOutcome]:
    """Read each picture four ways and choose the one that shows the most."""
    from digitrec.recognise.orientation import upright_sheet

    name, enough = engine.provider.name, engine.provider.wants.enough
    for opened in (open_or_fail(image, name, enough) for image in images):
        if isinstance(opened, Failure):
            yield opened
            continue
        sheet = upright_sheet(read_many([opened.turned(turn) for turn in TURNS], engine, **how))
        yield finished(sheet, at_least)


def _of_policy(
    policy: Policy, images: Iterable[ImageSource], how: Mapping[str, Any]
) -> Iterator[SheetOutcome]:
    """Return a policy's sheets; another package's policy may only read single digits."""
    reads = getattr(policy, "read_stream", None)
    if reads is None:
        raise TypeError(f"the policy {policy.name} reads single digits; give one engine")
    found: Iterator[SheetOutcome] = reads(images, **how)
    return found


def _expected(digits: Digits) -> tuple[int, int] | None:
    if digits is None:
        return None
    least, most = digits if isinstance(digits, tuple) and len(digits) == 2 else (digits, digits)
    found = whole("digits", least, 1), whole("digits", most, 1)
    if found[0] > found[1]:
        raise ValueError(f"digits must be a number or the least and the greatest, got {digits}")
    return found


def _sheets(
    batch: Sequence[PreparedImage | Failure], engine: Engine, expected: tuple[int, int] | None, lenient: bool
) -> list[SheetOutcome]:
    """Ask the engine about a batch; one outcome for each picture."""
    asked = [replace(one, digits=expected) for one in batch if isinstance(one, PreparedImage)]
    replies = iter(engine.ask(asked))
    return [
        one if isinstance(one, Failure) else _sheet(one, next(replies), engine, expected, lenient)
        for one in batch
    ]


def _sheet(
    prepared: PreparedImage, reply: Reply, engine: Engine, expected: tuple[int, int] | None, lenient: bool
) -> SheetOutcome:
    provider, answer = engine.provider, reply.outcome
    latency_s = prepared.seconds + reply.latency_s
    if isinstance(answer, DigitrecError):
        return Failure(prepared.image, provider.name, answer, latency_s, reply.cost_usd, reply.attempts)
    assert prepared.place is not None, "no part of the whole picture was moved"
    found = numbers_in(answer, prepared.place, lenient=lenient, expected=expected)
    return Sheet(
        prepared.image, provider.name, arranged(found), prepared.place.size,
        model_version=answer.model_version, endpoint=provider.endpoint,
        preparation=prepared.spec.preparation, raw=answer.raw, latency_s=latency_s,
        cost_usd=reply.cost_usd, attempts=reply.attempts, emulated=reply.emulated,
        replayed=reply.replayed, opening_s=prepared.image.opening_s, loading_s=engine.loading_s or 0.0,
    )  # fmt: skip


def finished(outcome: SheetOutcome, at_least: float, turned: int | None = None) -> SheetOutcome:
    """Take the value of each number that is less sure; note how the picture was turned, if it is given."""
    if isinstance(outcome, Failure):
        return outcome
    turned = outcome.turned if turned is None else turned
    numbers = tuple(
        one if one.value is None or one.sureness >= at_least else one.unless(NOT_SURE)
        for one in outcome.numbers
    )  # fmt: skip
    return replace(outcome, numbers=numbers if at_least else outcome.numbers, turned=turned)
