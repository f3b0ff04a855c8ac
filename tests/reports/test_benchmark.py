"""A benchmark as text, Markdown, JSON and a page: the same figures in each."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

from digitrec.benchmark import Benchmark, conclusion
from digitrec.reports.benchmark import Format, write
from digitrec.reports.benchmark_page import benchmark_page
from digitrec.reports.tables import MOST_PICTURES, confusion, leaderboard, splitting


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


def test_only_so_many_pictures_are_listed(found: Benchmark) -> None:
    many = replace(
        found,
        samples=found.samples * 10,
        outcomes={name: outcomes * 10 for name, outcomes in found.outcomes.items()},
    )
    assert len(splitting(many).rows) == MOST_PICTURES < len(many.splitting)


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
    assert structure.count["img"] == len(found.misread)
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
