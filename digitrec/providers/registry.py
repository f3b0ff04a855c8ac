"""Names to providers, through the entry-point group ``digitrec.providers``.

Ours come through the same door as a stranger's: a package that declares an entry point in this group
is a provider (`digitrec.providers.plugins`). Listing names imports no provider. Only the local engine is
known without looking at anybody's metadata, which takes longer than reading a digit
(docs/decisions.md). Whatever a stranger's provider does while it is imported, looked at or
built, it is listed as broken with the reason, and the others still work.
"""

from __future__ import annotations

import inspect
import logging
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar, cast

from digitrec.errors import DigitrecError, NotInstalled, UnknownProvider
from digitrec.errors.arguments import said
from digitrec.errors.text import did_you_mean, printable
from digitrec.providers.base import BaseProvider, Price, Provider, Resumable, Status
from digitrec.providers.plugins import Plugin, found

log = logging.getLogger(__name__)

KNOWN = {"local": ("digitrec.providers.local", "Local")}
"""What our own metadata says of the engine that is asked most, so that it need not be read."""
METHODS = ("from_env", "read", "read_many", "close")
"""What every provider's class has."""
LONGEST_REASON = 200
"""Characters of a stranger's message that are shown."""

Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class Listing:
    """What can be said of a provider without asking it."""

    name: str
    """The name to call it by; of one that was refused, with the packages that it comes from before it."""
    status: Status
    """Whether it is installed and configured, and what is missing."""
    price: Price | None
    """What one image costs; None is unknown."""
    notice: str | None = None
    """What its users should know before they build on it; None: nothing."""


def names() -> list[str]:
    """Return the sorted names of all registered providers, without importing them."""
    return sorted({*KNOWN, *found()[0]})


def listings(env: Mapping[str, str]) -> list[Listing]:
    """All registered providers, sorted by name, told offline from ``env`` and the disk.

    A provider that is broken, or whose name was refused, is listed as not installed, with the reason.
    """
    plugins, refused = found()
    listed = [_listing(name, plugins.get(name), env) for name in {*KNOWN, *plugins}]
    listed += [_unusable(": ".join(filter(None, [*it.packages, it.name])), it.why) for it in refused]
    return sorted(listed, key=lambda listing: listing.name)


def _listing(name: str, plugin: Plugin | None, env: Mapping[str, str]) -> Listing:
    try:
        cls = _load(name, plugin)
        looked = _caught(name, plugin, "status", lambda: _status(cls, env))
    except DigitrecError as error:
        return _unusable(name, str(error))
    notice = getattr(cls, "notice", None)
    return Listing(name, looked, getattr(cls, "price", None), notice if isinstance(notice, str) else None)


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
    """The class registered under ``name``; imports its module, and no other provider's.

    Raises:
        UnknownProvider: no provider has that name, or several packages claim it.
        NotInstalled: the package that registers it lacks something, or is broken.
        TypeError: it is no name.
    """
    return _load(name, _plugin(name))


def _plugin(name: str) -> Plugin | None:
    """Who brings the provider of this name; None for what is known without looking."""
    if not isinstance(name, str):
        raise TypeError(f"a provider's name is a text, not {said(name)}")
    if name in KNOWN:
        return None
    plugins, refused = found()
    about = [refusal for refusal in refused if refusal.name == name]
    if name in plugins:
        for refusal in about:
            log.warning("%s", refusal.why)
        return plugins[name]
    if about:
        raise UnknownProvider(about[0].why)
    near = did_you_mean(name, names())
    raise UnknownProvider(f"no provider is called {name!r}; there are: {', '.join(names())}.{near}")


def _load(name: str, plugin: Plugin | None) -> type[Provider]:
    module, attribute = KNOWN[name] if plugin is None else (plugin.module, plugin.attribute)

    def load() -> type[Provider]:
        value: Any = import_module(module)
        for part in attribute.split("."):
            value = getattr(value, part)
        return cast("type[Provider]", value)

    cls = _caught(name, plugin, "", load)
    if flaw := _caught(name, plugin, "", lambda: _flaw_of_class(cls)):
        raise _broken(name, plugin, flaw)
    return cls


def _caught(name: str, plugin: Plugin | None, doing: str, call: Callable[[], Given]) -> Given:
    """What ``call`` gives; whatever a stranger's code raises instead becomes a NotInstalled.

    Raises:
        NotInstalled: the code of the provider failed; the message names its package.
        KeyboardInterrupt: somebody wants the program to end.
        DigitrecError: what it says on purpose.
    """
    try:
        return call()
    except (KeyboardInterrupt, DigitrecError):
        raise
    except BaseException as error:  # an import may raise anything, SystemExit too
        what = " ".join(f"{type(error).__name__}: {_said(error)}".split())
        at = f", in {doing}()" if doing else ""
        raise _broken(name, plugin, what[:LONGEST_REASON] + at) from error


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a stranger's exception may not even have a text
        return ""


def _broken(name: str, plugin: Plugin | None, why: str) -> NotInstalled:
    package = "" if plugin is None or plugin.is_ours else f" of the package {plugin.package}"
    todo = "install what it needs, tell its author, or remove it"
    return NotInstalled(f"the provider {name}{package} cannot be loaded ({why}); {todo}")


def _flaw_of_class(cls: object) -> str | None:
    """What a provider's class lacks, or None."""
    if not isinstance(cls, type):
        return "it is no class"
    lacking = [method for method in METHODS if not callable(getattr(cls, method, None))]
    return f"it lacks {', '.join(lacking)}" if lacking else _flaw_of_price(getattr(cls, "price", None))


def flaw_of(provider: Provider) -> str | None:
    """What a provider says of itself that cannot be, in words; None where it can be asked."""
    if not isinstance(provider, Provider):
        return "it lacks a member of digitrec.providers.base.Provider"
    if not isinstance(provider.name, str) or not provider.name or printable(provider.name) != provider.name:
        return f"its name is {said(provider.name)}, not a printable text in one line"
    if provider.endpoint is not None and not isinstance(provider.endpoint, str):
        return "its endpoint is no text"
    rate, batch = getattr(provider, "rate", None), getattr(provider, "batch", 1)
    if not _is_positive(getattr(provider, "attempt_timeout", 1.0)):
        return "its attempt_timeout must be a number > 0"
    if rate is not None and not _is_positive(rate):
        return "its rate is no number above 0"
    if not isinstance(batch, int) or isinstance(batch, bool) or batch < 1:
        return "its batch is no number from 1 on"
    if isinstance(provider, Resumable) and not _is_positive(provider.poll_s):
        return "its poll_s is no number above 0"
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
    """A provider ready to be asked.

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
    cls: type[Any] = _load(name, plugin)
    variables = os.environ if env is None else env
    if plugin is None or plugin.is_ours:
        return cast("Provider", cls.from_env(variables, **options))
    if options:
        takes = inspect.signature(cls.from_env).parameters.values()
        merges = any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes)
        return cast("Provider", cls.from_env(variables, **options) if merges else cls(**options))
    provider: Provider = _caught(name, plugin, "from_env", lambda: cls.from_env(variables))
    if flaw := _caught(name, plugin, "", lambda: flaw_of(provider)):
        raise _broken(name, plugin, flaw)
    return provider
