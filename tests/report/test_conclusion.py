"""The conclusion claims a difference only if the test supports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from comparison.engines import labelled

from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison.benchmark import Benchmark
from digitrec.comparison.benchmark.measure import Scorecard, scorecard
from digitrec.comparison.benchmark.run import Pair
from digitrec.errors import TimedOut
from digitrec.image import ImageRef
from digitrec.recognise import Outcome
from digitrec.report.benchmark import conclusion

IMAGE = ImageRef("x.png", "00")


def card(name: str, right: int, n: int = 100, *, emulated: bool = False, failed: int = 0) -> Scorecard:
    said: list[Outcome] = [
        Prediction(IMAGE, name, 7 if place < right else 1, 0.9, emulated=emulated) for place in range(n)
    ]
    said += [Failure(IMAGE, name, TimedOut("slow"))] * failed
    return scorecard(name, said, labelled([7] * (n + failed)))


def pair(first: str, second: str, wins: tuple[int, int], p: float, **values: object) -> Pair:
    return Pair(first, second, 100, *wins, 0.9, 0.8, p, p, **values)  # type: ignore[arg-type]


def told(*cards: Scorecard, pairs: Sequence[Pair] = (), **values: object) -> list[str]:
    found = Benchmark("fakes", (), {}, cards, tuple(pairs), (), "2026-01-01", 1.0, {}, {})
    return conclusion(replace(found, **values))  # type: ignore[arg-type]


def test_the_first_real_engine_that_answered_is_the_best_and_caveats_name_the_others() -> None:
    cloud, mute = card("cloud", 100, emulated=True, failed=2), card("mute", 0, 0)
    cards = (cloud, mute, card("a", 90, failed=1), card("b", 80))
    best, fitted, emulated, failed = told(*cards, fitted_here=("a", "b"))
    for word in ("a was right on 90.0%", "82.6% to 94.5%", "100 pictures of fakes"):
        assert word in best
    assert " a, b " in fitted and ": cloud." in emulated
    assert failed.startswith("a gave no answer on 1 of 101 pictures")
    assert told(card("mute", 0, 0)) == []


def test_what_is_shown_and_what_is_level_is_said_with_the_test() -> None:
    found = [pair("b", "c", (9, 9), 0.8), pair("a", "b", (12, 3), 0.035), pair("a", "c", (2, 30), 0.0001),
             pair("a", "d", (9, 5), 0.3), replace(pair("a", "f", (0, 0), 1.0), n=0),
             pair("a", "g", (9, 9), 1.0, emulated=("g",))]  # fmt: skip
    shown, turned, level = told(pairs=found)
    assert shown.startswith(
        "a reads these pictures better than b: it alone was right on 12 of 100, b alone on 3"
    )
    assert turned.startswith(
        "c reads these pictures better than a: it alone was right on 30 of 100, a alone on 2"
    )
    assert ("p = 0.035" in shown, "p < 0.001" in turned) == (True, True)
    assert "between b and c, a and d (corrected p = 0.300 or more)" in level
