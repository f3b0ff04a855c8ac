"""Answers from a recording instead of a provider."""

import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paid_cloud import PRICE, PaidCloud, answer, ask, image, options, spent
from PIL import Image

import digitrec
from digitrec.comparison.benchmark.measure import price_list
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.engine.ledger import Entry, Ledger, Question, entries
from digitrec.engine.replay import Replay
from digitrec.errors import LedgerError, NotConfigured, NotRecorded
from digitrec.image import DigitImage, ImageRef, InputSpec
from digitrec.providers.base import Price

ENLARGED = InputSpec("png", preparation="enlarged", min_side=300)


def entry(number: int, *, spec: InputSpec | None = None, emulated: bool = False, endpoint: str = "") -> Entry:
    asked = image(number) if spec is None else replace(image(number), spec=spec)
    cloud = PaidCloud(endpoint=endpoint or "https://paid.example")
    return Entry(Question.about(asked, cloud, emulated=emulated), answer(number), 5.0, 0.001)


def record(path: Path, some: list[Entry]) -> None:
    with closing(Ledger(path)) as ledger:
        for one in some:
            ledger.keep(one)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


def test_what_was_recorded_is_answered_on_another_machine(tmp_path: Path, path: Path) -> None:
    ask(PaidCloud(), tmp_path, 1, 2, record=path)
    replay = Replay(path, "paid")
    replies = replay.ask([image(1), replace(image(2), data=b"by another version of Pillow")])
    assert [reply.outcome for reply in replies] == [answer(1), answer(2)]
    assert {(r.replayed, r.attempts, r.cost_usd, r.emulated) for r in replies} == {(True, 0, 0.0, False)}
    replay.close()


def test_each_region_of_a_file_gets_its_own_answer(path: Path) -> None:
    parts = [replace(image(1), data=data) for data in (b"left", b"right")]
    asked = [Question.about(part, PaidCloud(), emulated=False) for part in parts]
    record(path, [Entry(one, answer(digit), 5.0, 0.001) for digit, one in enumerate(asked, 3)])
    replies = Replay(path, "paid").ask([*parts, image(1)])
    assert [reply.outcome for reply in replies] == [answer(3), answer(4), answer(4)]


HOWS: list[dict[str, Any]] = [{}, {"rotate": 180}, {"region": (0, 0, 32, 64)}, {"region": (32, 0, 64, 64)}]


@pytest.mark.parametrize("recorded", HOWS, ids=str)
@pytest.mark.parametrize("asked", HOWS, ids=str)
def test_a_turned_or_cropped_picture_is_not_answered_for_another_part(
    path: Path, recorded: dict[str, Any], asked: dict[str, Any]
) -> None:
    picture = Image.linear_gradient("L").resize((64, 64)).rotate(9)
    other = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    where = {"price": Price(0.01, ""), "endpoint": "http://127.0.0.1:9", "name": "paid"}
    cloud = FakeProvider(["7"], wants=InputSpec("png"), **where)  # type: ignore[arg-type]
    with Engine(cloud, Options(ledger="none", record=path)) as engine:
        digitrec.read(picture, engine, **recorded)
    (found,) = digitrec.read_many([picture], Replay(path, "paid"), **asked)
    assert isinstance(found, digitrec.Sheet) == (recorded == asked)
    otherwise = replace(DigitImage.open(other), sha256=DigitImage.open(picture).sha256)
    (found,) = digitrec.read_many([otherwise], Replay(path, "paid"), **asked)
    assert isinstance(found, digitrec.Sheet) == (recorded == asked), "prepared by another version of Pillow"


def test_a_new_answer_would_cost_as_much_as_the_recorded_ones(path: Path) -> None:
    record(path, [entry(1), replace(entry(2), cost_usd=0.003)])
    assert price_list([Replay(path, "paid")]) == {"paid": 0.002}
    record(path, [replace(entry(3), cost_usd=None)])
    assert price_list([Replay(path, "paid")]) == {"paid": None}


def test_answers_about_single_digits_do_not_answer_for_numbers(path: Path) -> None:
    record(path, [entry(1)])
    assert Replay(path, "paid").for_numbers
    record(path, [entry(2, spec=replace(ENLARGED, crop=True))])
    with pytest.raises(NotConfigured, match="single digits only"):
        assert Replay(path, "paid", preparation="enlarged").for_numbers
    asked = replace(entry(3).question, provider="openai")  # it has another request for numbers
    record(path, [replace(entry(3), question=asked)])
    with pytest.raises(NotConfigured, match="single digits only"):
        assert Replay(path, "openai").for_numbers


def test_an_image_without_a_recorded_answer_is_an_error(path: Path) -> None:
    record(path, [entry(1)])
    replay = Replay(path, "paid")
    (reply,) = replay.ask([image(2)])
    assert isinstance(reply.outcome, NotRecorded)
    assert replay.estimate([image(1), image(2)]).replayed == 1
    assert "no answer of paid for this image" in str(reply.outcome)
    assert (reply.attempts, reply.cost_usd, reply.replayed) == (0, 0.0, False)


def test_an_engine_that_was_not_needed_may_have_no_answer(path: Path) -> None:
    record(path, [entry(1)])
    with pytest.raises(LedgerError, match="no answer of other"):
        Replay(path, "other")
    (reply,) = Replay(path, "other", needed=False).ask([image(1)])
    assert isinstance(reply.outcome, NotRecorded)


