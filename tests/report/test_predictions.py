"""Outcomes as text: stable for programs, readable for people."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import ImageColor
from terminal import text_of

from digitrec.answer import Failure, Number, Prediction, Sheet, field_names
from digitrec.comparison import Comparison
from digitrec.errors import TimedOut
from digitrec.errors.text import printable, width
from digitrec.image import DigitImage, ImageRef
from digitrec.report import predictions
from digitrec.report.predictions import verdict

SEVEN = Prediction(
    ImageRef("scans/7.png", "ab" * 32), "local", 7, 0.991, text="7",
    probabilities=(0.0,) * 7 + (0.991, 0.0, 0.009), raw={"probabilities": [0.991]},
)  # fmt: skip
BLANK = Prediction(ImageRef("blank.png", "cd" * 32), "local", None, None, "blank", attempts=0)
LETTER = Prediction(
    ImageRef("o.png", "ef" * 32), "google", 0, 0.8, text="O", inferred=True, emulated=True, replayed=True
)
FAILED = Failure(ImageRef("cut.png", None), "google", TimedOut("no answer in 30 s; try again"), 30.0, None, 3)
ALL = [SEVEN, BLANK, LETTER, FAILED]


def test_an_overlay_marks_doubtful_numbers_at_their_places_on_a_shrunk_picture() -> None:
    sure = Number("12", Decimal(12), box=(40, 60, 120, 100), confidence=0.9)
    date = replace(sure, text="1/2", value=None, box=(200, 60, 280, 100), reason="not one number")
    sheet = Sheet(SEVEN.image, "local", numbers=(sure, date, replace(sure, box=None)), size=(400, 200))
    drawn = predictions.overlay(DigitImage.open(np.full((100, 200), 255, np.uint8)), sheet)
    colours = [drawn.getpixel(place) for place in ((20, 40), (60, 40), (100, 40), (140, 40), (40, 40))]
    green, orange = ImageColor.getrgb(predictions.SURE_COLOUR), ImageColor.getrgb(predictions.DOUBTFUL_COLOUR)
    assert colours == [green, green, orange, orange, (255, 255, 255)]


@pytest.mark.parametrize("width", [20, 400])
def test_the_labels_of_an_overlay_hide_no_number_at_the_edge(width: int) -> None:
    """On black paper only the frame and the label, which is white, are not black."""
    edge = Number("12", Decimal(12), box=(0, 0, 0.2 * width, 0.1 * width), confidence=0.9)
    long = replace(edge, text="12345678", box=(0.95 * width, 0.4 * width, width, 0.5 * width))
    sheet = Sheet(SEVEN.image, "local", numbers=(edge, long), size=(width, width // 2))
    drawn = np.asarray(predictions.overlay(DigitImage.open(np.zeros((width // 2, width), np.uint8)), sheet))
    side = drawn.shape[1]
    assert side >= 200 and not drawn[: side // 10, : side // 5][3:-3, 3:-3].any()
    assert (drawn[:, 9 * side // 10] == 255).any(), "all of the label is inside"


def written(form: predictions.Format, outcomes: list[predictions.Outcome]) -> str:
    return text_of(predictions.write, outcomes, form)


def test_json_and_csv_hold_every_field_under_its_own_name() -> None:
    asked = Prediction(ImageRef("7.png", None), "fallback", 7, 0.9, asked=(SEVEN, FAILED))
    seven, blank, _, failed, policy = rows = json.loads(written("json", [*ALL, asked]))
    assert [json.loads(line) for line in written("jsonl", [*ALL, asked]).splitlines()] == rows
    assert json.loads(written("json", [])) == []
    assert list(seven) == field_names(Prediction)
    assert (seven["digit"], seven["probabilities"][7]) == (7, 0.991)
    assert seven["image"] == {"source": "scans/7.png", "sha256": "ab" * 32}
    assert (blank["digit"], blank["reason"]) == (None, "blank")
    assert failed["error"] == {"type": "TimedOut", "message": "no answer in 30 s; try again"}
    assert failed["cost_usd"] is None
    assert [witness["provider"] for witness in policy["asked"]] == ["local", "google"]
    cells = list(csv.DictReader(io.StringIO(written("csv", ALL))))
    assert list(cells[0]) == predictions.COLUMNS
    assert [(row["source"], row["digit"]) for row in cells] == [
        ("scans/7.png", "7"), ("blank.png", ""), ("o.png", "0"), ("cut.png", ""),
    ]  # fmt: skip
    assert json.loads(cells[0]["probabilities"])[7] == 0.991
    assert json.loads(cells[3]["error"])["type"] == "TimedOut"


def test_a_table_is_plain_text() -> None:
    header, *lines = written("table", ALL).splitlines()
    assert header.split() == ["image", "digit", "sure"]
    assert len(lines) == 4
    assert lines[0].split() == ["scans/7.png", "7", "99.1%"]
    assert lines[1].split() == ["blank.png", "-", "blank"]
    assert "read 'O'; inferred; emulated; replayed" in lines[2]
    assert "TimedOut" in lines[3]
    assert "\x1b" not in "".join(lines)


def test_calibrated_chances_replace_confidences_and_are_marked() -> None:
    boast = replace(SEVEN, image=ImageRef("boast.png", "ef" * 32), confidence=0.978, calibrated=0.556)
    table = written("table", [SEVEN, boast, FAILED])
    *rows, legend = table.splitlines()
    assert any("55.6%*" in row for row in rows)
    assert "97.8%" not in table
    (own,) = [row for row in rows if "99.1%" in row]
    (marked,) = [row for row in rows if "55.6%" in row]
    assert own.index("%") == marked.index("%"), "figures stand below each other"
    assert legend == predictions.LEGEND
    assert "*" not in written("table", ALL)


def test_the_chances_a_policy_went_by_are_shown() -> None:
    first = replace(SEVEN, calibrated=0.556)
    second = Prediction(ImageRef("7.png", None), "google", 7, 0.9)
    asked = Prediction(ImageRef("7.png", None), "local>google@0.9", 7, 0.9, asked=(first, second))
    _, row, legend = written("table", [asked]).splitlines()
    assert row.endswith("  asked local: 7 (55.6%*), google: 7")
    assert " 90.0% " in row
    assert legend == predictions.LEGEND


def test_remarks_name_what_is_unusual_about_an_answer() -> None:
    odd = replace(SEVEN, digit=None, reason="not sure", unsure_digit=7, turned=90, left_out=((0, 0, 1, 1),))
    assert [remark.split()[0] for remark in predictions.remarks(odd)] == ["not", "perhaps", "turned", "other"]


def test_the_line_for_a_failure_names_the_image_once() -> None:
    assert predictions.error_line(FAILED) == "cut.png: no answer in 30 s; try again"
    told = Failure(ImageRef("x.png", None), "local", TimedOut("x.png: too slow"))
    assert predictions.error_line(told) == "x.png: too slow"
    odd = Failure(ImageRef("new\nline", None), "local", TimedOut("new\nline: too slow"))
    assert predictions.error_line(odd) == r"new\nline: too slow"


def named(name: str) -> Prediction:
    return Prediction(ImageRef(name, None), "local", 7, 0.9997)


NAMES = st.lists(st.text(min_size=1), min_size=1, max_size=5)


@given(NAMES)
@example(
    ["scans/" + "x" * 300 + ".png", "數字.png", "a\u0308.png", "ש.png", "\x1b[31mred.png", "new\nline.png"]
)
def test_a_table_keeps_names_whole_and_columns_below_each_other(names: list[str]) -> None:
    header, *rows = text_of(predictions.write, map(named, names), "table", names=names).split("\n")[:-1]
    place = header.index("digit")
    assert len(rows) == len(names)
    for row, name in zip(rows, names, strict=True):
        assert row.startswith(printable(name))
        assert width(row.removesuffix("  7     >99.9%")) == place


@given(NAMES)
@example(["=1+1", "+1", "-1", "@x", "a\rb", "a,b", 'q"', " ", "a\nb"])
def test_programs_get_the_true_name(names: list[str]) -> None:
    outcomes: list[predictions.Outcome] = [named(name) for name in names]
    assert [row["image"]["source"] for row in json.loads(written("json", outcomes))] == names
    lines = written("jsonl", outcomes).split("\n")[:-1]
    assert [json.loads(line)["image"]["source"] for line in lines] == names
    rows = csv.DictReader(io.StringIO(written("csv", outcomes), newline=""))
    assert [row["source"] for row in rows] == names


SEVEN_REF = ImageRef("seven|7.png", "ab")
OURS = Prediction(SEVEN_REF, "local", 7, 0.98, calibrated=0.91, latency_s=0.0004)
CLOUD = Prediction(SEVEN_REF, "cloud", 1, 0.7, latency_s=0.21, cost_usd=0.0015, emulated=True)
OTHER = replace(CLOUD, emulated=False)
NO_TEXT = Prediction(SEVEN_REF, "ocr", None, None, "no text")
NO_NUMBER = replace(NO_TEXT, reason="no number")
SLOW = Failure(SEVEN_REF, "slow", TimedOut("no answer within 30 s"), latency_s=30.0)
COMPARISON = Comparison(SEVEN_REF, ("local", "cloud", "ocr", "slow"), (OURS, CLOUD, NO_TEXT, SLOW))


def compared(form: predictions.Format, *comparisons: Comparison) -> str:
    return text_of(predictions.write_comparisons, comparisons, form)


def test_a_table_has_digit_confidence_time_cost_and_what_went_wrong() -> None:
    assert compared("table", COMPARISON, COMPARISON).splitlines() == 2 * [
        f"seven|7.png  {verdict(COMPARISON)}",
        "  local  7  98.0%, calibrated 91.0%; 0.4 ms, free",
        "  cloud  1  70.0%; 210 ms, $0.0015; emulated",
        "  ocr    -; 0 ms, free; no text",
        "  slow   !; 30.0 s; TimedOut",
    ]


def test_json_and_json_lines_say_the_same() -> None:
    (one,) = json.loads(compared("json", COMPARISON))
    assert json.loads(compared("jsonl", COMPARISON)) == one == json.loads(json.dumps(COMPARISON.as_dict()))
    assert one["outcomes"]["slow"]["error"]["message"] == "no answer within 30 s"


def test_csv_has_columns_for_each_engine() -> None:
    (row,) = csv.DictReader(io.StringIO(compared("csv", COMPARISON)))
    together, cells = list(row)[:6], list(row)[6:15]
    assert together == ["source", "sha256", "agree", "consensus", "dissenters", "emulated"]
    assert [cell.removeprefix("local.") for cell in cells] == [
        "digit", "confidence", "calibrated", "reason", "latency_s", "cost_usd", "emulated", "replayed",
        "error",
    ]  # fmt: skip
    assert (row["emulated"], row["cloud.emulated"], row["local.latency_s"]) == ("False", "True", "0.0004")
    assert (row["source"], row["agree"], row["consensus"]) == ("seven|7.png", "False", "")
    assert (row["local.digit"], row["local.calibrated"], row["cloud.cost_usd"]) == ("7", "0.91", "0.0015")
    assert (row["ocr.reason"], row["slow.error"]) == ("no text", "TimedOut: no answer within 30 s")


@pytest.mark.parametrize(("outcomes", "said"), [
    ((OURS, OURS), "all say 7"), ((NO_TEXT, NO_TEXT), "all say no digit"),
    ((NO_NUMBER, NO_NUMBER), "all say no number"), ((OURS, OURS, OTHER), "most say 7"),
    ((OURS, OURS, NO_TEXT), "most say 7"), ((OURS, NO_TEXT, NO_TEXT), "most say no digit"),
    ((OURS, OURS, OTHER, NO_TEXT), "most say 7"), ((OURS, NO_TEXT), "undecided"),
    ((OURS, OTHER), "undecided"), ((OURS, OURS, CLOUD), "all say 7 (emulated: not counted)"),
    ((OURS, CLOUD, CLOUD), "one answer only (emulated: not counted)"),
    ((OURS, OTHER, CLOUD, CLOUD), "undecided (emulated: not counted)"),
    ((CLOUD, CLOUD, SLOW), "all say 1 (emulated)"), ((OURS, SLOW), "one answer only"),
    ((SLOW, SLOW), "nobody answered"),
])  # fmt: skip
def test_verdicts(outcomes: tuple[Prediction | Failure, ...], said: str) -> None:
    names = tuple(f"e{place}" for place in range(len(outcomes)))
    assert verdict(Comparison(SEVEN_REF, names, outcomes)) == said


def test_no_pictures_are_an_empty_answer() -> None:
    assert json.loads(compared("json")) == []
    assert compared("csv") == compared("jsonl") == compared("table") == ""
