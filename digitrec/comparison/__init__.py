"""Compare engines: on one picture, on labelled pictures, and as a fallback or consensus."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from digitrec.answer.prediction import Outcome, Prediction, counted, html_table, is_emulated, sureness
from digitrec.comparison.race import Absent, race
from digitrec.errors import ModelError, NotConfigured, NotInstalled
from digitrec.image import ImageRef, ImageSource
from digitrec.image.batch import several_images
from digitrec.providers import registry
from digitrec.providers.base import Provider
from digitrec.recognise.readers import Reader, listed, name_of, reader_for

Answered = TypeVar("Answered")

UNSURE = 0.5
"""What the vote of an engine counts that gives no confidence at all."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What several engines said about one picture."""

    image: ImageRef
    """Which picture."""
    engines: tuple[str, ...]
    """Names of the engines, in the order they were given."""
    outcomes: tuple[Outcome, ...]
    """What each of them said, in the same order."""

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """The answers, refusals among them; whoever failed said nothing."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Prediction))

    @property
    def counted(self) -> tuple[Prediction, ...]:
        """The answers that vote: an emulator's only where nobody else answered (`prediction.counted`)."""
        return tuple(counted(self.outcomes))

    @property
    def emulated(self) -> bool:
        """True when only emulators answered: then all that is said of them together is a rehearsal."""
        return is_emulated(self.counted)

    @property
    def agree(self) -> bool | None:
        """Whether all who vote said the same, "no digit" being an answer; None for fewer than two."""
        votes = self.counted
        return len({vote.digit for vote in votes}) == 1 if len(votes) > 1 else None

    @property
    def consensus(self) -> int | None:
        """The digit that more engines named than gave any other answer, "no digit" being one; else None."""
        return next(iter(self._most), None)

    @property
    def weighted(self) -> int | None:
        """The digit with the most confidence behind it, added over the engines that named it.

        A vote weighs its ``calibrated`` chance where there is one, else its ``confidence``, else
        `UNSURE`. Uncalibrated confidences of different engines are not on one scale.
        """
        weights: dict[int, float] = {}
        for vote in self.counted:
            if vote.digit is not None:
                weights[vote.digit] = weights.get(vote.digit, 0.0) + sureness(vote, UNSURE)
        return next(iter(_leaders(weights)), None)

    @property
    def dissenters(self) -> tuple[str, ...]:
        """Names of the engines that voted otherwise than most did; empty where two answers are level."""
        votes = self.counted
        said = zip(self.engines, self.outcomes, strict=True)
        return tuple(
            name for name, outcome in said
            if self._most and isinstance(outcome, Prediction) and outcome in votes
            and outcome.digit not in self._most
        )  # fmt: skip

    @property
    def _most(self) -> tuple[int | None, ...]:
        """The answer that more engines gave than any other; none when two are level."""
        return _leaders(Counter(vote.digit for vote in self.counted))

    def as_dict(self) -> dict[str, Any]:
        """The picture, the verdicts and every outcome under its engine's name, as JSON-like values."""
        return {
            "source": self.image.source,
            "sha256": self.image.sha256,
            "agree": self.agree,
            "consensus": self.consensus,
            "weighted": self.weighted,
            "dissenters": list(self.dissenters),
            "emulated": self.emulated,
            "outcomes": {
                name: outcome.as_dict() for name, outcome in zip(self.engines, self.outcomes, strict=True)
            },
        }

    def _repr_html_(self) -> str:
        """The outcomes as a notebook shows them."""
        named = zip(self.engines, self.outcomes, strict=True)
        return html_table(replace(outcome, provider=name) for name, outcome in named)


def _leaders(votes: Mapping[Answered, float]) -> tuple[Answered, ...]:
    """The one with the most votes; none when two are level."""
    best = max(votes.values(), default=0.0)
    leading = tuple(answer for answer, weight in votes.items() if weight == best)
    return leading if len(leading) == 1 else ()


def compare(
    image: ImageSource, providers: Sequence[str | Provider | Reader] | None = None, *, lenient: bool = False
) -> Comparison:
    """One picture, read by several engines at the same time.

    The time it takes is near the slowest engine's, and whoever fails does so alone.

    Args:
        image: anything `DigitImage.open` reads.
        providers: names, providers, engines or policies; None: all that are installed, configured and
            free of charge (see `free_engines`).
        lenient: also take a letter that resembles a digit; the Prediction then says ``inferred``.

    Returns:
        A Comparison; a picture that cannot be read is a Failure of every engine, and an engine that is
        not installed or not configured is a Failure for every picture.

    Raises:
        TypeError, ValueError: no providers, or something else in their place.
        UnknownProvider: there is no provider of a name.
    """
    return next(compare_many([image], providers, lenient=lenient))


def compare_many(
    images: Iterable[ImageSource],
    providers: Sequence[str | Provider | Reader] | None = None,
    *,
    lenient: bool = False,
) -> Iterator[Comparison]:
    """The same for many pictures: a Comparison for each, in order, as they are ready."""
    names = free_engines(os.environ)[0] if providers is None else listed(providers)
    readers = [_reader_or_absent(provider) for provider in names]
    return _compared(several_images(images), readers, lenient)


def _compared(
    images: Iterable[ImageSource], readers: Sequence[Reader], lenient: bool
) -> Iterator[Comparison]:
    labels = tuple(name_of(reader) for reader in readers)
    rows: dict[int, dict[int, Outcome]] = {}
    ready = 0
    for arrival in race(images, readers, lenient=lenient):
        rows.setdefault(arrival.image, {})[arrival.reader] = arrival.outcome
        while len(rows.get(ready, ())) == len(readers):
            row = rows.pop(ready)
            outcomes = tuple(row[place] for place in range(len(readers)))
            yield Comparison(outcomes[0].image, labels, outcomes)
            ready += 1


def _reader_or_absent(provider: str | Provider | Reader) -> Reader:
    try:
        return reader_for(provider)
    except (NotInstalled, NotConfigured, ModelError) as error:
        return Absent(str(provider), error)


def free_engines(env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The engines that can be asked at once and cost nothing, and why each of the others is left out.

    Told offline, as `digitrec.providers.registry.listings` does.

    Raises:
        NotConfigured: there is none.
    """
    chosen, left_out = [], {}
    for listing in registry.listings(env):
        if listing.status.missing:
            left_out[listing.name] = "; ".join(listing.status.missing)
        elif listing.price is None:
            left_out[listing.name] = "its price is not known, so it is asked only by name"
        elif listing.price.usd > 0:
            left_out[listing.name] = f"costs ${1000 * listing.price.usd:.2f} per 1,000, so only by name"
        else:
            chosen.append(listing.name)
    if not chosen:
        raise NotConfigured("no free engine is installed and configured; name the engines to ask")
    return chosen, left_out
