"""Engines and policies: what turns pictures into outcomes, and which one a name means."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from digitrec.answer import Outcome
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

    def stream(
        self,
        images: Iterable[ImageSource],
        *,
        lenient: bool = False,  # pragma: no mutate (a mutant of a protocol is one more member of it)
    ) -> Iterator[Outcome]:
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
        return _shared(provider)
    return provider if isinstance(provider, Engine | Policy) else Engine(provider)


def engine_for(provider: str | Provider | Engine) -> Engine:
    """Like `reader_for`, but reject policies.

    Raises:
        TypeError: it is a policy, or something else.
    """
    reader = reader_for(provider)
    if not isinstance(reader, Engine):
        raise TypeError(f"a policy takes engines, but {name_of(reader)} is a policy itself")
    return reader


def listed(providers: Sequence[Asked]) -> Sequence[Asked]:
    """Return the same engines after checking that they are a list with at least one.

    Raises:
        TypeError: not a list, such as a single name.
        ValueError: an empty list.
    """
    if isinstance(providers, str) or not isinstance(providers, Sequence):
        raise TypeError(f"engines must be a list of names or providers, got {said(providers)}")
    if not providers:
        raise ValueError("no engine was named; name at least one")
    return providers


def name_of(reader: Reader) -> str:
    """Return the name of an engine or a policy in a Prediction."""
    return reader.provider.name if isinstance(reader, Engine) else reader.name


def _shared(name: str) -> Engine:
    """Return the engine of this name; each process creates it once, on first use.

    A forked process starts without engines, because a lock that another thread held at the fork stays locked.
    It keeps its parent's engines alive: closing them would touch the parent's ledger.
    """
    key = (os.getpid(), name)
    with _LOCKS.setdefault(key[0], threading.RLock()):  # a provider may ask another while it is made
        if key not in _ENGINES:
            _ENGINES[key] = Engine(open_provider(name))
        return _ENGINES[key]


_LOCKS: dict[int, threading.RLock] = {}
_ENGINES: dict[tuple[int, str], Engine] = {}
