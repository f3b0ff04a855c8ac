"""Engines on labelled pictures: the counts and measures of each, on known outcomes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparison.engines import labelled
from comparison.numbered import TEXTS, numbered
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from digitrec.answer import Answer, Candidate, Outcome, Prediction
from digitrec.comparison.benchmark import Benchmark, benchmark, measures, recommend
from digitrec.comparison.benchmark.measure import Result, list_price, measure, per_1000, price_list, scorecard
from digitrec.comparison.benchmark.measures import Proportion, by_groups, mcnemar, proportion, share_of
from digitrec.comparison.datasets.loader import Sample, read_numbers, read_samples
from digitrec.comparison.numbers import numbers_asked
from digitrec.comparison.policy import Consensus, Fallback
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine, Options
from digitrec.engine.config import Config, TokenPrice
from digitrec.errors import BadAnswer, BudgetExceeded, RateLimited, Unavailable
from digitrec.image import ImageRef
from digitrec.providers.base import Price
from digitrec.providers.local import Local
from digitrec.providers.openai import OpenAi

Said = Callable[..., list[Outcome]]


def test_every_count_is_its_own(said: Said) -> None:
    outcomes = said(1, 2, 3, 4, 9, 9, 5, 6, 7, None, None, None, None, None, None, None, None, "!")
    labels = [1, 2, 3, 4, 5, 6, None, None, None, None, None, 6, 7, 8, 9, 0, 1, 1]
    card = scorecard("e", outcomes, labelled(labels), prices={"e": 0.002})
    assert (card.n, card.correct, card.wrong, card.failed) == (18, 6, 5, 1)
    assert (card.refused_rightly, card.refused_wrongly) == (2, 6)
    assert (card.accuracy.hits, card.accuracy.n) == (6, 17)
    assert (card.confusion[1][1], card.confusion[5][9], card.confusion[6][10], card.confusion[10][5]) == (
        1, 1, 1, 1,
    )  # fmt: skip
    assert card.cost_per_1000 == pytest.approx(2.0)
    assert card.reliability is not None
    assert card.reliability.answers == 9
    assert card.reliability.brier == pytest.approx((4 * 0.1**2 + 5 * 0.9**2) / 9)
    assert [bin.right for bin in card.reliability.bins] == [pytest.approx(4 / 9)]
    assert card.coverage == ((0.9, 9 / 17, pytest.approx(4 / 9)),)
    assert (card.calibrated, card.name) == (None, "e")


def test_latency_leaves_out_replayed_answers_and_counts_refusals(said: Said) -> None:
    seconds = np.linspace(0.1, 2.0, 40)
    fresh = [replace(said(7)[0], latency_s=float(value)) for value in seconds]
    fresh[-1] = said(None, latency_s=2.0, attempts=0)[0]
    other = said(7, 7, latency_s=99.0, replayed=True, attempts=0)
    card = scorecard("e", [*fresh, *other], labelled([7] * 42))
    assert card.latency is not None
    found = (card.latency.answers, card.latency.p50, card.latency.p95, card.latency.p99)
    assert found == pytest.approx((40, *np.percentile(seconds, [50, 95, 99])))
    replayed = scorecard("e", other[:1], labelled([7]), prices={"e": 0.002})
    assert (replayed.latency, replayed.cost_per_1000) == (None, 2.0)
    silent = scorecard("e", said("!", "!"), labelled([1, None]))
    assert (silent.failed, silent.accuracy.share, silent.coverage, silent.latency) == (2, None, (), None)


def test_costs_are_added_up_and_unknown_if_one_is(said: Said) -> None:
    paid = [*said(7, cost_usd=0.5), *said(1, cost_usd=0.25)]
    assert scorecard("e", paid, labelled([7, 7])).cost_usd == 0.75
    assert scorecard("e", [*paid, *said(1, cost_usd=None)], labelled([7, 7, 7])).cost_usd is None
    assert scorecard("e", said(7), labelled([7])).cost_per_1000 is None


def test_calibrated_chances_decide_what_is_surest_where_all_answers_have_one(said: Said) -> None:
    card = scorecard("e", said(7, 1, calibrated=0.5), labelled([7, 7]))
    assert card.calibrated is not None
    assert (card.calibrated.brier, card.coverage[0][0]) == (pytest.approx(0.25), 0.5)
    mixed = scorecard("e", [*said(7, calibrated=0.5), *said(7)], labelled([7, 7]))
    assert mixed.calibrated is not None
    assert (mixed.coverage, mixed.calibrated.answers) == (((0.9, 1.0, 1.0),), 1)
    unsure = [*said(7), Prediction(said(7)[0].image, "e", 7, None)]
    assert scorecard("e", unsure, labelled([7, 7])).reliability == measures.reliability([(0.9, True)])


def test_who_answered_and_how_is_kept(said: Said) -> None:
    outcomes = [*said(7, model_version="v2", endpoint="http://x", preparation="enlarged", emulated=True),
                *said(7, "!", model_version="v1")]  # fmt: skip
    card = scorecard("google", outcomes, labelled([7] * 3))
    assert (card.model_versions, card.endpoints) == (("v1", "v2"), ("http://x",))
    assert card.preparations == ("enlarged", "plain")
    assert (card.emulated, card.name) == (True, "google (emulated)")


def test_the_configuration_knows_better_than_the_provider(said: Said) -> None:
    configured = Options(ledger="none", _config=Config(prices={"b": 0.5}))
    one = Engine(FakeProvider(name="a", price=Price(0.001, "list")), Options(ledger="none"))
    other = Engine(FakeProvider(name="b", price=None), configured)
    unknown = Engine(FakeProvider(name="c", price=None), Options(ledger="none"))
    assert price_list([one, other, unknown]) == {"a": 0.001, "b": 0.5, "c": None}
    by_tokens = Options(ledger="none", _config=Config(tokens={"m": TokenPrice(10.0, 20.0)}))
    prices = price_list([Engine(OpenAi(model="m", key="k", name="e"), by_tokens)])
    counted = said(7, raw={"usage": {"prompt_tokens": 187, "completion_tokens": 14}})
    assert (per_1000(counted, prices), per_1000(said(7), prices)) == (2.15, 60.96)


def test_list_prices_count_replayed_answers(said: Said) -> None:
    gated, replayed, failed = [*said(None, attempts=0), *said(7, attempts=0, replayed=True), *said("!")]
    unpaid = replace(failed, error=BudgetExceeded("not asked"))
    odd = replace(failed, error=BadAnswer("no JSON", status=200), attempts=3)
    outcomes = (gated, replayed, failed, unpaid, odd, replace(odd, error=RateLimited("later")))
    assert [list_price(outcome, {"e": 0.25}) for outcome in outcomes] == [0.0, 0.25, 0.0, 0.25, 0.25, 0.0]


def test_a_policy_costs_what_those_cost_that_it_asked(said: Said) -> None:
    (first, second) = (replace(said(7)[0], provider=name) for name in "ab")
    both = Prediction(first.image, "a>b", 7, 0.9, asked=(first, second))
    alone = replace(both, asked=(first,))
    assert per_1000([both, alone], {"a": 0.001, "b": 0.002}) == pytest.approx(2.0)
    assert per_1000([both, alone], {"a": 0.001, "b": None}) is None
    assert per_1000([], {}) is None
    assert per_1000(said(*[7] * 50), {"e": 0.001}) == 1.0, "though 50 times 0.001 add up to a little more"


BLANK = np.full((60, 60), 240, np.uint8)


@pytest.fixture(scope="module")
def found() -> Result:
    """Measure the first 120 test digits, two with a wrong label, a blank page, and no picture at all."""
    samples = read_samples("mnist-test")[:120]
    wrong = [Sample(samples[0].image, 3), Sample(samples[1].image, 0)]
    odd = [Sample(BLANK, None), Sample(BLANK, 5), Sample(b"no picture", 4)]
    return measure([*wrong, *samples[2:], *odd], Engine(Local()), "odd ones")


def test_refusals_and_failures_count_as_wrong_where_there_is_a_digit(found: Result) -> None:
    assert (found.card.failed, found.card.refused_rightly, found.card.refused_wrongly) == (1, 1, 1)
    assert (found.accuracy.hits, found.accuracy.n) == (119, 123)
    assert found.accuracy.low is not None and found.accuracy.low < 119 / 123
    assert (found.named.hits, found.named.n) == (120, 122)


def test_the_loss_is_the_cross_entropy_of_what_was_answered(found: Result) -> None:
    rows = [outcome.probabilities for outcome in found.outcomes[:120]]  # type: ignore[union-attr]
    chances = np.array(rows, float)
    chances /= chances.sum(axis=1, keepdims=True)
    truth = [sample.label for sample in found.samples[:120]]
    assert found.loss == pytest.approx(log_loss(truth, chances, labels=range(10)))


def test_the_misread_come_surest_first(said: Said) -> None:
    chances = None, 0.4, 0.95, 0.99
    outcomes = [
        replace(one, confidence=it, calibrated=it and 1 - it)  # type: ignore[type-var]
        for one, it in zip(said(3, 3, 3, 7), chances, strict=True)
    ]
    samples = labelled([7] * 4)
    found = Result("x", samples, tuple(outcomes), scorecard("e", outcomes, samples))
    assert found.misread == [2, 1, 0]
    assert (found.surely_wrong, found.reliable) == (proportion(1, 2), 0.25)


@pytest.mark.parametrize("chance", [0.82, 0.0])
def test_the_loss_of_few_kinds_of_digits_is_that_of_all_ten(chance: float, said: Said) -> None:
    outcomes, samples = said(7, probabilities=(*[(1 - chance) / 7] * 7, chance, 0, 0)), labelled([7])
    found = Result("x", samples, tuple(outcomes), scorecard("e", outcomes, samples))
    assert found.loss == pytest.approx(-np.log(max(chance, 1e-7)))


def answer(words: str) -> Answer:
    return Answer(tuple(Candidate(word, 0.9) for word in words.split()))


def engine(name: str, *lines: str | Exception | None) -> Engine:
    """Return an engine that reads these words on one picture after the other."""
    script = [line if isinstance(line, Exception) else answer(line or "") for line in lines]
    return Engine(FakeProvider(script, name=name), Options(ledger="none", concurrency=1))  # type: ignore[arg-type]


def measured(source: str, *engines: Engine) -> Benchmark:
    named = {engine.provider.name: engine for engine in engines}
    return benchmark(read_numbers(source), named, data="x", ask=numbers_asked())


def test_texts_values_characters_and_refusals_are_counted_apart(cut: str) -> None:
    found = measured(cut, engine("a", "7.5", "-3", "013", None, None, Unavailable("down")))
    (card,), (score,) = found.cards, found.numbers
    assert (card.correct, card.wrong, card.failed) == (2, 2, 1)
    assert (card.refused_rightly, card.refused_wrongly) == (1, 1)
    assert card.accuracy == proportion(2, 5)
    assert (score.engine, score.value) == ("a", proportion(3, 5)), "7.5 is the value of 7.50"
    assert [row["engine"] for row in found.as_dict()["numbers"]] == ["a"]
    assert (score.recall, score.precision) == (proportion(1, 4), proportion(1, 3))
    assert score.character_errors == pytest.approx(2 / (4 + 2 + 3)), "a 0 is missing, a 3 stands for a 2"
    assert card.confusion == ()
    assert [point[1] for point in card.coverage] == [3 / 5]
    assert found.misread == (0, 2)


def test_policies_are_scored_on_the_numbers_that_their_engines_read(cut: str) -> None:
    one = engine("a", "7.50", "-3", "013", None, None, Unavailable("down"))
    other = engine("b", "7.50", "-8", "012", "1,234", None, "88")
    fallback, consensus = Fallback([one, other], 0.95), Consensus([one, other], 2)
    found = benchmark(
        read_numbers(cut), {"a": one, "b": other}, data="x", policies=[fallback, consensus],
        ask=numbers_asked(),
    )  # fmt: skip
    cards = {card.engine: card for card in found.cards}
    assert [cards[name].correct for name in ("a", "b", fallback.name)] == [3, 5, 5]
    agreed = cards[consensus.name]
    assert (agreed.correct, agreed.wrong, agreed.failed) == (2, 0, 1)
    assert {one.engine for one in found.numbers} == set(cards)
    paid = [sum(outcome.attempts for outcome in found.outcomes[name]) for name in ("a", "b", consensus.name)]
    assert paid[2] == paid[0] + paid[1]


def test_the_cheapest_engine_that_reads_numbers_well_enough_is_recommended(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(50)]
    source = numbered(tmp_path, "\n".join(["file,text", *(f"{name},12" for name in names)]), names)
    engines = {"good": engine("good", *["12"] * 50), "bad": engine("bad", *["13"] * 50)}
    found = benchmark(read_numbers(source), engines, data="x", target=0.8, ask=numbers_asked()).recommendation
    assert found is not None and found.chosen is not None
    assert (found.chosen.name, found.chosen.right) == ("good", proportion(25, 25))


def test_a_date_is_doubted_and_no_wrong_number(cut: str) -> None:
    found = measured(cut, engine("a", "1.2.2024", "-3 4", *TEXTS[2:4], None, "88"))
    doubted, several, *_ = found.outcomes["a"]
    assert isinstance(doubted, Prediction) and isinstance(several, Prediction)
    assert (doubted.answer, doubted.reason, doubted.text) == (None, "not one number", "1.2.2024")
    assert several.answer == "-3 4"
    assert (found.cards[0].wrong, found.cards[0].refused_wrongly) == (1, 1)


def test_a_sheet_is_right_as_a_whole_and_its_numbers_are_found_one_by_one(tmp_path: Path) -> None:
    rows = ["file,text", *(f"sheet.png,{text}" for text in ("12", "7", "7")), "other.png,5"]
    source = numbered(tmp_path, "\n".join(rows), ["sheet.png", "other.png"])
    found = measured(source, engine("all", "7 12 7", "5"), engine("some", "12 7 8", "5"))
    cards = {card.engine: card.correct for card in found.cards}
    scores = {one.engine: (one.recall, one.precision) for one in found.numbers}
    assert cards == {"all": 2, "some": 1}
    every, some = (share_of(right, ["a", "b"], [3, 1]) for right in ([3, 1], [2, 1]))
    assert scores == {"all": (every, every), "some": (some, some)} and scores["all"][0].share == 1
    (card,) = measured(source, engine("one", "12", "5")).cards
    assert card.reliability == measures.reliability([(0.9, True)]), "one number is not the whole sheet"
    assert [(pair.only_first, pair.only_second, pair.p) for pair in found.pairs] == [(1, 0, 1.0)]


def test_numbers_of_a_table_are_right_in_their_row_and_column(tmp_path: Path) -> None:
    rows = ["file,text,row,column", *(f"a.png,{at},{at // 2},{at % 2}" for at in range(6)), "b.png,7,,"]
    source = numbered(tmp_path, "\n".join(rows), ["a.png", "b.png"])
    corners = [(16 * (at % 2), 5 * (at // 2) + 5) for at in range(6)]
    table = [Candidate(str(at), 0.9, (x, y, x + 4, y + 4)) for at, (x, y) in enumerate(corners)]
    swapped = [*table[:4], replace(table[4], text="5"), replace(table[5], text="4")]
    above = [Candidate("2026", 0.9, (0, 0, 4, 4)), *table]
    engines = {name: Engine(FakeProvider([Answer(tuple(words)), answer("7")], name=name))
               for name, words in {"right": table, "swapped": swapped, "shifted": above}.items()}  # fmt: skip
    found = benchmark(read_numbers(source), engines, data="x", ask=numbers_asked())
    hits = {"right": 6, "swapped": 4, "shifted": 6}
    shares = {name: share_of([number], ["one sheet"], [6]) for name, number in hits.items()}
    assert {one.engine: one.cells for one in found.numbers} == shares


def test_a_single_group_tells_nothing_and_no_half_is_smaller_than_it_must_be() -> None:
    assert share_of([1] * 100, ["book"] * 100) == Proportion(100, 100, 0.0, 1.0)
    samples = [Sample(drawn_seven(), 7, group) for group in ["small"] * 2 + ["big"] * 60 + ["other"] * 40]
    said = [Prediction(ImageRef("x", "00"), "e", 7, 0.9)] * len(samples)
    advice = recommend({"e": said}, {"e": engine("e", "7")}, samples, 0.5)
    assert advice.chosen is not None and advice.chosen.right.n == 42


def test_groups_stay_whole_in_intervals_and_tests(tmp_path: Path) -> None:
    """One engine misreads two books of ten pictures; 20 independent pictures would show a difference."""
    names = [f"{number}.png" for number in range(50)]
    rows = ["file,text,group", *(f"{name},7,book {at // 10}" for at, name in enumerate(names))]
    source = numbered(tmp_path, "\n".join(rows), names)
    good, bad = engine("good", *["7"] * 50), engine("bad", *["7"] * 30, *["1"] * 20)
    found = measured(source, good, bad)
    (pair,) = found.pairs
    assert (pair.only_first, pair.only_second, pair.better) == (20, 0, None)
    assert mcnemar(20, 0) < 0.001
    assert pair.p is not None and pair.p > 0.4
    worse, alone = found.cards[1].accuracy, proportion(30, 50)
    assert None not in (worse.low, worse.high, alone.low, alone.high)
    assert worse.high - worse.low > 1.5 * (alone.high - alone.low)  # type: ignore[operator]
    assert found.cards[0].accuracy.low == pytest.approx(0.025 ** (1 / 26.194), rel=1e-4), "5 books, not 50"
    assert found.numbers[1].recall == found.numbers[1].value == worse
    engines, ask = {"one": engine("one", *["7"] * 50)}, numbers_asked()
    advice = benchmark(read_numbers(source), engines, data="x", target=0.5, ask=ask).recommendation
    assert advice is not None and advice.chosen is not None and advice.chosen.right.n % 10 == 0
    assert found.is_grouped and "group" in found.test


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef")), min_size=1, max_size=40))
def test_an_interval_of_groups_holds_the_share_and_wilsons_interval(pictures: list[tuple[bool, str]]) -> None:
    right, groups = zip(*pictures, strict=True)
    found, alone = share_of(right, groups), proportion(sum(right), len(right))
    assert 0 <= found.low <= alone.low <= alone.share <= alone.high <= found.high <= 1  # type: ignore[operator]
    assert share_of([*right, 0], [*groups, "no cells"], [1] * len(right) + [0]) == found
    assert by_groups([0] * len(groups), groups) == 1
