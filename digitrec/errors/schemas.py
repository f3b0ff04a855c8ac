"""Types that msgspec checks values against."""

import os
from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_BUILDING: dict[int, Lock] = {}
"""The lock of each process: one that another thread held at a fork stays locked in the child."""
_BUILT: set[Any] = set()


def built(kind: T) -> T:
    """Let msgspec build the schema of a type, in one thread at a time, and return the type.

    Without this, msgspec builds a schema when its type is first used. If two threads then use that type,
    msgspec 0.22 ends the process with a segmentation fault.
    """
    if kind not in _BUILT:
        with _BUILDING.setdefault(os.getpid(), Lock()):
            msgspec.json.Decoder(kind)
            _BUILT.add(kind)
    return kind
