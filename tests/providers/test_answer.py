from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitrec.errors import BadAnswer
from digitrec.providers.answer import DEEPEST, Answer, Candidate, checked
from digitrec.recognise.normalise import normalise

TENTHS = (0.1,) * 10


def one(**fields: Any) -> Answer:
    """An answer of one candidate, with these of its fields in place of good ones."""
    return Answer((Candidate(**{"text": "7", "score": 0.5, "box": (0, 0, 1.5, 2), **fields}),))


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def circular() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["a"] = value
    return value


@pytest.mark.parametrize(
    "answer",
    [
        Answer(),
        Answer((Candidate("7"),)),
        one(score=np.float64(0.5), box=(-1, 0, 10**9, 0.5)),
        one(score=0),
        one(score=1),
        one(text="\N{FULLWIDTH DIGIT SEVEN} " + "x" * 100_000),
        Answer(probabilities=TENTHS, reason="no digit is clearly the likeliest", model_version=""),
        Answer(probabilities=(0, 0, 0, 0, 0, 0, 0, 1, 0, 0.0009)),
        Answer(raw={"a": [None, True, 1, 1.5, "x", (1, 2)], "b": {}}),
        Answer(raw=nested(DEEPEST)),
        Answer(tuple(Candidate("7", 0.5) for _ in range(100_000))),
    ],
)
def test_a_good_answer_is_given_back_as_it_is(answer: Answer) -> None:
    assert checked(answer) is answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "it is None, not an Answer"),
        ({"candidates": []}, "it is of the type dict"),
        (Answer([Candidate("7")]), "candidates is of the type list"),  # type: ignore[arg-type]
        (Answer(None), "candidates is None"),  # type: ignore[arg-type]
        (Answer(("7",)), r"candidates\[0\] is of the type str"),  # type: ignore[arg-type]
        (Answer((Candidate("7"), Candidate(""))), r"candidates\[1\].text is empty"),
        (one(text=7), r"candidates\[0\].text is of the type int"),
        (one(text=None), r"candidates\[0\].text is None"),
        (one(text="7\ud83d"), r"candidates\[0\].text holds what is no character"),
        (one(score="0.5"), r"candidates\[0\].score is of the type str"),
        (one(score=True), r"candidates\[0\].score is of the type bool"),
        (one(score=np.float32(0.5)), r"candidates\[0\].score is of the type float32"),
        (one(score=float("nan")), r"candidates\[0\].score is not in 0 to 1"),
        (one(score=1.001), r"candidates\[0\].score is not in 0 to 1"),
        (one(score=-0.001), r"candidates\[0\].score is not in 0 to 1"),
        (one(score=10**400), r"candidates\[0\].score is not in 0 to 1"),
        (one(box=[0, 0, 1, 1]), r"candidates\[0\].box is no tuple of four"),
        (one(box=(0, 0, 1)), r"candidates\[0\].box is no tuple of four"),
        (one(box=(0, 0, None, 1)), r"candidates\[0\].box, right, is None"),
        (one(box=(0, float("nan"), 1, 1)), r"candidates\[0\].box, top, is not finite"),
        (one(box=(0, 0, 1, float("inf"))), r"candidates\[0\].box, bottom, is not finite"),
        (one(box=(10**400, 0, 1, 1)), r"candidates\[0\].box, left, is not finite"),
        (Answer(probabilities=list(TENTHS)), "probabilities is no tuple of ten"),  # type: ignore[arg-type]
        (Answer(probabilities=TENTHS[1:]), "probabilities is no tuple of ten"),
        (Answer(probabilities=(*TENTHS[1:], None)), r"probabilities\[9\] is None"),  # type: ignore[arg-type]
        (Answer(probabilities=(-0.1, 0.3, *TENTHS[2:])), r"probabilities\[0\] is not in 0 to 1"),
        (Answer(probabilities=(0.2, *TENTHS[1:])), "probabilities sum to 1.1"),
        (Answer(raw=None), "raw is None, not a dict"),  # type: ignore[arg-type]
        (Answer(raw=MappingProxyType({})), "raw is of the type mappingproxy"),
        (Answer(raw={"a": datetime(2026, 1, 1)}), "raw cannot .* datetime"),
        (Answer(raw={"a": np.float32(1)}), "raw cannot .* float32"),
        (Answer(raw={"a": b"7"}), "raw cannot .* bytes"),
        (Answer(raw={"a": float("nan")}), "raw cannot be written as JSON"),
        (Answer(raw={"a": 10**5000}), "raw cannot be written as JSON"),
        (Answer(raw={"a": "\ud83d"}), "raw cannot be written as JSON"),
        (Answer(raw={"\ud83d": 1}), "raw cannot be written as JSON"),
        (Answer(raw={"a": 1, 2: 3}), "raw cannot be written as JSON"),  # type: ignore[dict-item]
        (Answer(raw=circular()), "raw cannot be written as JSON"),
        (Answer(raw=nested(DEEPEST + 1)), "raw has more than 100 levels"),
        (Answer(raw=nested(100_000)), "raw cannot be written as JSON"),
        (Answer(model_version=3), "model_version is of the type int"),  # type: ignore[arg-type]
        (Answer(model_version="\ud83d"), "model_version holds what is no character"),
        (Answer(reason=False), "reason is of the type bool"),  # type: ignore[arg-type]
        (Answer(reason=""), "reason is empty"),
    ],
)
def test_what_is_wrong_is_named(answer: object, said: str) -> None:
    with pytest.raises(BadAnswer, match=said) as caught:
        checked(answer)
    assert "\n" not in str(caught.value)
    str(caught.value).encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NUMBERS = st.sampled_from([0, 1, 0.5, 0.1, -1, 2, True, None, "1", float("nan"), float("inf"), 10**400])
TEXTS = st.text(max_size=5) | st.sampled_from(["7", "", "7 7", "O", "\ud83d", "\u2028", None, 7])
CANDIDATES = st.builds(
    Candidate,
    TEXTS,
    NUMBERS,
    st.none() | st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS) | st.tuples(NUMBERS),  # type: ignore[arg-type]
)
ANSWERS = st.builds(
    Answer,
    st.lists(CANDIDATES, max_size=3).map(tuple),
    st.none() | st.lists(NUMBERS, min_size=9, max_size=10).map(tuple) | st.just(TENTHS),  # type: ignore[arg-type]
    JSON | st.dictionaries(st.text(), JSON),
    TEXTS,
    st.none() | TEXTS,
)


@given(ANSWERS, st.integers(1, 4), st.booleans())
def test_an_answer_that_passes_can_be_read_and_stored_and_any_other_is_a_bad_one(
    answer: Answer, repeat: int, lenient: bool
) -> None:
    try:
        checked(answer)
    except BadAnswer as error:
        str(error).encode()
        return
    reading = normalise(answer, repeat=repeat, lenient=lenient)
    assert (reading.digit is None) != (reading.reason is None)
    assert reading.digit is None or reading.digit in range(10)
    assert reading.confidence is None or 0 <= reading.confidence <= 1
    text = json.dumps(asdict(answer), ensure_ascii=False, allow_nan=False, sort_keys=True)
    assert json.loads(text.encode())["raw"] == json.loads(json.dumps(answer.raw))


@pytest.mark.parametrize("first", [1.0005, -0.0005, float("nan"), float("inf"), True])
def test_ten_chances_are_each_in_their_range_though_their_sum_be_right(first: float) -> None:
    with pytest.raises(BadAnswer, match=r"probabilities\[0\]"):
        checked(Answer(probabilities=(first, 1.0 - float(first) if abs(first) < 2 else 0.0, *[0.0] * 8)))
