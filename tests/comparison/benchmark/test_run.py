"""A benchmark asks every engine about every picture and keeps the answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import digitrec
from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison.benchmark import benchmark
from digitrec.comparison.benchmark.run import KEPT
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.policy import Consensus, Fallback
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine, Options
from digitrec.errors import DataError, ImageError, TimedOut
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


def test_a_policy_is_asked_like_an_engine_or_scored_on_the_answers_of_its_engines() -> None:
    first, second = engine("1", name="a"), engine("7", name="b")
    policy = Consensus([first, second], 2)
    found = benchmark([SEVEN], {"a": first, "b": second}, data="x", policies=[policy])
    assert found.outcomes["2 of a+b"][0].provider == "2 of a+b"
    assert {card.engine: card.refused_wrongly for card in found.cards} == {"a": 0, "b": 0, "2 of a+b": 1}
    assert second.provider.calls == 1, "nobody is asked twice"  # type: ignore[attr-defined]
    asked = Fallback([engine("1", name="a"), engine("7", name="b")], below=0.95)
    cards = {card.engine: card for card in benchmark([SEVEN], {"both": asked}, data="x").cards}
    assert (cards["both"].wrong, cards["both"].cost_per_1000) == (1, 0.0)


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
    other = engine("7", "1", "7", "7", "1", name="other")
    found = benchmark(samples, {"one": one, "other": other}, data="x")
    assert found.misread == (1, 4, 2), "those that both misread come first"
    assert sorted(card.failed for card in found.cards) == [1, 2]
    failed = found.outcomes["other"][5]
    assert isinstance(failed, Failure) and isinstance(failed.error, ImageError)


def test_as_dict_is_json_with_every_answer() -> None:
    samples = [SEVEN, Sample(drawn_seven(), None)]
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
    assert (second["label"], second["answers"]["e"]["error"]) == (None, "TimedOut: slow")


@pytest.mark.parametrize(
    ("samples", "engines", "error"),
    [([], {"e": engine("7")}, DataError), ([SEVEN], {}, ValueError), ([SEVEN], [engine("7")], TypeError)],
)
def test_no_pictures_and_no_engines_are_refused(
    samples: list[Sample], engines: dict[str, Engine], error: type[Exception]
) -> None:
    with pytest.raises(error):
        benchmark(samples, engines, data="empty")


def test_emulators_come_last_and_count_only_alone(samples: list[Sample], fake: Callable[..., Engine]) -> None:
    real, rehearsed = fake("poor", 0.5, 1), fake("good", 1.0, 2, emulated=True)
    found = benchmark(samples[:20], {"rehearsed": rehearsed, "real": real}, data="x")
    assert [card.engine for card in found.cards] == ["real", "rehearsed"]
    assert (found.called("real"), found.called("rehearsed")) == ("real", "rehearsed (emulated)")
    assert len(found.misread) == found.cards[0].wrong > 0
    bad = {"a": fake("bad", 0.5, 1, emulated=True), "b": fake("bad", 0.5, 3, emulated=True)}
    alone = benchmark(samples[:20], bad, data="x")
    assert alone.misread


def test_chances_fitted_on_the_same_pictures_are_named(
    samples: list[Sample], fake: Callable[..., Engine]
) -> None:
    def measured(pictures: list[Sample]) -> digitrec.comparison.benchmark.Benchmark:
        engines = {"fitted": fake("fitted", 0.8, 1), "other": fake("other", 0.8, 2)}
        return benchmark(pictures, engines, data="x")

    before = measured(samples)
    said = [answer for answer in before.outcomes["fitted"] if isinstance(answer, Prediction)]
    (fitted,) = fit(said, before.labels, "x")
    calibration.save(fitted)
    after = [measured(pictures).fitted_here for pictures in (samples, samples[:100])]
    assert (before.fitted_here, *after) == ((), ("fitted",), ())
