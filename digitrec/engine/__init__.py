"""An engine: a provider with retries, rate limit, budget and ledger.

The parts, in the order in which they handle an image::

    request.py   a remote or paid provider: price, budget, ledger, the retry loop, what may have cost money,
                 and answers that are ordered first and fetched later
    detect.py    whether an endpoint is an emulator
    threads.py   a bounded map over threads, and cancellation
    replay.py    an engine that answers from a recording
"""

from __future__ import annotations

import logging
import os
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial, wraps
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from digitrec.answer import Answer, checked
from digitrec.errors import (
    DigitrecError,
    ImageError,
    NotConfigured,
    ProviderError,
    arguments,
    lightened,
)
from digitrec.errors.arguments import said
from digitrec.image import DigitImage, InputSpec, PreparedImage
from digitrec.prepare import prepare
from digitrec.providers import registry
from digitrec.providers.base import BaseProvider, ForNumbers, Provider

if TYPE_CHECKING:
    from digitrec.engine.config import Config

__all__ = ["Engine", "Estimate", "Options", "Reply"]

log = logging.getLogger(__name__)

Given = TypeVar("Given")
Outcome = Answer | DigitrecError
"""The result for one image: a usable answer, or an error."""
LONGEST_S = 1_000_000
"""Maximum of a time in seconds, eleven days: much larger values overflow the system's clocks."""
PATIENCE_S, PATIENCE_REMOTE_S = 0.2, 1.0
"""Maximum wait for a full batch, in seconds, of engines on this machine and of others: short, so that answers
appear soon."""


def _account() -> str:
    """Return a new account's name, which begins with the process that has it."""
    return f"{os.getpid()}:{os.urandom(8).hex()}"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of an engine; a free provider on this machine ignores them.

    Raises:
        TypeError, ValueError: a setting is of the wrong kind or out of its range; the message names it.
    """

    timeout: float = 30.0
    """Seconds for one image, retries included, > 0 and at most a million; also limits the request in flight.
    Waiting for the rate limit does not count, so a rate limit alone never makes an image fail."""
    attempt_timeout: float | None = None
    """Seconds for one request to the provider, > 0 and at most a million; never more than the rest of
    ``timeout``. None: the configuration's setting for this provider, else the provider's own default."""
    attempts: int = 5
    """Maximum number of attempts for one image, >= 1."""
    concurrency: int = 4
    """Maximum number of simultaneous requests, >= 1."""
    max_cost: float | None = None
    """Maximum US dollars that all engines with these options may spend together, >= 0; None: no limit."""
    ledger: Path | Literal["default", "none"] = "default"
    """The file of paid answers; "default": the configured file; "none": answers are not saved."""
    fresh: bool = False
    """True: ask, and pay, even if the ledger has the answer; the new answer is saved too."""
    record: Path | None = None
    """The recording, a separate ledger file to which every answer is also written; None: no recording."""
    _config: Config | None = field(default=None, kw_only=True, repr=False)
    """The configuration; None: read from the configuration file."""
    _run: str = field(default_factory=_account, kw_only=True, repr=False)
    """The account to which ``max_cost`` applies; each Options object has a new one, except copies by
    `dataclasses.replace`."""

    if not TYPE_CHECKING:  # otherwise a type checker would accept any name

        def __getattr__(self, name: str) -> Any:
            """Return an internal setting by its old name."""
            if name in _INTERNAL:
                _warn(name)
                return getattr(self, f"_{name}")
            raise AttributeError(name)

    def __post_init__(self) -> None:
        """Check every setting now rather than at its first use."""
        found: dict[str, Any] = {
            "timeout": arguments.number("timeout", self.timeout, 0, LONGEST_S, above=True),
            "attempts": arguments.whole("attempts", self.attempts, 1),
            "concurrency": arguments.whole("concurrency", self.concurrency, 1),
        }
        if (value := self.attempt_timeout) is not None:
            found["attempt_timeout"] = arguments.number("attempt_timeout", value, 0, LONGEST_S, above=True)
        if self.max_cost is not None:
            found["max_cost"] = arguments.number("max_cost", self.max_cost, 0)
        if self.ledger not in ("default", "none"):
            found["ledger"] = arguments.path("ledger", self.ledger)
        if self.record is not None:
            found["record"] = arguments.path("record", self.record)
        for name, value in found.items():  # NumPy's numbers become Python's
            object.__setattr__(self, name, value)
        if not isinstance(self.fresh, bool):
            raise TypeError(f"fresh must be True or False, got {said(self.fresh)}")


_INTERNAL = {"config", "run"}
"""Names of settings that were public up to version 0.2."""


_init = Options.__init__


@wraps(_init)
def _init_with_old_names(self: Options, *values: Any, **named: Any) -> None:
    """Accept the old names of internal settings for one more version."""
    for name in _INTERNAL & set(named):
        _warn(name)
        named[f"_{name}"] = named.pop(name)
    _init(self, *values, **named)


def _warn(name: str) -> None:
    warnings.warn(f"Options.{name} is internal; do not use it", DeprecationWarning, stacklevel=3)


Options.__init__ = _init_with_old_names  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class Reply:
    """The result for one image."""

    outcome: Outcome
    """The answer, or the error."""
    latency_s: float
    """Seconds from the request to this reply, waiting and retries included, >= 0."""
    cost_usd: float | None = 0.0
    """US dollars spent; attempts with an unknown outcome count as paid; None: unknown."""
    attempts: int = 1
    """Number of times the provider was asked, >= 0."""
    replayed: bool = False
    """True if the answer came from the ledger or a recording."""
    emulated: bool = False
    """True if an emulator answered."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The requests and the cost that some images would take."""

    provider: str
    """Name of the engine."""
    images: int
    """Number of images, >= 0."""
    replayed: int
    """Number of images that are already answered, or equal to another image, >= 0."""
    requests: int
    """Number of requests to send if no request fails, >= 0."""
    cost_usd: float | None
    """US dollars for these requests before any free allowance; None: unknown."""


