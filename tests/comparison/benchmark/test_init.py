"""A benchmark asks every engine about every picture and keeps the answers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparison.engines import labelled
from statsmodels.stats.proportion import proportion_confint

import digitrec
from digitrec.answer import Failure, Outcome, Prediction
from digitrec.comparison.benchmark import KEPT, Recommendation, benchmark, recommend
from digitrec.comparison.benchmark.measures import proportion
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.policy import Consensus, Fallback
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine, Options
from digitrec.errors import BudgetExceeded, DataError, ImageError, TimedOut
from digitrec.image import ImageRef
from digitrec.providers.base import Price
from digitrec.recognise import calibration
from digitrec.recognise.calibration import fit

SEVEN = Sample(drawn_seven(), 7)


def engine(*lines: object, name: str = "e") -> Engine:
    return Engine(FakeProvider(list(lines), name=name), Options(ledger="none"))  # type: ignore[arg-type]


def test_every_engine_answers_every_picture(samples: list[Sample], fake: Callable[..., Engine]) -> None:
    arrived: list[object] = []
    engines = {"bad": fake("bad", 0.6, 2), "good": fake("good", 0.95, 1)}
    found = benchmark(samples, engines, data="fakes", arrived=arrived.append)
    assert [card.engine for card in found.cards] == ["good", "bad"], "the best comes first"
    assert all(card.n == len(samples) == len(found.outcomes[card.engine]) for card in found.cards)
    assert len(arrived) == 2 * len(samples)
    assert len(found.pairs) == 1
    assert (found.labels[:3], found.labels[-1]) == ((0, 1, 2), None)


def test_a_policy_is_scored_on_the_answers_of_its_engines() -> None:
    first, second = engine("1", name="a"), engine("7", name="b")
    found = benchmark([SEVEN], {"a": first, "b": second}, data="x", policies=[Consensus([first, second], 2)])
    assert found.outcomes["2 of a+b"][0].provider == "2 of a+b"
    assert {card.engine: card.refused_wrongly for card in found.cards} == {"a": 0, "b": 0, "2 of a+b": 1}
    assert second.provider.calls == 1, "nobody is asked twice"  # type: ignore[attr-defined]


def test_a_policy_that_could_not_ask_an_engine_has_no_answer() -> None:
    first, spent = engine("1", name="a"), engine(BudgetExceeded("spent"), name="b")
    found = benchmark([SEVEN], {"a": first, "b": spent}, data="x", policies=[Fallback([first, spent], 1.0)])
    assert {card.engine: card.failed for card in found.cards} == {"a": 0, "b": 1, "a>b@1": 1}


def test_letters_count_as_digits_only_if_asked() -> None:
    zero, engines = [Sample(drawn_seven(), 0)], [engine("O"), engine("O")]
    assert benchmark(zero, {"e": engines[0]}, data="x").cards[0].correct == 0
    assert benchmark(zero, {"e": engines[1]}, data="x", lenient=True).cards[0].correct == 1


@pytest.mark.parametrize(("budget", "name"), [(None, "paid"), (1.0, "paid"), (0.5, "free")])
def test_a_recommendation_keeps_to_the_budget(budget: float | None, name: str) -> None:
    free, paid = FakeProvider(["1"] * 50, name="free"), FakeProvider(["7"] * 50, name="paid")
    paid.price = Price(0.001, "test")
    engines = {one.name: Engine(one, Options(ledger="none")) for one in (free, paid)}
    found = benchmark([SEVEN] * 50, engines, data="x", target=0.8, budget=budget).recommendation
    assert found is not None and found.chosen is not None
    assert found.chosen.name == name


def test_misread_pictures_are_found(tmp_path: Path) -> None:
    samples = [SEVEN] * 4 + [Sample(drawn_seven(), None), Sample(tmp_path / "none.png", 7)]
    one = engine("7", "1", "1", TimedOut("slow"), "1", name="one")
    found = benchmark(samples, {"one": one, "other": engine("7", "1", "7", "7", "1", name="other")}, data="x")
    assert found.misread == (1, 4, 2), "those that both misread come first"
    assert sorted(card.failed for card in found.cards) == [1, 2]
    failed = found.outcomes["other"][5]
    assert isinstance(failed, Failure) and isinstance(failed.error, ImageError)


def test_as_dict_is_json_with_every_answer() -> None:
    samples = [SEVEN, Sample(drawn_seven(), None, name="x[1]")]
    found = benchmark(samples, {"e": engine("7", TimedOut("slow"))}, data="x", settings={"prepare": "plain"})
    values = json.loads(json.dumps(found.as_dict()))
    assert (values["data"], values["pictures"], values["fitted_here"]) == ("x", 2, [])
    assert (values["started"], values["seconds"]) == (found.started, found.seconds)
    assert values["versions"]["digitrec"] == digitrec.__version__
    assert values["settings"] == {"prepare": "plain"}
    assert (values["engines"][0]["correct"], values["pairs"]) == (1, [])
    first, second = values["answers"]
    assert (first["label"], first["answers"]["e"]["digit"]) == (7, 7)
    assert tuple(first["answers"]["e"]) == KEPT
    assert (first["source"], first["sha256"]) == (drawn_seven().ref.source, drawn_seven().ref.sha256)
    assert (second["label"], second["source"]) == (None, "x[1]")
    assert second["answers"]["e"]["error"] == "TimedOut: slow"


def test_no_pictures_are_refused() -> None:
    with pytest.raises(DataError):
        benchmark([], {"e": engine("7")}, data="empty")


def test_emulators_come_last_and_count_only_alone(samples: list[Sample], fake: Callable[..., Engine]) -> None:
    real, rehearsed = fake("poor", 0.5, 1), fake("good", 1.0, 2, emulated=True)
    found = benchmark(samples[:20], {"rehearsed": rehearsed, "real": real}, data="x")
    assert [card.engine for card in found.cards] == ["real", "rehearsed"]
    assert (found.called("real"), found.called("rehearsed")) == ("real", "rehearsed (emulated)")
    assert len(found.misread) == found.cards[0].wrong > 0
    bad = {"a": fake("bad", 0.5, 1, emulated=True), "b": fake("bad", 0.5, 3, emulated=True)}
    assert benchmark(samples[:20], bad, data="x").misread


def test_chances_of_the_same_pictures_are_named(samples: list[Sample], fake: Callable[..., Engine]) -> None:
    def measured(pictures: list[Sample]) -> digitrec.comparison.benchmark.Benchmark:
        engines = {"fitted": fake("fitted", 0.8, 1), "other": fake("other", 0.8, 2)}
        return benchmark(pictures, engines, data="x")

    before = measured(samples)
    said = [answer for answer in before.outcomes["fitted"] if isinstance(answer, Prediction)]
    (fitted,) = fit(said, before.labels, "x")
    calibration.save(fitted)
    after = [measured(pictures).fitted_here for pictures in (samples, samples[:100])]
    assert (before.fitted_here, *after) == ((), ("fitted",), ("fitted",))


IMAGE = ImageRef("x", "0")
CHOOSING, REPORTING = np.random.default_rng(0).permutation(100).reshape(50, 2).T.tolist()
RIGHT, HALF, NEVER = [7] * 100, [7, 1] * 50, [1] * 100
ONCE_WRONG = [1 if place == CHOOSING[0] else 7 for place in range(100)]
LOWEST = proportion(49, 50).low or 0.0


def priced(name: str, price: float | None) -> Engine:
    provider = FakeProvider(name=name, price=None if price is None else Price(price, "test"))
    return Engine(provider, Options(ledger="none"))


def digits_of(name: str, digits: Sequence[int], seconds: float = 0.1) -> list[Outcome]:
    return [Prediction(IMAGE, name, digit, 0.99, latency_s=seconds) for digit in digits]


def by_chance(name: str, labels: Sequence[int], accuracy: float, unsure: float = 0.3) -> list[Outcome]:
    """Answers that are right with this chance, and less sure if they are wrong."""
    right = np.random.default_rng(ord(name[0])).random(len(labels)) < accuracy
    return [Prediction(IMAGE, name, label if is_right else (label + 1) % 10, 0.99 if is_right else unsure)
            for label, is_right in zip(labels, right, strict=True)]  # fmt: skip


def advice(
    said: dict[str, list[Outcome]], prices: Sequence[float | None], wanted: float, *,
    labels: Sequence[int] = RIGHT, budget: float | None = None,
) -> Recommendation:  # fmt: skip
    engines = {name: priced(name, price) for name, price in zip(said, prices, strict=True)}
    return recommend(said, engines, labelled(labels), wanted, budget)


@pytest.mark.parametrize(("free", "paid", "wanted", "budget", "chosen", "reached"), [
    (RIGHT, RIGHT, 0.9, None, "free", True), (NEVER, RIGHT, 0.9, None, "paid", True),
    (NEVER, HALF, 0.9, None, "paid", False), (HALF, HALF, 0.9, None, "free", False),
    (HALF, RIGHT, 0.3, None, "free", True), (HALF, RIGHT, 0.99, None, "paid", False),
    (HALF, RIGHT, 0.9, 0.4, "free", False), (HALF, RIGHT, 0.9, 0.5, "paid", True),
    (ONCE_WRONG, RIGHT, LOWEST, None, "free", True), (RIGHT, RIGHT, 0, None, "free", True),
    (RIGHT, RIGHT, 1, 0, "free", False),
])  # fmt: skip
def test_the_cheapest_that_reaches_the_target_is_chosen_else_the_nearest(
    free: list[int], paid: list[int], wanted: float, budget: float | None, chosen: str, reached: bool
) -> None:
    said = {"paid": digits_of("paid", paid), "free": digits_of("free", free, 0.2)}
    found = advice(said, [0.0005, 0.0], wanted, budget=budget)
    assert found.chosen is not None
    assert (found.chosen.name, found.reached, found.target) == (chosen, reached, wanted)
    assert found.chosen.cost_per_1000 == pytest.approx({"free": 0.0, "paid": 0.5}[chosen])


def test_of_two_that_cost_the_same_the_faster_is_chosen_and_its_mean_time_told() -> None:
    said = {"slow": digits_of("slow", RIGHT, 2.0), "fast": digits_of("fast", RIGHT, 0.5)}
    chosen = advice(said, [0.001, 0.001], 0.9).chosen
    assert chosen is not None
    assert (chosen.name, chosen.latency_s) == ("fast", 0.5)
    said["fast"] = [replace(one, replayed=True) for one in digits_of("fast", RIGHT, 0.5)]
    chosen = advice(said, [0.001, 0.001], 0.9).chosen
    assert chosen is not None and chosen.name == "slow", "the ledger's answers have no time"


def test_it_is_reported_on_pictures_that_it_was_not_chosen_on() -> None:
    there = [7 if place in set(REPORTING) else 1 for place in range(100)]
    chosen = advice({"e": digits_of("e", there)}, [0.0], 0.9).chosen
    assert chosen is not None
    assert (chosen.right.hits, chosen.right.n) == (50, 50)
    low, _ = proportion_confint(50, 50, method="wilson")
    assert chosen.right.low == pytest.approx(low)
    copies = [replace(one, image=ImageRef("x", str(at % 2))) for at, one in enumerate(digits_of("e", HALF))]
    chosen = advice({"e": copies}, [0.0], 0.9).chosen
    assert chosen is not None and chosen.right.hits in (0, 50), "copies are in one half"


def test_each_alone_each_fallback_at_each_threshold_and_each_vote_is_tried() -> None:
    assert advice({name: digits_of(name, RIGHT) for name in "abc"}, [0.0] * 3, 0.9).tried == 3 + 6 * 9 + 3 + 1
    ways = {way: priced("a", 0.0) for way in ("a/plain", "a/enlarged")}
    said = {way: digits_of("a", RIGHT) for way in ways}
    assert recommend(said, ways, labelled(RIGHT), 0.9).tried == 2 + 2 * 9 + 1


def test_a_fallback_and_a_vote_are_chosen_where_they_are_better_than_each_alone() -> None:
    labels = [number % 10 for number in range(800)]
    said = {"free": by_chance("free", labels, 0.9), "cheap": by_chance("cheap", labels, 0.999)}
    fallback = advice(said, [0.0, 0.001], 0.98, labels=labels).chosen
    assert fallback is not None
    assert fallback.name.startswith("free>cheap@")
    assert fallback.cost_per_1000 is not None
    assert fallback.cost_per_1000 < 0.2, "the paid engine is asked only about the unsure tenth"
    boasts = {name: by_chance(name, labels, 0.93, unsure=0.99) for name in "abc"}
    vote = advice(boasts, [0.0] * 3, 0.95, labels=labels)
    assert vote.chosen is not None
    assert (vote.chosen.name, vote.reached) == ("2 of a+b+c", True)


def test_pictures_after_the_end_of_the_budget_do_not_count_as_wrong() -> None:
    said = {"paid": digits_of("paid", RIGHT), "free": digits_of("free", HALF)}
    for asked, left_out, chosen in ((40, 60, "paid"), (10, 90, None)):
        said["paid"][asked:] = [Failure(IMAGE, "paid", BudgetExceeded("spent"))] * left_out
        found = advice(said, [0.001, 0.0], 0.8)
        assert (found.chosen and found.chosen.name, found.left_out) == (chosen, left_out)


def test_unknown_costs_and_emulators_are_left_out() -> None:
    unknown = advice({"dear": digits_of("dear", RIGHT)}, [None], 0.9)
    assert (unknown.chosen, unknown.reached, unknown.tried) == (None, False, 1)
    slow, sure = Failure(IMAGE, "free", TimedOut("slow")), Prediction(IMAGE, "free", 7, 0.9)
    failing: list[Outcome] = [slow if place % 2 else sure for place in range(100)]
    perfect: list[Outcome] = [replace(Prediction(IMAGE, "cloud", 7, 0.9), emulated=True)] * 100
    found = advice({"cloud": perfect, "free": failing}, [0.0, 0.0], 0.9)
    assert found.chosen is not None
    assert (found.chosen.name, found.chosen.right.n, found.tried, found.reached) == ("free", 50, 1, False)
    assert (found.chosen.right.share or 1) < 0.7
    spent: list[Outcome] = [*perfect[:9], *[Failure(IMAGE, "cloud", BudgetExceeded("spent"))] * 91]
    assert advice({"cloud": spent, "free": failing}, [0.0, 0.0], 0.9).left_out == 0
    alone = advice({"cloud": perfect}, [0.0], 0.9)
    assert (alone.chosen, alone.tried) == (None, 0)
