"""Find providers by name, through the entry-point group ``digitrec.providers``.

digitrec's own providers are registered like those of other packages: each package declares its providers as
entry points in this group. Listing names imports no provider. Only the local engine is known without reading
metadata, which takes longer than reading a digit (docs/decisions.md).

A provider that fails on import, inspection or construction does not affect others: it is listed as broken,
with the reason. If two packages register the same name, the first one found is used.
"""

import inspect
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from pkgutil import resolve_name
from traceback import format_exception_only
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from digitrec.errors import DigitrecError, NotInstalled, UnknownProvider
from digitrec.errors.arguments import said
from digitrec.errors.schemas import built
from digitrec.errors.text import did_you_mean, printable
from digitrec.image import InputSpec
from digitrec.providers.base import BaseProvider, Price, Provider, Status

GROUP = "digitrec.providers"
"""The entry-point group, and the package of digitrec's own providers, which no other package can replace."""
OURS = "digitrec"
"""The name of digitrec's package."""
METHODS = ("from_env", "read", "read_many", "close")
"""Methods that every provider's class must have."""
LONGEST_REASON = 200
"""Maximum length of another package's message in ours, in characters."""


_Positive = Annotated[float, Meta(gt=0, lt=1e12)]


class _Declared(Struct):
    """Attributes of a provider that have a default or a limit."""

    endpoint: str | None
    price: Price | None
    batch: Annotated[int, Meta(ge=1)] = 1
    batch_bytes: Annotated[float, Meta(gt=0)] = 1.0
    attempt_timeout: _Positive = 1.0
    rate: _Positive | None = None
    poll_s: _Positive = 1.0


@dataclass(frozen=True, slots=True)
class Plugin:
    """A provider as declared in the metadata of a package."""

    name: str
    """The provider's name."""
    place: str
    """The provider's class, as "module:attribute"."""
    package: str
    """The package that declares the provider."""

    @property
    def is_ours(self) -> bool:
        """Whether the provider is one of digitrec's own."""
        return self.package == OURS and self.place.startswith(f"{GROUP}.")


KNOWN = {"local": Plugin("local", "digitrec.providers.local:Local", OURS)}
"""The metadata of the most used engine, so that it need not be read from disk."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Facts about a provider that are known without a request."""

    name: str
    """The provider's name."""
    status: Status
    """Whether the provider is installed and configured, and what is missing."""
    price: Price | None
    """The price of one image; None: unknown."""
    notice: str | None = None
    """A warning for its users; None: no warning."""


def found() -> Mapping[str, Plugin]:
    """Return the providers of installed packages by name, without importing them.

    They cannot replace digitrec's own names.
    """
    return _found(tuple((path, Path(path).stat().st_mtime_ns) for path in sys.path if Path(path).is_dir()))


@lru_cache(maxsize=1)
def _found(folders: Sequence[tuple[str, int]]) -> Mapping[str, Plugin]:
    """Read the metadata of all packages again only when a folder on the path has changed."""
    from importlib.metadata import entry_points

    plugins = dict(KNOWN)
    for point in entry_points(group=GROUP):
        plugin = Plugin(point.name, point.value, point.dist.name if point.dist else "")
        if plugin.is_ours or point.name not in plugins:
            plugins[point.name] = plugin
    return plugins


def listings(env: Mapping[str, str], prices: Mapping[str, float]) -> list[Listing]:
    """Return all registered providers, sorted by name, using only ``env`` and the disk.

    A broken provider is listed as not installed, with the reason. The configured ``prices``, in US dollars
    for an image, replace the providers' own.
    """
    configured = {name: Price(usd, "configured") for name, usd in prices.items()}
    return [_listing(plugin, env, configured.get(name)) for name, plugin in sorted(found().items())]


def _listing(plugin: Plugin, env: Mapping[str, str], price: Price | None) -> Listing:
    try:
        cls: Any = _load(plugin)
        with _blamed(plugin, "status"):
            status = cls.status(env) if issubclass(cls, BaseProvider) else Status(True, True)
            if not isinstance(status, Status):
                raise TypeError("no Status")
    except DigitrecError as error:
        return Listing(plugin.name, Status(False, False, (str(error),)), price)
    return Listing(plugin.name, status, price or _stated_price(cls), getattr(cls, "notice", None))


def provider_class(name: str) -> type[Provider]:
    """Return the class registered under ``name``; import no other provider's module.

    Raises:
        UnknownProvider: no provider has that name.
        NotInstalled: the package that registers it lacks a dependency or is broken.
        TypeError: ``name`` is not a text.
    """
    return _load(_plugin(name))


def price_of(name: str) -> Price | None:
    """Return the price that a provider's class states, if it states one; raises like `provider_class`."""
    return _stated_price(provider_class(name))