def test_an_emulators_answers_stay_an_emulators_whatever_its_port_was(path: Path) -> None:
    ports = ("http://127.0.0.1:1", "http://127.0.0.1:2")
    record(path, [entry(n, emulated=True, endpoint=port) for n, port in enumerate(ports)])
    assert [reply.emulated for reply in Replay(path, "paid").ask([image(0), image(1)])] == [True, True]


def test_two_preparations_are_not_mixed(path: Path) -> None:
    record(path, [entry(1), entry(1, spec=ENLARGED)])
    with pytest.raises(LedgerError, match="enlarged, plain"):
        Replay(path, "paid")
    with pytest.raises(LedgerError, match="repeated, only with enlarged, plain"):
        Replay(path, "paid", preparation="repeated")
    assert Replay(path, "paid", preparation="enlarged").provider.wants == ENLARGED


@pytest.mark.parametrize("other", [entry(1, emulated=True), entry(1, endpoint="https://elsewhere.example")])
def test_emulated_and_real_or_two_endpoints_are_not_mixed(path: Path, other: Entry) -> None:
    record(path, [entry(1), other])
    with pytest.raises(LedgerError):
        Replay(path, "paid")


def test_the_ledger_itself_is_a_recording_and_stays_as_it_is(tmp_path: Path, path: Path) -> None:
    record(path, [entry(1)])
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert Replay(path, "paid").ask([image(1)])[0].outcome == answer(1)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_the_export_of_a_ledger_is_answered_from(path: Path, tmp_path: Path) -> None:
    record(path, [entry(1), entry(2)])
    with closing(Ledger(path)) as ledger:
        lines = [one.line() for one in entries(ledger)]
    export = tmp_path / "export.jsonl"
    for form in ("utf-8", "utf-16"):  # Windows PowerShell 5.1 writes UTF-16 for ">"
        export.write_text("\n".join([*lines, "\n"]), encoding=form)
        assert Replay(export, "paid").ask([image(2)])[0].outcome == answer(2)
    for wrong in (lines[0][:-1], "[]", "7", "{}", lines[0].replace('"digitrec":1', '"digitrec":99')):
        export.write_text(f"{lines[1]}\n{wrong}\n", encoding="utf-8")
        with pytest.raises(LedgerError, match="line 2"):
            Replay(export, "paid")


def test_an_answer_is_recorded_once(tmp_path: Path, path: Path) -> None:
    for _ in range(2):
        ask(PaidCloud(), tmp_path, 1, 2, record=path)
    with closing(Ledger(path)) as recording:
        found = [entry.answer for entry in entries(recording)]
    assert sorted(found, key=repr) == [answer(1), answer(2)]  # parallel requests end in any order


def test_a_recording_in_the_ledger_costs_nothing_more(tmp_path: Path) -> None:
    ask(PaidCloud(), tmp_path, 1, 2, record=tmp_path / "ledger.sqlite")
    with Engine(PaidCloud(), options(tmp_path, record=tmp_path / "ledger.sqlite")) as engine:
        assert engine.ask([replace(image(1), image=ImageRef("copy.png", "another"))])[0].replayed
    assert spent(tmp_path) == pytest.approx(2 * PRICE)


@pytest.mark.parametrize("text", ["my letter to the editor", '{"a": 1}\n{"digitrec": 1}\n'])
def test_a_file_that_is_not_a_recording_is_not_touched(tmp_path: Path, text: str) -> None:
    path, cloud = tmp_path / "letter.txt", PaidCloud()
    path.write_text(text)
    with pytest.raises(LedgerError):
        ask(cloud, tmp_path, 3, record=path)
    with pytest.raises(LedgerError):
        Replay(path, "paid")
    assert (cloud.calls, path.read_text()) == ([], text)


@pytest.mark.parametrize("ledger", ["ledger.sqlite", "none"])
def test_a_failed_recording_loses_no_answer_and_buys_no_more(
    ledger: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(ledger: Ledger, some: object) -> None:
        raise LedgerError("the disk is full")

    cloud, how = PaidCloud(), options(here, ledger=ledger, record=here / "r.sqlite", concurrency=1)
    with monkeypatch.context() as patch, closing(Engine(cloud, how)) as engine:
        patch.setattr(Ledger, "keep", full)
        first, *others = engine.ask([image(1), image(2), image(3)])
        others += engine.ask([image(4)])
    assert all(isinstance(reply.outcome, LedgerError) and reply.cost_usd == 0 for reply in others)
    assert cloud.calls == [1]
    if ledger == "none":  # asking again would cost money
        assert first.outcome == answer(1)
        return
    assert isinstance(first.outcome, LedgerError)
    (again,) = ask(cloud, here, 1, record=here / "r.sqlite")
    assert (again.outcome, cloud.calls, read(here / "r.sqlite")) == (answer(1), [1], [1])


def test_an_answer_that_comes_late_is_not_recorded(tmp_path: Path) -> None:
    path, before = tmp_path / "r.sqlite", threading.enumerate()
    with closing(Engine(PaidCloud(script={7: [0.8]}), options(tmp_path, record=path, timeout=0.1))) as engine:
        engine.ask([image(7)])
        for thread in threading.enumerate():
            if thread.name == "digitrec" and thread not in before:
                thread.join()
    assert read(path) == []
    assert read(tmp_path / "ledger.sqlite") == [7]


def read(path: Path) -> list[int]:
    with closing(Ledger(path)) as ledger:
        return [it.answer.raw["read"] for it in entries(ledger)]
