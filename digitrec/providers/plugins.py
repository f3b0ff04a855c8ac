"""What packages say in their metadata: which of them brings the provider of which name.

Packages come from anywhere. One whose metadata cannot be read, or that takes a name which is another's,
costs only itself: it is refused, with a line that names the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

GROUP = "digitrec.providers"
OURS = "digitrec"
"""Our own package; what it registers lies in `GROUP` too, which no other package can bring."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One line of a package's metadata: the provider of this name is there."""

    name: str
    """The name to call it by."""
    module: str
    """Where it is."""
    attribute: str
    """Name of the class in the module; may have dots."""
    package: str
    """Which package says so, normalised (PEP 503)."""

    @property
    def is_ours(self) -> bool:
        """Whether it is one of digitrec's own."""
        return self.package == OURS and self.module.startswith(f"{GROUP}.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A provider that cannot be had, because of what a package says."""

    name: str
    """The name it wants, or "" where not even that can be read."""
    packages: tuple[str, ...]
    """Which packages say so."""
    why: str
    """What is wrong and what to do, in one line."""


def found() -> tuple[Mapping[str, Plugin], list[Refusal]]:
    """The providers that the installed packages bring, by name, and what was refused."""
    claims: dict[str, dict[tuple[str, bool], Plugin]] = {}  # of several by one package the first
    refused: list[Refusal] = []
    for said in _plugins():
        if isinstance(said, Refusal):
            refused.append(said)
        else:
            claims.setdefault(said.name, {}).setdefault((said.package, said.is_ours), said)
    plugins: dict[str, Plugin] = {}
    for name, by_package in claims.items():
        ours = [plugin for plugin in by_package.values() if plugin.is_ours]
        strangers = [plugin for plugin in by_package.values() if not plugin.is_ours]
        if ours:
            plugins[name] = ours[0]
            refused += [_takes_ours(plugin) for plugin in strangers]
        elif len(strangers) == 1:
            plugins[name] = strangers[0]
        else:
            refused.append(_taken_twice(name, sorted(plugin.package for plugin in strangers)))
    return plugins, refused


def _takes_ours(plugin: Plugin) -> Refusal:
    why = (
        f"the package {plugin.package} calls a provider {plugin.name!r}, which is digitrec's own name; "
        "it is refused: remove the package, or ask its author for another name"
    )
    return Refusal(plugin.name, (plugin.package,), why)


def _taken_twice(name: str, packages: list[str]) -> Refusal:
    why = (
        f"the packages {' and '.join(packages)} both bring a provider {name!r}; both are refused: "
        "remove all but one of them"
    )
    return Refusal(name, tuple(packages), why)


def _plugins() -> Iterator[Plugin | Refusal]:
    """All that the packages say; of a package that is there twice the first, which is the one imported."""
    from importlib.metadata import distributions

    seen: set[str] = set()
    packages: Iterator[Distribution] = iter(distributions())
    while True:
        try:
            package = next(packages)
        except StopIteration:
            return
        except Exception:  # a place on the path that cannot be read: the packages before it are known
            return
        said = _said(package)
        if GROUP not in said:
            continue
        name = _name_of(package)
        if name not in seen or name in (OURS, ""):
            seen.add(name)
            yield from _of(package, name)


def _said(package: Distribution) -> str:
    try:
        return package.read_text("entry_points.txt") or ""
    except Exception:  # no text, or not to be read: it is not about providers, as far as one can tell
        return ""


def _name_of(package: Distribution) -> str:
    """The package's name, normalised; "" where its metadata has none."""
    try:
        return re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
    except Exception:
        return ""


def _of(package: Distribution, name: str) -> Iterator[Plugin | Refusal]:
    """What one package says of providers; where it cannot be read, why."""
    who = name or "without a name"
    try:
        points = [point for point in package.entry_points if point.group == GROUP]
    except Exception as error:  # whatever stands in a stranger's file
        yield _unreadable("", who, type(error).__name__)
        return
    for point in points:
        try:
            module, attribute = point.module, point.attr
        except (AttributeError, ValueError):  # no place in a module; the second from importlib_metadata
            module = attribute = ""
        if module and attribute and point.name:
            yield Plugin(point.name, module, attribute, who)
        else:
            yield _unreadable(point.name, who, f"{point.value!r} is no class in a module")


def _unreadable(name: str, package: str, what: str) -> Refusal:
    why = f"what the package {package} says of its providers cannot be read ({what})"
    return Refusal(name, (package,), f"{why}; tell its author, or remove it")
