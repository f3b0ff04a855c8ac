"""The fault table: how a fault is written, which request it affects, and what it does."""

from __future__ import annotations

import html
import json
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from digitrec.emulator.vendors.base import POLLS, SPOKEN, Request, Response, Vendor

REFUSALS = ("400", "401", "403", "404", "413", "429", "500", "502", "503", "504", "quota")
"""Errors in the vendor's own form, before it has read anything."""
BREAKS = ("hang", "reset", "cut-off", "drip")
"""Faults that end the connection."""
UNUSABLE = (
    b"", b"[]", b"null", b'"x"', b"7", b'{"surprise": [null, {"text": 7}]}', b'{"half": ', b"\xff\xfe\x00",
    b'{"a":NaN}', b'{"a":"\\ud83d"}',
)  # fmt: skip
"""Documents that no vendor sends, one after the other."""
NOWHERE = "http://127.0.0.1:9/"
"""Default target of a redirect: another origin, where nothing listens (port 9 is "discard")."""

_SECONDS = {"slow": 5.0, "drip": 0.1, "limit": 60.0}
_ONLY_FOR = {"calls": "limit", "status": "redirect", "to": "redirect"}

Count = Annotated[int, Meta(ge=0)]
AtLeastOne = Annotated[int, Meta(ge=1)]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault, and which requests it affects."""

    kind: str
    """One of `EFFECTS`."""
    skip: Count = 0
    """How many requests pass unharmed before it, >= 0."""
    first: AtLeastOne | None = None
    """How many requests it affects, >= 1; None: every one from there on."""
    rate: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Probability that it affects a request, 0..1; None: it affects each one when its turn has come."""
    seed: Count = 0
    """Seed of ``rate``, >= 0."""
    after: Count | None = None
    """Seconds in the header Retry-After, >= 0; None: no such header."""
    calls: AtLeastOne = 20
    """How many requests a limit lets through in ``seconds``, >= 1."""
    seconds: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    """Delay of a slow answer, time between two bytes of a drip (>= 0), or a limit's window (> 0)."""
    status: Literal[301, 302, 303, 307, 308] = 307
    """Status of a redirect."""
    to: Annotated[str, Meta(pattern="^[!-~]+$")] = NOWHERE
    """Target of a redirect."""

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Return the fault of ``KIND[:OPTION=VALUE,...]``, such as "429:after=2,first=1".

        The options are the fields above; ``to`` comes last, because an address may hold commas.

        Raises:
            ValueError: an unknown kind or option, or a value out of range.
        """
        kind, _, rest = text.strip().partition(":")
        if kind not in EFFECTS:
            raise ValueError(f"no fault is called {kind!r}; there are: {', '.join(EFFECTS)}")
        rest, to, address = rest.partition("to=")
        options = dict(part.strip().partition("=")[::2] for part in rest.split(",") if part.strip())
        options |= {"to": address} if to else {}
        for name in options:
            if _ONLY_FOR.get(name, kind) != kind:
                raise ValueError(f"{kind} has no option {name!r}; {_ONLY_FOR[name]} has")
        if kind == "limit" and {"skip", "first", "rate"} & set(options):
            raise ValueError("a limit holds for every request: it has no skip, first or rate")
        try:
            fault = msgspec.convert({"kind": kind, **options}, cls, strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(f"fault {text!r}: {error}; the options are {', '.join(OPTIONS)}") from None
        if kind == "limit" and fault.pause == 0:
            raise ValueError(f"fault {text!r}: seconds must be above 0")
        return fault

    @property
    def pause(self) -> float:
        """``seconds``, or the default of the kind: slow 5, drip 0.1, limit 60."""
        return _SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds


OPTIONS = Fault.__struct_fields__[1:]
"""The options of a fault."""


class FaultQueue:
    """The faults of one server; thread-safe.

    A *limit* holds for every request. Faults with a ``rate`` affect requests by chance. All others take
    turns: the one in front affects requests until it has affected its ``first``, then comes the next one:
    "503:first=2" followed by "429:first=1" is two 503s, one 429, and good answers from then on.
    """

    def __init__(self, faults: Iterable[Fault] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self.set(faults)

    def set(self, faults: Iterable[Fault]) -> None:
        """Replace all faults."""
        limits: list[tuple[Fault, deque[float]]] = []
        in_turn: deque[_Turn] = deque()
        by_chance: list[_Turn] = []
        for place, fault in enumerate(faults):
            if fault.kind == "limit":
                limits.append((fault, deque()))
            else:
                (in_turn if fault.rate is None else by_chance).append(_Turn(fault, place))
        with self._lock:
            self._limits, self._in_turn, self._by_chance = limits, in_turn, by_chance
            self.documents = cycle(UNUSABLE)

    def next(self) -> Fault | None:
        """Return the fault that affects this request, or None.

        A limit that rejects it has in ``after`` the whole seconds until a request may pass again.
        """
        with self._lock:
            return self._over_a_limit() or self._next_in_turn() or self._drawn()

    def _over_a_limit(self) -> Fault | None:
        """Return a limit whose window is full; rejected requests do not count."""
        now = self._clock()
        for fault, passed in self._limits:
            while passed and passed[0] + fault.pause <= now:
                passed.popleft()
            if len(passed) >= fault.calls:
                wait_s = math.ceil(passed[0] + fault.pause - now)
                return msgspec.structs.replace(fault, after=wait_s)
        for _, passed in self._limits:
            passed.append(now)
        return None

    def _next_in_turn(self) -> Fault | None:
        """Return the fault in front if its turn has come; the next one follows its ``first`` requests."""
        if not self._in_turn or not (turn := self._in_turn[0]).has_come():
            return None
        if turn.meet().first == turn.met:
            self._in_turn.popleft()
        return turn.fault

    def _drawn(self) -> Fault | None:
        """Return the first that is drawn; each draws for itself, for every request."""
        hits = [turn for turn in self._by_chance if turn.has_come()]
        return hits[0].meet() if hits else None


class _Turn:
    """A fault and the requests since its turn began; with a ``rate`` the same ones each time for a seed."""

    def __init__(self, fault: Fault, place: int) -> None:
        self.fault = fault
        self.met = 0
        self._seen = 0
        # Two faults with one seed must not draw alike: the second would never come.
        self._rng = random.Random(f"{place} {fault.kind} {fault.seed}")  # nosec B311 # noqa: S311 (repeatable on purpose)

    def has_come(self) -> bool:
        """Return whether it affects this request, and draw for it."""
        self._seen += 1
        if self._seen <= self.fault.skip or self.met == self.fault.first:
            return False
        return self.fault.rate is None or self._rng.random() < self.fault.rate

    def meet(self) -> Fault:
        """Count the request that it affects."""
        self.met += 1
        return self.fault


@dataclass(frozen=True, slots=True)
class Meeting:
    """A request that meets a fault."""

    fault: Fault
    """What goes wrong."""
    request: Request
    """The request."""
    vendor: Vendor
    """The vendor that should answer it."""
    stopping: threading.Event
    """Set when the server stops."""
    is_gone: Callable[[], bool]
    """Whether the client has closed the connection."""
    spelled: Callable[[Response], bytes]
    """The bytes of a response."""
    documents: Iterator[bytes]
    """The next unusable documents."""


Read = Callable[[], Response]
"""Makes the vendor's right answer, which is billed from then on."""
Pieces = Iterator[Response | bytes]


