from __future__ import annotations

import pytest

from digitrec.emulator.faults import Fault, FaultQueue


def test_options():
    assert Fault.parse("429") == Fault("429")
    assert Fault.parse("429:after=2,first=1") == Fault("429", first=1, after=2)
    assert Fault.parse("slow:seconds=0.25,skip=3") == Fault("slow", skip=3, seconds=0.25)
    assert Fault.parse("redirect:first=1,to=http://x/?a=1,first=2").to == "http://x/?a=1,first=2"


def test_what_is_usual():
    assert [Fault.parse(kind).pause for kind in ("slow", "drip", "limit")] == [5.0, 0.1, 60.0]
    assert (Fault.parse("limit").calls, Fault.parse("redirect").status) == (20, 307)


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
        ("503:rate=1.1", "out of range"),
        ("503:rate=nan", "out of range"),
        ("503:calls=2", "503 has no option 'calls'; limit has"),
        ("limit:calls=0", "out of range"),
        ("limit:seconds=0", "out of range"),
        ("limit:rate=0.5", "holds for every request"),
        ("limit:first=1", "holds for every request"),
        ("redirect:status=304", "out of range"),
        ("redirect:status=200", "out of range"),
        ("redirect:to=", "not an address"),
        ("redirect:to=http://x/\r\nY: z", "not an address"),
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


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_limit_lets_so_many_pass_in_any_window():
    clock = Clock()
    queue = FaultQueue([Fault.parse("limit:calls=2,seconds=10")], clock=clock)

    def ask(at: float) -> int | None:
        clock.now = 1000 + at
        fault = queue.next()
        return None if fault is None else fault.after

    assert [ask(0), ask(4), ask(4), ask(9.5)] == [None, None, 6, 1]
    assert [ask(10), ask(10), ask(13.9)] == [None, 4, 1]  # what was refused did not count
    assert [ask(14), ask(100), ask(100), ask(100)] == [None, None, None, 10]


def test_several_limits_hold_together():
    clock = Clock()
    queue = FaultQueue(
        [Fault.parse("limit:calls=1,seconds=1"), Fault.parse("limit:calls=2,seconds=60")], clock=clock
    )
    waits = []
    for clock.now in (0.0, 0.5, 1.0, 2.0):
        fault = queue.next()
        waits.append(None if fault is None else fault.after)
    assert waits == [None, 1, None, 58]


def test_a_limit_holds_whatever_else_is_wrong():
    assert met("503:first=1", "limit:calls=2") == ["503", None, "limit", "limit", "limit", "limit"]


def test_chance_is_the_same_for_the_same_seed():
    first, again, other = (met(f"503:rate=0.05,seed={seed}", requests=2000) for seed in (1, 1, 2))
    assert first == again != other
    assert 60 < first.count("503") < 140


def test_chances_stand_beside_each_other_and_beside_the_turns():
    kinds = met("503:rate=0.3", "hang:rate=0.3", "429:first=2", requests=500)
    assert kinds[:2] == ["429", "429"]
    assert {None, "503", "hang"} == set(kinds[2:])


def test_chance_can_be_limited_and_delayed():
    assert met("503:rate=1,skip=1,first=2") == [None, "503", "503", None, None, None]
    assert met("503:rate=0") == [None] * 6
    queue = FaultQueue([Fault.parse("503:rate=1,first=1")])
    queue.next()
    assert queue.next() is None
