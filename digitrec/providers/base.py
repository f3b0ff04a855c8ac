"""The contract between digitrec and anything that can read a digit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from digitrec.answer import Answer
from digitrec.errors import NotConfigured, NotInstalled, ProviderError, arguments, install_hint
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.addresses import PLAIN_HTTP, in_the_clear, split


@dataclass(frozen=True, slots=True)
class Price:
    """What one image costs, before any free allowance."""

    usd: float
    """US dollars for one image, >= 0; 0 is free."""
    source: str
    """Where the figure comes from and when it was read."""

    def __post_init__(self) -> None:
        """Check the price.

        Raises:
            TypeError, ValueError: it is not a number >= 0.
        """
        arguments.number("usd", self.usd, 0)


FREE = Price(0.0, "runs on this machine")
CUT_OUT = 200
"""A picture whose shorter side has at most this many pixels is taken for one line, cut out of a page."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is there for a provider, found by looking and not by asking: no network, no process."""

    installed: bool
    """True when its optional packages are importable."""
    configured: bool
    """True when everything it needs before the first call was found."""
    missing: tuple[str, ...] = ()
    """What to install or set, each in words; empty when it is ready."""
    found: tuple[str, ...] = ()
    """Names of variables and files that will be used; never what is in them."""


def is_installed(module: str) -> bool:
    """Whether ``module`` could be imported, without importing it (its parent packages are)."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is absent
        return False


def first_set(env: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the first of the variables that is set and not empty, or ""."""
    return next((name for name in names if env.get(name)), "")


def not_installed(what: str, extra: str) -> NotInstalled:
    """Return the error for an optional package that is missing.

    Args:
        what: what needs it, as it stands at the start of the message.
        extra: the extra of digitrec that brings it; any other name is shown as the package to install.
    """
    from importlib.metadata import metadata

    ours = metadata("digitrec").get_all("Provides-Extra", [])
    todo = install_hint(extra) if extra in ours else f"pip install '{extra}'"
    return NotInstalled(f"{what} needs packages that are not installed; {todo}")


def looked(extra: str, package: str, found: Iterable[str], missing: Sequence[str]) -> Status:
    """Return the status of a provider of ours.

    Args:
        extra: the extra of digitrec that brings ``package``, a module.
        found: variables and files that will be used.
        missing: what to set, each in words.
    """
    installed = is_installed(package)
    install = () if installed else (install_hint(extra),)
    return Status(installed, not missing, (*install, *missing), tuple(found))


def checked_endpoint(endpoint: str, variable: str, *, allow_plain_http: bool = True) -> str:
    """Return the address of a service, without a trailing slash.

    Args:
        endpoint: an address such as "https://ocr.example".
        variable: where it comes from, for the message.
        allow_plain_http: whether one on another machine may be without encryption. Pass False where a
            key, a token or a picture goes there; then `addresses.PLAIN_HTTP` is named as the way out.

    Raises:
        NotConfigured: the address is invalid; has spaces, line breaks, a user name, a password or a query; or
            is unencrypted. The message never shows the address: it may be a misplaced key.
    """
    parts = split(endpoint)
    if parts is None or parts.scheme not in ("http", "https") or re.search(r"[{}@?#\\]", endpoint):
        raise NotConfigured(f"{variable} must be an address that begins with https:// and names a host")
    if not allow_plain_http and in_the_clear(endpoint):
        raise NotConfigured(
            f"{variable} holds an http:// address, where key and picture could be read on the way; "
            f"use https://, or set {PLAIN_HTTP}=1 to allow it"
        )
    return endpoint.rstrip("/")


def checked_key(key: str, variable: str) -> str:
    """Return a key without the line break that a file adds at its end.

    Raises:
        NotConfigured: it holds a character that no key has; the error of an HTTP library would quote it.
    """
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise NotConfigured(f"{variable} has a character that no key contains; copy the key again")
    return key


@runtime_checkable
class Provider(Protocol):
    """Something that reads the digit on one prepared image, in one attempt.

    A provider neither retries nor waits nor remembers: `digitrec.engine.Engine` does that around it.
    It knows its vendor's wire format; it does not know what counts as a digit
    (`digitrec.recognise.normalise`).
    The engine calls ``read`` and ``read_many`` from several threads at once, never from the main one.
    """

    name: str
    """Name of this engine; an attribute of the instance, so that two local models are two engines."""
    wants: InputSpec
    """The form in which it wants its images."""
    price: Price | None
    """What one image costs; None: unknown."""
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


@runtime_checkable
class ForNumbers(Protocol):
    """A provider that reads whole numbers in another way than one digit.

    A provider without this method is sent the same request for numbers as for a digit (the whole picture),
    and each `digitrec.answer.Candidate` with digits in it may become a number.
    """

    def for_numbers(self) -> Provider:
        """Return the provider to ask about the numbers on a picture, under the same name.

        Its ``wants`` says which picture it takes: encoding "rgb" gives a network the pixels as they are, in
        ``image.picture()``. Its ``read`` returns a candidate for each number, with a box in pixels of that
        picture, a score, and where they are known the `digitrec.answer.Sign` of each character and the
        calibrated ``chance``. Its ``options`` differ from those of this provider if the question does, so
        that the ledger tells the answers apart. Closing either of them closes both.

        Raises:
            DigitrecError: it cannot read numbers here; the message says what is missing.
        """


