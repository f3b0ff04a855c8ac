"""The fault table: how a fault is written, which request it affects, and what it does."""

from __future__ import annotations

import html
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from digitrec.emulator.vendors.base import POLLS, Request, Response, Vendor

if TYPE_CHECKING:
    from digitrec.emulator.server import Connection, Server

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

_SECONDS = {"slow": 5.0, "drip": 0.1}

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
    after: Count | None = None
    """Seconds in the header Retry-After, >= 0; None: no such header."""
    seconds: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    """Delay of a slow answer, or time between two bytes of a drip, >= 0."""
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
        try:
            return msgspec.convert({"kind": kind, **options}, cls, strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(f"fault {text!r}: {error}; the options are {', '.join(OPTIONS)}") from None

    @property
    def pause(self) -> float:
        """``seconds``, or the default of the kind: slow 5, drip 0.1."""
        return _SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds


OPTIONS = Fault.__struct_fields__[1:]
"""The options of a fault."""


class FaultQueue:
    """The faults of one server; thread-safe.

    They take turns: the one in front affects requests until it has affected its ``first``, then comes the
    next one: "503:first=2" followed by "429:first=1" is two 503s, one 429, and good answers from then on.
    """

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self.set(faults)

    def set(self, faults: Iterable[Fault]) -> None:
        """Replace all faults."""
        with self._lock:
            self._faults = deque(faults)
            self._seen = 0  # requests since the turn of the one in front began
            self.documents = cycle(UNUSABLE)

    def next(self) -> Fault | None:
        """Return the fault that affects this request, or None."""
        with self._lock:
            if not self._faults:
                return None
            fault = self._faults[0]
            self._seen += 1
            if self._seen <= fault.skip:
                return None
            if fault.first is not None and self._seen == fault.skip + fault.first:
                self._faults.popleft()
                self._seen = 0
            return fault


@dataclass(frozen=True, slots=True)
class Meeting:
    """A request that meets a fault."""

    fault: Fault
    """What goes wrong."""
    request: Request
    """The request."""
    server: Server
    """The server of the vendor that should answer it."""
    connection: Connection
    """The connection on which it came."""

    def read(self) -> Response:
        """Return the vendor's right answer, which is billed from now on."""
        return self.server.read(self.request)


Pieces = Iterator[Response | bytes]


def _refuse(met: Meeting) -> Pieces:
    answer = met.server.vendor.failure(met.fault.kind)
    wait = {} if met.fault.after is None else {"Retry-After": str(met.fault.after)}
    yield replace(answer, headers={**answer.headers, **wait})


def _redirect(met: Meeting) -> Pieces:
    yield Response(met.fault.status, headers={"Location": met.fault.to})


def _page(met: Meeting) -> Pieces:
    """Send a captive portal's page, which shows the request's headers."""
    page = Response.of_html(200, "Sign in to the network")
    shown = html.escape(met.request.head.decode("latin-1"))
    yield replace(page, body=page.body + f"<pre>{shown}</pre>".encode())


def _slow(met: Meeting) -> Pieces:
    met.server.stopping.wait(met.fault.pause)
    yield met.read()


def _hang(met: Meeting) -> Pieces:
    met.read()
    while not met.connection.is_gone() and not met.server.stopping.wait(0.05):
        pass
    yield b""


def _reset(met: Meeting) -> Pieces:
    met.read()
    yield b""
    raise ConnectionAbortedError


def _cut_off(met: Meeting) -> Pieces:
    answer = met.read()
    whole, half = met.connection.spelled(answer), len(answer.body) // 2
    yield whole[: len(whole) - (len(answer.body) - half)]


def _drip(met: Meeting) -> Pieces:
    for byte in met.connection.spelled(met.read()):
        yield bytes([byte])
        if met.server.stopping.wait(met.fault.pause):
            return


def _empty(met: Meeting) -> Pieces:
    met.read()
    yield Response(200)


def _unusable(met: Meeting) -> Pieces:
    met.read()
    yield Response(200, next(met.server.faults.documents), {"Content-Type": "application/json"})


def _no_field(met: Meeting) -> Pieces:
    """Send the right answer without the vendor's main field; Azure's 202 has it in a header."""
    answer = met.read()
    if not answer.body:
        yield Response(answer.status)
        return
    body = json.loads(answer.body)
    body.pop(met.server.vendor.main_field, None)
    yield replace(answer, body=json.dumps(body).encode())


def _poll(met: Meeting) -> Pieces:
    vendor = met.server.vendor
    yield vendor.polled_as(met.fault.kind) if vendor.is_poll(met.request) else met.read()


EFFECTS: Mapping[str, Callable[[Meeting], Pieces]] = {
    **dict.fromkeys(REFUSALS, _refuse), "slow": _slow, "hang": _hang, "reset": _reset,
    "cut-off": _cut_off, "drip": _drip, "html": _page, "empty": _empty, "no-field": _no_field,
    **dict.fromkeys(POLLS, _poll), "redirect": _redirect,
    "unusable": _unusable,
}  # fmt: skip
"""What each kind of fault does; docs/emulator.md describes them."""


def check(vendor: Vendor, fault: Fault) -> Fault:
    """Return the fault, if it applies to this vendor.

    Raises:
        ValueError: it does not.
    """
    if not vendor.may_meet(fault.kind):
        raise ValueError(f"{vendor.name} is not polled, so it has no {fault.kind}")
    return fault
