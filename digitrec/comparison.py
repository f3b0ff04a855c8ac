"""One picture, many engines, side by side: what each says, and whether they agree."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from digitrec.batch import several
from digitrec.errors import ModelError, NotConfigured, NotInstalled
from digitrec.image import ImageRef, ImageSource
from digitrec.prediction import Prediction, sureness
from digitrec.providers import registry
from digitrec.providers.base import Provider
from digitrec.race import Absent, race
from digitrec.recognise import Outcome, Reader, listed, name_of, reader_for

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
    def agree(self) -> bool | None:
        """Whether all who answered said the same, "no digit" being an answer; None for fewer than two."""
        answers = {prediction.digit for prediction in self.predictions}
        return len(answers) == 1 if len(self.predictions) > 1 else None

    @property
    def consensus(self) -> int | None:
        """The digit that more engines named than any other; None when two are level or none was named."""
        return _leader(Counter(digit for digit, _ in self._votes()))

    @property
    def weighted(self) -> int | None:
        """The digit with the most confidence behind it, added over the engines that named it.

        A vote weighs its ``calibrated`` chance where there is one, else its ``confidence``, else
        `UNSURE`. Uncalibrated confidences of different engines are not on one scale.
        """
        weights: Counter[int] = Counter()
        for digit, weight in self._votes():
            weights[digit] += weight  # type: ignore[assignment]  # a Counter adds floats as well
        return _leader(weights)

    @property
    def dissenters(self) -> tuple[str, ...]:
        """Names of the engines that answered otherwise than the consensus; empty without one."""
        if self.consensus is None:
            return ()
        said = zip(self.engines, self.outcomes, strict=True)
        return tuple(
            name for name, outcome in said
            if isinstance(outcome, Prediction) and outcome.digit != self.consensus
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """The picture, the verdicts and every outcome under its engine's name, as JSON-like values."""
        return {
            "source": self.image.source,
            "sha256": self.image.sha256,
            "agree": self.agree,
            "consensus": self.consensus,
            "weighted": self.weighted,
            "dissenters": list(self.dissenters),
            "outcomes": {
                name: outcome.as_dict() for name, outcome in zip(self.engines, self.outcomes, strict=True)
            },
        }

    def _votes(self) -> Iterator[tuple[int, float]]:
        for prediction in self.predictions:
            if prediction.digit is not None:
                yield prediction.digit, sureness(prediction, UNSURE)


def _leader(votes: Counter[int]) -> int | None:
    """The one with the most votes; None when there is none or two are level."""
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


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
    return _compared(several(images), readers, lenient)


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
