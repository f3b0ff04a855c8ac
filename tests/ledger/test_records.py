"""What makes two questions the same, and answers as lines of a recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from paid_cloud import PaidCloud, answer, image

from digitrec.errors import LedgerError
from digitrec.image import ImageRef, InputSpec
from digitrec.ledger import Entry, Question, read_recording
from digitrec.ledger.recording import append_recording
from digitrec.ledger.records import to_spec
from digitrec.providers.answer import Answer, Candidate

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


def test_a_recording_is_added_to(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    entries = [Entry(QUESTION, answer(number), 5.0, 0.001) for number in range(3)]
    append_recording(path, entries[:2])
    append_recording(path, entries[2:])
    assert read_recording(path) == entries


@pytest.mark.parametrize("bad", ["nonsense", "{}", "[1]", '{"digitrec":99}'])
def test_a_bad_line_is_named(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(f"{Entry(QUESTION, FULL, 5.0, 0.1).line()}\n{bad}\n", "utf-8")
    with pytest.raises(LedgerError, match=r"answers\.jsonl, line 2"):
        read_recording(path)


def test_a_form_of_image_that_is_not_known_is_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    line = Entry(QUESTION, FULL, 5.0, 0.1).line().replace('"margin"', '"martian"')
    path.write_text(line, "utf-8")
    with pytest.raises(LedgerError, match="line 1"):
        read_recording(path)


def test_a_recording_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be read"):
        read_recording(tmp_path / "nowhere.jsonl")
    with pytest.raises(LedgerError, match="cannot be written"):
        append_recording(tmp_path, [])


def test_the_spec_of_a_question_can_be_prepared_for_again() -> None:
    assert to_spec(QUESTION.spec) == InputSpec("png", preparation="plain")
