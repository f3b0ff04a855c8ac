"""A benchmark as text, Markdown, JSON and a page: the same figures in each."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

from digitrec.comparison.benchmark import Benchmark, conclusion
from digitrec.report.benchmark import Format, heading, write
from digitrec.report.benchmark_page import benchmark_page
from digitrec.report.benchmark_tables import (
    MOST_PICTURES,
    confusion,
    differences,
    leaderboard,
    sample,
    splitting,
    tables,
)


def written(found: Benchmark, form: Format) -> str:
    out = io.StringIO()
    write(found, form, out)
    return out.getvalue()


def test_the_leaderboard_counts_each_kind_in_its_column(found: Benchmark) -> None:
    table = leaderboard(found)
    rows = {row[0]: dict(zip(table.header, row, strict=True)) for row in table.rows}
    assert list(rows) == ["good", "fair", "cloud (emulated)"]
    assert rows["good"]["digits right"] == "36"
    assert rows["good"]["wrong"] == "2"
    assert rows["good"]["refused rightly / wrongly"] == "1 / 0"
    assert rows["good"]["failed"] == "1"
    assert rows["good"]["right"] == "94.9%"
    assert (rows["good"]["per 1,000"], rows["fair"]["per 1,000"]) == ("free", "$1.00")
    assert (rows["good"]["front"], rows["cloud (emulated)"]["front"]) == ("yes", "")


def test_text_shows_who_is_best_and_what_follows(found: Benchmark) -> None:
    text = written(found, "table")
    assert text.splitlines()[1].startswith("good")
    for sentence in conclusion(found):
        assert sentence in text


def test_markdown_has_every_table_and_the_provenance(found: Benchmark) -> None:
    text = written(found, "markdown")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert headings[:8] == [
        "3 engines on 40 pictures of a & b", "Leaderboard", "Time and money", "Confidence", "Differences",
        "Agreement", "Digits", "Pictures that split the engines",
    ]  # fmt: skip
    assert headings[-1] == "How it was measured"
    assert "- preparation: plain" in text
    assert "- digitrec: " in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


def test_json_has_the_conclusion_and_every_answer(found: Benchmark) -> None:
    values = json.loads(written(found, "json"))
    assert values["conclusion"] == conclusion(found)
    assert len(values["answers"]) == 40
    assert values["answers"][0]["answers"]["good"]["error"] == "TimedOut: no answer in time"


def test_json_lines_are_the_answers_to_each_picture(found: Benchmark) -> None:
    lines = [json.loads(line) for line in written(found, "jsonl").splitlines()]
    assert lines == json.loads(written(found, "json"))["answers"]


def test_csv_has_a_row_for_each_picture_and_engine(found: Benchmark) -> None:
    rows = list(csv.DictReader(io.StringIO(written(found, "csv"))))
    assert len(rows) == 40 * 3
    assert [row["engine"] for row in rows[:3]] == ["good", "fair", "cloud"]
    assert (rows[0]["label"], rows[0]["digit"], rows[0]["error"]) == ("0", "", "TimedOut: no answer in time")
    assert (rows[4]["label"], rows[4]["digit"], rows[4]["emulated"]) == ("1", "2", "False")


def test_confusions_name_what_was_taken_for_what(found: Benchmark) -> None:
    table = confusion(found.cards[0])
    rows = {row[0]: dict(zip(table.header, row, strict=True)) for row in table.rows}
    assert rows["1"]["2"] == "2"
    assert rows["none"]["none"] == "1"


def times(found: Benchmark, factor: int) -> Benchmark:
    """The same with every picture so many times."""
    outcomes = {name: said * factor for name, said in found.outcomes.items()}
    return replace(found, samples=found.samples * factor, outcomes=outcomes)


def test_of_many_pictures_a_fair_sample_is_shown(found: Benchmark) -> None:
    many = times(found, 40)
    all_of_them = many.splitting
    shown = sample(many, all_of_them)
    assert len(shown) == len(splitting(many).rows) == MOST_PICTURES < len(all_of_them)
    assert shown == [place for place in all_of_them if place in set(shown)], "in their own order"
    assert max(shown) > len(many.samples) * 3 // 4, "not the first ones only"
    whole = Counter(many.labels[place] for place in all_of_them)
    for label, drawn in Counter(many.labels[place] for place in shown).items():
        assert abs(drawn - MOST_PICTURES * whole[label] / len(all_of_them)) <= 1
    assert shown == sample(many, all_of_them), "the same ones each time"
    assert sample(found, found.splitting) == list(found.splitting)
    assert splitting(many).note.startswith(f"60 of {len(all_of_them)}, drawn by chance")
    assert splitting(found).note.startswith(f"All {len(found.splitting)} of them.")


def test_an_emulated_engine_is_marked_wherever_it_is_shown(found: Benchmark) -> None:
    for table in (*tables(found), splitting(found)):
        words = [*table.header, *(cell for row in table.rows for cell in row)]
        assert "cloud" not in words, table.title
        assert "cloud (emulated)" in words, table.title
    assert "cloud (emulated) <strong" in benchmark_page(found)


def test_the_difference_to_an_emulated_engine_is_not_tested(found: Benchmark) -> None:
    table = differences(found)
    rows = {row[:2]: dict(zip(table.header, row, strict=True)) for row in table.rows}
    untested = rows["good", "cloud (emulated)"]
    assert (untested["p"], untested["corrected p"], untested["better"]) == ("", "", "not tested")
    assert rows["good", "fair"]["better"] == "not shown"
    assert rows["good", "fair"]["p"] == rows["good", "fair"]["corrected p"], "a family of one"


def test_pictures_that_only_an_emulator_reads_otherwise_neither_split_nor_count_as_misread(
    found: Benchmark,
) -> None:
    real = replace(found, outcomes={name: found.outcomes[name] for name in ("good", "fair")},
                   cards=tuple(card for card in found.cards if not card.emulated))  # fmt: skip
    assert (found.splitting, found.misread) == (real.splitting, real.misread)
    alone = replace(found, outcomes={"cloud": found.outcomes["cloud"]},
                    cards=tuple(card for card in found.cards if card.emulated))  # fmt: skip
    assert len(alone.misread) == 13, "where nothing else was asked they are shown"


def test_one_engine_and_one_picture_are_told_in_the_singular(found: Benchmark) -> None:
    one = replace(found, samples=found.samples[:1], cards=found.cards[:1])
    assert heading(one) == "1 engine on 1 picture of a & b"
    card = replace(found.cards[0], n=1, failed=1, accuracy=replace(found.cards[0].accuracy, hits=1, n=1))
    said = conclusion(replace(one, cards=(card,)))
    assert said[0].endswith("of the 1 picture of a & b that it answered.")
    assert said[-1] == "good gave no answer on 1 of 1 picture; its accuracy leaves them out."


class Structure(HTMLParser):
    """What is in a page, and that every element is closed."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        assert tag not in ("script", "link", "iframe", "object")
        for name, value in attrs:
            fetched = name in ("src", "href", "xlink:href") and not (value or "").startswith(("data:", "#"))
            assert not fetched, value
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()


def test_the_page_is_whole_and_needs_nothing_else(found: Benchmark) -> None:
    html = benchmark_page(found)
    structure = Structure()
    structure.feed(html)
    assert structure.open == []
    assert structure.count["svg"] == 5
    assert structure.count["img"] == len(found.misread) + len(found.splitting)
    assert "@import" not in html
    assert "url(http" not in html


def test_the_page_says_what_the_conclusion_says(found: Benchmark) -> None:
    html = benchmark_page(found)
    assert html.count("<li>") == len(conclusion(found))
    assert "a &amp; b" in html
    assert "Emulated: cloud." in html


def test_a_benchmark_of_one_engine_without_errors_has_a_page_too(found: Benchmark) -> None:
    alone = replace(found, outcomes={"good": found.outcomes["good"][:1]}, samples=found.samples[:1],
                    cards=found.cards[:1], pairs=())  # fmt: skip
    html = benchmark_page(alone)
    assert "Misread pictures" not in html
    assert "Differences" not in html
