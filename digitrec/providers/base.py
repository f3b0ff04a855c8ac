"""The contract between digitrec and anything that can read a digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from digitrec.answer import Answer
from digitrec.errors import ProviderError
from digitrec.image import InputSpec, PreparedImage


@dataclass(frozen=True, slots=True)
class Price:
    """What one image costs, before any free allowance."""

    usd: float
    """US dollars for one image, >= 0; 0 is free."""
    source: str
    """Where the figure comes from and when it was read."""


FREE = Price(0.0, "runs on this machine")


@runtime_checkable
class Provider(Protocol):
    """Something that reads the digit on one prepared image, in one attempt.

    A provider neither retries nor waits nor remembers: `digitrec.engine.Engine` does that around it.
    It knows its vendor's wire format; it does not know what counts as a digit (`digitrec.normalise`).
    """

    name: str
    """Name of this engine; an attribute of the instance, so that two local models are two engines."""
    wants: InputSpec
    """The form in which it wants its images."""
    price: Price | None
    """What one image costs; None is unknown."""
    endpoint: str | None
    """Where it sends images; None when it runs on this machine."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Build it from environment variables; the only place that reads them.

        Raises:
            NotConfigured: a variable is missing; the message names it.
            NotInstalled: the extra is missing; the message names it.
        """

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once, for at most ``timeout`` seconds.

        Raises:
            ProviderError: the matching subclass when there is no usable answer.
        """

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> list[Answer | ProviderError]:
        """Ask about several; one answer or error for each, in order."""

    def close(self) -> None:
        """Release what it holds; may be called twice."""


class BaseProvider:
    """What most providers share; subclassing it is a convenience, not a duty."""

    name: str
    wants: InputSpec
    price: Price | None = None
    endpoint: str | None = None

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once, for at most ``timeout`` seconds."""
        raise NotImplementedError

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> list[Answer | ProviderError]:
        """Ask about several one after the other; a failure takes only its own place."""
        return [self._read_or_error(image, timeout) for image in images]

    def _read_or_error(self, image: PreparedImage, timeout: float) -> Answer | ProviderError:
        try:
            return self.read(image, timeout=timeout)
        except ProviderError as error:
            return error

    def close(self) -> None:
        """Nothing to release."""
