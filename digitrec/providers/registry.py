"""Names to providers, through the entry-point group ``digitrec.providers``.

Ours come through the same door as a stranger's: a package that declares an entry point in this group
is a provider. Listing names imports none of them. Only the local engine is known without looking at
anybody's metadata, which takes longer than reading a digit (docs/adr/0002-quick-start.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from digitrec.arguments import said
from digitrec.errors import NotInstalled, UnknownProvider
from digitrec.providers.base import BaseProvider, Price, Provider, Status

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "digitrec.providers"
KNOWN = {"local": ("digitrec.providers.local", "Local")}
"""What our own metadata says of the engine that is asked most, so that it need not be read."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What can be said of a provider without asking it."""

    name: str
    """The name to call it by."""
    status: Status
    """Whether it is installed and configured, and what is missing."""
    price: Price | None
    """What one image costs; None is unknown."""


def names() -> list[str]:
    """Names of all registered providers, sorted; imports none of them."""
    return sorted({point.name for point in _points()})


def listings(env: Mapping[str, str]) -> list[Listing]:
    """All registered providers, sorted by name, told offline from ``env`` and the disk.

    A provider that cannot even be imported is listed as not installed, with the reason.
    """
    return [_listing(name, env) for name in names()]


def _listing(name: str, env: Mapping[str, str]) -> Listing:
    try:
        cls = provider_class(name)
    except NotInstalled as error:
        return Listing(name, Status(installed=False, configured=False, missing=(str(error),)), None)
    status = cls.status(env) if issubclass(cls, BaseProvider) else Status(installed=True, configured=True)
    return Listing(name, status, cls.price)


def provider_class(name: str) -> type[Provider]:
    """The class registered under ``name``; imports its module, and no other provider's.

    Raises:
        UnknownProvider: there is none of that name.
        NotInstalled: the package that registers it lacks something.
        TypeError: it is no name.
    """
    if not isinstance(name, str):
        raise TypeError(f"a provider's name is a text, not {said(name)}")
    if name in KNOWN:
        module, attribute = KNOWN[name]
        return cast("type[Provider]", getattr(import_module(module), attribute))
    for point in _points():
        if point.name == name:
            return _load(point)
    raise UnknownProvider(f"no provider is called {name!r}; there are: {', '.join(names())}")


def _load(point: EntryPoint) -> type[Provider]:
    try:
        return cast("type[Provider]", point.load())
    except (ImportError, AttributeError) as error:  # AttributeError: no longer there under this name
        raise NotInstalled(
            f"the provider {point.name} cannot be loaded ({error}); install what it needs, or remove it"
        ) from error


def open_provider(
    name: str = "local", /, *, env: Mapping[str, str] | None = None, **options: Any
) -> Provider:
    """A provider ready to be asked.

    Without options it is built by its ``from_env`` from ``env`` (default: the process's
    environment); with options its constructor gets them and no variable is read.

    Raises:
        UnknownProvider: there is none of that name.
        NotInstalled: its extra is missing.
        NotConfigured: a key or endpoint is missing.
        ModelError: for "local", the model file cannot be used.
    """
    cls = provider_class(name)
    if options:
        return cls(**options)
    return cls.from_env(os.environ if env is None else env)


def _points() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)
