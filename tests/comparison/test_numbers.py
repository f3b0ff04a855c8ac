"""The numbers on a picture, compared one by one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitrec.answer import Answer, Candidate, Failure
from digitrec.comparison import Comparison, compare_stream
from digitrec.comparison.numbers import apart, numbers_asked
from digitrec.emulator.kit import FakeProvider
from digitrec.errors import NotConfigured
from digitrec.image import Box, InputSpec
from digitrec.image.pixels import NUMBERS_SIDE

ENOUGH = InputSpec(encoding="png", enough=NUMBERS_SIDE)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Save a picture that is large enough to be shrunk for a single digit."""
    Image.fromarray(np.full((1600, 1700), 250, np.uint8)).save(tmp_path / "page.png")
    return tmp_path / "page.png"


def reader(name: str, *words: tuple[str, Box | None]) -> FakeProvider:
    found = tuple(Candidate(text, 0.9, box) for text, box in words)
    return FakeProvider([Answer(found)], name=name, wants=ENOUGH)


def compared(page: Path, *readers: FakeProvider, **how: Any) -> list[Comparison]:
    (found,) = compare_stream([page], readers, ask=numbers_asked(**how))
    return apart(found)


def texts(found: list[Comparison]) -> list[list[str | None]]:
    return [[getattr(outcome, "text", "!") for outcome in one.outcomes] for one in found]


def test_boxes_that_cover_each_other_are_one_number_in_reading_order(page: Path) -> None:
    one = ("5", (900, 500, 930, 550)), ("12", (100, 100, 180, 150)), ("34", (300, 100, 380, 150))
    two = ("13", (110, 95, 190, 155)), ("99", (1000, 1000, 1080, 1050)), ("34", (305, 99, 380, 150))
    first, second = reader("one", *one), reader("two", *two)
    found = compared(page, first, second)
    assert texts(found) == [["12", "13"], ["34", "34"], ["5", None], [None, "99"]]
    assert [one.agree for one in found] == [False, True, False, False]
    assert (found[0].number, found[0].box) == (0, (100, 95, 190, 155))
    assert found[2].outcomes[1].reason == "no number"  # type: ignore[union-attr]
    assert first.images[0].size == (1700, 1600), "each engine opens the page as large as it needs it"


def test_a_number_that_one_engine_splits_is_compared_whole(page: Path) -> None:
    split = reader("split", ("34", (100, 100, 180, 150)), ("12", (260, 100, 340, 150)))
    whole = reader("whole", ("3412", (100, 100, 340, 150)))
    assert texts(compared(page, split, whole)) == [["34 12", "3412"]]
    (found,) = compared(page, whole, split)
    assert [(one.text, one.answer) for one in found.predictions] == [("3412", "3412"), ("34 12", "34 12")]
    parts = Candidate("12", 0.9, (100, 100, 180, 150)), Candidate("34", None, (260, 100, 340, 150))
    (found,) = compared(page, FakeProvider([Answer(parts)], name="a", wants=ENOUGH), whole)
    assert [one.confidence for one in found.predictions] == [None, 0.9], "the score of a part is unknown"


@pytest.mark.parametrize(("cost", "each"), [(0.5, [0.5, 0.0]), (None, [None, None])])
def test_times_and_costs_of_numbers_add_up(page: Path, cost: float | None, each: list[float | None]) -> None:
    words = reader("one", ("12", (100, 100, 180, 150)), ("34", (300, 100, 380, 150)))
    (whole,) = compare_stream([page], [words], ask=numbers_asked())
    paid = replace(whole, outcomes=tuple(replace(outcome, cost_usd=cost) for outcome in whole.outcomes))
    assert [one.outcomes[0].cost_usd for one in apart(paid)] == each
    assert [one.outcomes[0].latency_s for one in apart(paid)] == [whole.outcomes[0].latency_s, 0.0]


def test_a_number_without_a_box_belongs_to_the_same_text(page: Path) -> None:
    placed = reader("placed", ("12", (100, 100, 180, 150)), ("34", (300, 100, 380, 150)))
    listed = reader("listed", ("34", None), ("56", None))
    assert texts(compared(page, placed, listed)) == [["12", None], ["34", "34"], [None, "56"]]
    rows = [("12", (100, 100, 180, 150)), ("45", (100, 300, 180, 350)), ("12", (100, 500, 180, 550))]
    both = [reader("placed", *rows), reader("listed", *((text, None) for text, _ in rows))]
    for readers in (both, both[::-1]):
        assert texts(compared(page, *readers)) == [["12", "12"], ["45", "45"], ["12", "12"]]


def test_numbers_vote_by_their_value(page: Path) -> None:
    box = (100, 100, 180, 150)
    readers = [reader("dot", ("12.00", box)), reader("comma", ("12,00", box)), reader("other", ("13", box))]
    (both,) = compared(page, *readers[:2])
    assert (both.agree, both.consensus) == (True, "12.00")
    (three,) = compared(page, *readers)
    assert (three.agree, three.consensus, three.dissenters) == (False, "12.00", ("other",))
    (long,) = compared(page, reader("a", ("123", box)), reader("b", ("456", box)), digits=2)
    assert (long.agree, long.consensus) == (None, None)
    (date,) = compared(page, *(reader(name, ("24.12.2023", box)) for name in "ab"))
    assert (date.agree, date.consensus, date.predictions[0].confidence) == (True, "24.12.2023", 0.9)


def test_a_page_without_numbers_and_one_that_cannot_be_read_stay_whole(page: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"nothing of the kind")
    sources = [page, tmp_path / "broken.png"]
    empty, broken = compare_stream(sources, [reader("a"), reader("b")], ask=numbers_asked())
    assert [one.number for one in (*apart(empty), *apart(broken))] == [None, None]
    assert empty.agree and not broken.predictions


def test_an_absent_engine_has_the_same_failure_for_every_picture(page: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"nothing of the kind")
    sources = [tmp_path / "broken.png", page]
    broken, empty = compare_stream(sources, ["azure", reader("a")], ask=numbers_asked())
    for failed in (broken.outcomes[0], empty.outcomes[0]):
        assert isinstance(failed, Failure) and isinstance(failed.error, NotConfigured)
    assert empty.image.sha256, "the engine that opened the picture knows its hash"
