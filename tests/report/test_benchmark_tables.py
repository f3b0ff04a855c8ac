"""Every figure of a table stands under its own head: the cards have a different number in every place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digitrec.comparison.benchmark import Benchmark, Pair, Scorecard
from digitrec.comparison.benchmark.measures import DigitScore, Proportion, Reliability
from digitrec.comparison.benchmark.scorecard import Latency
from digitrec.report import benchmark_tables as tables


@pytest.fixture
def card(found: Benchmark) -> Scorecard:
    """No two figures alike."""
    counts = tuple(tuple(11 * row + column for column in range(11)) for row in range(11))
    scores = tuple(DigitScore(digit, digit / 100, digit / 50, 100 + digit) for digit in range(10))
    return replace(
        found.cards[0], engine="e", correct=31 + 33, wrong=32, refused_rightly=33, refused_wrongly=34,
        failed=35,
        accuracy=Proportion(1, 4, 0.2, 0.3), digits=scores, confusion=counts,
        reliability=Reliability(9, 0.11, 0.12, ()), calibrated=Reliability(9, 0.13, 0.14, ()),
        latency=Latency(9, 0.001, 0.002, 0.003), loading_s=0.0, throughput=4.5, cost_usd=5.25,
        cost_per_1000=6.5,
        cost_per_correct=7.75,
    )  # fmt: skip


def rows(table: tables.Table) -> list[dict[str, str]]:
    return [dict(zip(table.header, row, strict=True)) for row in table.rows]


def figures(table: tables.Table) -> list[str]:
    """Heads of the columns that are set to the right."""
    return [table.header[place] for place in table.numbers]


def test_the_leaderboard(found: Benchmark, card: Scorecard) -> None:
    table = tables.leaderboard(replace(found, cards=(card, replace(card, engine="silent", latency=None))))
    assert rows(table)[0] == {
        "engine": "e", "right": "25.0%", "95% interval": "20.0% to 30.0%", "digits right": "31",
        "wrong": "32", "refused rightly / wrongly": "33 / 34", "failed": "35", "median time": "1 ms",
        "per 1,000": "$6.50", "front": "yes",
    }  # fmt: skip
    assert (rows(table)[1]["median time"], rows(table)[1]["front"]) == ("", "")
    assert figures(table) == list(table.header[1:-1])


def test_time_and_money(card: Scorecard) -> None:
    loaded = replace(card, loading_s=2.0)
    table = tables.time_and_money([loaded, replace(card, latency=None, throughput=None)], 0.004)
    full, silent = rows(table)
    assert full == {
        "engine": "e", "median": "1 ms", "95 of 100": "2 ms", "99 of 100": "3 ms", "loading": "2.0 s",
        "prepared and read a second": "4.5", "per 1,000": "$6.50", "per right answer": "$7.75",
        "paid in this run": "$5.25",
    }  # fmt: skip
    assert [silent[head] for head in table.header[1:6]] == [""] * 5
    assert "4 ms" in table.note
    assert figures(table) == list(table.header[1:])


def test_confidence(card: Scorecard) -> None:
    table = tables.confidence([card, replace(card, reliability=None, calibrated=None)])
    full, silent = rows(table)
    assert full == {"engine": "e", "ECE": "0.110", "Brier": "0.120", "ECE calibrated": "0.130",
                    "Brier calibrated": "0.140"}  # fmt: skip
    assert list(silent.values()) == ["e", "", "", "", ""]
    assert figures(table) == list(table.header[1:])


def test_differences_and_agreement(found: Benchmark, card: Scorecard) -> None:
    pair = Pair("e", "f", 41, 2, 3, agreement=0.25, kappa=0.125, p=0.5, p_corrected=0.75)
    clear = replace(pair, first="f", second="g", kappa=None, p=0.001, p_corrected=0.00231, agreement=0.5)
    cards = tuple(replace(card, engine=name, emulated=False) for name in "efg")
    made = replace(found, cards=cards, pairs=(pair, clear))
    table = tables.differences(made)
    assert rows(table)[0] == {
        "first": "e", "second": "f", "both answered": "41", "only first right": "2",
        "only second right": "3", "same answer": "25.0%", "kappa": "0.12", "p": "0.5", "corrected p": "0.75",
        "better": "not shown",
    }  # fmt: skip
    assert [rows(table)[1][head] for head in ("kappa", "p", "corrected p", "better")] == [
        "", "0.001", "0.00231", "g",
    ]  # fmt: skip
    assert figures(table) == list(table.header[2:-1])
    agreement = tables.agreement(made)
    assert agreement.header == ("engine", "e", "f", "g")
    assert agreement.rows == (("e", "", "25.0%", ""), ("f", "25.0%", "", "50.0%"), ("g", "", "50.0%", ""))
    assert figures(agreement) == ["e", "f", "g"]


def test_digits(card: Scorecard) -> None:
    other = replace(card, engine="f", digits=tuple(
        DigitScore(score.digit, None, None, score.pictures + 100) for score in card.digits
    ))  # fmt: skip
    table = tables.digits([card, other])
    assert rows(table)[7] == {"digit": "7", "pictures": "207", "e": "7.0% / 14.0%", "f": "- / -"}
    assert [row[0] for row in table.rows] == list("0123456789")
    assert figures(table) == ["pictures", "e", "f"]
    assert rows(tables.digits([]))[0] == {"digit": "0", "pictures": "0"}


def test_confusion(card: Scorecard) -> None:
    empty = tuple(row if place != 4 else (0,) * 11 for place, row in enumerate(card.confusion))
    table = tables.confusion(replace(card, confusion=empty))
    assert table.title == "e"
    assert table.header == ("shows", *"0123456789", "none")
    assert [row[0] for row in table.rows] == [*"012356789", "none"]
    assert rows(table)[0]["0"] == "", "nothing is written as nothing"
    assert (rows(table)[2]["7"], rows(table)[-1]["none"]) == ("29", "120")
    assert figures(table) == list(table.header[1:])


def test_splitting(found: Benchmark) -> None:
    table = tables.splitting(found)
    assert table.header == ("picture", "shows", "good", "fair", "cloud (emulated)")
    (place, *_) = found.splitting
    said = [outcomes[place] for outcomes in found.outcomes.values()]
    assert rows(table)[0]["picture"] == f"no. {place}"
    assert rows(table)[0]["shows"] == str(found.labels[place])
    assert list(table.rows[0][2:]) == [str(getattr(outcome, "digit", "!")) for outcome in said]
    none = replace(found, samples=tuple(replace(it, label=None) for it in found.samples))
    assert rows(tables.splitting(none))[0]["shows"] == "none"
    assert not table.numbers
    alone = [len(found.samples) - 1]
    assert tables.how_many(alone, alone) == "One picture."


def test_a_report_has_these_tables(found: Benchmark) -> None:
    assert [table.title for table in tables.tables(found)] == [
        "Leaderboard", "Time and money", "Confidence", "Differences", "Agreement", "Digits",
    ]  # fmt: skip
    assert [table.title for table in tables.tables(replace(found, pairs=()))] == [
        "Leaderboard", "Time and money", "Confidence", "Digits",
    ]  # fmt: skip
