"""Names to providers, through the entry-point group ``digitrec.providers``.

Ours come through the same door as anybody's: a package that declares an entry point in this group brings a
provider. Listing names imports no provider. Only the local engine is known without reading metadata, which
takes longer than reading a digit (docs/decisions.md).

A package whose metadata cannot be read, that takes a name which is another's, or whose provider fails while
it is imported, looked at or built costs only itself: it is listed as broken, with the reason.
"""

from __future__ import annotations

import inspect
import logging
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, cast

from digitrec.errors import DigitrecError, NotInstalled, UnknownProvider
from digitrec.errors.arguments import said
from digitrec.errors.text import did_you_mean, printable
from digitrec.providers.base import BaseProvider, Price, Provider, Resumable, Status

if TYPE_CHECKING:
    from importlib.metadata import Distribution

log = logging.getLogger(__name__)

GROUP = "digitrec.providers"
"""The group of entry points, and the package in which ours lie, which no other package can bring."""
OURS = "digitrec"
"""Our own package."""
METHODS = ("from_env", "read", "read_many", "close")
"""What every provider's class has."""
LONGEST_REASON = 200
"""Maximum characters of another package's message that are shown."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A provider according to the metadata of a package."""

    name: str
    """Its name; "" where the metadata cannot be read."""
    place: str
    """Its class, as "module:attribute"."""
    package: str
    """The package that brings it, normalised (PEP 503)."""
    refused: str = ""
    """Why it cannot be used and what to do, in one line; "" for a usable one."""

    @property
    def is_ours(self) -> bool:
        """Whether it is one of digitrec's own."""
        return self.package == OURS and self.place.startswith(f"{GROUP}.")


KNOWN = {"local": Plugin("local", "digitrec.providers.local:Local", OURS)}
"""What our own metadata says of the engine that is asked most, so that it need not be read."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What can be said of a provider without asking it."""

    name: str
    """Its name; after the name of its package where it was refused."""
    status: Status
    """Whether it is installed and configured, and what is missing."""
    price: Price | None
    """What one image costs; None is unknown."""
    notice: str | None = None
    """What its users should know before they build on it; None: nothing."""


def found() -> tuple[dict[str, Plugin], list[Plugin]]:
    """Return the usable providers of the installed packages by name, and the refused ones."""
    claims: dict[str, list[Plugin]] = {}
    usable, refused = dict(KNOWN), list[Plugin]()
    for plugin in dict.fromkeys(_plugins()):
        (refused if plugin.refused else claims.setdefault(plugin.name, [])).append(plugin)
    for name, plugins in claims.items():
        ours = next((plugin for plugin in plugins if plugin.is_ours), None)
        if ours is not None or len(plugins) == 1:
            usable[name] = ours or plugins[0]
            refused += [replace(it, refused=_takes_ours(it)) for it in plugins if it is not usable[name]]
        else:
            packages = " and ".join(sorted(plugin.package for plugin in plugins))
            why = f"the packages {packages} both bring a provider {name!r}; remove all but one"
            refused += [replace(plugin, refused=why) for plugin in plugins]
    return usable, refused


def _takes_ours(plugin: Plugin) -> str:
    return (
        f"the package {plugin.package} brings a provider {plugin.name!r}, which is digitrec's own name; "
        "remove the package, or ask its author for another name"
    )


def _plugins() -> Iterator[Plugin]:
    """Yield what the packages declare; of a package that is installed twice, only what Python imports."""
    from importlib.metadata import distributions

    seen: set[str] = set()
    for distribution in distributions():
        plugins = _declared_by(distribution)
        if {plugin.package for plugin in plugins} - seen:
            yield from plugins
            seen |= {plugin.package for plugin in plugins} - {OURS}


def _declared_by(distribution: Distribution) -> list[Plugin]:
    package = "without a name"
    try:
        if GROUP not in (distribution.read_text("entry_points.txt") or ""):
            return []
        package = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        points = [point for point in distribution.entry_points if point.group == GROUP]
        if all(point.name and point.attr for point in points):
            return [Plugin(point.name, f"{point.module}:{point.attr}", package) for point in points]
        why = "not the name of a class in a module"
    except Exception as error:  # another package's file may hold anything
        why = type(error).__name__
    about = f"the metadata of the package {package} about its providers cannot be read ({why})"
    return [Plugin("", "", package, f"{about}; tell its author, or remove it")]


def names() -> list[str]:
    """Return the sorted names of all registered providers, without importing them."""
    return sorted(found()[0])


def listings(env: Mapping[str, str]) -> list[Listing]:
    """Return all registered providers, sorted by name, told offline from ``env`` and the disk.

    A provider that is broken, or whose name was refused, is listed as not installed, with the reason.
    """
    plugins, refused = found()
    listed = [_listing(plugin, env) for plugin in plugins.values()]
    listed += [_unusable(f"{it.package}: {it.name}".rstrip(": "), it.refused) for it in refused]
    return sorted(listed, key=lambda listing: listing.name)


