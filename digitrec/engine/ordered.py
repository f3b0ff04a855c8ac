"""An answer that is ordered first and fetched later: ordered once, and polled until it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from digitrec.answer import Answer
from digitrec.engine import call
from digitrec.engine.ledger import Claim
from digitrec.engine.request import SHORTEST_CALL_S, Item, Request, Terms
from digitrec.errors import DigitrecError, TimedOut


class OrderedRequest(Request):
    """A request about one image; each of its calls waits for a turn of its own."""

    def __init__(self, items: Sequence[Item], terms: Terms) -> None:
        super().__init__(items, terms)
        self._provider: Any = terms.remote.provider  # a Provider that is Resumable

    def _too_short(self, claimed: Sequence[Item]) -> DigitrecError | None:
        poll_s = self._provider.poll_s
        if claimed[0].claim.token is not None or self._left_s > poll_s + SHORTEST_CALL_S:
            return None
        return self._terms.timed_out(f"was not asked: its answer takes {poll_s:g} s; raise the time")

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
        claim = item.claim

        def start(timeout: float) -> str:
            token: object = self._provider.start(item.image, timeout=timeout)
            if not isinstance(token, str) or not token:
                raise TypeError("the token is not a text")
            return token

        def late(token: str | DigitrecError) -> None:
            if isinstance(token, str):
                self._record(claim, token)
            else:
                self._book(item, claim, token)

        token = self._call(lambda timeout: call.caught(self._provider, lambda: start(timeout)), late)
        if isinstance(token, str):
            self._record(claim, token)
        return token

    def _poll(self, item: Item) -> call.Outcome | float:
        """Poll once; return the outcome, or the seconds to wait before the next poll."""
        claim, provider = item.claim, self._provider

        def poll(timeout: float) -> call.Outcome | float:
            given = call.caught(provider, lambda: provider.poll(claim.token, timeout=timeout))
            if given is None or isinstance(given, float):
                return max(given or 0.0, float(provider.poll_s))
            return call.usable(provider, given)

        def late(outcome: call.Outcome | float) -> None:
            if isinstance(outcome, Answer | DigitrecError):
                self._book(item, claim, outcome)

        return self._call(poll, late)

    def _wait(self, item: Item, seconds: float) -> bool:
        """Wait for the poll interval and the rate limit."""
        return self._pause([item], seconds) and self._take_turn([item])

    def _record(self, claim: Claim, token: str) -> None:
        with self._recorded():
            self._terms.ledger.ordered(claim, token)

    def _not_ready(self) -> TimedOut:
        return self._terms.timed_out("has not finished the order in time; try again (it costs nothing more)")
