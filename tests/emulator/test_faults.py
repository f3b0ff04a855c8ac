from __future__ import annotations

import pytest
from clock import Clock

from digitrec.emulator.faults import Fault, FaultQueue


def test_options():
    assert Fault.parse("429") == Fault("429")
    assert Fault.parse("429:after=2,first=1") == Fault("429", first=1, after=2)
    assert Fault.parse("slow:seconds=0.25,skip=3") == Fault("slow", skip=3, seconds=0.25)
    assert Fault.parse("redirect:first=1,to=http://x/?a=1,first=2").to == "http://x/?a=1,first=2"
    assert [Fault.parse(kind).pause for kind in ("slow", "drip", "limit")] == [5.0, 0.1, 60.0]
    assert (Fault.parse("limit").calls, Fault.parse("redirect").status) == (20, 307)


@pytest.mark.parametrize("text", [
    "418", "429:often=2", "429:first=x", "429:first=0", "429:skip=-1", "slow:seconds=inf",
    "slow:seconds=nan", "503:rate=1.1", "503:rate=nan", "503:calls=2", "limit:calls=0", "limit:seconds=0",
    "limit:rate=0.5", "limit:first=1", "redirect:status=304", "redirect:status=200", "redirect:to=",
    "redirect:to=http://x/\r\nY: z",
])  # fmt: skip
def test_an_invalid_fault_is_named(text):
    kind, _, option = text.partition(":")
    with pytest.raises(ValueError) as caught:
        Fault.parse(text)
    name, _, value = (option or kind).partition("=")
    assert name in str(caught.value) or value in str(caught.value)


def met(*faults: str, requests: int = 6) -> list[str | None]:
    queue = FaultQueue(Fault.parse(text) for text in faults)
    found = [queue.next() for _ in range(requests)]
    return [None if fault is None else fault.kind for fault in found]


@pytest.mark.parametrize(("faults", "expected"), [
    ([], [None] * 6), (["500"], ["500"] * 6), (["500:first=2"], ["500", "500", None, None, None, None]),
    (["500:skip=1,first=2"], [None, "500", "500", None, None, None]),
    (["500:skip=4"], [None, None, None, None, "500", "500"]),
    (["503:first=2", "429:first=1", "hang:skip=1,first=1"], ["503", "503", "429", None, "hang", None]),
    (["503:first=1", "limit:calls=2"], ["503", None, "limit", "limit", "limit", "limit"]),
    (["503:rate=1,skip=1,first=2"], [None, "503", "503", None, None, None]), (["503:rate=0"], [None] * 6),
])  # fmt: skip
def test_which_requests_a_fault_affects(faults, expected):
    assert met(*faults) == expected


@pytest.mark.parametrize(
    ("limits", "waits"),
    [
        (
            ["limit:calls=2,seconds=10"],
            [(0, None), (4, None), (4, 6), (9.5, 1), (10, None), (10, 4), (13.9, 1), (14, None), (100, None)],
        ),
        (
            ["limit:calls=1,seconds=1", "limit:calls=2,seconds=60"],
            [(0, None), (0.5, 1), (1, None), (2, 58)],
        ),
    ],
)
def test_a_limit_lets_so_many_pass_in_any_window(limits, waits):
    clock = Clock()
    queue = FaultQueue(map(Fault.parse, limits), clock=clock)
    for at, expected in waits:  # rejected requests do not count
        clock.now = 1000 + at
        fault = queue.next()
        assert (None if fault is None else fault.after) == expected


def test_chance_is_the_same_for_the_same_seed():
    first, again, other = (met(f"503:rate=0.05,seed={seed}", requests=2000) for seed in (1, 1, 2))
    assert first == again != other
    assert 60 < first.count("503") < 140


def test_chances_stand_beside_each_other_and_beside_the_turns():
    kinds = met("503:rate=0.3", "hang:rate=0.3", "429:first=2", requests=500)
    assert kinds[:2] == ["429", "429"]
    assert {None, "503", "hang"} == set(kinds[2:])