class Engine:
    """Asks one provider and returns the outcome; a provider's failure is an outcome, never an exception."""

    def __init__(self, provider: str | Provider, options: Options = Options()) -> None:
        """Make the engine; no request is sent and no file is created yet.

        Args:
            provider: a provider, or the registered name of one.
            options: timeouts, attempts, budget and ledger.

        Raises:
            TypeError: an argument is of the wrong type.
            UnknownProvider, NotInstalled, ModelError: no usable provider has this name.
            NotConfigured: the configuration file is wrong, there is a budget but no known price, or an
                attribute of the provider is invalid.
        """
        if not isinstance(options, Options):
            raise TypeError(f"options must be a digitrec.Options, got {said(options)}")
        self.provider = provider = registry.open_provider(provider) if isinstance(provider, str) else provider
        if isinstance(provider, type) or not callable(getattr(provider, "read", None)):
            raise TypeError(f"a provider must be a name or a digitrec.Provider, got {said(provider)}")
        if flaw := registry.flaw_of(provider):
            kind = type(provider).__name__
            raise NotConfigured(f"the provider of class {kind} cannot be used: {flaw}; tell its author")
        self.options = options
        self.wants: InputSpec = provider.wants
        """The form in which the provider gets images."""
        self.loading_s: float | None = None
        """Seconds that `load` took, >= 0; None before it."""
        self.usd_per_image: float | None = 0.0
        """US dollars for one image, from the configuration file or else the provider; None: unknown."""
        self.usd_by_tokens: Callable[[object], float | None] | None = None
        """The price of an answer in US dollars, by its tokens; None: each image has the same price."""
        self._remote = None
        self.batch: int = getattr(provider, "batch", 1)
        """Number of images that `ask` handles best at once; on this machine their latency is the mean."""
        self.patience_s: float = PATIENCE_S
        """Seconds to wait for a full batch, >= 0."""
        if provider.endpoint is not None or provider.price is None or provider.price.usd > 0:
            from digitrec.engine.request import Remote

            self._remote = Remote(provider, options)
            self.batch, self.patience_s = self._remote.batch, PATIENCE_REMOTE_S
            self.usd_per_image = self._remote.price
            self.usd_by_tokens = self._remote.usd_by_tokens if self._remote.tokens else None

    @property
    def is_remote(self) -> bool:
        """Whether asking may cost money or send the picture to another machine."""
        return self._remote is not None

    @cached_property
    def for_numbers(self) -> Engine:
        """The engine that reads numbers with the same options: this one, or that of `ForNumbers`.

        Raises:
            NotConfigured: the provider reads one digit on 28x28 pixels only.
            DigitrecError: as for `ForNumbers.for_numbers`.
        """
        if isinstance(self.provider, ForNumbers):
            provider = self.provider.for_numbers()
            return self if provider is self.provider else Engine(provider, self.options)
        if self.wants.encoding == "mnist":
            raise NotConfigured(
                f"{self.provider.name} reads one digit on 28x28 pixels, not numbers; name another engine"
            )
        if not self.wants.crop:
            return self
        from digitrec.prepare.encode import spec_for

        whole = Engine(self.provider, self.options)
        whole.wants = spec_for(self.wants, "plain")
        return whole

    def load(self, image: DigitImage) -> None:
        """Load what preparing and reading the first picture needs; later calls do nothing.

        Without it the first picture's latency would include imports and a network's first run.

        Args:
            image: a picture, which is prepared and then discarded; the provider does not get it.
        """
        if self.loading_s is not None:
            return
        start = time.perf_counter()
        with suppress(ImageError):  # preparing the picture again reports the error
            prepare(image, self.wants)
        caught(self.provider, getattr(self.provider, "load", lambda: None))  # reading reports the error
        self.loading_s = time.perf_counter() - start

    def ask(self, images: Sequence[PreparedImage]) -> list[Reply]:
        """Ask about images; return one reply for each, in order.

        Raises:
            LedgerError: the ledger cannot be opened; no request was sent.
        """
        if self._remote is not None:
            return self._remote.ask(images)
        start = time.perf_counter()
        outcomes = read_many(self.provider, images, timeout=self.options.timeout)
        spent = (time.perf_counter() - start) / max(len(outcomes), 1)
        return [Reply(outcome, spent) for outcome in outcomes]

    def estimate(self, images: Iterable[PreparedImage]) -> Estimate:
        """Estimate the cost of `ask` for these images; send nothing, read each image once and keep none.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        if self._remote is not None:
            return self._remote.estimate(images)
        count = sum(1 for _ in images)
        return Estimate(self.provider.name, count, 0, count, 0.0)

    def __enter__(self) -> Self:
        """Return the engine itself; the ``with`` block closes it at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the engine, even after an exception."""
        self.close()

    def close(self) -> None:
        """Release the provider and the ledger; may be called twice."""
        others = self.__dict__.pop("for_numbers", self)
        try:
            if self._remote is not None:
                self._remote.close()
            if others is not self:
                others.close()
        finally:
            self.provider.close()


# One call of a provider


def read_many(provider: Provider, images: Sequence[PreparedImage], *, timeout: float) -> list[Outcome]:
    """Return the outcome of each image; a failed call of a `read_many` of its own is every outcome."""
    if len(images) == 1 or getattr(provider.read_many, "__func__", None) is BaseProvider.read_many:
        read = partial(provider.read, timeout=timeout)
        return [usable(provider, caught(provider, partial(read, image))) for image in images]

    def call() -> list[object]:
        # One outcome more would show that there are too many.
        return list(islice(provider.read_many(images, timeout=timeout), len(images) + 1))

    given = caught(provider, call)
    if isinstance(given, DigitrecError):
        return [given for _ in images]
    if len(given) != len(images):
        return [_bug(provider, "it did not give one outcome for each image")] * len(images)
    return [usable(provider, outcome) for outcome in given]


def caught(provider: Provider, call: Callable[[], Given]) -> Given | DigitrecError:
    """Return the result of ``call``, or its error as a `DigitrecError`.

    Raises:
        KeyboardInterrupt, SystemExit: raised by ``call``; the program must end.
    """
    try:
        return call()
    except DigitrecError as error:
        return _named(provider, lightened(error))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # another package's code may raise anything
        # The message may hold secrets, which must not be logged; the traceback's places hold none.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.debug("the provider %s raised %s\n%s", provider.name, type(error).__name__, where)
        return _bug(provider, type(error).__name__, lightened(error))


def usable(provider: Provider, given: object) -> Outcome:
    """Return a usable outcome unchanged; turn anything else into an error."""
    if isinstance(given, DigitrecError):
        return _named(provider, given)
    if not isinstance(given, Answer):
        return _bug(provider, f"it gave {type(given).__name__} where an Answer belongs")
    return caught(provider, lambda: checked(given))


def _named(provider: Provider, error: DigitrecError) -> DigitrecError:
    if isinstance(error, ProviderError):
        error.provider = error.provider or provider.name
    return error


def _bug(provider: Provider, what: str, cause: BaseException | None = None) -> ProviderError:
    said = f"the provider {provider.name} failed: {what}; this is a bug in it: report it to its author"
    error = ProviderError(said, provider=provider.name)
    error.__cause__ = cause
    return error
