"""The conclusion claims a difference only where the test supports one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison.benchmark import Benchmark, benchmark, conclusion
from digitrec.comparison.benchmark.conclusion import percent
from digitrec.comparison.benchmark.measures import proportion
from digitrec.comparison.benchmark.pairs import SIGNIFICANCE, Pair, holm, mcnemar
from digitrec.comparison.benchmark.scorecard import Scorecard, scorecard
from digitrec.comparison.datasets.loader import Sample
from digitrec.engine import Engine
from digitrec.errors import TimedOut
from digitrec.image import ImageRef
from digitrec.recognise import Outcome, calibration
from digitrec.recognise.calibration.fit import fit

BETTER = re.compile(r"^(\w+) reads these pictures better than (\w+):")


@pytest.fixture
def found(samples: list[Sample], fake: Callable[..., Engine]) -> Benchmark:
    engines = {
        "twin": fake("twin", 0.95, 1),
        "sister": fake("sister", 0.95, 2),
        "worse": fake("worse", 0.6, 3),
    }
    return benchmark(samples, engines, data="fakes")


def test_two_equal_engines_and_a_worse_one(found: Benchmark) -> None:
    said = conclusion(found)
    claims = {match.groups() for sentence in said if (match := BETTER.match(sentence))}
    assert claims == {("twin", "worse"), ("sister", "worse")}
    assert [sentence for sentence in said if "No difference is shown between twin and sister (" in sentence]


def test_between_equals_a_difference_is_claimed_in_less_than_one_benchmark_in_twenty() -> None:
    rng = np.random.default_rng(5)
    claimed = 0
    for _ in range(400):
        right = rng.random((3, 200)) < 0.9
        splits = [(right[a] & ~right[b], right[b] & ~right[a]) for a, b in [(0, 1), (0, 2), (1, 2)]]
        p_values = [mcnemar(int(one.sum()), int(other.sum())) for one, other in splits]
        claimed += min(holm(p_values)) < SIGNIFICANCE
    assert claimed <= 400 / 20


def test_nothing_is_claimed_of_an_emulated_engine(samples: list[Sample], fake: Callable[..., Engine]) -> None:
    engines = {"twin": fake("twin", 0.95, 1), "worse": fake("worse", 0.6, 3, emulated=True)}
    said = conclusion(benchmark(samples, engines, data="fakes"))
    assert [sentence for sentence in said if "worse" in sentence] == [
        "Emulated: worse. An emulator's figures say nothing about the vendor's."
    ]


def test_chances_that_were_fitted_on_these_very_pictures_are_told(
    samples: list[Sample], fake: Callable[..., Engine]
) -> None:
    def measured(pictures: list[Sample]) -> Benchmark:
        engines = {"known": fake("known", 0.8, 1), "other": fake("other", 0.8, 2)}
        return benchmark(pictures, engines, data="fakes")

    before = measured(samples)
    answers = before.outcomes["known"]
    assert all(isinstance(answer, Prediction) for answer in answers)
    for fitted in fit(answers, before.labels, "fakes"):  # type: ignore[arg-type]
        calibration.save(fitted)
    warning = "The calibrated chances of known were fitted on these very pictures"
    assert [len([it for it in conclusion(found) if it.startswith(warning)])
            for found in (before, measured(samples), measured(samples[:100]))] == [0, 1, 0]  # fmt: skip


def test_failures_are_told(found: Benchmark) -> None:
    cards = tuple(replace(card, failed=3) if card.engine == "twin" else card for card in found.cards)
    said = conclusion(replace(found, cards=cards))
    assert "twin gave no answer on 3 of 112 pictures; its accuracy leaves them out." in said


def test_the_best_is_named_with_its_interval(found: Benchmark) -> None:
    best = found.cards[0].accuracy
    assert conclusion(found)[0] == (
        f"{found.cards[0].engine} was right on {best.share:.1%} (95% interval {best.low:.1%} to "
        f"{best.high:.1%}) of the 112 pictures of fakes that it answered."
    )


def test_an_engine_that_never_answered_is_not_the_best(
    samples: list[Sample], fake: Callable[..., Engine]
) -> None:
    found = benchmark(samples[:20], {"a": fake("a", 0.9, 1)}, data="x")
    silent = replace(
        found.cards[0], accuracy=replace(found.cards[0].accuracy, hits=0, n=0, low=None, high=None)
    )
    assert conclusion(replace(found, cards=(silent,))) == []
    assert isinstance(found.outcomes["a"][0], Prediction)


IMAGE = ImageRef("x.png", "00")


def card(name: str, right: int, n: int = 100, *, emulated: bool = False, failed: int = 0) -> Scorecard:
    said: list[Outcome] = [
        Prediction(IMAGE, name, 7 if place < right else 1, 0.9, emulated=emulated) for place in range(n)
    ]
    said += [Failure(IMAGE, name, TimedOut("slow"))] * failed
    return scorecard(name, said, [7] * (n + failed))


def pair(first: str, second: str, wins: tuple[int, int], p: float, **values: object) -> Pair:
    return Pair(first, second, 100, *wins, 0.9, 0.8, p, p, **values)  # type: ignore[arg-type]


def told(*cards: Scorecard, pairs: Sequence[Pair] = (), fitted_here: tuple[str, ...] = ()) -> list[str]:
    return conclusion(Benchmark("fakes", (), {}, cards, tuple(pairs), fitted_here, "2026-01-01", 1.0, {}, {}))


def test_the_first_real_engine_is_the_best_and_nothing_else_is_said_of_one() -> None:
    said = told(card("cloud", 100, emulated=True), card("mute", 0, 0), card("a", 90), card("b", 80))
    assert (
        said[0]
        == "a was right on 90.0% (95% interval 82.6% to 94.5%) of the 100 pictures of fakes that it answered."
    )
    assert said[1:] == ["Emulated: cloud. An emulator's figures say nothing about the vendor's."]
    assert told(card("a", 1, 1))[0].endswith("of the 1 picture of fakes that it answered.")


def test_a_share_of_nothing_is_called_so() -> None:
    assert percent(proportion(0, 0)) == "nothing"


def test_who_is_better_is_said_with_what_shows_it() -> None:
    found = [pair("b", "c", (9, 9), 1.0), pair("a", "b", (12, 3), 0.035), pair("a", "c", (2, 30), 0.0001)]
    assert told(pairs=found) == [
        "a reads these pictures better than b: it alone was right on 12 of 100, b alone on 3 (McNemar's "
        "exact test, corrected p = 0.035).",
        "c reads these pictures better than a: it alone was right on 30 of 100, a alone on 2 (McNemar's "
        "exact test, corrected p < 0.001).",
        "No difference is shown between b and c (corrected p = 1.000); there may be one that more pictures "
        "would show.",
    ]
    assert "corrected p = 0.001" in told(pairs=[pair("a", "b", (12, 3), 0.001)])[0]


def test_all_that_are_level_stand_in_one_sentence_with_the_least_p() -> None:
    found = [pair("a", "b", (9, 9), 0.8), pair("a", "c", (9, 5), 0.3), pair("b", "c", (9, 9), 0.9)]
    assert told(pairs=found) == [
        "No difference is shown between a and b, a and c, b and c (corrected p = 0.300 or more); there may "
        "be one that more pictures would show."
    ]
    assert "between a and b, a and c (corrected p = 0.300 or more);" in told(pairs=found[:2])[0]
    assert "between a and b (corrected p = 0.800);" in told(pairs=found[:1])[0]


def test_nothing_is_said_of_pairs_without_pictures_or_with_an_emulator() -> None:
    empty = replace(pair("a", "b", (0, 0), 1.0), n=0)
    assert told(pairs=[empty, pair("a", "b", (9, 9), 1.0, emulated=("b",))]) == []


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
