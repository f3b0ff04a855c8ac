"""An answer that is ordered first and fetched later: ordered once, and looked at until it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from digitrec.answer import Answer
from digitrec.engine import call
from digitrec.engine.attempt import Attempts, Unanswered
from digitrec.engine.item import Item
from digitrec.engine.ledger import Claim
from digitrec.engine.pace import SHORTEST_CALL_S, Pace
from digitrec.errors import DigitrecError, TimedOut
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


def read(
    provider: Resumable,
    item: Item,
    pace: Pace,
    attempts: Attempts,
    write: Callable[[Claim, str], None],
    late: Callable[[Item, Claim, call.Outcome], None],
) -> call.Outcome | Unanswered:
    """Order the answer unless that was done before, and look until it is there: one attempt.

    Every request waits for its turn; the one before the first of them has been waited for.

    Args:
        provider: the provider to ask.
        item: the image; its claim gets the token of the order.
        pace: its time.
        attempts: makes the calls.
        write: writes an order down, so that it is fetched and not placed again.
        late: writes down the outcome of a look that was given up.
    """
    asked = cast("Provider", provider)
    claim = item.claim
    assert claim is not None
    if claim.token is None:
        timeout, first = pace.call_s, claim

        def order_late(token: str | DigitrecError) -> None:
            if isinstance(token, DigitrecError):
                late(item, first, token)
            else:
                write(first, token)

        token = attempts.make(lambda: _order(provider, item, timeout), timeout, order_late)
        if isinstance(token, DigitrecError | Unanswered):
            return token
        write(claim, token)
        item.claim = claim = replace(claim, token=token)
        if not _wait(claim, pace, provider.poll_s):
            return _not_ready(asked)
    while True:
        outcome = _look(provider, item, claim, pace, attempts, late)
        if isinstance(outcome, Answer | DigitrecError | Unanswered):
            return outcome
        if pace.left_s <= outcome + SHORTEST_CALL_S or not _wait(claim, pace, outcome):
            return _not_ready(asked)


def _look(
    provider: Resumable,
    item: Item,
    claim: Claim,
    pace: Pace,
    attempts: Attempts,
    late: Callable[[Item, Claim, call.Outcome], None],
) -> call.Outcome | Unanswered | float:
    """Look once at an order; return its outcome, or the seconds to wait before the next look."""
    asked, timeout = cast("Provider", provider), pace.call_s

    def look() -> call.Outcome | float:
        outcome: object = provider.poll(_token_of(claim), timeout=timeout)
        if outcome is None:
            return provider.poll_s
        if isinstance(outcome, float):
            return max(outcome, provider.poll_s)
        return call.usable(asked, outcome)

    def look_late(outcome: call.Outcome | float) -> None:
        if not isinstance(outcome, float):
            late(item, claim, outcome)

    return attempts.make(look, timeout, look_late)


def _order(provider: Resumable, item: Item, timeout: float) -> str:
    token: object = provider.start(item.image, timeout=timeout)
    if not isinstance(token, str) or not token:
        raise TypeError("the token is no text")
    return token


def _wait(claim: Claim, pace: Pace, seconds: float) -> bool:
    """Wait until the next look is worth it and the vendor's turn has come."""
    return pace.pause([claim], seconds) and pace.take_turn([claim])


def _token_of(claim: Claim) -> str:
    assert claim.token is not None
    return claim.token


def _not_ready(provider: Provider) -> TimedOut:
    said = f"{provider.name} has not finished in time what was ordered, and is not paid twice for it"
    return TimedOut(f"{said}; try again, or allow more with --timeout", provider=provider.name)