def _refuse(met: Meeting, read: Read) -> Pieces:
    yield met.vendor.failure(met.fault.kind).retry_after(met.fault.after)


def _throttle(met: Meeting, read: Read) -> Pieces:
    yield met.vendor.throttled(met.fault.after or 1)


def _redirect(met: Meeting, read: Read) -> Pieces:
    yield Response(met.fault.status, headers={"Location": met.fault.to})


def _page(met: Meeting, read: Read) -> Pieces:
    """Send a captive portal's page, which shows the request's headers."""
    page = Response.of_html(200, "Sign in to the network")
    shown = html.escape(met.request.head.decode("latin-1"))
    yield replace(page, body=page.body + f"<pre>{shown}</pre>".encode())


def _slow(met: Meeting, read: Read) -> Pieces:
    met.stopping.wait(met.fault.pause)
    yield read()


def _hang(met: Meeting, read: Read) -> Pieces:
    read()
    while not met.is_gone() and not met.stopping.wait(0.05):
        pass
    yield b""


def _reset(met: Meeting, read: Read) -> Pieces:
    read()
    yield b""
    raise ConnectionAbortedError


def _cut_off(met: Meeting, read: Read) -> Pieces:
    answer = read()
    whole, half = met.spelled(answer), len(answer.body) // 2
    yield whole[: len(whole) - (len(answer.body) - half)]


def _drip(met: Meeting, read: Read) -> Pieces:
    for byte in met.spelled(read()):
        yield bytes([byte])
        if met.stopping.wait(met.fault.pause):
            return


def _empty(met: Meeting, read: Read) -> Pieces:
    read()
    yield Response(200)


def _unusable(met: Meeting, read: Read) -> Pieces:
    read()
    yield Response(200, next(met.documents), {"Content-Type": "application/json"})


def _no_field(met: Meeting, read: Read) -> Pieces:
    """Send the right answer without the vendor's main field; Azure's 202 has it in a header."""
    answer = read()
    if not answer.body:
        yield Response(answer.status)
        return
    body = json.loads(answer.body)
    body.pop(met.vendor.main_field, None)
    yield replace(answer, body=json.dumps(body).encode())


def _poll(met: Meeting, read: Read) -> Pieces:
    yield met.vendor.polled_as(met.fault.kind) if met.vendor.is_poll(met.request) else read()


def _speak(met: Meeting, read: Read) -> Pieces:
    done = read()
    yield met.vendor.spoken_as(met.fault.kind, done) if done.status == 200 else done


EFFECTS: Mapping[str, Callable[[Meeting, Read], Pieces]] = {
    **dict.fromkeys(REFUSALS, _refuse), "limit": _throttle, "slow": _slow, "hang": _hang, "reset": _reset,
    "cut-off": _cut_off, "drip": _drip, "html": _page, "empty": _empty, "no-field": _no_field,
    **dict.fromkeys(POLLS, _poll), **dict.fromkeys(SPOKEN, _speak), "redirect": _redirect,
    "unusable": _unusable,
}  # fmt: skip
"""What each kind of fault does; docs/emulator.md describes them."""
KINDS = tuple(EFFECTS)


def check(vendor: Vendor, fault: Fault) -> Fault:
    """Return the fault, if it applies to this vendor.

    Raises:
        ValueError: it does not.
    """
    if not vendor.may_meet(fault.kind):
        why = "is not polled" if fault.kind in POLLS else "is no language model"
        raise ValueError(f"{vendor.name} {why}, so it has no {fault.kind}")
    return fault
