"""Faults on demand: what one is, how it is written, and which one meets the next request."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
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
POLLS = ("endless-poll", "failed-poll", "unknown-poll")
"""What a poll hears: an operation is at work, or has failed, or is of a status that nobody knows."""
SPOKEN = ("refusal", "length", "filtered", "fenced", "no-logprobs", "no-usage")
"""The right answer of a language model, as it is when the model or its server does something else."""
KINDS = (
    *REFUSALS, "limit", *DELIVERIES, "html", "empty", "no-field", *POLLS, *SPOKEN, "redirect", *DOCUMENTS,
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


class FaultQueue:
    """The faults of one server; safe across threads.

    Three sorts stand beside each other. A *limit* holds for every request, and refuses what is too
    fast before anything else. Faults with a ``rate`` meet requests by chance. All others take turns:
    the one in front meets requests until it has met its ``first``, then the next one's turn comes:
    "503:first=2" followed by "429:first=1" is two 503s, one 429, and good answers from then on.
    """

    def __init__(self, faults: Iterable[Fault] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self.set(faults)

    def set(self, faults: Iterable[Fault]) -> None:
        """Forget the faults there were, and start with these."""
        given = list(faults)
        with self._lock:
            self._rate_limits = [_RateLimit(fault) for fault in given if fault.kind == "limit"]
            self._random = [_RandomFault(fault, n) for n, fault in enumerate(given) if fault.rate is not None]
            self._in_turn = deque(fault for fault in given if fault.kind != "limit" and fault.rate is None)
            self._seen = 0

    def pending(self) -> list[Fault]:
        """The faults still to be met: limits, those that come by chance, then the turns in order."""
        with self._lock:
            by_chance = [chance.fault for chance in self._random if not chance.over]
            return [*(limit.fault for limit in self._rate_limits), *by_chance, *self._in_turn]

    def next(self) -> Fault | None:
        """The fault that meets this request, or None.

        A limit that refuses it has in ``after`` the whole seconds until it lets one through again. A
        `SEEDED` fault has in ``seed`` the number of this very change: the first one it makes has the
        seed it was given, the next one the number after that.
        """
        with self._lock:
            return self._over_a_limit() or self._next_in_turn() or self._by_chance()

    def _over_a_limit(self) -> Fault | None:
        now = self._clock()
        for limit in self._rate_limits:
            if (wait_s := limit.wait_s(now)) > 0:
                return replace(limit.fault, after=math.ceil(wait_s))
        for limit in self._rate_limits:
            limit.passed.append(now)
        return None

    def _next_in_turn(self) -> Fault | None:
        if not self._in_turn:
            return None
        fault = self._in_turn[0]
        self._seen += 1
        number = self._seen - fault.skip
        if number <= 0:
            return None
        if number == fault.first:
            self._in_turn.popleft()
            self._seen = 0
        return _with_own_seed(fault, number - 1)

    def _by_chance(self) -> Fault | None:
        """The first of them that is drawn; each draws for itself, for every request that comes to it."""
        hits = [chance for chance in self._random if chance.hits()]
        return hits[0].met() if hits else None


class _RateLimit:
    """A sliding window: so many requests in so many seconds. What is refused does not count."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.passed: deque[float] = deque()

    def wait_s(self, now: float) -> float:
        """Seconds until a request may pass; 0 when it may now."""
        while self.passed and self.passed[0] + self.fault.pause <= now:
            self.passed.popleft()
        return 0.0 if len(self.passed) < self.fault.calls else self.passed[0] + self.fault.pause - now


class _RandomFault:
    """A fault that comes by chance, the same way each time for the same seed."""

    def __init__(self, fault: Fault, place: int) -> None:
        self.fault = fault
        # two of them with one seed must not draw alike: the second would never be met
        self._rng = random.Random(f"{place} {fault.kind} {fault.seed}")  # nosec B311 # noqa: S311 (repeatable on purpose)
        self._seen = self._met = 0

    @property
    def over(self) -> bool:
        return self._met == self.fault.first

    def hits(self) -> bool:
        """Draw for one request."""
        self._seen += 1
        if self._seen <= self.fault.skip or self.over:
            return False
        return self._rng.random() < (self.fault.rate or 0.0)

    def met(self) -> Fault:
        self._met += 1
        return _with_own_seed(self.fault, self._met - 1)


def _with_own_seed(fault: Fault, number: int) -> Fault:
    return replace(fault, seed=fault.seed + number) if fault.kind in SEEDED else fault
