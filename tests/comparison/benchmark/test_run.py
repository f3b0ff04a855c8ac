"""A benchmark asks every engine about every picture and keeps what was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import digitrec
from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison.benchmark import benchmark
from digitrec.comparison.benchmark.run import KEPT
from digitrec.comparison.consensus import Consensus
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.fallback import Fallback
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine, Options
from digitrec.errors import DataError, ImageError, TimedOut
from digitrec.recognise import calibration
from digitrec.recognise.calibration.fit import fit


def engine(*lines: object, name: str = "e") -> Engine:
    return Engine(FakeProvider(list(lines), name=name), Options(ledger="none"))  # type: ignore[arg-type]


def test_every_engine_is_asked_about_every_picture(
    samples: list[Sample], fake: Callable[..., Engine]
) -> None:
    found = benchmark(samples, {"good": fake("good", 0.95, 1), "bad": fake("bad", 0.6, 2)}, data="fakes")
    assert [card.engine for card in found.cards] == ["good", "bad"]
    assert all(card.n == len(samples) == len(found.outcomes[card.engine]) for card in found.cards)
    assert len(found.pairs) == 1
    assert found.labels[:3] == (0, 1, 2)
    assert found.labels[-1] is None


def test_an_outcome_is_reported_when_it_arrives(samples: list[Sample]) -> None:
    arrived = []
    benchmark(samples[:5], {"a": engine("7"), "b": engine("1")}, data="x", arrived=arrived.append)
    assert len(arrived) == 10


def test_a_policy_is_scored_like_an_engine() -> None:
    policy = Fallback([engine("1", name="a"), engine("7", name="b")], below=0.95)
    found = benchmark([Sample(drawn_seven(), 7)], {"both": policy, "b": engine("7", name="b")}, data="x")
    cards = {card.engine: card for card in found.cards}
    assert cards["both"].wrong == 1, "neither is sure, and the first of two equally sure ones counts"
    assert cards["both"].cost_per_1000 == 0.0
    assert cards["b"].correct == 1


def test_an_unreadable_picture_is_a_failure_of_every_engine(tmp_path: Path) -> None:
    samples = [Sample(tmp_path / "none.png", 7), Sample(drawn_seven(), 7)]
    found = benchmark(samples, {"a": engine("7"), "b": engine("7")}, data="x")
    assert [card.failed for card in found.cards] == [1, 1]
    (first, _) = found.outcomes["a"]
    assert isinstance(first, Failure)
    assert isinstance(first.error, ImageError)


def test_misread_and_splitting_pictures_are_found() -> None:
    samples = [Sample(drawn_seven(), 7) for _ in range(4)] + [Sample(drawn_seven(), None)]
    one = engine("7", "1", "1", TimedOut("slow"), "1", name="one")
    other = engine("7", "1", "7", "7", "1", name="other")
    found = benchmark(samples, {"one": one, "other": other}, data="x")
    assert found.misread == (1, 4, 2), "those that both misread come first"
    assert found.splitting == (2,)


def test_pictures_are_called_by_file_or_number(tmp_path: Path) -> None:
    found = benchmark(
        [Sample(tmp_path / "a.png", 7), Sample(drawn_seven().pixels, 7)], {"e": engine("7")}, data="x"
    )
    assert found.title(0) == "a.png"
    assert found.title(1) == "no. 1"


def test_as_dict_is_json_with_every_answer() -> None:
    samples = [Sample(drawn_seven(), 7), Sample(drawn_seven(), None)]
    found = benchmark(samples, {"e": engine("7", TimedOut("slow"))}, data="x", settings={"prepare": "plain"})
    values = json.loads(json.dumps(found.as_dict()))
    assert list(values) == [
        "data", "pictures", "started", "seconds", "opening_s", "settings", "versions", "fitted_here",
        "engines", "pairs", "recommendation", "answers",
    ]  # fmt: skip
    assert (values["data"], values["pictures"], values["fitted_here"]) == ("x", 2, [])
    assert (values["started"], values["seconds"]) == (found.started, found.seconds)
    assert list(values["versions"]) == ["digitrec", "Python", "SciPy", "scikit-learn", "machine"]
    assert values["versions"]["digitrec"] == digitrec.__version__
    assert values["settings"] == {"prepare": "plain"}
    assert values["engines"][0]["correct"] == 1
    first, second = values["answers"]
    assert (first["label"], first["answers"]["e"]["digit"]) == (7, 7)
    assert tuple(first["answers"]["e"]) == KEPT
    assert (first["source"], first["sha256"]) == (drawn_seven().ref.source, drawn_seven().ref.sha256)
    assert (second["label"], second["answers"]["e"]["error"]) == (None, "TimedOut: slow")


def test_no_pictures_and_no_engines_are_refused() -> None:
    with pytest.raises(DataError, match=r"^empty: no labelled pictures$"):
        benchmark([], {"e": engine("7")}, data="empty")
    with pytest.raises(ValueError, match=r"^no engine is named: give one at least$"):
        benchmark([Sample(drawn_seven(), 7)], {}, data="x")
    with pytest.raises(TypeError, match=r"^engines are given by name, such as {'local': 'local'}, not as "):
        benchmark([Sample(drawn_seven(), 7)], [engine("7")], data="x")  # type: ignore[arg-type]


def test_an_emulator_comes_last_and_its_answers_count_only_alone(
    samples: list[Sample], fake: Callable[..., Engine]
) -> None:
    real, rehearsed = fake("poor", 0.5, 1), fake("good", 1.0, 2, emulated=True)
    found = benchmark(samples[:20], {"rehearsed": rehearsed, "real": real}, data="x")
    assert [card.engine for card in found.cards] == ["real", "rehearsed"]
    assert (found.called("real"), found.called("rehearsed")) == ("real", "rehearsed (emulated)")
    assert len(found.misread) == next(card.wrong for card in found.cards if card.engine == "real") > 0
    assert found.splitting == ()
    bad = {"a": fake("bad", 0.5, 1, emulated=True), "b": fake("bad", 0.5, 3, emulated=True)}
    alone = benchmark(samples[:20], bad, data="x")
    assert alone.misread
    assert alone.splitting


@pytest.mark.parametrize("lenient", [False, True])
def test_a_look_alike_is_a_digit_only_where_that_is_asked_for(lenient: bool) -> None:
    (card,) = benchmark([Sample(drawn_seven(), 5)], {"e": engine("S")}, data="x", lenient=lenient).cards
    assert (card.correct, card.refused_wrongly) == ((1, 0) if lenient else (0, 1))
    (card,) = benchmark([Sample(drawn_seven(), 5)], {"e": engine("S")}, data="x").cards
    assert card.correct == 0


def test_each_engine_has_the_time_that_it_took_itself_and_a_policy_has_none() -> None:
    slow = Engine(FakeProvider(["7"], name="slow", latency_s=0.05), Options(ledger="none", concurrency=1))
    policy = Consensus([slow, engine("7", name="b")], 2)
    samples = [Sample(drawn_seven(), 7)] * 3
    found = benchmark(samples, {"slow": slow, "b": policy.engines[1]}, data="x", policies=[policy])
    speeds = {card.engine: card.throughput for card in found.cards}
    assert speeds["slow"] is not None
    assert 0 < speeds["slow"] <= 1 / 0.05
    assert speeds["2 of slow+b"] is None
    assert found.seconds >= 3 * 0.05
    begun = datetime.fromisoformat(found.started)
    assert (begun.utcoffset(), begun.microsecond) == (timedelta(0), 0)


def test_chances_fitted_on_these_very_pictures_are_told(
    samples: list[Sample], fake: Callable[..., Engine]
) -> None:
    engines = {"fitted": fake("fitted", 0.8, 1), "other": fake("other", 0.8, 2)}
    before = benchmark(samples, engines, data="x")
    assert before.fitted_here == ()
    said = [answer for answer in before.outcomes["fitted"] if isinstance(answer, Prediction)]
    (fitted,) = fit(said, before.labels, "x")
    calibration.save(fitted)
    again = benchmark(samples, {"fitted": fake("fitted", 0.8, 1), "other": fake("other", 0.8, 2)}, data="x")
    assert again.fitted_here == ("fitted",)


def test_a_policy_is_scored_on_the_answers_of_its_engines_and_nobody_is_asked_twice() -> None:
    first, second = engine("1", name="a"), engine("7", name="b")
    policy = Consensus([first, second], 2)
    found = benchmark([Sample(drawn_seven(), 7)], {"a": first, "b": second}, data="x", policies=[policy])
    assert found.outcomes["2 of a+b"][0].provider == "2 of a+b"
    assert {card.engine: card.refused_wrongly for card in found.cards} == {"a": 0, "b": 0, "2 of a+b": 1}
    assert second.provider.calls == 1  # type: ignore[attr-defined]
