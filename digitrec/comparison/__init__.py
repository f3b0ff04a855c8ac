"""Compare engines on one picture or on labelled pictures, and combine their answers."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count
from typing import Any, Unpack, cast

from digitrec.answer import NOT_SURE, Failure, Outcome, Prediction, counted, is_emulated
from digitrec.engine import Engine, config
from digitrec.engine.threads import spread
from digitrec.errors import DigitrecError, ImageError, LedgerError, ModelError, NotConfigured, NotInstalled
from digitrec.image import Box, DigitImage, ImageRef, ImageSource, files, one_image, several_images
from digitrec.providers import registry
from digitrec.providers.base import Price
from digitrec.recognise import AnyReader, How, Reader, listed, name_of, reader_for, stream
from digitrec.recognise.numbers import OTHER_LENGTH
from digitrec.recognise.pipeline import chunks, open_or_fail

WINDOW = 64
"""Maximum number of pictures open at the same time, unless an engine has a larger batch."""
MOST = "the most that an image's tokens may cost"
"""The source of a price by tokens."""
Ask = Callable[[Iterable[ImageSource], Reader], Iterator[Outcome]]
"""A function such as `recognise.stream` with its options already set."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcomes of several engines for one picture."""

    image: ImageRef
    """The picture."""
    engines: tuple[str, ...]
    """Names of the engines, in the order they were given."""
    outcomes: tuple[Outcome, ...]
    """The engines' outcomes, in the same order."""
    number: int | None = None
    """Index of the number in reading order, from 0; None for a comparison of whole pictures."""
    box: Box | None = None
    """Left, top, right, bottom of the number in pixels of the picture; None if unknown."""

    @property
    def name(self) -> str:
        """The picture's name, followed by the number's position on it, counted from 1."""
        source = self.image.source
        return source if self.number is None else f"{source}, number {self.number + 1}"

    @property
    def by_engine(self) -> list[tuple[str, Outcome]]:
        """Pairs of each engine's name and outcome."""
        return list(zip(self.engines, self.outcomes, strict=True))

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """The answers and refusals, without the failures."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Prediction))

    @property
    def counted(self) -> tuple[Prediction, ...]:
        """The answers that vote; emulators vote only if no real engine answered (`answer.counted`).

        An answer below ``at_least`` does not vote, nor does a number of a length that the caller excludes.
        """
        return tuple(one for one in counted(self.outcomes) if one.reason not in (NOT_SURE, OTHER_LENGTH))

    @property
    def emulated(self) -> bool:
        """Whether only emulators answered; the verdict then says nothing about real engines."""
        return is_emulated(counted(self.outcomes))

    @property
    def agree(self) -> bool | None:
        """Whether all votes mean the same ("no digit" is a vote too); None for fewer than two votes."""
        votes = self.counted
        return len({vote.meaning for vote in votes}) == 1 if len(votes) > 1 else None

    @property
    def consensus(self) -> int | str | None:
        """The answer with more votes than any other, a date's text or "no digit" included; None for a tie."""
        said = [one.text if one.answer is None and one.meaning else one.answer for one in self._leading()]
        return said[0] if said else None

    @property
    def dissenters(self) -> tuple[str, ...]:
        """Names of the engines that voted against the majority; empty for a tie."""
        leading = self._leading()
        others = [vote for vote in self.counted if leading and vote not in leading]
        return tuple(name for name, outcome in self.by_engine if outcome in others)

    def _leading(self) -> list[Prediction]:
        """Return the votes for the most frequent meaning; empty for a tie."""
        counts = Counter(vote.meaning for vote in self.counted)
        best = [meaning for meaning, count in counts.items() if count == max(counts.values())]
        return [vote for vote in self.counted if best == [vote.meaning]]

    def as_dict(self) -> dict[str, Any]:
        """Return the picture, the verdicts and each engine's outcome as JSON-like values."""
        return {
            "source": self.image.source,
            "sha256": self.image.sha256,
            **({} if self.number is None else {"number": self.number, "box": self.box and list(self.box)}),
            "agree": self.agree,
            "consensus": self.consensus,
            "dissenters": list(self.dissenters),
            "emulated": self.emulated,
            "outcomes": {name: outcome.as_dict() for name, outcome in self.by_engine},
        }


