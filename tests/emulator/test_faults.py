from itertools import islice

import pytest

from digitrec.emulator.faults import Fault, turns


def test_options():
    assert Fault.parse("429") == Fault("429")
    assert Fault.parse("429:after=2,first=1") == Fault("429", first=1, after=2)
    assert Fault.parse("slow:seconds=0.25,skip=3") == Fault("slow", skip=3, seconds=0.25)
    assert Fault.parse("redirect:first=1,to=http://x/?a=1,first=2").to == "http://x/?a=1,first=2"
    assert [Fault.parse(kind).seconds for kind in ("slow", "drip")] == [5.0, 0.1]
    assert Fault.parse("redirect").status == 307


@pytest.mark.parametrize("text", [
    "418", "429:often=2", "429:first=x", "429:first=0", "429:skip=-1", "slow:seconds=inf", "slow:seconds=nan",
    "redirect:status=304", "redirect:status=200", "redirect:to=", "redirect:to=http://x/\r\nY: z",
])  # fmt: skip
def test_an_invalid_fault_is_named(text):
    kind, _, option = text.partition(":")
    with pytest.raises(ValueError) as caught:
        Fault.parse(text)
    name, _, value = (option or kind).partition("=")
    assert name in str(caught.value) or value in str(caught.value)


@pytest.mark.parametrize(("faults", "expected"), [
    ([], [None] * 6), (["500"], ["500"] * 6), (["500:first=2"], ["500", "500", None, None, None, None]),
    (["500:skip=1,first=2"], [None, "500", "500", None, None, None]),
    (["500:skip=4"], [None, None, None, None, "500", "500"]),
    (["503:first=2", "429:first=1", "hang:skip=1,first=1"], ["503", "503", "429", None, "hang", None]),
])  # fmt: skip
def test_which_requests_a_fault_affects(faults, expected):
    found = islice(turns(Fault.parse(text) for text in faults), 6)
    assert [None if fault is None else fault.kind for fault in found] == expected
