"""Types that msgspec checks values against."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_BUILDING = threading.Lock()
_BUILT: set[Any] = set()


def built(kind: T) -> T:
    """Return a type after msgspec has built its schema, which it else does when the type is first used.

    If two threads use a type for the first time, msgspec 0.22 ends the process with a segmentation fault.
    """
    if kind not in _BUILT:
        with _BUILDING:
            msgspec.json.Decoder(kind)
            _BUILT.add(kind)
    return kind
