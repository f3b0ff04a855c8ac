"""One request: what it tells the ledger while it waits for its turn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from paid_cloud import PRICE, PaidCloud, answer, image, options

from digitrec.engine.item import Item
from digitrec.engine.ledger import Budget, Claim, Ledger, Question
from digitrec.engine.rate import Limiter
from digitrec.engine.request import Request
from digitrec.engine.terms import LEASE_MARGIN_S, Halt, Terms


class Noting(Ledger):
    """A ledger that notes for how long claims are extended."""

    extended: float | None = None

    def extend(self, claims: Sequence[Claim], lease_s: float) -> None:
        self.extended = lease_s
        super().extend(claims, lease_s)


def test_a_request_that_waits_for_its_turn_keeps_its_claim_until_it_is_done(tmp_path: Path) -> None:
    cloud = PaidCloud()
    how = options(tmp_path)
    item = Item(image(7), Question.about(image(7), cloud, emulated=False))
    with (
        closing(Noting(tmp_path / "ledger.sqlite")) as ledger,
        closing(Limiter(tmp_path / "rate.sqlite", clock=lambda: 1000.0)) as limiter,
    ):
        limiter.book("paid https://paid.example", 5.0)  # somebody had the turn before
        terms = Terms(cloud, how, ledger, limiter, Budget(), PRICE, 5.0, emulated=False, attempt_s=3.0)
        Request([item], terms, Halt()).run()
        assert item.reply is not None
        assert item.reply.outcome == answer(7)
        assert ledger.extended is not None
        assert abs(ledger.extended - (0.2 + 3.0 + LEASE_MARGIN_S)) < 1e-9
