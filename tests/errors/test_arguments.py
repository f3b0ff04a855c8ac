"""An invalid argument is an error at the call: it names the argument, its range and the value."""

import io
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from terminal import run

import digitrec
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine.config import Config
from digitrec.recognise.explain import explain

SEVEN = drawn_seven()
WRONG = (
    [("timeout", value) for value in (0, -1, math.nan, math.inf, 1e300, 2**1024, True, "30", None, 1j, [])]
    + [("attempt_timeout", value) for value in (0, -1, math.nan, math.inf, False, "10")]
    + [("attempts", value) for value in (0, -3, math.nan, 2.5, True, "5", None)]
    + [("concurrency", value) for value in (0, -1, math.inf, 1.0, True, "4", None, 10**30)]
    + [("max_cost", value) for value in (-0.01, math.nan, math.inf, -math.inf, True, "1", [])]
    + [("ledger", value) for value in ("", b"x", None, 3, True)]
    + [("record", value) for value in ("", b"x", 3, True, "a\0b", "~nobody at all/x")]
    + [("fresh", value) for value in (0, 1, "no", None)]
)


@pytest.mark.parametrize(("name", "value"), WRONG, ids=repr)
def test_a_setting_out_of_its_range_is_named_where_it_is_given(name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"^{name} ") as caught:
        digitrec.Options(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [
    ("timeout", 1), ("timeout", np.float32(0.5)), ("attempts", np.int64(1)), ("max_cost", 0),
    ("max_cost", None), ("ledger", "none"), ("ledger", Path("a")), ("record", None), ("concurrency", 100),
])  # fmt: skip
def test_a_setting_in_its_range_is_kept(name: str, value: Any) -> None:
    kept = getattr(digitrec.Options(**{name: value}), name)
    assert kept == value and not isinstance(kept, np.generic)


@pytest.mark.parametrize(("name", "value"), [("config", Config()), ("run", "a")])
def test_an_internal_setting_is_still_taken_by_its_old_name(name: str, value: Any) -> None:
    with pytest.warns(DeprecationWarning):
        options = digitrec.Options(**{name: value})
    with pytest.warns(DeprecationWarning):
        assert getattr(options, name) == value
    assert name not in repr(options)


def test_a_files_name_may_be_a_text(tmp_path: Path) -> None:
    options = digitrec.Options(ledger=str(tmp_path / "a.sqlite"), record=str(tmp_path / "b.jsonl"))  # type: ignore[arg-type]
    assert (options.ledger, options.record) == (tmp_path / "a.sqlite", tmp_path / "b.jsonl")
    assert digitrec.Options(ledger="~/a.sqlite").ledger == Path.home() / "a.sqlite"  # type: ignore[arg-type]


def test_names_are_taken_wherever_a_provider_is() -> None:
    fake = FakeProvider(["7"] * 3)
    assert digitrec.Engine("local").provider.name == "local"
    assert digitrec.predict(SEVEN, digitrec.Fallback(["local"], below=0.9)).digit == 7
    assert digitrec.predict(SEVEN, digitrec.Fallback(["local", fake], below=0.9)).digit == 7
    assert digitrec.predict(SEVEN, digitrec.Consensus(["local", fake], agree=2)).digit == 7
    assert digitrec.compare(SEVEN, ["local", fake]).agree
    assert explain(SEVEN, "local").prediction.digit == 7


