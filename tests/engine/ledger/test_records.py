"""Equal questions have equal keys; answers survive JSON."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from paid_cloud import PaidCloud, image

from digitrec.answer import Answer, Candidate
from digitrec.engine.ledger import Entry, Question
from digitrec.engine.ledger.records import to_json, to_spec
from digitrec.image import ImageRef

QUESTION = Question.about(image(7), PaidCloud(), emulated=False)
TWO = Candidate("七", 0.5, (1.0, 2.0, 3.0, 4.0)), Candidate("7")
FULL = Answer(TWO, (0.1,) * 10, {"a": [None, 1.5]}, "m", "no")


def test_the_same_bytes_sent_are_the_same_question_whatever_file_they_came_from() -> None:
    copy = replace(image(7), image=ImageRef("copy.png", "another sha"))
    assert Question.about(copy, PaidCloud(), emulated=False).key == QUESTION.key


def test_an_address_is_kept_without_what_may_be_secret_in_it() -> None:
    cloud = PaidCloud(endpoint="https://me:secret@paid.example:8443/v1?key=secret#secret")
    assert Question.about(image(7), cloud, emulated=False).endpoint == "https://paid.example:8443/v1"


def test_a_line_holds_the_whole_entry() -> None:
    entry = Entry(QUESTION, FULL, 1_790_000_000.25, None)
    line = json.loads(entry.line())
    asked = line["question"] | {name: to_json(line["question"][name]) for name in ("options", "spec")}
    assert Entry.made(asked, line["answer"], line["asked_at"], line["cost_usd"]) == entry
    assert "\n" not in entry.line()
    assert to_spec(entry.question.spec) == image(7).spec


def about(number: int = 7, *, emulated: bool = False, options: Any = None, **how: Any) -> str:
    cloud = PaidCloud(**how)
    cloud.options = options or {}
    return Question.about(image(number), cloud, emulated=emulated).key


def test_all_that_an_answer_depends_on_makes_another_question_and_an_emulators_port_does_not() -> None:
    ports = ("http://127.0.0.1:1/a", "http://localhost:2/a", "http://[::1]:3/a")
    nowhere = [about(endpoint=None, emulated=emulated) for emulated in (False, True)]  # type: ignore[arg-type]
    different = {
        about(), about(8), about(name="other"), about(endpoint="https://a.example"), about(emulated=True),
        about(endpoint="https://b.example"), about(options={"feature": "text"}), *nowhere,
        about(endpoint="http://127.0.0.1:1/b", emulated=True), about(endpoint=ports[0], emulated=True),
    }  # fmt: skip
    assert len(different) == 10  # an emulator's address without a path counts as no address
    assert len({about(endpoint=port, emulated=True) for port in ports}) == 1


@pytest.mark.parametrize(("name", "value"), [
    ("provider", 1), ("options", None), ("options", "{"), ("spec", 3), ("spec", '{"new": 1}'),
    ("spec", '{"encoding": "png", "preparation": 5}'), ("prepared_sha256", b"00"), ("endpoint", 1),
    ("image_sha256", 1), ("emulated", 1), ("candidates", None), ("probabilities", [1.0]),
    ("raw", None), ("model_version", 7), ("reason", ""),
    *(("asked_at", it) for it in (None, True, "5", float("inf"), float("nan"))),
    *(("cost_usd", it) for it in (True, "5", -0.001, float("inf"), float("nan"))),
])  # fmt: skip
def test_a_stored_value_of_another_kind_is_refused(name: str, value: Any) -> None:
    def made(**changed: Any) -> Entry:
        asked, said = asdict(QUESTION), asdict(FULL)
        for part in (asked, said):
            part.update({key: changed.pop(key) for key in set(changed) & set(part)})
        return Entry.made(asked, said, changed.get("asked_at", 5), changed.get("cost_usd"))

    assert made() == Entry(QUESTION, FULL, 5.0, None)
    with pytest.raises(ValueError, match=r"\w"):
        made(**{name: value})


def test_an_answer_from_before_there_were_reasons_is_read() -> None:
    said = asdict(FULL)
    del said["reason"]
    assert Entry.made(asdict(QUESTION), said, 5.0, 0.1).answer == replace(FULL, reason=None)
    with pytest.raises(ValueError, match=r"\w"):
        Entry.made(asdict(QUESTION), {}, 5.0, 0.1)
