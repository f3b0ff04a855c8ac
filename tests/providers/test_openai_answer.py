"""What a model says in a chat completion, and how sure it is."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitrec.answer import Candidate
from digitrec.errors import BadAnswer
from digitrec.providers.openai import parse
from digitrec.recognise.normalise import normalise

from .common import Stored


def completion(content: Any, **choice: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content}, **choice}]}


def chances(tokens: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Tokens, and with which chances others could have stood in their place."""
    told = [
        {"token": token, "logprob": 0.0,
         "top_logprobs": [{"token": it, "logprob": math.log(p)} for it, p in others.items()]}
        for token, others in tokens.items()
    ]  # fmt: skip
    return {"content": told}


@pytest.mark.parametrize(
    ("case", "candidate"),
    [
        ("seven", Candidate("7", pytest.approx(0.91 / 0.97, abs=1e-4))),
        ("no-logprobs", Candidate("7", None)),
        ("fenced", Candidate("4", None)),
        ("thinking", Candidate("4", None)),
        ("least", Candidate("7", None)),
    ],
)
def test_a_digit(stored: Stored, case: str, candidate: Candidate) -> None:
    raw = stored("openai", case)
    answer = parse(raw)
    assert (answer.candidates, answer.raw, answer.probabilities) == ((candidate,), raw, None)


def test_no_digit_and_why(stored: Stored) -> None:
    answer = parse(stored("openai", "no-digit"))
    assert (answer.candidates, answer.reason) == ((), "a letter")
    assert parse(completion('{"digit": null, "reason": " "}')).reason == "no digit"
    assert normalise(answer).digit is None


@pytest.mark.parametrize(
    ("case", "said"),
    [("refusal", "refused"), ("filtered", "filtered"), ("length", "max_tokens"), ("prose", "not the JSON"),
     ("no-choices", "choices")],
)  # fmt: skip
def test_what_is_not_an_answer_says_what_to_do(stored: Stored, case: str, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        parse(stored("openai", case))


@pytest.mark.parametrize(
    "content",
    ["", "7", '"7"', '{"digit": "10"}', '{"digit": "seven"}',
     '{"digit": 10}', '{"digit": -1}', '{"digit": 7.5}', '{"digit": true}',
     "{}", '{"reason": "7"}', '{"digit": 7} 8', 'Not {"digit": 7} but {"digit": 1}', "{" * 5000,
     '{"digit": 7} ' * 100_000,
     'A 1 or a 7: {"digit": 7}', '<think>perhaps {"digit": 7}',
     '```\n{"digit": 7}\n```\n```\n{"digit": 1}\n```',
     "[7]", "[" * 5000, '{"digit": 7', "<think>7", "```\n7\n```", None],
)  # fmt: skip
def test_anything_else_that_a_model_says_is_a_bad_answer(content: Any) -> None:
    with pytest.raises(BadAnswer):
        parse(completion(content))


@pytest.mark.parametrize(
    "content",
    ['{"digit": "7"}', '{"digit": 7.0}', '{"digit": 7, "reason": null}', '{"digit": 7, "more": {"a": [1]}}',
     'Here you are:\n{"digit": 7, "reason": "a {hook}"}\nAnything else?', '```json\n{"digit": 7}\n```',
     '1. I look. 2. I answer.\n```\n{"digit": 7}\n```\nI hope it helps.', 'It is a 7. {"digit": 7}',
     '{"digit": 7} {"digit": "7"}', 'thoughts about {"digit": 1}</think>{"digit": 7}',
     [{"type": "text", "text": '{"digit": 7}'}],
     [{"type": "thinking", "thinking": [{"text": "1?"}]}, {"type": "text", "text": '{"digit": 7}'}]],
)  # fmt: skip
def test_harmless_variants_are_read(content: Any) -> None:
    assert [candidate.text for candidate in parse(completion(content)).candidates] == ["7"]


def test_a_digit_in_quotes_has_its_confidence() -> None:
    tokens = {'{"digit":': {}, ' "': {}, "7": {"7": 0.5, "1": 0.5}, '"}': {}}
    (found,) = parse(completion('{"digit": "7"}', logprobs=chances(tokens))).candidates
    assert found == Candidate("7", pytest.approx(0.5))


@given(st.text())
def test_any_text_is_an_answer_or_a_bad_one(content: str) -> None:
    try:
        parse(completion(content))
    except BadAnswer as error:
        assert "\n" not in str(error)


@given(st.integers(0, 9), st.lists(st.floats(1e-9, 1), min_size=10, max_size=10))
def test_the_confidence_is_the_digits_share_of_all_digits(digit: int, masses: list[float]) -> None:
    others = {str(it): mass for it, mass in enumerate(masses)} | {"x": 0.5, "null": 0.5, "10": 0.5}
    text = json.dumps({"digit": digit})
    before, _, after = text.partition(str(digit))
    logprobs = chances({before: {before: 1.0}, str(digit): others, after: {after: 1.0}})
    (found,) = parse(completion(text, logprobs=logprobs)).candidates
    assert found.score == pytest.approx(masses[digit] / sum(masses))
    assert found.score is not None
    assert 0 <= found.score <= 1


def test_equal_digits_are_added_up_whatever_stands_beside_them() -> None:
    text = '{"digit": 7}'
    tokens = {'{"digit":': {}, " 7": {" 7": 0.5, "7": 0.2, ' "7': 0.1, " 1": 0.2}, "}": {}}
    (found,) = parse(completion(text, logprobs=chances(tokens))).candidates
    assert found.score == pytest.approx(0.8)


@pytest.mark.parametrize(
    "logprobs",
    [
        None, {"content": None}, {"content": []}, {},
        chances({'{"digit": 7': {"x": 1.0}}),  # cut short
        chances({'{"digit": ': {}, "1": {"7": 1.0}, "}": {}}),  # of another text
        chances({'{"digit": ': {}, "7": {"x": 1.0}, "}": {}}),  # no digit among them
        chances({'{"digit": ': {}, "7": {}, "}": {}}),
        chances({'{"digit": ': {}, "7": {"1": 1.0}, "}": {}}),  # not the one that was said
    ],
)  # fmt: skip
def test_without_chances_of_the_digit_there_is_no_confidence(logprobs: Any) -> None:
    (found,) = parse(completion('{"digit": 7}', logprobs=logprobs)).candidates
    assert found == Candidate("7", None)
