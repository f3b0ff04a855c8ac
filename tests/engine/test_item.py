"""What one image costs over all its attempts, and its one reply."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from clock import Clock
from paid_cloud import PaidCloud, answer, image

from digitrec.engine.asking import Reply
from digitrec.engine.item import Item, open_items
from digitrec.engine.ledger import Claim, Entry, Question
from digitrec.errors import TimedOut


def item(*, emulated: bool = False) -> Item:
    return Item(image(7), Question.about(image(7), PaidCloud(), emulated=emulated))


def claim(cost_usd: float | None, number: int = 1) -> Claim:
    return Claim(number, Question.about(image(7), PaidCloud(), emulated=False), cost_usd)


def settled(it: Item) -> Reply:
    it.settle(answer(7))
    assert it.reply is not None
    return it.reply


def test_every_attempt_that_may_be_billed_counts_with_its_own_cost() -> None:
    it = item()
    claims = [claim(cost, number) for number, cost in enumerate((0.5, 0.25, 0.125, 0.125))]
    for one in claims:
        it.sent(one)
    it.free(claims[2])
    it.cost(claims[3], 2.0)
    reply = settled(it)
    assert (reply.cost_usd, reply.attempts) == (2.75, 4)
    assert (reply.outcome, reply.replayed, reply.emulated) == (answer(7), False, False)


def test_its_time_runs_from_when_it_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("digitrec.engine.item.time", SimpleNamespace(monotonic=clock))
    made, begun = item(), item()
    clock.now += 5.0
    begun.start()
    clock.now += 2.0
    assert [settled(it).latency_s for it in (made, begun)] == [7.0, 2.0]


def test_one_cost_that_is_not_known_makes_their_sum_unknown_and_none_is_nothing() -> None:
    it = item()
    it.sent(claim(0.5, 1))
    it.sent(claim(None, 2))
    assert settled(it).cost_usd is None
    assert settled(item()).cost_usd == 0.0


def test_what_an_emulator_answers_costs_nothing() -> None:
    it = item(emulated=True)
    it.sent(claim(0.5))
    reply = settled(it)
    assert (reply.cost_usd, reply.emulated) == (0.0, True)


@pytest.mark.parametrize("first", [answer(1), TimedOut("late")])
def test_the_first_reply_stays(first: object) -> None:
    it, other = item(), item()
    assert (it.image, it.claim, it.error) == (image(7), None, None)
    assert open_items([it, other]) == [it, other]
    it.settle(first)  # type: ignore[arg-type]
    it.replay(Entry(it.question, answer(2), 5.0, 0.5))
    assert it.reply is not None
    assert (it.reply.outcome, it.reply.replayed) == (first, False)
    assert open_items([it, other]) == [other]


def test_an_answer_paid_for_before_is_told_from_a_new_one() -> None:
    it = item()
    it.replay(Entry(it.question, answer(2), 5.0, 0.5))
    assert it.reply is not None
    assert (it.reply.outcome, it.reply.replayed, it.reply.cost_usd) == (answer(2), True, 0.0)
    assert it.reply.attempts == 0