def compare(
    image: ImageSource, providers: Sequence[AnyReader] | None = None, **how: Unpack[How]
) -> Comparison:
    """Read one picture with several engines at the same time.

    It takes about as long as the slowest engine. A failure of one engine does not affect the others.

    Args:
        image: anything `DigitImage.open` reads.
        providers: names, providers, engines or policies; None: all that are installed, configured and
            free of charge (see `free_engines`).
        how: ``lenient``, ``at_least`` and ``rotate``, as for `predict`.

    Returns:
        A Comparison. If the picture cannot be read, every engine's outcome is a Failure; if an engine is not
        installed or not configured, its outcome is a Failure for every picture.

    Raises:
        TypeError, ValueError: no providers, or an argument of the wrong kind or out of its range.
        UnknownProvider: no provider has this name.
    """
    return next(compare_stream([one_image(image)], providers, **how))


def compare_many(
    images: Iterable[ImageSource], providers: Sequence[AnyReader] | None = None, **how: Unpack[How]
) -> list[Comparison]:
    """Read many pictures with several engines: a Comparison for each picture, in order.

    Arguments and errors are those of `compare`; ``images`` as for `predict_many`.
    """
    return list(compare_stream(images, providers, **how))


def compare_stream(
    images: Iterable[ImageSource],
    providers: Sequence[AnyReader] | None = None,
    *,
    ask: Ask | None = None,
    **how: Unpack[How],
) -> Iterator[Comparison]:
    """Yield what `compare_many` returns; each Comparison as soon as it and all before it are complete.

    Only one batch of ``images`` is read ahead, so they may be endless. ``ask`` replaces the request for a
    digit by another, such as `comparison.numbers.numbers_asked`; each engine then opens the pictures
    itself.
    """
    names = free_engines(listings(os.environ)) if providers is None else listed(providers)
    readers = [reader_or_absent(provider) for provider in names]
    asked = ask or partial(stream, **how)
    for reader in readers:
        with suppress(NotConfigured):  # an engine that cannot read numbers is a Failure for every picture
            asked((), reader)  # raise the error here rather than in a thread
    most = max([WINDOW, *(reader.batch for reader in readers if isinstance(reader, Engine))])
    opener: Callable[..., ImageSource | Failure] = open_or_fail if ask is None else readable_again
    opened = map(partial(opener, asker=""), several_images(images))
    return (comparison for window in chunks(opened, most) for comparison in _compared(window, readers, asked))


def _compared(
    window: Sequence[ImageSource | Failure], readers: Sequence[Reader], ask: Ask
) -> Iterator[Comparison]:
    """Yield a Comparison for each picture, in order, as soon as all engines have answered."""
    names = _apart(list(map(name_of, readers)))
    good = {place: image for place, image in enumerate(window) if not isinstance(image, Failure)}
    arrivals = gather([(reader, good) for reader in readers], ask)
    said: list[dict[int, Outcome]] = [{} for _ in window]
    for image, outcomes in zip(window, said, strict=True):
        if isinstance(image, Failure):
            outcomes.update(enumerate(replace(image, provider=name) for name in names))
        while len(outcomes) < len(readers):
            reader, place, outcome = next(arrivals)
            said[place][reader] = outcome
        ordered = tuple(outcomes[number] for number in range(len(readers)))
        known = (outcome.image for outcome in ordered if outcome.image.sha256)
        yield Comparison(next(known, ordered[0].image), names, ordered)


