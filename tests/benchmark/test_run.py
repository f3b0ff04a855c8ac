"""A benchmark asks every engine about every picture and keeps what was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from digitrec.benchmark import benchmark
from digitrec.comparison.policy import Consensus, Fallback
from digitrec.datasets.samples import Sample
from digitrec.engine import Engine, Options
from digitrec.errors import DataError, ImageError, TimedOut
from digitrec.prediction import Failure
from digitrec.testing import FakeProvider, drawn_seven


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
    assert values["settings"] == {"prepare": "plain"}
    assert values["engines"][0]["correct"] == 1
    first, second = values["answers"]
    assert (first["label"], first["answers"]["e"]["digit"]) == (7, 7)
    assert (second["label"], second["answers"]["e"]["error"]) == (None, "TimedOut: slow")


def test_no_pictures_are_refused() -> None:
    with pytest.raises(DataError, match="empty: no labelled pictures"):
        benchmark([], {"e": engine("7")}, data="empty")


def test_a_policy_is_scored_on_the_answers_of_its_engines_and_nobody_is_asked_twice() -> None:
    first, second = engine("1", name="a"), engine("7", name="b")
    policy = Consensus([first, second], 2)
    found = benchmark([Sample(drawn_seven(), 7)], {"a": first, "b": second}, data="x", policies=[policy])
    assert found.outcomes["2 of a+b"][0].provider == "2 of a+b"
    assert {card.engine: card.refused_wrongly for card in found.cards} == {"a": 0, "b": 0, "2 of a+b": 1}
    assert second.provider.calls == 1  # type: ignore[attr-defined]
