"""An answer that is ordered first and fetched later: ordered once, and looked at until it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from digitrec.engine import call
from digitrec.engine.item import Item
from digitrec.engine.pace import SHORTEST_CALL_S, Pace
from digitrec.errors import DigitrecError, TimedOut
from digitrec.ledger import Claim
from digitrec.providers.base import Provider, Resumable


def too_short(provider: Resumable, left_s: float) -> TimedOut | None:
    """The error of an image whose time would be over before its answer could be looked at, or None."""
    if left_s > provider.poll_s + SHORTEST_CALL_S:
        return None
    name = cast("Provider", provider).name
    return TimedOut(
        f"not asked: {name} has its answer ready after {provider.poll_s:g} s at the earliest; "
        "allow more with --timeout",
        provider=name,
    )


def read(provider: Resumable, item: Item, pace: Pace, write: Callable[[Claim, str], None]) -> call.Outcome:
    """One attempt: order the answer unless that was done before, and look until it is there.

    Every request waits for its turn; the one before the first of them has been waited for.

    Args:
        provider: whom to ask.
        item: the image; its claim gets the token of the order.
        pace: its time.
        write: writes an order down, so that it is fetched and not placed again.
    """
    asked = cast("Provider", provider)
    claim = item.claim
    assert claim is not None
    if claim.token is None:
        token = call.caught(asked, lambda: _order(provider, item, pace))
        if isinstance(token, DigitrecError):
            return token
        write(claim, token)
        item.claim = claim = replace(claim, token=token)
        if not _wait(provider, claim, pace):
            return _not_ready(asked)
    while True:
        outcome = call.caught(asked, lambda: provider.poll(_token_of(claim), timeout=pace.call_s))
        if outcome is not None:
            return call.usable(asked, outcome)
        if pace.left_s <= provider.poll_s + SHORTEST_CALL_S or not _wait(provider, claim, pace):
            return _not_ready(asked)


def _order(provider: Resumable, item: Item, pace: Pace) -> str:
    token: object = provider.start(item.image, timeout=pace.call_s)
    if not isinstance(token, str) or not token:
        raise TypeError("the token is no text")
    return token


def _wait(provider: Resumable, claim: Claim, pace: Pace) -> bool:
    """Until the next look is worth it and the vendor's turn has come."""
    return pace.pause([claim], provider.poll_s) and pace.take_turn([claim])


def _token_of(claim: Claim) -> str:
    assert claim.token is not None
    return claim.token


def _not_ready(provider: Provider) -> TimedOut:
    said = f"{provider.name} has not finished in time what was ordered, and is not paid twice for it"
    return TimedOut(f"{said}; try again, or allow more with --timeout", provider=provider.name)