def _apart(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of which the second and later equal ones have a number, as "local (2)"."""
    found: list[str] = []
    for name in names:
        free = (one for one in chain([name], (f"{name} ({n})" for n in count(2))) if one not in found)
        found.append(next(free))
    return tuple(found)


def readable_again(image: ImageSource, asker: str) -> ImageSource | Failure:
    """Read the bytes of a picture that can be read only once; return other pictures unchanged.

    If it cannot be read, return a Failure of ``asker``.
    """
    if not (hasattr(image, "read") or files.read_once(image)):
        return image
    try:
        data, name = files.read(cast(files.Encoded, image))
    except ImageError as error:
        return Failure(ImageRef(files.name_of(image), None), asker, error)
    return files.Frame(data, None, name)


def gather(
    work: Sequence[tuple[Reader, Mapping[int, ImageSource]]], ask: Ask
) -> Iterator[tuple[int, int, Outcome]]:
    """Yield the outcomes of each engine for its own pictures; all engines work at the same time.

    Each engine works in a thread of its own, so a slow or failing one does not affect the others; the
    threads never keep the program from ending. Leaving the iterator stops them after the call in flight.

    Yields:
        The engine's index in ``work``, the picture's key, and the outcome, in order of arrival.
    """

    def lane(number: int) -> Iterator[tuple[int, int, Outcome]]:
        """Yield one engine's outcomes; after a DigitrecError, a Failure for each remaining picture."""
        reader, images = work[number]
        left = dict(images)
        try:
            for place, outcome in zip(images, ask(images.values(), reader), strict=True):
                yield number, place, outcome
                del left[place]
        except DigitrecError as error:
            for place, image in left.items():
                ref = image.ref if isinstance(image, DigitImage) else ImageRef(files.name_of(image), None)
                yield number, place, Failure(ref, name_of(reader), error)

    return (arrival for _, arrival in spread(range(len(work)), lane, at_once=len(work)))


def reader_or_absent(provider: AnyReader, opened: Callable[[Any], Reader] = reader_for) -> Reader:
    """Open an engine; return a stand-in for one that is not installed, not configured or damaged."""
    try:
        return opened(provider)
    except (NotInstalled, NotConfigured, ModelError, LedgerError) as error:
        name = provider if isinstance(provider, str) else getattr(provider, "name", None)
        return Absent(name if isinstance(name, str) else type(provider).__name__, error)


@dataclass(slots=True, eq=False)
class Absent:
    """Stand-in for an engine that cannot be opened: a Failure for every picture."""

    name: str
    error: DigitrecError
    engines: Sequence[Engine] = ()

    def stream(self, images: Iterable[ImageSource], **how: Any) -> Iterator[Outcome]:
        """Raise the error at the first picture; `gather` turns it into a Failure for each picture."""
        for _ in images:
            raise self.error.with_traceback(None)  # a traceback would grow, and keep the pictures
        yield from ()

    read_stream = stream

    def close(self) -> None:
        """Release nothing."""


def free_engines(known: Iterable[registry.Listing]) -> list[str]:
    """Return the engines that are ready and free of charge, of those in `listings`.

    Raises:
        NotConfigured: no free engine is ready.
    """
    chosen = [one.name for one in known if not (one.status.missing or left_out_because(one))]
    if not chosen:
        raise NotConfigured("no free engine is installed and configured; name the engines to ask")
    return chosen


def listings(env: Mapping[str, str]) -> list[registry.Listing]:
    """Return all providers with their configured prices; send no request."""
    settings = config.load()
    found = registry.listings(env, settings.prices)
    return [_metered(one, env) if settings.tokens and one.price is None else one for one in found]


def _metered(listing: registry.Listing, env: Mapping[str, str]) -> registry.Listing:
    """Set the price of an engine that is ready and whose model's tokens have a price."""
    with suppress(DigitrecError), Engine(registry.open_provider(listing.name, env=env)) as engine:
        if engine.usd_by_tokens is not None and engine.usd_per_image is not None:
            return replace(listing, price=Price(engine.usd_per_image, MOST))
    return listing


def per_1000(price: Price) -> str:
    """Format the price of 1,000 images."""
    return f"{'up to ' if price.source == MOST else ''}${1000 * price.usd:.2f} per 1,000"


def left_out_because(listing: registry.Listing) -> str:
    """Return why a ready engine is only asked when named; "" for a free engine."""
    if listing.price is None:
        return "has no known price, so it is asked only by name"
    return f"costs {per_1000(listing.price)}, so only by name" if listing.price.usd else ""
