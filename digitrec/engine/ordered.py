"""An answer that is ordered first and fetched later: ordered once, and polled until it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, cast

from digitrec.answer import Answer
from digitrec.engine import call
from digitrec.engine.ledger import Claim
from digitrec.engine.request import SHORTEST_CALL_S, Item, Request
from digitrec.engine.terms import Terms
from digitrec.errors import DigitrecError, TimedOut
from digitrec.providers.base import Provider, Resumable


class _Provider(Provider, Resumable, Protocol):
    """A provider whose answer is ordered first."""


class OrderedRequest(Request):
    """A request about one image; each of its calls waits for a turn of its own."""

    def __init__(self, items: Sequence[Item], terms: Terms) -> None:
        super().__init__(items, terms)
        self._provider = cast("_Provider", terms.provider)

    def _too_short(self, claimed: Sequence[Item]) -> DigitrecError | None:
        (item,) = claimed
        poll_s = self._provider.poll_s
        if item.claim.token is not None or self._left_s > poll_s + SHORTEST_CALL_S:
            return None
        name = self._provider.name
        return TimedOut(
            f"not asked: {name} has its answer ready after {poll_s:g} s at the earliest; "
            "allow more with --timeout",
            provider=name,
        )

    def _ask(self, claimed: Sequence[Item]) -> Sequence[call.Outcome]:
        """Order the answer unless that was done before, and poll until it is there."""
        (item,) = claimed
        if item.claim.token is None:
            token = self._order(item)
            if not isinstance(token, str):
                return [token]
            item.claim = replace(item.claim, token=token)
            if not self._wait(item, self._provider.poll_s):
                return [self._not_ready()]
        while isinstance(outcome := self._poll(item), float):
            if self._left_s <= outcome + SHORTEST_CALL_S or not self._wait(item, outcome):
                return [self._not_ready()]
        return [outcome]

    def _order(self, item: Item) -> str | DigitrecError:
        """Order the answer, and record the order's token before anything else happens."""
        claim, timeout = item.claim, self._call_s

        def order() -> str:
            token: object = self._provider.start(item.image, timeout=timeout)
            if not isinstance(token, str) or not token:
                raise TypeError("the token is no text")
            return token

        def late(token: str | DigitrecError) -> None:
            if isinstance(token, str):
                self._record(claim, token)
            else:
                self._late(item, claim, token)

        token = self._call(order, timeout, late)
        if isinstance(token, str):
            self._record(claim, token)
        return token

    def _poll(self, item: Item) -> call.Outcome | float:
        """Poll once; return the outcome, or the seconds to wait before the next poll."""
        claim, provider, timeout = item.claim, self._provider, self._call_s
        assert claim.token is not None
        order = claim.token

        def poll() -> call.Outcome | float:
            outcome: object = provider.poll(order, timeout=timeout)
            if outcome is None or isinstance(outcome, float):
                return max(outcome or 0.0, provider.poll_s)
            return call.usable(provider, outcome)

        def late(outcome: call.Outcome | float) -> None:
            if isinstance(outcome, Answer | DigitrecError):
                self._late(item, claim, outcome)

        return self._call(poll, timeout, late)

    def _wait(self, item: Item, seconds: float) -> bool:
        """Wait until the next poll is worth it and the vendor's turn has come."""
        return self._pause([item], seconds) and self._take_turn([item])

    def _record(self, claim: Claim, token: str) -> None:
        with self._recorded():
            self._ledger.ordered(claim, token)

    def _not_ready(self) -> TimedOut:
        name = self._provider.name
        return TimedOut(
            f"{name} has not finished in time what was ordered, and is not paid twice for it; try again, or "
            "allow more with --timeout",
            provider=name,
        )
