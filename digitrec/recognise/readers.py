"""Engines and policies: what turns pictures into outcomes, and which one a name means."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from digitrec.answer.prediction import Outcome
from digitrec.engine import Engine
from digitrec.errors.arguments import said
from digitrec.image import ImageSource
from digitrec.providers.base import Provider
from digitrec.providers.registry import open_provider

Asked = TypeVar("Asked")


@runtime_checkable
class Policy(Protocol):
    """Several engines that answer as one, such as `digitrec.Fallback` and `digitrec.Consensus`."""

    name: str
    """Its name in a Prediction."""
    engines: Sequence[Engine]
    """The engines that it may ask, in order."""

    def stream(self, images: Iterable[ImageSource], *, lenient: bool = False) -> Iterator[Outcome]:
        """Yield an outcome for each picture, in order."""

    def close(self) -> None:
        """Release its engines; may be called twice."""


Reader = Engine | Policy
"""What turns pictures into outcomes."""
AnyReader = str | Provider | Reader
"""A registered name, or a provider, an engine or a policy."""


def reader_for(provider: AnyReader) -> Reader:
    """Return the engine of a name (one for the process) or of a provider; return engines and policies as is.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(provider, str):
        return _shared.engine(provider)
    return provider if isinstance(provider, Engine | Policy) else Engine(provider)


def engine_for(provider: str | Provider | Engine) -> Engine:
    """Like `reader_for`, but reject policies.

    Raises:
        TypeError: it is a policy, or something else.
    """
    reader = reader_for(provider)
    if not isinstance(reader, Engine):
        raise TypeError(f"a policy asks engines, and {name_of(reader)} is a policy itself")
    return reader


def listed(providers: Sequence[Asked]) -> Sequence[Asked]:
    """Return the same engines after checking that they are a list with at least one.

    Raises:
        TypeError: not a list, such as a single name.
        ValueError: an empty list.
    """
    if isinstance(providers, str) or not isinstance(providers, Sequence):
        raise TypeError(f"engines come in a list of names or providers, not as {said(providers)}")
    if not providers:
        raise ValueError("no engine is named: give one at least")
    return providers


def name_of(reader: Reader) -> str:
    """Return the name of an engine or a policy in a Prediction."""
    return reader.provider.name if isinstance(reader, Engine) else reader.name


class _Shared:
    """The engines of the process by name, each created once, on first use."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a provider may ask another while it is made
        self._engines: dict[str, Engine] = {}
        self._parents: list[dict[str, Engine]] = []

    def engine(self, name: str) -> Engine:
        """Return the engine of this name."""
        with self._lock:
            if name not in self._engines:
                self._engines[name] = Engine(open_provider(name))
            return self._engines[name]

    def start_afresh(self) -> None:
        """Start a child process without engines: a lock that another thread held at the fork stays locked.

        Keep the parent's engines alive: closing them would touch the parent's ledger.
        """
        self._lock = threading.RLock()
        self._parents.append(self._engines)
        self._engines = {}


_shared = _Shared()
if hasattr(os, "register_at_fork"):  # other systems have no fork
    os.register_at_fork(after_in_child=_shared.start_afresh)
