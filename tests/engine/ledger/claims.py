"""Questions and the ledger's replies to claims."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from paid_cloud import PRICE, PaidCloud, image

from digitrec.answer import Answer
from digitrec.engine.ledger import Budget, Claim, Ledger, Question, Verdict, entries

NO_LIMIT = Budget("run")


def question(number: int = 7, *, emulated: bool = False) -> Question:
    return Question.about(image(number), PaidCloud(), emulated=emulated)


def claim(
    ledger: Ledger, asked: Question | None = None, *, budget: Budget = NO_LIMIT, price: float | None = 0.5
) -> Verdict:
    (verdict,) = ledger.claim([asked or question()], price=price, budget=budget, lease_s=10.0)
    return verdict


def claimed(ledger: Ledger, asked: Question | None = None, **how: Any) -> Claim:
    verdict = claim(ledger, asked, **how)
    assert isinstance(verdict, Claim)
    return verdict


def fill(path: Path, sizes: list[int]) -> Path:
    """Make a ledger of answers, each with its number and this many bytes of padding."""
    with closing(Ledger(path)) as ledger:
        questions = [question(number) for number in range(len(sizes))]
        for number, verdict in enumerate(ledger.claim(questions, price=PRICE, budget=NO_LIMIT, lease_s=60.0)):
            assert isinstance(verdict, Claim)
            ledger.answered(verdict, Answer(raw={"number": number, "padding": "x" * sizes[number]}))
    return path


def numbers(path: Path) -> list[int]:
    """Return the numbers of the answers in a ledger."""
    with closing(Ledger(path)) as ledger:
        return [entry.answer.raw["number"] for entry in entries(ledger)]


def fill_more(path: Path) -> None:
    """Record large answers until the disk is full; report each recorded one."""
    ledger = Ledger(path)
    for number in range(100, 200):
        (verdict,) = ledger.claim([question(number)], price=0.001, budget=Budget(), lease_s=60.0)
        assert isinstance(verdict, Claim)
        ledger.answered(verdict, Answer(raw={"number": number, "padding": "x" * 10_000}))
        sys.stdout.write(f"{number}\n")
