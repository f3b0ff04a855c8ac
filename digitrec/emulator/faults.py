"""Faults on demand: what one is, and how it is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

STATUSES = ("400", "401", "403", "404", "413", "429", "500", "502", "503", "504")
"""Errors that the vendor would send in its own form."""
REFUSALS = (*STATUSES, "quota")
"""Errors of the vendor, before it has done anything."""
DELIVERIES = ("slow", "hang", "reset", "cut-off", "drip")
"""The right answer, which is late, lost or broken on its way."""
SEEDED = ("wrong-type", "null-field", "lost-field", "bad-confidence", "deep")
"""The right answer, changed at a place that a seed chooses."""
DOCUMENTS = (*SEEDED, "echo", "huge", "not-utf8", "surrogate")
"""The right answer, changed."""
KINDS = (
    *REFUSALS, "limit", *DELIVERIES, "html", "empty", "no-field", "endless-poll", "redirect", *DOCUMENTS,
)  # fmt: skip
"""Every kind of fault; docs/emulator.md says what each does."""
REDIRECTS = (301, 302, 303, 307, 308)
"""The statuses a redirect may have."""
NOWHERE = "http://127.0.0.1:9/"
"""Where a redirect leads that is not told: another origin, at which nobody listens (port 9 is "discard")."""

_SECONDS = {"slow": 5.0, "drip": 0.1, "limit": 60.0}
_SIZE = {"deep": 100_000, "huge": 10_000_000}
_ONLY_FOR = {"calls": ("limit",), "status": ("redirect",), "to": ("redirect",), "size": tuple(_SIZE)}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and which requests it meets."""

    kind: str
    """One of `KINDS`."""
    skip: int = 0
    """How many requests pass unharmed before it, >= 0."""
    first: int | None = None
    """How many requests it meets, >= 1; None: every one from there on."""
    rate: float | None = None
    """The probability with which it meets a request, 0..1; None: it meets each one when its turn has come."""
    seed: int = 0
    """What ``rate`` draws with, and the number of the change that a `SEEDED` fault makes first, >= 0."""
    after: int | None = None
    """Seconds in the header Retry-After, >= 0; None: no such header."""
    calls: int = 20
    """How many requests a limit lets through in ``seconds``, >= 1."""
    seconds: float | None = None
    """Until a slow answer, between two bytes of a drip (>= 0), a limit's window (> 0); None: as usual."""
    status: int = 307
    """Status of a redirect, one of `REDIRECTS`."""
    size: int | None = None
    """Levels of what is deep, bytes of what is huge, >= 1; None: what is usual."""
    to: str = NOWHERE
    """Where a redirect leads."""

    @classmethod
    def parse(cls, text: str) -> Fault:
        """A fault from ``KIND[:OPTION=VALUE,...]``, such as "429:after=2,first=1".

        The options are the fields above; ``to`` comes last, because everything after it is the address.

        Raises:
            ValueError: an unknown kind or option, or a value out of range; the message lists them.
        """
        kind, _, rest = text.strip().partition(":")
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are: {', '.join(KINDS)}")
        options = dict(_option(name, value) for name, value in _split(rest))
        for name in options:
            if kind not in _ONLY_FOR.get(name, KINDS):
                raise ValueError(f"{kind} has no option {name!r}; {' and '.join(_ONLY_FOR[name])} has")
        if kind == "limit" and {"skip", "first", "rate"} & set(options):
            raise ValueError("a limit holds for every request: it has no skip, first or rate")
        if kind == "limit" and options.get("seconds") == 0:
            raise ValueError("seconds=0: out of range")
        return cls(kind, **options)

    @property
    def pause(self) -> float:
        """``seconds``, or what is usual for the kind: slow 5, drip 0.1, limit 60."""
        return _SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    @property
    def amount(self) -> int:
        """``size``, or what is usual for the kind: deep 100,000 levels, huge 10,000,000 bytes."""
        return _SIZE.get(self.kind, 0) if self.size is None else self.size

    def __str__(self) -> str:
        told: dict[str, object] = {
            "skip": self.skip or None, "first": self.first, "rate": _short(self.rate),
            "seed": self.seed or None, "after": self.after,
            "calls": self.calls if self.kind == "limit" else None,
            "seconds": _short(self.pause) if self.kind in _SECONDS else None,
            "status": self.status if self.kind == "redirect" else None,
            "size": self.amount if self.kind in _SIZE else None,
            "to": self.to if self.kind == "redirect" else None,
        }  # fmt: skip
        options = ",".join(f"{name}={value}" for name, value in told.items() if value is not None)
        return f"{self.kind}:{options}" if options else self.kind


def _short(number: float | None) -> str | None:
    return None if number is None else f"{number:g}"


def _split(options: str) -> Iterator[tuple[str, str]]:
    """Names and values; an address may hold commas, so "to" takes all that is left."""
    while options:
        if options.lstrip().startswith("to="):
            part, options = options, ""
        else:
            part, _, options = options.partition(",")
        if part.strip():
            name, _, value = part.partition("=")
            yield name.strip(), value.strip()


OPTIONS: dict[str, tuple[Callable[[str], Any], float, float]] = {
    "skip": (int, 0, math.inf),
    "first": (int, 1, math.inf),
    "rate": (float, 0, 1),
    "seed": (int, 0, math.inf),
    "after": (int, 0, math.inf),
    "calls": (int, 1, math.inf),
    "seconds": (float, 0, 1e9),
    "status": (int, min(REDIRECTS), max(REDIRECTS)),
    "size": (int, 1, 1e9),
}
"""What may be said of a fault after its kind: how it is read, its least and its largest value."""


def _option(name: str, value: str) -> tuple[str, Any]:
    if name == "to":
        if not value or not value.isascii() or not value.isprintable():
            raise ValueError(f"to={value}: not an address")
        return name, value
    if name not in OPTIONS:
        raise ValueError(f"a fault has no option {name!r}; there are: {', '.join([*OPTIONS, 'to'])}")
    read, least, largest = OPTIONS[name]
    try:
        number = read(value)
    except ValueError:
        raise ValueError(f"{name}={value}: not a number") from None
    if not least <= number <= largest or (name == "status" and number not in REDIRECTS):
        raise ValueError(f"{name}={value}: out of range")
    return name, number
