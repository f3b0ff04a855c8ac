from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_server import RawServer

from digitrec.answer import Answer, Candidate
from digitrec.emulator import Emulator
from digitrec.errors import BadAnswer, QuotaExceeded, Rejected
from digitrec.providers.openai import LEFT_OUT, OpenAi, parse
from digitrec.recognise.normalise import normalise

from .common import KEY, Opened, Stored, Told, json_answer, outcome


def sent(server: RawServer) -> list[dict[str, Any]]:
    """What was asked, each request's parameters."""
    return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.arrived]


def refusal(param: str | None) -> bytes:
    return json_answer(400, {"error": {"message": "Unsupported parameter.", "param": param}})


def answered(stored: Stored, case: str = "seven") -> bytes:
    return json_answer(200, stored("openai", case))


def test_what_is_sent(told: Told, stored: Stored, server: RawServer, monkeypatch: Any) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "planted-organisation")
    told("openai", answered(stored), endpoint=f"{server.url}/v1/")
    (asked,) = sent(server)
    head = server.arrived[0].partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"post /v1/chat/completions ")
    assert f"authorization: bearer {KEY}".encode() in head
    assert b"planted-org" not in head and b"x-" not in head
    assert (asked["model"], asked["store"], asked["temperature"]) == ("a-model", False, 0)
    assert asked["response_format"]["json_schema"]["strict"] is True
    assert asked["max_completion_tokens"] == 2048
    text, picture = asked["messages"][0]["content"]
    assert text["type"] == "text"
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    assert picture["image_url"]["detail"] == "low"


def test_a_server_of_ones_own_needs_no_key(told: Told, stored: Stored, server: RawServer) -> None:
    assert isinstance(told("openai", answered(stored), key="", preset="vllm"), Answer)
    assert b"authorization" not in server.arrived[0].lower()


def test_a_refused_parameter_is_left_out_from_then_on(
    opened: Opened, stored: Stored, server: RawServer
) -> None:
    server.say = [refusal("temperature"), refusal("top_logprobs"), *[answered(stored, "no-logprobs")] * 2]
    openai = opened("openai", endpoint=server.url)
    for _ in range(2):
        result = outcome(openai)
        assert isinstance(result, Answer)
        assert result.raw[LEFT_OUT] == ["logprobs", "temperature", "top_logprobs"]
        assert result.candidates == (Candidate("7", None),)
    assert [{"temperature", "logprobs"} & set(one) for one in sent(server)] == [
        {"temperature", "logprobs"}, {"logprobs"}, set(), set(),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("param", "requests"), [("model", 1), ("messages", 1), ("messages[0].content", 1), (None, 1), ("seed", 2)]
)
def test_what_is_refused_again_or_cannot_be_spared_is_rejected(
    param: str | None, requests: int, told: Told, server: RawServer
) -> None:
    assert type(told("openai", refusal(param))) is Rejected
    assert len(server.arrived) == requests


def test_a_model_that_thinks_first_is_asked_without_what_it_refuses(told: Told, emulator: Emulator) -> None:
    result = told("openai", endpoint=emulator.endpoints["openai"], model="gpt-5-mini")
    assert result.candidates == (Candidate("7", None),)
    assert result.raw[LEFT_OUT] == ["logprobs", "temperature", "top_logprobs"]


def test_the_name_of_the_limit_is_a_setting(told: Told, stored: Stored, server: RawServer) -> None:
    told("openai", answered(stored), limit="max_tokens", most_tokens=64)
    (asked,) = sent(server)
    assert asked["max_tokens"] == 64
    assert "max_completion_tokens" not in asked


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (429, {"error": {"code": "insufficient_quota", "message": "spent"}}, QuotaExceeded, "quota"),
        (400, {"error": {"code": "content_filter", "message": "no"}}, Rejected, "filter stopped"),
        (404, {"object": "error", "message": "no such model", "code": 404}, Rejected, "no such model"),
        (404, {"detail": "no such model"}, Rejected, "no such model"),
        (404, {"error": "no such model"}, Rejected, "no such model"),
    ],
)
def test_a_code_tells_more_than_the_status_and_every_servers_words_are_kept(
    status: int, body: Any, kind: type[Exception], said: str, told: Told
) -> None:
    error = told("openai", json_answer(status, body))
    assert type(error) is kind
    assert said in str(error)


def test_usage_may_be_missing() -> None:
    openai = OpenAi(model="m", key="k")
    wrong: list[Any] = [None, {"prompt_tokens": 5}, [], {"prompt_tokens": -1, "completion_tokens": "9"}]
    for raw in ({}, *({"usage": usage} for usage in wrong)):
        assert openai.tokens(Answer(raw=raw)) is None
    thinking = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 107}
    assert openai.tokens(Answer(raw={"usage": thinking})) == (5, 102)
    openai.close()


def test_another_model_is_another_question(opened: Opened) -> None:
    one, other = (opened("openai", model=model) for model in ("a", "b"))
    assert one.options != other.options  # type: ignore[attr-defined]


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
     '{"digit": 7} ' * 2_000,
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
