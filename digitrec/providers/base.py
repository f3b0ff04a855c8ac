"""Define the interface of a provider: anything that reads a digit."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from digitrec.answer import Answer
from digitrec.errors import DigitrecError, NotConfigured, NotInstalled, ProviderError, arguments, install_hint
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.addresses import PLAIN_HTTP, in_the_clear, split


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one image, before any free allowance."""

    usd: float
    """US dollars for one image, >= 0; 0 is free."""
    source: str
    """Source of the figure, and the date on which it was read."""

    def __post_init__(self) -> None:
        """Check the price.

        Raises:
            TypeError, ValueError: the price is not a number >= 0.
        """
        arguments.number("usd", self.usd, 0)


FREE = Price(0.0, "runs on this machine")
CUT_OUT = 200
"""A picture whose shorter side has at most this many pixels counts as one line, cut out of a page."""


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a provider is ready, as far as can be told without a network or another process."""

    installed: bool
    """True if its optional packages can be imported."""
    configured: bool
    """True if all settings that it needs before the first request were found."""
    missing: tuple[str, ...] = ()
    """Packages to install and settings to set, in words; empty if the provider is ready."""
    found: tuple[str, ...] = ()
    """Names of the variables and files that will be used; never their contents."""


def is_installed(module: str) -> bool:
    """Return whether ``module`` can be imported, without importing it (its parent packages are imported)."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def first_set(env: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the name of the first variable that is set and not blank, or ""."""
    return next((name for name in names if env.get(name, "").strip()), "")


def not_installed(what: str, extra: str) -> NotInstalled:
    """Return the error for an optional package that is missing.

    Args:
        what: the feature that needs the package, as the start of the message.
        extra: the extra of digitrec that installs it, or several, with commas; any other name is shown as the
            package to install.
    """
    from importlib.metadata import metadata

    ours = metadata("digitrec").get_all("Provides-Extra", [])
    todo = install_hint(extra) if {*extra.split(",")} <= {*ours} else f"pip install '{extra}'"
    return NotInstalled(f"{what} needs packages that are not installed; {todo}")


@contextmanager
def requires(what: str, extra: str) -> Iterator[None]:
    """Raise the error of `not_installed`, with its arguments, if an import in the ``with`` fails."""
    try:
        yield
    except ImportError as error:
        raise not_installed(what, extra) from error


def looked(
    extra: str, packages: Iterable[str], found: Iterable[str], missing: Sequence[str],
    build: Callable[[], object] | None = None,
) -> Status:  # fmt: skip
    """Return the status of one of digitrec's own providers.

    Args:
        extra: the extra of digitrec that installs the modules ``packages``.
        found: variables and files that will be used.
        missing: settings to set, in words.
        build: builds the provider without a network, which raises a DigitrecError for invalid settings.
    """
    installed = all(map(is_installed, packages))
    if build and installed and not missing:
        try:
            build()
        except DigitrecError as error:
            missing = (str(error),)
    install = () if installed else (install_hint(extra),)
    return Status(installed, not missing, (*install, *missing), tuple(found))


def checked_endpoint(endpoint: str, variable: str, *, allow_plain_http: bool = True) -> str:
    """Return the address of a service, without a trailing slash.

    Args:
        endpoint: an address such as "https://ocr.example".
        variable: the variable with the address, for the message.
        allow_plain_http: whether an address on another machine may be unencrypted. Pass False if a key, a
            token or a picture is sent there; the message then names `addresses.PLAIN_HTTP` as the
            alternative.

    Raises:
        NotConfigured: the address is invalid; contains spaces, line breaks, a user name, a password or a
            query; or is unencrypted. The message never shows the address: it may be a misplaced key.
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
    """Return a key without the line break at its end, which a file may add.

    Raises:
        NotConfigured: the key contains a character that no key has; an HTTP library's error would quote it.
    """
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise NotConfigured(f"{variable} has a character that no key contains; copy the key again")
    return key


@runtime_checkable
class Provider(Protocol):
    """An engine's adapter: reads the digit on one prepared image, in one attempt.

    A provider does not retry, wait or cache: `digitrec.engine.Engine` does so. It knows its vendor's wire
    format; it does not decide what counts as a digit (`digitrec.recognise.normalise`). The engine calls
    ``read`` and ``read_many`` from several threads at once; those with an endpoint or a price never from the
    main one.
    """

    @property
    def name(self) -> str:
        """Name of this engine; of the instance, so that two local models can have two names."""

    @property
    def wants(self) -> InputSpec:
        """The form in which the provider takes images."""

    @property
    def price(self) -> Price | None:
        """The price of one image; None: unknown."""

    @property
    def endpoint(self) -> str | None:
        """The address that images are sent to; None for a provider on this machine."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Build the provider from environment variables; no other method reads them.

        Raises:
            NotConfigured: a variable is missing; the message names it.
            NotInstalled: the extra is missing; the message names it.
        """

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Send one request, for at most ``timeout`` seconds.

        Raises:
            ProviderError: there is no usable answer; the subclass says why.
        """

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> list[Answer | ProviderError]:
        """Send one request for several images; return one answer or error for each, in order.

        Raises:
            ProviderError: the request failed for all of them.
        """

    def close(self) -> None:
        """Release the provider's resources; may be called twice."""


