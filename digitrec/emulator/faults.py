"""Parse faults, and choose the requests that they affect; `digitrec.emulator.server` carries them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from digitrec.emulator.vendors.base import POLLS
from digitrec.errors.schemas import built

REFUSALS = ("400", "401", "403", "404", "413", "429", "500", "502", "503", "504", "quota")
"""Errors in the vendor's own form, sent before the picture is read."""
BREAKS = ("hang", "reset", "cut-off", "drip")
"""Faults that end the connection."""
KINDS = (*REFUSALS, "redirect", "slow", *BREAKS, "html", "unusable", *POLLS)
"""All kinds; docs/emulator.md describes them."""
UNUSABLE = (
    b"", b"[]", b"null", b'"x"', b"7", b'{"surprise": [null, {"text": 7}]}', b'{"half": ', b"\xff\xfe\x00",
    b'{"a":NaN}', b'{"a":"\\ud83d"}',
)  # fmt: skip
"""Documents that no vendor sends; the emulator sends them in turn."""

Count = Annotated[int, Meta(ge=0)]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault, and the requests that it affects."""

    kind: str
    """One of `KINDS`."""
    skip: Count = 0
    """Number of requests before the fault that pass unharmed, >= 0."""
    first: Annotated[int, Meta(ge=1)] | None = None
    """Number of requests that the fault affects, >= 1; None: all further requests."""
    after: Count | None = None
    """Seconds in the header Retry-After, >= 0; None: no such header."""
    seconds: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    """Delay of a slow answer, by default 5, or time between two bytes of a drip, by default 0.1; >= 0."""
    status: Literal[301, 302, 303, 307, 308] = 307
    """Status of a redirect."""
    to: Annotated[str, Meta(pattern="^[!-~]+$")] = "http://127.0.0.1:9/"
    """Target of a redirect; by default another origin, where nothing listens (port 9 is "discard")."""

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Parse ``KIND[:OPTION=VALUE,...]``, such as "429:after=2,first=1".

        The options are the fields above; ``to`` must come last, because an address may contain commas.

        Raises:
            ValueError: a kind or option is unknown, or a value is out of range.
        """
        kind, _, rest = text.strip().partition(":")
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; there are: {', '.join(KINDS)}")
        rest, to, address = rest.partition("to=")
        options = dict(part.strip().partition("=")[::2] for part in rest.split(",") if part.strip())
        options |= {"to": address} if to else {}
        seconds = {"slow": 5.0, "drip": 0.1}.get(kind, 0.0)
        try:
            return msgspec.convert({"kind": kind, "seconds": seconds, **options}, built(cls), strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(f"fault {text!r}: {error}; the options are {', '.join(OPTIONS)}") from None


OPTIONS = Fault.__struct_fields__[1:]
"""The options of a fault."""


def turns(faults: Iterable[Fault]) -> Iterator[Fault | None]:
    """Yield for each request the fault that affects it, or None, without end.

    The faults take turns: the first affects requests until it has affected ``first`` of them, then the next
    one follows. So "503:first=2" and "429:first=1" give two 503s, one 429, and then good answers.
    """
    for fault in faults:
        yield from repeat(None, fault.skip)
        yield from repeat(fault) if fault.first is None else repeat(fault, fault.first)
    yield from repeat(None)
