"""Whole numbers: the table of labels, right answers, and groups that are resampled whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digitrec.answer import Answer, Candidate
from digitrec.answer.prediction import Prediction
from digitrec.comparison.benchmark import Benchmark, benchmark
from digitrec.comparison.benchmark.measures import by_groups, grouped, mcnemar, proportion
from digitrec.comparison.benchmark.numbers import read_numbers
from digitrec.comparison.numbers import numbers_asked
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.errors import DataError, Unavailable

TEXTS = ["7.50", "-3", "012", "1,234", "none", "88"]


def folder(path: Path, table: str, names: Sequence[str]) -> str:
    """Create a folder with a unique small picture for each name, and a table of labels."""
    for number, name in enumerate(names):
        Image.fromarray(np.full((20, 30), 200 + number, np.uint8)).save(path / name)
    (path / "labels.csv").write_text(table)
    return str(path)


@pytest.fixture
def cut(tmp_path: Path) -> str:
    """Six pictures with at most one number."""
    names = [f"{number}.png" for number in range(len(TEXTS))]
    rows = [f'{name},"{text}"' for name, text in zip(names, TEXTS, strict=True)]
    return folder(tmp_path, "\n".join(["file,text", *rows]), names)


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
    assert (score.recall, score.precision) == (proportion(1, 4), proportion(1, 3))
    assert score.character_errors == pytest.approx(2 / (4 + 2 + 3)), "a 0 is missing, a 3 stands for a 2"
    assert card.confusion == ()
    assert [point[1] for point in card.coverage] == [3 / 5]
    assert found.misread == (0, 2)


def test_a_date_is_doubted_and_no_wrong_number(cut: str) -> None:
    found = measured(cut, engine("a", "1.2.2024", "-3 4", *TEXTS[2:4], None, "88"))
    doubted, several, *_ = found.outcomes["a"]
    assert isinstance(doubted, Prediction) and isinstance(several, Prediction)
    assert (doubted.answer, doubted.reason, doubted.text) == (None, "not one number", "1.2.2024")
    assert several.answer == "-3 4"
    assert (found.cards[0].wrong, found.cards[0].refused_wrongly) == (1, 1)


def test_a_sheet_is_right_as_a_whole_and_its_numbers_are_found_one_by_one(tmp_path: Path) -> None:
    rows = ["file,text", *(f"sheet.png,{text}" for text in ("12", "7", "7")), "other.png,5"]
    source = folder(tmp_path, "\n".join(rows), ["sheet.png", "other.png"])
    found = measured(source, engine("all", "7 12 7", "5"), engine("some", "12 7 8", "5"))
    cards = {card.engine: card.correct for card in found.cards}
    scores = {one.engine: (one.recall, one.precision) for one in found.numbers}
    assert cards == {"all": 2, "some": 1}
    assert scores == {"all": (proportion(4, 4),) * 2, "some": (proportion(3, 4),) * 2}
    assert [(pair.only_first, pair.only_second, pair.p) for pair in found.pairs] == [(1, 0, 1.0)]


def test_numbers_of_a_table_are_right_in_their_row_and_column(tmp_path: Path) -> None:
    rows = ["file,text,row,column", *(f"a.png,{at},{at // 2},{at % 2}" for at in range(6)), "b.png,7,,"]
    source = folder(tmp_path, "\n".join(rows), ["a.png", "b.png"])
    corners = [(16 * (at % 2), 5 * (at // 2) + 5) for at in range(6)]
    table = [Candidate(str(at), 0.9, (x, y, x + 4, y + 4)) for at, (x, y) in enumerate(corners)]
    swapped = [*table[:4], replace(table[4], text="5"), replace(table[5], text="4")]
    above = [Candidate("2026", 0.9, (0, 0, 4, 4)), *table]
    seven = answer("7")
    engines = {
        name: Engine(FakeProvider([Answer(tuple(words)), seven], name=name))
        for name, words in {"right": table, "swapped": swapped, "shifted": above}.items()
    }
    found = benchmark(read_numbers(source), engines, data="x", ask=numbers_asked())
    assert {one.engine: one.cells for one in found.numbers} == {
        "right": proportion(6, 6), "swapped": proportion(4, 6), "shifted": proportion(6, 6)
    }  # fmt: skip


def test_groups_stay_whole_in_intervals_and_tests(tmp_path: Path) -> None:
    """One engine misreads two books of ten pictures; 20 independent pictures would show a difference."""
    names = [f"{number}.png" for number in range(50)]
    rows = ["file,text,group", *(f"{name},7,book {at // 10}" for at, name in enumerate(names))]
    source = folder(tmp_path, "\n".join(rows), names)
    good, bad = engine("good", *["7"] * 50), engine("bad", *["7"] * 30, *["1"] * 20)
    found = measured(source, good, bad)
    (pair,) = found.pairs
    assert (pair.only_first, pair.only_second, pair.better) == (20, 0, None)
    assert mcnemar(20, 0) < 0.001
    assert pair.p is not None and pair.p > 0.4
    worse, alone = found.cards[1].accuracy, proportion(30, 50)
    assert None not in (worse.low, worse.high, alone.low, alone.high)
    assert worse.high - worse.low > 1.5 * (alone.high - alone.low)  # type: ignore[operator]
    assert found.cards[0].accuracy.low == proportion(50, 50).low, "never narrower than Wilson's"
    assert found.is_grouped and "group" in found.test


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef")), min_size=1, max_size=40))
def test_an_interval_of_groups_holds_the_share_and_wilsons_interval(pictures: list[tuple[bool, str]]) -> None:
    right, groups = zip(*pictures, strict=True)
    found, alone = grouped(right, groups), proportion(sum(right), len(right))
    assert 0 <= found.low <= alone.low <= alone.share <= alone.high <= found.high <= 1  # type: ignore[operator]
    assert by_groups([0] * len(groups), groups) == 1


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("file,label\n0.png,7\n", "line 1: no column text"),
        ("file,text\n0.png,seven\n", "line 2: text 'seven'"),
        ("file,text\n0.png,7\n0.png,none\n", "line 3: text 'none'"),
        ("file,text,group\n0.png,7,a\n0.png,8,b\n", "line 3: '0.png' is in the groups 'a' and 'b'"),
        ("file,text,row,column\n0.png,7,1,b\n", "line 2: row and column"),
        (None, "labels.csv: no such file"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path: Path, table: str | None, named: str) -> None:
    source = folder(tmp_path, table or "", ["0.png"])
    if table is None:
        (tmp_path / "labels.csv").unlink()
    with pytest.raises(DataError) as caught:
        read_numbers(source)
    assert named in str(caught.value)


def test_texts_may_have_spaces_and_a_limit_is_of_pictures(cut: str) -> None:
    Path(cut, "labels.csv").write_text("Path;Text\n0.png;1 234,5\n0.png;8\n1.png;NONE\n")
    first, second = read_numbers(cut)
    assert (first.texts, second.texts, second.truth) == (("1234,5", "8"), (), None)
    assert len(read_numbers(cut, 1)) == 1
