from __future__ import annotations

import pytest

from digitrec.emulator.faults import KINDS, Fault


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_as_it_is_written(kind):
    own = {
        "slow": ",seconds=0.5", "drip": ",seconds=0.5", "deep": ",size=7", "huge": ",size=12345678",
        "redirect": ",status=301,to=https://example.org/a,b:c=d",
    }  # fmt: skip
    text = f"{kind}:skip=1,first=2,rate=0.05,seed=4,after=3{own.get(kind, '')}"
    if kind == "limit":
        text = "limit:calls=30,seconds=0.5"
    assert str(Fault.parse(text)) == text


def test_options():
    assert Fault.parse("429") == Fault("429")
    assert Fault.parse("429:after=2,first=1") == Fault("429", first=1, after=2)
    assert Fault.parse("slow:seconds=0.25,skip=3") == Fault("slow", skip=3, seconds=0.25)
    assert Fault.parse("redirect:first=1,to=http://x/?a=1,first=2").to == "http://x/?a=1,first=2"


def test_what_is_usual():
    assert [Fault.parse(kind).pause for kind in ("slow", "drip", "limit")] == [5.0, 0.1, 60.0]
    assert [Fault.parse(kind).amount for kind in ("deep", "huge")] == [100_000, 10_000_000]
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
        ("503:size=2", "deep and huge has"),
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