@runtime_checkable
class ForNumbers(Protocol):
    """A provider that reads whole numbers in another way than one digit.

    A provider without this method gets the same request for numbers as for a digit (the whole picture), and
    each `digitrec.answer.Candidate` that contains digits may become a number.
    """

    def for_numbers(self) -> Provider:
        """Return the provider that reads the numbers on a picture, under the same name.

        Its ``wants`` says which picture it takes: encoding "rgb" gives a network the unchanged pixels in
        ``image.picture()``. Its ``read`` returns a candidate for each number: a box in pixels of that
        picture, a score, and if known the `digitrec.answer.Sign` of each character and the calibrated
        ``chance``. If it sends another request, its ``options`` must differ from those of this provider, so
        that the ledger keeps the answers apart. Closing one of the two closes both.

        Raises:
            DigitrecError: numbers cannot be read here; the message says what is missing.
        """


@runtime_checkable
class Resumable(Protocol):
    """A provider that is asked in two steps, so that an interrupted call is not lost.

    ``read`` is ``start``, then ``poll`` until there is an answer. A caller that must not pay twice calls the
    two separately, saves the token in between, and waits itself: each call is one request.
    """

    poll_s: float
    """Seconds to wait before each ``poll``, > 0."""

    def start(self, image: PreparedImage, *, timeout: float) -> str:
        """Send the image, which is the step that costs money; return a token for ``poll`` that holds no key.

        Raises:
            ProviderError: as for ``read``; no operation was started.
        """

    def poll(self, token: str, *, timeout: float) -> Answer | float | None:
        """Ask once for the result of ``start``, which this process or an earlier one called.

        If the result is not ready, return None, or as a float the seconds that the service asks to wait
        before the next poll (the wait is never shorter than ``poll_s``).

        Raises:
            Rejected: the operation failed (no status), or no longer exists (404, 410): the token is now
                useless. With any other status it remains valid.
            ProviderError: as for ``read``; the same token may be tried again.
        """


@runtime_checkable
class Metered(Protocol):
    """A provider that is paid by the token, so that an image's cost is known only after its answer.

    The user sets the price of a token for each model (`digitrec.engine.config`).
    """

    model: str
    """The model's name, under which its prices are set."""
    most_tokens: tuple[int, int]
    """Maximum tokens of a request and of its answer, as far as known; a budget reserves their price."""

    def tokens(self, answer: Answer) -> tuple[int, int] | None:
        """Return the tokens of the request and of the answer by the vendor's count; None if it gave none.

        This is also called with the ``raw`` of an unusable answer, which may be any JSON object.
        """


@runtime_checkable
class Adjustable(Protocol):
    """A provider whose request has parameters that some servers refuse."""

    def adjust(self, leave_out: Sequence[str], max_tokens: int | None) -> None:
        """Apply the user's settings, before the first request.

        Args:
            leave_out: parameters that are never sent.
            max_tokens: maximum tokens of an answer; None: the provider's own limit.

        Raises:
            NotConfigured: a parameter cannot be left out.
        """

    def parameters(self) -> Mapping[str, str]:
        """Return the state of each parameter by name: "accepted", "refused" or "left out"."""


Stage = tuple[str, NDArray[np.float32]]
"""A layer's name and its feature maps, (H, W, C): where each of its C filters found its pattern."""


@runtime_checkable
class Inspectable(Protocol):
    """A provider that can show the layers of its network."""

    def stages(self, image: PreparedImage) -> Sequence[Stage]:
        """Return the feature maps of each layer for ``image.data``, in the order of computation."""

    def grad_cam(self, image: PreparedImage, of: Sequence[int]) -> NDArray[np.float32] | None:
        """Return class activation maps of ``image.data`` for N digits, (N, 28, 28), >= 0, or None."""


def answer_or_error(ask: Callable[[], Answer]) -> Answer | ProviderError:
    """Return the result of ``ask``, or the ProviderError that it raises."""
    try:
        return ask()
    except ProviderError as error:
        return error


class BaseProvider:
    """Defaults for the parts that most providers share; subclassing it is optional."""

    name: str
    wants: InputSpec
    price: Price | None = None
    endpoint: str | None = None
    rate: float | None = None
    """Requests per second that the vendor allows by default; None: unlimited."""
    attempt_timeout: float = 10.0
    """Timeout of one request in seconds, > 0, unless `Options` or the configuration set another."""
    batch: int = 1
    """Maximum number of images in one request of ``read_many``, >= 1."""
    batch_bytes: float = math.inf
    """Maximum bytes of these images together, > 0."""
    gives_boxes: bool = True
    """Whether its numbers have boxes, without which they fill no fields of a form."""
    notice: str | None = None
    """A warning for its users, such as the day on which the service ends; None: no warning."""
    options: Mapping[str, Any] = {}
    """The settings that change its answers, JSON-like; saved answers are used only with equal settings."""
    variables: ClassVar[Mapping[str, Sequence[str]]] = {}
    """The variables that may hold each option of the constructor, in order of precedence."""

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Build the provider from `variables`; ``options`` override them.

        White space around a value is ignored: files with variables or secrets may end in a line break.
        """
        names = {option: first_set(env, names) for option, names in cls.variables.items()}
        return cls(**{**{option: env[name].strip() for option, name in names.items() if name}, **options})

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return whether the provider can run, using only ``env`` and the disk; by default it can."""
        return Status(installed=True, configured=True)

    # A subclass overrides at least one of the next two: each calls the other.

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Send one request, for at most ``timeout`` seconds."""
        (outcome,) = self.read_many([image], timeout=timeout)
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> list[Answer | ProviderError]:
        """Read several images one after the other; an error affects only its own image."""
        return [answer_or_error(partial(self.read, image, timeout=timeout)) for image in images]

    def load(self) -> None:
        """Do before the first ``read`` the work that only the first one needs; by default nothing."""

    def close(self) -> None:
        """Release nothing, by default."""
