"""Faults on demand: which one meets the next request."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

STATUSES = ("400", "401", "403", "404", "413", "429", "500", "502", "503", "504")
"""Errors that the vendor would send in its own form."""
KINDS = (
    *STATUSES, "quota", "slow", "hang", "reset", "cut-off", "html", "empty", "no-field", "endless-poll",
)  # fmt: skip
"""Every kind of fault; docs/emulator.md says what each does."""
OPTIONS: dict[str, type[int] | type[float]] = {"skip": int, "first": int, "after": int, "seconds": float}
"""What may be said of a fault after its kind."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and which requests it meets."""

    kind: str
    """One of `KINDS`."""
    skip: int = 0
    """How many requests pass unharmed before it, >= 0."""
    first: int | None = None
    """How many requests it meets, >= 1; None: every one from there on."""
    after: int | None = None
    """Seconds in the header Retry-After, >= 0; None: no such header."""
    seconds: float = 5.0
    """How long a slow answer takes, >= 0."""

    @classmethod
    def parse(cls, text: str) -> Fault:
        """A fault from ``KIND[:OPTION=NUMBER,...]``, such as "429:after=2,first=1".

        The options are ``skip``, ``first``, ``after`` and ``seconds``, as the fields above.

        Raises:
            ValueError: an unknown kind or option, or a number out of range; the message lists them.
        """
        kind, _, rest = text.strip().partition(":")
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are: {', '.join(KINDS)}")
        options: dict[str, Any] = dict(_option(part) for part in rest.split(",") if part)
        return cls(kind, **options)

    def __str__(self) -> str:
        options: dict[str, float | None] = {
            "skip": self.skip or None, "first": self.first, "after": self.after,
        }  # fmt: skip
        if self.kind == "slow":
            options["seconds"] = self.seconds
        told = ",".join(f"{name}={value:g}" for name, value in options.items() if value is not None)
        return f"{self.kind}:{told}" if told else self.kind


def _option(text: str) -> tuple[str, float | int]:
    name, _, value = text.partition("=")
    name = name.strip()
    if name not in OPTIONS:
        raise ValueError(f"a fault has no option {name!r}; there are: {', '.join(OPTIONS)}")
    try:
        number = OPTIONS[name](value)
    except ValueError:
        raise ValueError(f"{name}={value}: not a number") from None
    if not 0 <= number < math.inf or (name == "first" and number < 1):
        raise ValueError(f"{name}={value}: out of range")
    return name, number


class FaultQueue:
    """The faults of one server, met one after the other; safe across threads.

    The fault in front meets requests until it has met its ``first``, then the next one's turn comes:
    "503:first=2" followed by "429:first=1" is two 503s, one 429, and good answers from then on.
    """

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self.set(faults)

    def set(self, faults: Iterable[Fault]) -> None:
        """Forget the faults there were, and start with these."""
        with self._lock:
            self._waiting = deque(faults)
            self._seen = 0

    def waiting(self) -> list[Fault]:
        """The faults still to be met, the one in front first."""
        with self._lock:
            return list(self._waiting)

    def next(self) -> Fault | None:
        """The fault that meets this request, or None."""
        with self._lock:
            if not self._waiting:
                return None
            fault = self._waiting[0]
            self._seen += 1
            if self._seen <= fault.skip:
                return None
            if fault.first is not None and self._seen == fault.skip + fault.first:
                self._waiting.popleft()
                self._seen = 0
            return fault
