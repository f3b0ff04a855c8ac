"""Comparisons in every format: one row for each picture with every engine's answer."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison import Comparison
from digitrec.errors import TimedOut
from digitrec.image import ImageRef
from digitrec.report.comparison import verdict, write
from digitrec.report.predictions import Format

IMAGE = ImageRef("seven|7.png", "ab")
LOCAL = Prediction(IMAGE, "local", 7, 0.98, calibrated=0.91, latency_s=0.0004)
CLOUD = Prediction(IMAGE, "cloud", 1, 0.7, latency_s=0.21, cost_usd=0.0015, emulated=True)
OTHER = replace(CLOUD, emulated=False)
NOTHING = Prediction(IMAGE, "ocr", None, None, "no text")
FAILED = Failure(IMAGE, "slow", TimedOut("no answer within 30 s"), latency_s=30.0)
COMPARISON = Comparison(IMAGE, ("local", "cloud", "ocr", "slow"), (LOCAL, CLOUD, NOTHING, FAILED))


def written(form: Format, *comparisons: Comparison) -> str:
    out = io.StringIO()
    write(comparisons, form, out)
    return out.getvalue()


def test_a_table_has_digit_confidence_time_cost_and_what_went_wrong() -> None:
    assert written("table", COMPARISON, COMPARISON).splitlines() == 2 * [
        f"seven|7.png  {verdict(COMPARISON)}",
        "  local  7  98.0%, calibrated 91.0%; 0.4 ms, free",
        "  cloud  1  70.0%; 210 ms, $0.0015; emulated",
        "  ocr    -; 0 ms, free; no text",
        "  slow   !; 30.0 s; TimedOut",
    ]


def test_json_and_json_lines_say_the_same() -> None:
    (one,) = json.loads(written("json", COMPARISON))
    assert json.loads(written("jsonl", COMPARISON)) == one == json.loads(json.dumps(COMPARISON.as_dict()))
    assert one["outcomes"]["slow"]["error"]["message"] == "no answer within 30 s"


def test_csv_has_columns_for_each_engine() -> None:
    (row,) = csv.DictReader(io.StringIO(written("csv", COMPARISON)))
    together, cells = list(row)[:7], list(row)[7:16]
    assert together == ["source", "sha256", "agree", "consensus", "weighted", "dissenters", "emulated"]
    assert [cell.removeprefix("local.") for cell in cells] == [
        "digit", "confidence", "calibrated", "reason", "latency_s", "cost_usd", "emulated", "replayed",
        "error",
    ]  # fmt: skip
    assert (row["emulated"], row["cloud.emulated"], row["local.latency_s"]) == ("False", "True", "0.0004")
    assert (row["source"], row["agree"], row["consensus"]) == ("seven|7.png", "False", "")
    assert (row["local.digit"], row["local.calibrated"], row["cloud.cost_usd"]) == ("7", "0.91", "0.0015")
    assert (row["ocr.reason"], row["slow.error"]) == ("no text", "TimedOut: no answer within 30 s")


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ((LOCAL, LOCAL), "all say 7"),
        ((NOTHING, NOTHING), "all say no digit"),
        ((LOCAL, LOCAL, OTHER), "most say 7, but e2 says 1"),
        ((LOCAL, LOCAL, NOTHING), "most say 7, but e2 says no digit"),
        ((LOCAL, NOTHING, NOTHING), "most say no digit, but e0 says 7; by confidence 7"),
        ((LOCAL, LOCAL, OTHER, NOTHING), "7 has the most votes, but e2 says 1, e3 says no digit"),
        ((LOCAL, NOTHING), "undecided; by confidence 7"),
        ((LOCAL, OTHER), "undecided; by confidence 7"),
        ((LOCAL, LOCAL, CLOUD), "all say 7 (emulated: not counted)"),
        ((LOCAL, CLOUD, CLOUD), "one answer only (emulated: not counted)"),
        ((LOCAL, OTHER, CLOUD, CLOUD), "undecided; by confidence 7 (emulated: not counted)"),
        ((CLOUD, CLOUD, FAILED), "all say 1 (emulated)"),
        ((LOCAL, FAILED), "one answer only"),
        ((FAILED, FAILED), "nobody answered"),
    ],
)
def test_verdicts(outcomes: tuple[Prediction | Failure, ...], said: str) -> None:
    names = tuple(f"e{place}" for place in range(len(outcomes)))
    assert verdict(Comparison(IMAGE, names, outcomes)) == said


def test_no_pictures_are_an_empty_answer() -> None:
    assert json.loads(written("json")) == []
    assert written("csv") == written("jsonl") == written("table") == ""
