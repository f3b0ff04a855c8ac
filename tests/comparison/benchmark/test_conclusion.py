"""The conclusion claims a difference only where the test supports one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison.benchmark import Benchmark, benchmark, conclusion
from digitrec.comparison.benchmark.measures import proportion
from digitrec.comparison.benchmark.pairs import SIGNIFICANCE, Pair, holm, mcnemar
from digitrec.comparison.benchmark.recommend import Option, Recommendation
from digitrec.comparison.benchmark.scorecard import Scorecard, scorecard
from digitrec.comparison.datasets.loader import Sample
from digitrec.engine import Engine
from digitrec.errors import TimedOut
from digitrec.image import ImageRef
from digitrec.recognise import Outcome

BETTER = re.compile(r"^(\w+) reads these pictures better than (\w+):")
IMAGE = ImageRef("x.png", "00")


def test_a_difference_is_claimed_between_unequal_engines_and_never_of_an_emulated_one(
    samples: list[Sample], fake: Callable[..., Engine]
) -> None:
    engines = {"twin": fake("twin", 0.95, 1), "sister": fake("sister", 0.95, 2),
               "worse": fake("worse", 0.6, 3), "cloud": fake("cloud", 0.6, 3, emulated=True)}  # fmt: skip
    said = conclusion(benchmark(samples, engines, data="fakes"))
    claims = {match.groups() for sentence in said if (match := BETTER.match(sentence))}
    assert claims == {("twin", "worse"), ("sister", "worse")}
    assert any("between twin and sister (" in sentence for sentence in said)
    assert len([sentence for sentence in said if "cloud" in sentence]) == 1


def test_between_equals_a_difference_is_claimed_in_less_than_one_benchmark_in_twenty() -> None:
    rng = np.random.default_rng(5)
    claimed = 0
    for _ in range(400):
        right = rng.random((3, 200)) < 0.9
        splits = [(right[a] & ~right[b], right[b] & ~right[a]) for a, b in [(0, 1), (0, 2), (1, 2)]]
        p_values = [mcnemar(int(one.sum()), int(other.sum())) for one, other in splits]
        claimed += min(holm(p_values)) < SIGNIFICANCE
    assert claimed <= 400 / 20


def card(name: str, right: int, n: int = 100, *, emulated: bool = False, failed: int = 0) -> Scorecard:
    said: list[Outcome] = [
        Prediction(IMAGE, name, 7 if place < right else 1, 0.9, emulated=emulated) for place in range(n)
    ]
    said += [Failure(IMAGE, name, TimedOut("slow"))] * failed
    return scorecard(name, said, [7] * (n + failed))


def pair(first: str, second: str, wins: tuple[int, int], p: float, **values: object) -> Pair:
    return Pair(first, second, 100, *wins, 0.9, 0.8, p, p, **values)  # type: ignore[arg-type]


def told(*cards: Scorecard, pairs: Sequence[Pair] = (), **values: object) -> list[str]:
    found = Benchmark("fakes", (), {}, cards, tuple(pairs), (), "2026-01-01", 1.0, {}, {})
    return conclusion(replace(found, **values))  # type: ignore[arg-type]


def test_the_first_real_engine_that_answered_is_the_best() -> None:
    said = told(card("cloud", 100, emulated=True), card("mute", 0, 0), card("a", 90), card("b", 80))
    assert (
        said[0]
        == "a was right on 90.0% (95% interval 82.6% to 94.5%) of the 100 pictures of fakes that it answered."
    )
    assert said[1:] == ["Emulated: cloud. An emulator's figures say nothing about the vendor's."]
    assert "the 1 picture of fakes" in told(card("a", 1, 1))[0]
    assert told(card("mute", 0, 0)) == []


def test_what_is_shown_and_what_is_level_is_said_with_the_test() -> None:
    found = [pair("b", "c", (9, 9), 0.8), pair("a", "b", (12, 3), 0.035), pair("a", "c", (2, 30), 0.0001),
             pair("a", "d", (9, 5), 0.3), pair("a", "e", (12, 3), 0.001),
             replace(pair("a", "f", (0, 0), 1.0), n=0),
             pair("a", "g", (9, 9), 1.0, emulated=("g",))]  # fmt: skip
    assert told(pairs=found) == [
        "a reads these pictures better than b: it alone was right on 12 of 100, b alone on 3 (McNemar's "
        "exact test, corrected p = 0.035).",
        "c reads these pictures better than a: it alone was right on 30 of 100, a alone on 2 (McNemar's "
        "exact test, corrected p < 0.001).",
        "a reads these pictures better than e: it alone was right on 12 of 100, e alone on 3 (McNemar's "
        "exact test, corrected p = 0.001).",
        "No difference is shown between b and c, a and d (corrected p = 0.300 or more); there may be one "
        "that more pictures would show.",
    ]
    assert "between b and c (corrected p = 0.800);" in told(pairs=found[:1])[0]


def test_what_to_keep_in_mind_is_said_whole() -> None:
    cards = (
        card("a", 90, failed=1), card("x", 9, emulated=True, failed=2), card("y", 9, emulated=True),
        card("b", 0, 0, failed=1),
    )  # fmt: skip
    assert told(*cards, fitted_here=("a", "b"))[1:] == [
        "The calibrated chances of a, b were fitted on these very pictures, so they fit better here than "
        "they will elsewhere: judge them on others.",
        "Emulated: x, y. An emulator's figures say nothing about the vendor's.",
        "a gave no answer on 1 of 101 pictures; its accuracy leaves them out.",
        "b gave no answer on 1 of 1 picture; its accuracy leaves them out.",
    ]


def test_a_recommendation_is_said_with_its_figures_or_what_is_missing() -> None:
    chosen = Option("a>b@0.9", proportion(99, 100), 0.5, 0.2)
    (reached,) = told(recommendation=Recommendation(0.9, chosen, 5))
    assert "a>b@0.9 reaches 90%" in reached and "$0.5 for" in reached and "200 ms" in reached
    (open_,) = told(recommendation=Recommendation(0.985, chosen, 5))
    assert "98.5% is not shown" in open_ and re.search(r"about [\d,]+ pictures", open_)
    (never,) = told(recommendation=Recommendation(0.999, chosen, 5))
    assert "99.9% is not shown" in never and "about" not in never
    (dear,) = told(recommendation=Recommendation(0.9, None, 5))
    assert "5 were compared" in dear
    (nobody,) = told(recommendation=Recommendation(0.9, None, 0))
    assert "emulated" in nobody
