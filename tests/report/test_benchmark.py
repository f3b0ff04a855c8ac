"""A benchmark as text, Markdown, JSON and a page: the same figures under their headers."""

import base64
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from comparison.engines import labelled
from comparison.numbered import numbered
from pictures import exif
from PIL import Image
from terminal import text_of

from digitrec.answer import Answer, Candidate, Failure, Prediction
from digitrec.comparison.benchmark import Benchmark, Pair, benchmark
from digitrec.comparison.benchmark.measure import Latency, Scorecard, scorecard
from digitrec.comparison.benchmark.measures import Proportion, Reliability
from digitrec.comparison.datasets.loader import read_numbers
from digitrec.comparison.numbers import numbers_asked
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.errors import TimedOut
from digitrec.image import ImageRef
from digitrec.recognise import Outcome
from digitrec.report import benchmark as report
from digitrec.report.benchmark import conclusion
from digitrec.report.benchmark_page import MOST_PICTURES, benchmark_page
from digitrec.report.rows import Table

IMAGE = ImageRef("x.png", "00")


class Page(HTMLParser):
    """The elements of a page, all of which must be closed and fetch nothing."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: Counter[str] = Counter()

    @classmethod
    def of(cls, html: str) -> Self:
        """Parse and check a page."""
        page = cls()
        page.feed(html)
        assert page.open == []
        assert "@import" not in html
        assert "url(http" not in html
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] += 1
        assert tag not in ("script", "link", "iframe", "object")
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action"):
                assert (value or "").startswith(("data:", "#")), value
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()


def written(found: Benchmark, form: report.Format) -> str:
    return text_of(report.write, found, form)


def rows(table: Table) -> list[dict[str, str]]:
    return [dict(zip(table.header, row, strict=True)) for row in table.rows]


@pytest.fixture
def card(found: Benchmark) -> Scorecard:
    """Return a scorecard whose figures all differ."""
    counts = tuple(tuple(11 * row + column for column in range(11)) for row in range(11))
    return replace(
        found.cards[0], engine="e", correct=31 + 33, wrong=32, refused_rightly=33, refused_wrongly=34,
        failed=35, accuracy=Proportion(1, 4, 0.2, 0.3), confusion=counts,
        reliability=Reliability(9, 0.11, 0.12, ()), calibrated=Reliability(9, 0.13, 0.14, ()),
        latency=Latency(9, 0.001, 0.002, 0.003), loading_s=2.0, cost_usd=5.25,
        cost_per_1000=6.5,
    )  # fmt: skip


def test_each_figure_of_a_card_stands_under_its_head(found: Benchmark, card: Scorecard) -> None:
    silent = replace(card, engine="silent", latency=None, reliability=None, calibrated=None)
    leaders, spent, sure, *_ = report.tables(replace(found, cards=(card, silent), pairs=()))
    assert rows(leaders)[0] == {
        "engine": "e", "right": "25.0%", "95% interval": "20.0% to 30.0%", "digits right": "31",
        "wrong": "32", "refused rightly / wrongly": "33 / 34", "failed": "35", "median time": "1 ms",
        "per 1,000": "$6.50",
    }  # fmt: skip
    assert rows(spent)[0] == {
        "engine": "e", "median": "1 ms", "95 of 100": "2 ms", "99 of 100": "3 ms", "loading": "2.0 s",
        "per 1,000": "$6.50", "paid in this run": "$5.25",
    }  # fmt: skip
    assert rows(sure) == [
        {"engine": "e", "ECE": "0.110", "Brier": "0.120", "ECE calibrated": "0.130",
         "Brier calibrated": "0.140"},
        dict.fromkeys(sure.header, "") | {"engine": "silent"},
    ]  # fmt: skip
    assert rows(leaders)[1]["median time"] == ""
    assert rows(spent)[1]["median"] == ""


def test_differences(found: Benchmark, card: Scorecard) -> None:
    pair = Pair("e", "f", 41, 2, 3, agreement=0.25, p=0.5, p_corrected=0.75)
    clear = replace(pair, first="f", second="g", p=0.001, p_corrected=0.00231, agreement=0.5)
    cards = tuple(replace(card, engine=name, emulated=False) for name in "efg")
    first, second = rows(report.differences(replace(found, cards=cards, pairs=(pair, clear))))
    assert first == {
        "first": "e", "second": "f", "both answered": "41", "only first right": "2",
        "only second right": "3", "same answer": "25.0%", "p": "0.5", "corrected p": "0.75",
        "better": "not shown",
    }  # fmt: skip
    assert [second[head] for head in ("p", "corrected p", "better")] == ["0.001", "0.00231", "g"]


def test_confusion_names_what_was_answered_for_what(card: Scorecard) -> None:
    empty = tuple(row if place != 4 else (0,) * 11 for place, row in enumerate(card.confusion))
    table = report.confusion(replace(card, confusion=empty))
    assert table.header == ("shows", *"0123456789", "none")
    assert [row[0] for row in table.rows] == [*"012356789", "none"]
    found = rows(table)
    assert (found[0]["0"], found[2]["7"], found[-1]["none"]) == ("", "29", "120")


def test_markdown_and_json_have_everything(found: Benchmark) -> None:
    text = written(found, "markdown")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert headings[:7] == [
        "3 engines on 40 pictures of a & b", "Leaderboard", "Time and money", "Confidence", "Differences",
        "Confusion: good", "Confusion: fair",
    ]  # fmt: skip
    assert headings[-1] == "How it was measured"
    assert "| preparation | plain |" in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table
    values = json.loads(written(found, "json"))
    assert values["conclusion"] == report.conclusion(found)
    assert len(values["answers"]) == 40
    first, second = values["answers"][:2]
    assert (first["label"], first["answers"]["good"]["error"]) == (0, "TimedOut: no answer in time")
    assert (second["label"], second["answers"]["fair"]["digit"]) == (1, 2)
    assert written(found, "table").splitlines()[1].startswith("good")


def test_of_many_pictures_a_fair_sample_is_shown(found: Benchmark) -> None:
    many = replace(found, samples=found.samples * 40,
                   outcomes={name: said * 40 for name, said in found.outcomes.items()})  # fmt: skip
    page = benchmark_page(many)
    assert Page.of(page).count["img"] == MOST_PICTURES < len(many.misread)
    assert f"{MOST_PICTURES} of {len(many.misread)}." in page
    whole = Counter(many.labels[place] for place in many.misread)
    for label, drawn in Counter(re.findall(r"<br>shows (\w+)", page)).items():
        share = whole[None if label == "none" else int(label)] / len(many.misread)
        assert abs(drawn - MOST_PICTURES * share) <= 1


def test_an_emulated_engine_is_marked_wherever_it_is_shown_and_never_tested(found: Benchmark) -> None:
    for table in report.tables(found):
        words = [*table.header, *(cell for row in table.rows for cell in row)]
        assert "cloud" not in words, table.title
        assert "cloud (emulated)" in words or table.title.startswith("Confusion: "), table.title
    assert "cloud (emulated) <strong" in benchmark_page(found)
    pairs = {(row["first"], row["second"]): row for row in rows(report.differences(found))}
    untested = pairs["good", "cloud (emulated)"]
    assert (untested["p"], untested["corrected p"], untested["better"]) == ("", "", "not tested")
    assert pairs["good", "fair"]["p"] == pairs["good", "fair"]["corrected p"], "a family of one"


def test_an_engine_without_an_answer_has_no_confusion_and_no_price() -> None:
    engine = Engine(FakeProvider([TimedOut("slow")], name="mute"), Options(ledger="none"))
    found = benchmark(labelled([7]), {"mute": engine}, data="one")
    titles = {table.title: table for table in report.tables(found)}
    assert rows(titles["Time and money"])[0]["per 1,000"] == ""
    assert [*titles] == ["Leaderboard", "Time and money", "Confidence", "How it was measured"]


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_a_report_shows_no_control_characters(found: Benchmark, form: report.Format) -> None:
    text = written(replace(found, data="a\x1b[2J\nb"), form)
    assert "\x1b" not in text and "pictures of a\\x1b[2J\\nb that it answered" in text
    assert form == "table" or text.startswith("# 3 engines on 40 pictures of a\\x1b[2J\\nb\n")


def test_the_page_is_whole_and_needs_nothing_else(found: Benchmark) -> None:
    html = benchmark_page(found)
    page = Page.of(html)
    assert page.count["svg"] == 2
    assert page.count["img"] == len(found.misread)
    assert page.count["li"] == len(report.conclusion(found))
    assert "a &amp; b" in html
    alone = replace(found, outcomes={"good": found.outcomes["good"][:1]}, samples=found.samples[:1],
                    cards=found.cards[:1], pairs=())  # fmt: skip
    assert report.heading(alone) == "1 engine on 1 picture of a & b"
    assert Page.of(benchmark_page(alone)).count["img"] == 0


def test_a_page_escapes_names_and_holds_pictures_without_metadata(found: Benchmark, tmp_path: Path) -> None:
    large, missing = tmp_path / "<b>.jpg", tmp_path / "none.png"
    Image.fromarray(np.full((1000, 2000), 200, np.uint8)).save(large, exif=exif({0x010E: "a private remark"}))
    samples = [replace(one, name="set[&]") for one in found.samples]
    for place, file in zip(found.misread, (large, missing), strict=False):
        samples[place] = replace(samples[place], image=file)
    html = benchmark_page(replace(found, samples=tuple(samples), data="<script>alert(1)</script>"))
    assert Page.of(html).count["img"] == len(found.misread) - 1
    assert f"{missing}: " in html
    assert "<b>" not in html and "&lt;b&gt;.jpg" in html and "<title>3 engines" in html
    assert "set[&amp;]" in html
    pictures = [base64.b64decode(data) for data in re.findall(r"base64,([^\"]+)", html)]
    assert (128, 64) in [Image.open(io.BytesIO(data)).size for data in pictures]
    assert not any(b"private" in data for data in pictures)


def test_numbers_have_a_table_of_their_own_and_no_confusion(tmp_path: Path) -> None:
    source = numbered(tmp_path, "file,text,group\n0.png,7.50,one\n1.png,12,two\n", ["0.png", "1.png"])
    script = [Answer((Candidate("7.5", 0.9),)), Answer((Candidate("12", 0.8),))]
    reader = Engine(FakeProvider(script, name="e"), Options(ledger="none", concurrency=1))
    found = benchmark(read_numbers(source), {"e": reader}, data="x", ask=numbers_asked())
    leaders, *_, numbers, _ = report.tables(found)
    assert rows(leaders)[0]["numbers right"] == "1" and "groups" in leaders.note
    assert numbers.rows == [
        ("e", "100.0%", "15.8% to 100.0%", "16.7%", "50.0%", "<0.1% to >99.9%", "50.0%", "<0.1% to >99.9%",
         "", ""),
    ]  # fmt: skip
    text, values = written(found, "markdown"), json.loads(written(found, "json"))
    assert "## Numbers" in text and "## Confusion" not in text
    assert values["numbers"][0]["value"]["hits"] == 2
    assert [row["label"] for row in values["answers"]] == ["7.50", "12"]
    html = benchmark_page(found)
    assert Page.of(html).count["svg"] == 2 and "shows 7.50" in html and "<strong" in html


def scored(name: str, right: int, n: int = 100, *, emulated: bool = False, failed: int = 0) -> Scorecard:
    said: list[Outcome] = [
        Prediction(IMAGE, name, 7 if place < right else 1, 0.9, emulated=emulated) for place in range(n)
    ]
    said += [Failure(IMAGE, name, TimedOut("slow"))] * failed
    return scorecard(name, said, labelled([7] * (n + failed)))


def pair(first: str, second: str, wins: tuple[int, int], p: float, **values: object) -> Pair:
    return Pair(first, second, 100, *wins, 0.9, p, p, **values)  # type: ignore[arg-type]


def told(*cards: Scorecard, pairs: Sequence[Pair] = (), **values: object) -> list[str]:
    found = Benchmark("fakes", (), {}, cards, tuple(pairs), (), "2026-01-01", 1.0, {}, {})
    return conclusion(replace(found, **values))  # type: ignore[arg-type]


def test_the_first_real_engine_that_answered_is_the_best_and_caveats_name_the_others() -> None:
    cloud, mute = scored("cloud", 100, emulated=True, failed=2), scored("mute", 0, 0)
    cards = (cloud, mute, scored("a", 90, failed=1), scored("b", 80))
    best, fitted, emulated = told(*cards, fitted_here=("a", "b"))
    assert all(word in best for word in ("a was right on 90.0%", "82.6% to 94.5%", "100 pictures of fakes"))
    assert " a, b " in fitted and ": cloud." in emulated
    failed = {"mute": (Failure(IMAGE, "mute", TimedOut("slow")),) * 2}
    why, copy, doubt = told(mute, outcomes=failed, samples=tuple(labelled([7, None])))
    assert why == "mute failed on every picture; the first error: slow." and copy.startswith("1 picture ")
    assert doubt.startswith("x.png and x.png are the same picture, labelled 7 and none")


def test_what_is_shown_and_what_is_level_is_said_with_the_test() -> None:
    found = [pair("b", "c", (9, 9), 0.8), pair("a", "b", (12, 3), 0.035), pair("a", "c", (2, 30), 0.0001),
             pair("a", "d", (9, 5), 0.3),
             replace(pair("a", "g", (9, 9), 1.0), p=None, p_corrected=None)]  # fmt: skip
    shown, turned, level = told(pairs=found)
    assert shown.startswith(
        "a reads these pictures better than b: it alone was right on 12 of 100, b alone on 3"
    )
    assert turned.startswith(
        "c reads these pictures better than a: it alone was right on 30 of 100, a alone on 2"
    )
    assert ("p = 0.035" in shown, "p < 0.001" in turned) == (True, True)
    assert "between b and c, a and d (corrected p = 0.300 or more)" in level
