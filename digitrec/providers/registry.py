"""Names to providers, through the entry-point group ``digitrec.providers``.

Ours come through the same door as a stranger's: a package that declares an entry point in this group
is a provider. Listing names imports none of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distribution, entry_points
from typing import Any, cast

from digitrec.errors import UnknownProvider
from digitrec.providers.base import BaseProvider, Price, Provider, Status

GROUP = "digitrec.providers"


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
    return sorted({point.name for point in entry_points(group=GROUP)})


def listings(env: Mapping[str, str]) -> list[Listing]:
    """All registered providers, sorted by name, told offline from ``env`` and the disk.

    A provider that cannot even be imported is listed as not installed, with the reason.
    """
    return [_listing(name, env) for name in names()]


def _listing(name: str, env: Mapping[str, str]) -> Listing:
    try:
        cls = provider_class(name)
    except ImportError as error:
        return Listing(name, Status(installed=False, configured=False, missing=(str(error),)), None)
    status = cls.status(env) if issubclass(cls, BaseProvider) else Status(installed=True, configured=True)
    return Listing(name, status, cls.price)


def provider_class(name: str) -> type[Provider]:
    """The class registered under ``name``; imports its module, and no other provider's.

    Raises:
        UnknownProvider: there is none of that name.
    """
    return cast("type[Provider]", _find(name).load())


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


def _find(name: str) -> EntryPoint:
    # Ours first: one package's metadata is read in a fraction of the time that everybody's takes.
    ours = distribution("digitrec").entry_points
    for point in ours.select(group=GROUP, name=name) or entry_points(group=GROUP, name=name):
        return point
    raise UnknownProvider(f"no provider is called {name!r}; there are: {', '.join(names())}")