def _listing(plugin: Plugin, env: Mapping[str, str]) -> Listing:
    try:
        cls = _load(plugin)
        with _blamed(plugin, "status"):
            status = _status(cls, env)
    except DigitrecError as error:
        return _unusable(plugin.name, str(error))
    notice = getattr(cls, "notice", None)
    return Listing(
        plugin.name, status, getattr(cls, "price", None), notice if isinstance(notice, str) else None
    )


def _unusable(name: str, why: str) -> Listing:
    return Listing(name, Status(installed=False, configured=False, missing=(why,)), None)


def _status(cls: type[Provider], env: Mapping[str, str]) -> Status:
    if not issubclass(cls, BaseProvider):
        return Status(installed=True, configured=True)
    status: object = cls.status(env)
    if not isinstance(status, Status):
        raise TypeError("status() gave no Status")
    return status


def provider_class(name: str) -> type[Provider]:
    """Return the class registered under ``name``; import its module, and no other provider's.

    Raises:
        UnknownProvider: no provider has that name, or several packages claim it.
        NotInstalled: the package that registers it lacks something, or is broken.
        TypeError: it is not a text.
    """
    return _load(_plugin(name))


def _plugin(name: str) -> Plugin:
    if not isinstance(name, str):
        raise TypeError(f"a provider's name is a text, not {said(name)}")
    if name in KNOWN:
        return KNOWN[name]
    plugins, refused = found()
    about = [plugin.refused for plugin in refused if plugin.name == name]
    if name in plugins:
        for why in about:
            log.warning("%s", why)
        return plugins[name]
    if about:
        raise UnknownProvider(about[0])
    near = did_you_mean(name, plugins)
    raise UnknownProvider(f"no provider is called {name!r}; there are: {', '.join(sorted(plugins))}.{near}")


def _load(plugin: Plugin) -> type[Provider]:
    with _blamed(plugin):
        cls = resolve_name(plugin.place)
        flaw = _flaw_of_class(cls)
    if flaw:
        raise _broken(plugin, flaw)
    return cast("type[Provider]", cls)


@contextmanager
def _blamed(plugin: Plugin, doing: str = "") -> Iterator[None]:
    """Within the block, turn whatever another package's code raises into a NotInstalled that names it."""
    try:
        yield
    except (KeyboardInterrupt, DigitrecError):
        raise
    except BaseException as error:  # an import may raise anything, SystemExit too
        try:
            text = str(error)
        except Exception:  # its exception may not even have a text
            text = ""
        what = " ".join(f"{type(error).__name__}: {text}".split())[:LONGEST_REASON]
        raise _broken(plugin, what + (f", in {doing}()" if doing else "")) from error


def _broken(plugin: Plugin, why: str) -> NotInstalled:
    package = "" if plugin.is_ours else f" of the package {plugin.package}"
    todo = "install what it needs, tell its author, or remove it"
    return NotInstalled(f"the provider {plugin.name}{package} cannot be loaded ({why}); {todo}")


def _flaw_of_class(cls: object) -> str | None:
    """Return what a provider's class lacks, or None."""
    if not isinstance(cls, type):
        return "it is not a class"
    lacking = [method for method in METHODS if not callable(getattr(cls, method, None))]
    return f"it lacks {', '.join(lacking)}" if lacking else _flaw_of_price(getattr(cls, "price", None))


def flaw_of(provider: Provider) -> str | None:
    """Return which attribute of a provider is invalid, in words; None where it can be asked."""
    if not isinstance(provider, Provider):
        return "it lacks a member of digitrec.providers.base.Provider"
    name, rate, batch = provider.name, getattr(provider, "rate", None), getattr(provider, "batch", 1)
    if not isinstance(name, str) or not name or printable(name) != name:
        return f"its name is {said(name)}, not a printable text in one line"
    if not isinstance(provider.endpoint, str | None):
        return "its endpoint is not a text"
    if not _is_positive(getattr(provider, "attempt_timeout", 1.0)):
        return "its attempt_timeout must be a number > 0"
    if rate is not None and not _is_positive(rate):
        return "its rate must be a number > 0"
    if not isinstance(batch, int) or not _is_positive(batch):
        return "its batch must be a whole number >= 1"
    if isinstance(provider, Resumable) and not _is_positive(provider.poll_s):
        return "its poll_s must be a number > 0"
    return _flaw_of_price(provider.price)


def _flaw_of_price(price: object) -> str | None:
    if price is None:
        return None
    usd = price.usd if isinstance(price, Price) else None
    return None if usd == 0 or _is_positive(usd) else "its price must be a Price of at least 0 US dollars"


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def open_provider(
    name: str = "local", /, *, env: Mapping[str, str] | None = None, **options: Any
) -> Provider:
    """Return a provider ready to be asked.

    It is built from ``env`` (default: the process's environment); ``options``, which are its constructor's,
    override the variables. A provider of another package whose ``from_env`` takes no options is built from
    the options alone.

    Raises:
        UnknownProvider: no provider has that name, or several packages claim it.
        NotInstalled: its extra is missing, or it is broken.
        NotConfigured: a key or endpoint is missing.
        ModelError: for "local", the model file cannot be used.
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
        flaw = flaw_of(provider)
    if flaw:
        raise _broken(plugin, flaw)
    return provider
