"""Questions, and what the ledger says to somebody who wants to ask them."""

from __future__ import annotations

from paid_cloud import PaidCloud, image

from digitrec.engine.ledger import Budget, Claim, Ledger, Question, Verdict

NO_LIMIT = Budget("run")


def question(number: int = 7, *, emulated: bool = False) -> Question:
    return Question.about(image(number), PaidCloud(), emulated=emulated)


def claim(
    ledger: Ledger, asked: Question | None = None, *, budget: Budget = NO_LIMIT, price: float | None = 0.5
) -> Verdict:
    (verdict,) = ledger.claim([asked or question()], price=price, budget=budget, lease_s=10.0)
    return verdict


def claimed(ledger: Ledger, asked: Question | None = None, **how: Budget) -> Claim:
    verdict = claim(ledger, asked, **how)
    assert isinstance(verdict, Claim)
    return verdict
