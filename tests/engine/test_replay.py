"""Answers from a recording in place of a provider."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from paid_cloud import PaidCloud, answer, image, options

from digitrec.engine import Engine, Estimate
from digitrec.engine.ledger import Entry, Question
from digitrec.engine.ledger.recording import Recorder
from digitrec.engine.replay import Replay
from digitrec.errors import LedgerError
from digitrec.image import InputSpec

ENLARGED = InputSpec("png", preparation="enlarged", min_side=300)


def entry(number: int, *, spec: InputSpec | None = None, emulated: bool = False, endpoint: str = "") -> Entry:
    asked = image(number) if spec is None else replace(image(number), spec=spec)
    cloud = PaidCloud(endpoint=endpoint or "https://paid.example")
    return Entry(Question.about(asked, cloud, emulated=emulated), answer(number), 5.0, 0.001)


def record(path: Path, entries: list[Entry]) -> None:
    recorder = Recorder(path)
    for one in entries:
        recorder.add(one)
    recorder.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


def test_what_was_recorded_is_answered_on_another_machine(tmp_path: Path, path: Path) -> None:
    engine = Engine(PaidCloud(), options(tmp_path, record=path))
    engine.ask([image(1), image(2)])
    engine.close()
    replay = Replay(path, "paid")
    otherwise_prepared = replace(image(2), data=b"by another version of Pillow")
    replies = replay.ask([image(1), otherwise_prepared])
    assert [reply.outcome for reply in replies] == [answer(1), answer(2)]
    assert {(r.replayed, r.attempts, r.cost_usd, r.emulated) for r in replies} == {(True, 0, 0.0, False)}
    replay.close()


def test_it_wants_its_images_as_the_provider_did(path: Path) -> None:
    record(path, [entry(1, spec=ENLARGED)])
    provider = Replay(path, "paid").provider
    assert (provider.name, provider.endpoint, provider.wants) == ("paid", "https://paid.example", ENLARGED)


def test_an_image_without_a_recorded_answer_is_told_of(path: Path) -> None:
    record(path, [entry(1)])
    (reply,) = Replay(path, "paid").ask([image(2)])
    assert isinstance(reply.outcome, LedgerError)
    assert "no answer of paid for this image" in str(reply.outcome)
    assert not reply.replayed


def test_an_emulators_answers_stay_an_emulators_whatever_its_port_was(path: Path) -> None:
    ports = ("http://127.0.0.1:1", "http://127.0.0.1:2")
    record(path, [entry(n, emulated=True, endpoint=port) for n, port in enumerate(ports)])
    replies = Replay(path, "paid").ask([image(0), image(1)])
    assert [reply.emulated for reply in replies] == [True, True]


def test_two_preparations_are_not_mixed(path: Path) -> None:
    record(path, [entry(1), entry(1, spec=ENLARGED)])
    with pytest.raises(LedgerError, match="enlarged, plain"):
        Replay(path, "paid")
    assert Replay(path, "paid", preparation="enlarged").provider.wants == ENLARGED


@pytest.mark.parametrize("other", [entry(1, emulated=True), entry(1, endpoint="https://elsewhere.example")])
def test_emulated_and_real_or_two_endpoints_are_not_mixed(path: Path, other: Entry) -> None:
    record(path, [entry(1), other])
    with pytest.raises(LedgerError):
        Replay(path, "paid")


def test_a_provider_that_was_not_recorded(path: Path) -> None:
    record(path, [entry(1)])
    with pytest.raises(LedgerError, match="google"):
        Replay(path, "google")


def test_it_costs_nothing(path: Path) -> None:
    record(path, [entry(1)])
    assert Replay(path, "paid").estimate([image(1), image(2)]) == Estimate("paid", 2, 2, 0, 0.0)
