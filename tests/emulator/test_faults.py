from __future__ import annotations

import pytest

from digitrec.emulator.faults import KINDS, Fault, FaultQueue


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_as_it_is_written(kind):
    text = f"{kind}:skip=1,first=2,after=3" + (",seconds=0.5" if kind == "slow" else "")
    assert str(Fault.parse(text)) == text


def test_options():
    assert Fault.parse("429") == Fault("429")
    assert Fault.parse("429:after=2,first=1") == Fault("429", first=1, after=2)
    assert Fault.parse("slow:seconds=0.25,skip=3") == Fault("slow", skip=3, seconds=0.25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("418", "there are: 400, 401"),
        ("429:often=2", "there are: skip, first"),
        ("429:first=x", "not a number"),
        ("429:first=0", "out of range"),
        ("429:skip=-1", "out of range"),
        ("slow:seconds=inf", "out of range"),
        ("slow:seconds=nan", "out of range"),
    ],
)
def test_a_fault_that_is_none_says_what_there_is(text, message):
    with pytest.raises(ValueError, match=message):
        Fault.parse(text)


def met(*faults: str, requests: int = 6) -> list[str | None]:
    queue = FaultQueue(Fault.parse(text) for text in faults)
    found = [queue.next() for _ in range(requests)]
    return [None if fault is None else fault.kind for fault in found]


def test_which_requests_a_fault_meets():
    assert met() == [None] * 6
    assert met("500") == ["500"] * 6
    assert met("500:first=2") == ["500", "500", None, None, None, None]
    assert met("500:skip=1,first=2") == [None, "500", "500", None, None, None]
    assert met("500:skip=4") == [None, None, None, None, "500", "500"]


def test_faults_come_one_after_the_other():
    assert met("503:first=2", "429:first=1", "hang:skip=1,first=1") == [
        "503",
        "503",
        "429",
        None,
        "hang",
        None,
    ]


def test_new_faults_replace_the_old_ones():
    queue = FaultQueue([Fault("500")])
    queue.set([Fault("429", first=1)])
    assert [str(fault) for fault in queue.waiting()] == ["429:first=1"]
    assert queue.next() == Fault("429", first=1)
    assert queue.waiting() == []
