"""What makes two questions the same, and answers as lines of a recording."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paid_cloud import PaidCloud, image

from digitrec.answer import Answer, Candidate
from digitrec.engine.ledger import Entry, Question, read_recording
from digitrec.engine.ledger.records import to_json, to_spec
from digitrec.errors import LedgerError
from digitrec.image import ImageRef

QUESTION = Question.about(image(7), PaidCloud(), emulated=False)
FULL = Answer(
    (Candidate("七", 0.5, (1.0, 2.0, 3.0, 4.0)), Candidate("7")), (0.1,) * 10, {"a": [None, 1.5]}, "m", "no"
)


def test_the_same_bytes_sent_are_the_same_question_whatever_file_they_came_from() -> None:
    copy = replace(image(7), image=ImageRef("copy.png", "another sha"))
    assert Question.about(copy, PaidCloud(), emulated=False).key == QUESTION.key


def test_all_that_an_answer_depends_on_makes_another_question() -> None:
    other_options = PaidCloud()
    other_options.options = {"feature": "text"}
    others = [
        Question.about(image(8), PaidCloud(), emulated=False),
        Question.about(image(7), PaidCloud(name="other"), emulated=False),
        Question.about(image(7), PaidCloud(endpoint="https://elsewhere.example"), emulated=False),
        Question.about(image(7), PaidCloud(), emulated=True),
        Question.about(image(7), other_options, emulated=False),
    ]
    assert len({QUESTION.key, *(other.key for other in others)}) == 6


def test_an_emulators_port_makes_no_other_question_its_path_does() -> None:
    keys = [
        Question.about(image(7), PaidCloud(endpoint=endpoint), emulated=True).key
        for endpoint in (
            "http://127.0.0.1:1",
            "http://localhost:2",
            "http://[::1]:3",
            "http://127.0.0.1:1/v2",
        )
    ]
    assert len(set(keys[:3])) == 1
    assert len(set(keys)) == 2
    real = {
        Question.about(image(7), PaidCloud(endpoint=f"https://{it}.example"), emulated=False).key
        for it in "ab"
    }
    assert len(real | set(keys)) == 4


def test_an_address_is_kept_without_what_may_be_secret_in_it() -> None:
    cloud = PaidCloud(endpoint="https://me:secret@paid.example:8443/v1?key=secret#secret")
    assert Question.about(image(7), cloud, emulated=False).endpoint == "https://paid.example:8443/v1"


def test_a_line_holds_the_whole_entry() -> None:
    entry = Entry(QUESTION, FULL, 1_790_000_000.25, None)
    assert Entry.parse(entry.line()) == entry
    assert "\n" not in entry.line()
    assert to_spec(Entry.parse(entry.line()).question.spec) == image(7).spec


WRONG = [
    ("provider", 1), ("options", None), ("spec", 3), ("prepared_sha256", b"00"), ("endpoint", 1),
    ("image_sha256", 1), ("emulated", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_field_of_a_question_of_another_kind_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        Entry.made({**asdict(QUESTION), name: value}, asdict(FULL), 5.0, 0.1)


@pytest.mark.parametrize("value", [True, "5", float("inf"), float("-inf"), float("nan")])
def test_a_time_or_a_cost_that_is_no_number_is_named(value: object) -> None:
    with pytest.raises(ValueError, match="asked_at"):
        Entry.made(asdict(QUESTION), asdict(FULL), value, 0.1)
    with pytest.raises(ValueError, match="cost_usd"):
        Entry.made(asdict(QUESTION), asdict(FULL), 5.0, value)


def test_a_time_is_needed_a_cost_is_not_and_is_never_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="asked_at"):
        Entry.made(asdict(QUESTION), asdict(FULL), None, None)
    with pytest.raises(ValueError, match="cost_usd"):
        Entry.made(asdict(QUESTION), asdict(FULL), 5.0, -0.001)
    assert [Entry.made(asdict(QUESTION), asdict(FULL), 5, cost).cost_usd for cost in (None, 0)] == [None, 0]


def test_another_format_and_a_missing_field_are_told() -> None:
    with pytest.raises(ValueError, match=r"^format 99, not 1$"):
        Entry.parse('{"digitrec":99}')
    with pytest.raises(ValueError, match=r"^KeyError: 'digitrec'$"):
        Entry.parse("{}")
    line = json.loads(Entry(QUESTION, FULL, 5.0, 0.1).line())
    del line["answer"]["reason"]
    assert Entry.parse(json.dumps(line)).answer == replace(FULL, reason=None), "made before there were any"


def test_equal_values_are_equal_text_and_what_json_does_not_know_is_written_as_text() -> None:
    assert to_json({"b": (1, None), "a": "é", "c": ImageRef}) == f'{{"a":"é","b":[1,null],"c":"{ImageRef}"}}'


def test_a_provider_without_an_address_has_a_question_without_one() -> None:
    nowhere = PaidCloud()
    nowhere.endpoint = None  # type: ignore[assignment]
    keys = {Question.about(image(7), nowhere, emulated=emulated).key for emulated in (False, True)}
    assert Question.about(image(7), nowhere, emulated=False).endpoint is None
    assert len(keys | {QUESTION.key}) == 3


def test_a_provider_that_names_no_options_has_none() -> None:
    bare = SimpleNamespace(name="bare", endpoint=None)
    assert Question.about(image(7), bare, emulated=False).options == "{}"  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["nonsense", "{}", "[1]", '{"digitrec":99}'])
def test_a_bad_line_is_named(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(f"{Entry(QUESTION, FULL, 5.0, 0.1).line()}\n{bad}\n", "utf-8")
    with pytest.raises(LedgerError, match=r"answers\.jsonl, line 2"):
        read_recording(path)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(where=st.lists(st.integers(0, 20), max_size=4), value=anything, cut=st.integers(0))
def test_whatever_a_line_holds_it_is_an_entry_or_a_value_error(
    where: list[int], value: Any, cut: int
) -> None:
    good = Entry(QUESTION, FULL, 5.0, 0.1).line()
    whole = place = json.loads(good)
    for step in where[:-1]:
        inner = list(place.values())[step % len(place)]
        place = inner if isinstance(inner, dict) and inner else place
    place[list(place)[where[-1] % len(place) if where else 0]] = value
    for line in (json.dumps(whole), json.dumps(value), good[: cut % len(good)]):
        try:
            entry = Entry.parse(line)
        except ValueError:
            continue
        json.loads(entry.line())


def test_a_recording_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"nowhere\.jsonl"):
        read_recording(tmp_path / "nowhere.jsonl")