def registered_name(provider: Provider) -> str:
    """Return a provider's name, or that of its class, under which it is registered; else its own name."""
    if provider.name in found():
        return provider.name
    place = f"{type(provider).__module__}:{type(provider).__qualname__}"
    return next((name for name, plugin in found().items() if plugin.place == place), provider.name)


def _stated_price(cls: object) -> Price | None:
    """Return the price that a class states; None if each of its objects has its own."""
    price: Price | None = getattr(cls, "price", None)
    return None if hasattr(price, "__get__") else price


def _plugin(name: str) -> Plugin:
    if not isinstance(name, str):
        raise TypeError(f"a provider's name must be a text, got {said(name)}")
    if plugin := KNOWN.get(name) or found().get(name):
        return plugin
    near = did_you_mean(name, found())
    raise UnknownProvider(f"unknown provider {name!r}; there are: {', '.join(sorted(found()))}.{near}")


def _load(plugin: Plugin) -> type[Provider]:
    with _blamed(plugin):
        cls = resolve_name(plugin.place)
        if flaw := _flaw_of_class(cls):
            raise _broken(plugin, flaw)
    return cast("type[Provider]", cls)


@contextmanager
def _blamed(plugin: Plugin, doing: str = "") -> Iterator[None]:
    """Turn every exception of another package's code into a NotInstalled that names the package."""
    try:
        yield
    except (KeyboardInterrupt, DigitrecError):
        raise
    except BaseException as error:  # an import may raise anything, even SystemExit
        what = " ".join("".join(format_exception_only(error)).split())[:LONGEST_REASON]
        raise _broken(plugin, what + (f", in {doing}()" if doing else "")) from error


def _broken(plugin: Plugin, why: str) -> NotInstalled:
    package = "" if plugin.is_ours else f" of the package {plugin.package}"
    todo = "install what it needs, tell its author, or remove it"
    return NotInstalled(f"the provider {plugin.name}{package} cannot be loaded ({why}); {todo}")


def _flaw_of_class(cls: object) -> str | None:
    """Return the first fault of a provider's class, in words, or None."""
    if not isinstance(cls, type):
        return "it is not a class"
    lacking = [method for method in METHODS if not callable(getattr(cls, method, None))]
    if lacking:
        return f"it lacks {', '.join(lacking)}"
    return None if isinstance(_stated_price(cls), Price | None) else "its price must be a Price"


def flaw_of(provider: Provider) -> str | None:
    """Return which attribute of a provider is invalid, in words; None if all are valid."""
    try:
        return _flaw(provider)
    except Exception as error:  # a property may raise anything
        return f"reading its attributes raises {type(error).__name__}"


def _flaw(provider: Provider) -> str | None:
    if not isinstance(provider, Provider):
        return "it lacks a member of digitrec.providers.base.Provider"
    name = provider.name
    if not isinstance(name, str) or not name or printable(name) != name:
        return f"its name must be a printable text in one line, got {said(name)}"
    if not isinstance(provider.wants, InputSpec):
        return f"its wants must be an InputSpec, got {said(provider.wants)}"
    try:
        msgspec.convert(provider, built(_Declared), from_attributes=True)
    except msgspec.ValidationError as error:
        expected, _, attribute = str(error).replace("`", "").partition(" - at $.")
        return f"its {attribute}: {expected}"
    try:  # what the ledger needs
        urlsplit(provider.endpoint or "")
        json.dumps(getattr(provider, "options", {}), sort_keys=True, ensure_ascii=False, default=str).encode()
    except (TypeError, ValueError) as error:
        return f"its endpoint is no address, or its options have no JSON form ({type(error).__name__})"
    return None


def open_provider(
    name: str = "local", /, *, env: Mapping[str, str] | None = None, **options: Any
) -> Provider:
    """Return a provider, ready for requests.

    The provider is built from ``env`` (default: the process's environment); ``options``, the arguments of its
    constructor, override the variables. A provider of another package whose ``from_env`` takes no options is
    built from the options alone.

    Raises:
        UnknownProvider: no provider has that name.
        NotInstalled: the provider's extra is missing, or the provider is broken.
        NotConfigured: a key or endpoint is missing.
        ModelError: for "local", the model file is unusable.
    """
    plugin = _plugin(name)
    cls: type[Any] = _load(plugin)
    variables = os.environ if env is None else env
    if plugin.is_ours:
        return cast("Provider", cls.from_env(variables, **options))
    if options:
        takes = inspect.signature(cls.from_env).parameters.values()
        merges = any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes)
        return cast("Provider", cls.from_env(variables, **options) if merges else cls(**options))
    with _blamed(plugin, "from_env"):
        provider: Provider = cls.from_env(variables)
        if flaw := flaw_of(provider):
            raise _broken(plugin, flaw)
    return provider
