"""Which fault meets the next request."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from digitrec.emulator.faults import SEEDED, Fault


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
            self._limits = [_Limit(fault) for fault in given if fault.kind == "limit"]
            self._chances = [_Chance(fault, n) for n, fault in enumerate(given) if fault.rate is not None]
            self._turns = deque(fault for fault in given if fault.kind != "limit" and fault.rate is None)
            self._seen = 0

    def waiting(self) -> list[Fault]:
        """The faults still to be met: limits, those that come by chance, then the turns in order."""
        with self._lock:
            by_chance = [chance.fault for chance in self._chances if not chance.over]
            return [*(limit.fault for limit in self._limits), *by_chance, *self._turns]

    def next(self) -> Fault | None:
        """The fault that meets this request, or None.

        A limit that refuses it has in ``after`` the whole seconds until it lets one through again. A
        `SEEDED` fault has in ``seed`` the number of this very change: the first one it makes has the
        seed it was given, the next one the number after that.
        """
        with self._lock:
            return self._too_fast() or self._turn() or self._chance()

    def _too_fast(self) -> Fault | None:
        now = self._clock()
        for limit in self._limits:
            if (wait_s := limit.wait_s(now)) > 0:
                return replace(limit.fault, after=math.ceil(wait_s))
        for limit in self._limits:
            limit.passed.append(now)
        return None

    def _turn(self) -> Fault | None:
        if not self._turns:
            return None
        fault = self._turns[0]
        self._seen += 1
        number = self._seen - fault.skip
        if number <= 0:
            return None
        if number == fault.first:
            self._turns.popleft()
            self._seen = 0
        return _numbered(fault, number - 1)

    def _chance(self) -> Fault | None:
        """The first of them that the dice choose; each throws its own for every request that comes to it."""
        hits = [chance for chance in self._chances if chance.hits()]
        return hits[0].met() if hits else None


class _Limit:
    """A sliding window: so many requests in so many seconds. What is refused does not count."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.passed: deque[float] = deque()

    def wait_s(self, now: float) -> float:
        """Seconds until a request may pass; 0 when it may now."""
        while self.passed and self.passed[0] + self.fault.pause <= now:
            self.passed.popleft()
        return 0.0 if len(self.passed) < self.fault.calls else self.passed[0] + self.fault.pause - now


class _Chance:
    """A fault that comes by chance, the same way each time for the same seed."""

    def __init__(self, fault: Fault, place: int) -> None:
        self.fault = fault
        # two of them with one seed must not throw alike: the second would never be met
        self._dice = random.Random(f"{place} {fault.kind} {fault.seed}")  # noqa: S311 (repeatable on purpose)
        self._seen = self._met = 0

    @property
    def over(self) -> bool:
        return self._met == self.fault.first

    def hits(self) -> bool:
        """Throw the dice for one request."""
        self._seen += 1
        if self._seen <= self.fault.skip or self.over:
            return False
        return self._dice.random() < (self.fault.rate or 0.0)

    def met(self) -> Fault:
        self._met += 1
        return _numbered(self.fault, self._met - 1)


def _numbered(fault: Fault, number: int) -> Fault:
    return replace(fault, seed=fault.seed + number) if fault.kind in SEEDED else fault