FAKE = FakeProvider()
REFUSED: dict[str, Callable[[], Any]] = {
    "a list of providers for predict": lambda: digitrec.predict(SEVEN, [FAKE]),  # type: ignore[arg-type]
    "an engine of an engine": lambda: digitrec.Engine(digitrec.Engine(FAKE)),  # type: ignore[arg-type]
    "an empty fallback": lambda: digitrec.Fallback([], below=0.9),
    "a fallback of a name": lambda: digitrec.Fallback("local", below=0.9),
    "a fallback of a policy": lambda: digitrec.Fallback([digitrec.Fallback([FAKE], 0.5)], 0.5),  # type: ignore[list-item]
    "a fallback of the same twice": lambda: digitrec.Fallback(["local", "local"], below=0.9),
    "a threshold of nan": lambda: digitrec.Fallback([FAKE], below=math.nan),
    "a threshold of 2": lambda: digitrec.Fallback([FAKE], below=2),
    "a consensus of one": lambda: digitrec.Consensus(["local"], agree=2),
    "a consensus of the same twice": lambda: digitrec.Consensus(["local", "local"], agree=2),
    "half a vote": lambda: digitrec.Consensus([FAKE, FakeProvider()], agree=1.5),  # type: ignore[arg-type]
    "nobody to compare": lambda: digitrec.compare(SEVEN, []),
    "a name to compare": lambda: digitrec.compare(SEVEN, "local"),
    "one picture for many": lambda: digitrec.predict_many(SEVEN),  # type: ignore[arg-type]
    "an array of one picture for many": lambda: digitrec.predict_many(np.zeros((28, 28))),
    "many for one": lambda: digitrec.predict([SEVEN, SEVEN]),  # type: ignore[arg-type]
    "a batch to compare": lambda: digitrec.compare(np.zeros((5, 28, 28)), [FAKE]),
    "a batch for one": lambda: digitrec.predict(np.zeros((5, 28, 28))),
    "a range for a file": lambda: digitrec.DigitImage.open("7.png", full=255),
    "an unknown scale": lambda: digitrec.open_provider("local", scale="bytes"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_such_thing_is_refused_at_the_call(what: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        REFUSED[what]()
    assert not INSIDE.search(str(caught.value)), caught.value


INSIDE = re.compile(r"object is not|has no attribute|unsupported operand|not supported between|unhash")
"""Exceptions that Python raises without a check of ours."""

ODD = st.one_of(
    st.sampled_from(
        [None, True, 0, -1, 3.5, math.nan, math.inf, 1j, "", "nonsense", "local", b"", b"7", [], [None],
         ["local"], {}, {"local": 3}, (), set(), object(), print, int, FakeProvider, iter(()), Path(),
         np.zeros(3), np.zeros((2, 0)), np.array(["7"]), np.array([None]), np.zeros((3, 3), complex), SEVEN,
         io.StringIO("7"), io.BytesIO(), io.BytesIO(b"7"), memoryview(b"7"), FAKE, digitrec.Engine(FAKE),
         digitrec.Options()]
    ),
    st.integers(), st.floats(), st.text(max_size=8), st.binary(max_size=8),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=3)), max_size=3),
)  # fmt: skip


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "predict": digitrec.predict, "predict_many": digitrec.predict_many,
    "stream": lambda one, other: list(digitrec.stream(one, other)),
    "compare": lambda one, other: digitrec.compare(one, other or [FAKE]),
    "compare_many": lambda one, other: digitrec.compare_many(one, other or [FAKE]), "Engine": digitrec.Engine,
    "Fallback": digitrec.Fallback, "Consensus": digitrec.Consensus,
    "open_provider": lambda one, other: digitrec.open_provider(one, model=other),
    "DigitImage.open": lambda one, other: digitrec.DigitImage.open(one, full=other), "explain": explain,
    "at_least": lambda one, other: digitrec.predict(SEVEN, FAKE, at_least=one),
    "rotate": lambda one, other: digitrec.predict(SEVEN, FAKE, rotate=one),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=ODD, other=ODD)
def test_odd_arguments_are_told_and_never_break_inside(name: str, one: Any, other: Any) -> None:
    try:
        CALLS[name](one, other)
    except (TypeError, ValueError, digitrec.DigitrecError) as error:
        assert not INSIDE.search(str(error)), error


USAGE = (
    *(["predict", "7.png", *limit] for limit in (
        ["--max-cost", "nan"], ["--max-cost", "-1"], ["--timeout", "inf"], ["--timeout", "0"],
        ["--below", "nan"], ["--at-least", "1.5"], ["--rotate", "45"])),
    ["serve", "--max-cost", "nan"], ["serve", "--rate", "inf"], ["benchmark", "x", "--target", "nan"],
    ["benchmark", "x", "--target", "0.9", "--budget", "nan"], ["benchmark", "x", "--limit", "0"],
    ["providers", "check", "local", "--timeout", "nan"], ["train", "--validation-split", "nan"],
)  # fmt: skip


@pytest.mark.parametrize("command", USAGE, ids=" ".join)
def test_a_limit_out_of_its_range_is_wrong_usage(command: list[str]) -> None:
    assert command[-2] in run(*command, code=2).stderr