@runtime_checkable
class Resumable(Protocol):
    """A provider whose answer is ordered first and fetched later, so that a cut-off call is not lost.

    ``read`` is ``start``, then ``poll`` until there is an answer. Whoever must not pay twice calls them
    apart, keeps the token between them, and does the waiting: each of them is one request.
    """

    poll_s: float
    """Seconds to wait before each ``poll``, > 0."""

    def start(self, image: PreparedImage, *, timeout: float) -> str:
        """Send the image, which is what costs; return a token (no key in it) that ``poll`` takes.

        Raises:
            ProviderError: as for ``read``; nothing was started.
        """

    def poll(self, token: str, *, timeout: float) -> Answer | float | None:
        """Look once at what ``start`` began, in this process or an earlier one.

        Return None where it is not ready yet, or the seconds that the service asks to wait before the next
        look (a float; no shorter wait than ``poll_s`` is made).

        Raises:
            Rejected: what was ordered has failed (no status), or is not there any more (404, 410): the
                token is of no use from now on. With any other status it stays good.
            ProviderError: as for ``read``; the same token may be tried again.
        """


@runtime_checkable
class Metered(Protocol):
    """A provider that is paid by the token: what an image costs is known when its answer is there.

    The price of a token is a setting of the user's, by model (`digitrec.engine.config`).
    """

    model: str
    """The model that is asked, by the name under which its prices are set."""
    most_tokens: tuple[int, int]
    """Tokens of one question and of its answer at most, as far as is known: what a budget sets aside."""

    def tokens(self, answer: Answer) -> tuple[int, int] | None:
        """Tokens of the question and of the answer, as the vendor counted them; None where it did not say.

        Also called with the ``raw`` of an answer that could not be used, which may be any JSON object.
        """


@runtime_checkable
class Adjustable(Protocol):
    """A provider whose request has parameters that some servers refuse."""

    def adjust(self, leave_out: Sequence[str], max_tokens: int | None) -> None:
        """Apply the user's settings, before the first question.

        Args:
            leave_out: parameters that are never sent.
            max_tokens: tokens that an answer may have; None: the provider's own limit.

        Raises:
            NotConfigured: a parameter cannot be left out.
        """

    def parameters(self) -> Mapping[str, str]:
        """Each parameter by name, and what became of it: "accepted", "refused" or "left out"."""


Stage = tuple[str, NDArray[np.float32]]
"""A layer's name, and its feature maps, (H, W, C): what its C filters found, and where."""


@runtime_checkable
class Inspectable(Protocol):
    """A provider that can show what happens inside its network."""

    def stages(self, image: PreparedImage) -> Sequence[Stage]:
        """Return the feature maps of each layer for ``image.data``, in the order of the work; empty: none."""

    def grad_cam(self, image: PreparedImage, of: Sequence[int]) -> NDArray[np.float32] | None:
        """Return class activation maps of ``image.data`` for N digits, (N, 28, 28), >= 0; None: none."""


def answer_or_error(ask: Callable[[], Answer]) -> Answer | ProviderError:
    """Return what ``ask`` returns, or the error that it raises."""
    try:
        return ask()
    except ProviderError as error:
        return error


class BaseProvider:
    """What most providers share; subclassing it is a convenience, not a duty."""

    name: str
    wants: InputSpec
    price: Price | None = None
    endpoint: str | None = None
    rate: float | None = None
    """Requests a second that the vendor allows by default; None: unlimited."""
    attempt_timeout: float = 10.0
    """Seconds for one request, > 0, unless `Options` or the configuration set another limit."""
    batch: int = 1
    """How many images one request of ``read_many`` carries at most, >= 1."""
    notice: str | None = None
    """What its users should know before they build on it, such as the day on which it ends; None: nothing."""
    options: Mapping[str, Any] = {}
    """The settings that change its answers, JSON-like; what was asked with the same may be replayed."""
    variables: ClassVar[Mapping[str, Sequence[str]]] = {}
    """The variables that may hold each option of the constructor; the first one that is set counts."""

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Build it from `variables`; ``options`` override them."""
        names = {option: first_set(env, names) for option, names in cls.variables.items()}
        return cls(**{**{option: env[name] for option, name in names.items() if name}, **options})

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Report offline, from ``env`` and the disk, whether it can run; by default it can."""
        return Status(installed=True, configured=True)

    # A subclass overrides at least one of the next two: each calls the other.

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once, for at most ``timeout`` seconds."""
        (outcome,) = self.read_many([image], timeout=timeout)
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> list[Answer | ProviderError]:
        """Ask about several one after the other; a failure takes only its own place."""
        return [answer_or_error(partial(self.read, image, timeout=timeout)) for image in images]

    def load(self) -> None:
        """Do ahead of the first ``read`` what only the first one would do; by default nothing."""

    def close(self) -> None:
        """Nothing to release."""
