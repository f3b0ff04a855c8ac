import json
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from providers.documents import deep

from digitrec.answer import DEEPEST, Answer, Candidate, checked
from digitrec.errors import BadAnswer
from digitrec.recognise.normalise import normalise

TENTHS = (0.1,) * 10


def one(**fields: Any) -> Answer:
    """Return an answer of one candidate with these fields replaced."""
    return Answer((Candidate(**{"text": "7", "score": 0.5, "box": (0, 0, 1.5, 2), **fields}),))


def circular() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["a"] = value
    return value


@pytest.mark.parametrize("answer", [
    Answer(), Answer((Candidate("7"),)), one(score=np.float64(0.5), box=(-1, 0, 10**9, 0.5)),
    one(score=0), one(score=1), one(text="\N{FULLWIDTH DIGIT SEVEN} " + "x" * 100_000),
    Answer(probabilities=TENTHS, reason="no digit is clearly the likeliest", model_version=""),
    Answer(probabilities=(0, 0, 0, 0, 0, 0, 0, 1, 0, 0.0009)),
    Answer(raw={"a": [None, True, 1, 1.5, "x", (1, 2)], "b": {}}), Answer(raw=deep(DEEPEST, "a")),
    Answer(tuple(Candidate("7", 0.5) for _ in range(100_000))),
])  # fmt: skip
def test_a_good_answer_is_given_back_as_it_is(answer: Answer) -> None:
    assert checked(answer) is answer


OF_A_CANDIDATE: dict[str, list[Any]] = {
    "text": [7, None, "", "7\ud83d"],
    "score": ["0.5", True, np.float32(0.5), float("nan"), 1.001, -0.001, 10**400],
    "box": [
        [0, 0, 1, 1], (0, 0, 1), (0, 0, None, 1), (0, float("nan"), 1, 1), (0, 0, 1, float("inf")),
        (10**400, 0, 1, 1),
    ],
}  # fmt: skip
OF_AN_ANSWER: dict[str, list[Any]] = {
    "candidates": [None, [Candidate("7")], ("7",), (Candidate("7"), Candidate(""))],
    "probabilities": [
        list(TENTHS), TENTHS[1:], (*TENTHS[1:], None), (-0.1, 0.3, *TENTHS[2:]), (0.2, *TENTHS[1:]),
        (1.0005, -0.0005, *[0.0] * 8), (float("nan"), *[0.0] * 9), (True, *[0.0] * 9),
    ],
    "raw": [
        None, MappingProxyType({}), {"a": datetime(2026, 1, 1)}, {"a": np.float32(1)}, {"a": b"7"},
        {"a": float("nan")}, {"a": 10**5000}, {"a": "\ud83d"}, {"\ud83d": 1}, {"a": 1, 2: 3}, circular(),
        deep(DEEPEST + 1, "a"), deep(100_000, "a"),
    ],
    "model_version": [3, "\ud83d"], "reason": [False, ""],
}  # fmt: skip
WRONG = [
    *[("Answer", None), ("dict", {"candidates": []})],
    *[("candidates", one(**{name: it})) for name, wrong in OF_A_CANDIDATE.items() for it in wrong],
    *[(name, Answer(**{name: it})) for name, wrong in OF_AN_ANSWER.items() for it in wrong],
]


@pytest.mark.parametrize(("named", "answer"), WRONG)
def test_the_wrong_field_is_named(named: str, answer: object) -> None:
    with pytest.raises(BadAnswer, match=named) as caught:
        checked(answer)
    assert "\n" not in str(caught.value)
    str(caught.value).encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8,
)  # fmt: skip
NUMBERS = st.sampled_from([0, 1, 0.5, 0.1, -1, 2, True, None, "1", float("nan"), float("inf"), 10**400])
TEXTS = st.text(max_size=5) | st.sampled_from(["7", "", "7 7", "O", "\ud83d", "\u2028", None, 7])
BOXES = st.none() | st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS) | st.tuples(NUMBERS)
CANDIDATES = st.builds(Candidate, TEXTS, NUMBERS, BOXES)  # type: ignore[arg-type]
CHANCES = st.none() | st.lists(NUMBERS, min_size=9, max_size=10).map(tuple) | st.just(TENTHS)
ANSWERS = st.builds(
    Answer, st.lists(CANDIDATES, max_size=3).map(tuple), CHANCES,  # type: ignore[arg-type]
    JSON | st.dictionaries(st.text(), JSON), TEXTS, st.none() | TEXTS,
)  # fmt: skip


@given(ANSWERS, st.integers(1, 4), st.booleans())
def test_checked_answers_can_be_read_and_stored(answer: Answer, repeat: int, lenient: bool) -> None:
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
