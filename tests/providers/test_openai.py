from __future__ import annotations

import json
from typing import Any

import pytest
from raw_server import RawServer, answer, raw_server

from digitrec.answer import Answer, Candidate
from digitrec.emulator import Emulator
from digitrec.errors import AuthFailed, BadAnswer, NotConfigured, QuotaExceeded, Rejected
from digitrec.providers.base import Metered
from digitrec.providers.openai import LEFT_OUT, OpenAi, parse

from .common import Opened, Prepared, Stored
from .conftest import KEY


def sent(server: RawServer) -> list[dict[str, Any]]:
    """What was asked, each request's parameters."""
    return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.arrived]


def refusal(param: str | None, message: str = "Unsupported parameter.", **more: Any) -> bytes:
    return answer(400, json.dumps({"error": {"message": message, "param": param, **more}}).encode())


def answered(stored: Stored, case: str = "seven") -> bytes:
    return answer(200, json.dumps(stored("openai", case)).encode())


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    openai = opened("openai")
    reply = openai.read(prepared(openai), timeout=10)
    assert reply.candidates == (Candidate("7", pytest.approx(0.875)),)
    assert reply.model_version == "emulated-function"
    assert isinstance(openai, Metered)
    assert openai.tokens(reply) == (120, 3)


def test_what_is_sent(opened: Opened, prepared: Prepared, stored: Stored, monkeypatch: Any) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "planted-organisation")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "planted-project")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Planted: header")
    with raw_server() as server:
        server.say = [answered(stored)]
        openai = opened("openai", endpoint=f"{server.url}/v1/")
        openai.read(prepared(openai), timeout=10)
        (asked,) = sent(server)
        head = server.arrived[0].partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"post /v1/chat/completions ")
    assert f"authorization: bearer {KEY}".encode() in head
    assert b"planted-" not in head.replace(KEY.encode(), b"")
    assert b"x-" not in head
    assert (asked["model"], asked["store"], asked["temperature"]) == ("a-model", False, 0)
    assert asked["response_format"]["json_schema"]["strict"] is True
    assert asked["max_completion_tokens"] == 2048
    text, picture = asked["messages"][0]["content"]
    assert text["type"] == "text"
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    assert picture["image_url"]["detail"] == "low"


def test_a_parameter_that_is_refused_is_left_out_from_then_on(
    opened: Opened, prepared: Prepared, stored: Stored
) -> None:
    with raw_server() as server:
        server.say = [refusal("temperature"), refusal("top_logprobs"), *[answered(stored, "no-logprobs")] * 2]
        openai = opened("openai", endpoint=server.url)
        first, second = (openai.read(prepared(openai), timeout=10) for _ in range(2))
        asked = sent(server)
    assert first.raw[LEFT_OUT] == second.raw[LEFT_OUT] == ["logprobs", "temperature", "top_logprobs"]
    assert first.candidates == (Candidate("7", None),)
    assert [{"temperature", "logprobs"} & set(one) for one in asked] == [
        {"temperature", "logprobs"}, {"logprobs"}, set(), set(),
    ]  # fmt: skip


def test_a_parameter_may_be_named_in_the_message_alone(
    opened: Opened, prepared: Prepared, stored: Stored
) -> None:
    with raw_server() as server:
        server.say = [refusal(None, "Extra inputs are not permitted: 'seed'"), answered(stored)]
        openai = opened("openai", endpoint=server.url)
        assert openai.read(prepared(openai), timeout=10).raw[LEFT_OUT] == ["seed"]


@pytest.mark.parametrize("param", ["model", "messages", "messages[0].content", None])
def test_what_cannot_be_spared_is_refused_in_one_request(
    param: str | None, opened: Opened, prepared: Prepared
) -> None:
    with raw_server() as server:
        server.say = [refusal(param)] * 3
        openai = opened("openai", endpoint=server.url)
        with pytest.raises(Rejected):
            openai.read(prepared(openai), timeout=10)
        assert len(server.arrived) == 1


def test_a_server_that_refuses_the_same_again_is_not_asked_for_ever(
    opened: Opened, prepared: Prepared
) -> None:
    with raw_server() as server:
        server.say = [refusal("seed")] * 9
        openai = opened("openai", endpoint=server.url)
        with pytest.raises(Rejected):
            openai.read(prepared(openai), timeout=10)
        assert len(server.arrived) == 2


def test_a_model_that_thinks_first_is_asked_without_what_it_refuses(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    openai = opened("openai", model="gpt-5-mini")
    reply = openai.read(prepared(openai), timeout=10)
    assert (reply.candidates, reply.raw[LEFT_OUT]) == (
        (Candidate("7", None),), ["logprobs", "temperature", "top_logprobs"],
    )  # fmt: skip


def test_the_name_of_the_limit_is_a_setting(opened: Opened, prepared: Prepared, stored: Stored) -> None:
    with raw_server() as server:
        server.say = [answered(stored)]
        openai = opened("openai", endpoint=server.url, limit="max_tokens", most_tokens=64)
        openai.read(prepared(openai), timeout=10)
        (asked,) = sent(server)
    assert asked["max_tokens"] == 64
    assert "max_completion_tokens" not in asked


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            {"code": "insufficient_quota", "message": "You exceeded your current quota"},
            QuotaExceeded,
            "quota",
        ),
        ({"code": "content_filter", "message": "filtered", "param": "prompt"}, Rejected, "filter stopped"),
    ],
)
def test_codes_that_tell_more_than_the_status(
    error: Any, kind: type[Exception], said: str, opened: Opened, prepared: Prepared
) -> None:
    status = 429 if kind is QuotaExceeded else 400
    with raw_server() as server:
        server.say = [answer(status, json.dumps({"error": error}).encode())]
        openai = opened("openai", endpoint=server.url)
        with pytest.raises(kind, match=said) as caught:
            openai.read(prepared(openai), timeout=10)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "body",
    [
        {"object": "error", "message": "no such model", "code": 404},
        {"detail": "no such model"},
        {"error": "no such model"},
    ],
)
def test_other_servers_errors_keep_their_words(body: Any, opened: Opened, prepared: Prepared) -> None:
    with raw_server() as server:
        server.say = [answer(404, json.dumps(body).encode())]
        openai = opened("openai", endpoint=server.url)
        with pytest.raises(Rejected, match=r"no such model.*check the endpoint and the model"):
            openai.read(prepared(openai), timeout=10)


def test_a_wrong_key_is_refused(opened: Opened, prepared: Prepared) -> None:
    openai = opened("openai", key="another key")
    with pytest.raises(AuthFailed, match="OPENAI_API_KEY"):
        openai.read(prepared(openai), timeout=10)


def test_usage_may_be_missing() -> None:
    openai = OpenAi(model="m", key="k")
    wrong: list[Any] = [None, {"prompt_tokens": 5}, [], {"prompt_tokens": -1, "completion_tokens": "9"}]
    for raw in ({}, *({"usage": usage} for usage in wrong)):
        assert openai.tokens(Answer(raw=raw)) is None
    thinking = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 107}
    assert openai.tokens(Answer(raw={"usage": thinking})) == (5, 102)
    openai.close()


def test_from_env() -> None:
    env = {"DIGITREC_OPENAI_MODEL": "m", "OPENAI_API_KEY": "k"}
    assert OpenAi.from_env(env).endpoint == "https://api.openai.com/v1"
    assert OpenAi.from_env({**env, "OPENAI_BASE_URL": ""}).endpoint == "https://api.openai.com/v1"
    own = {"DIGITREC_OPENAI_MODEL": "m", "OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"}
    assert OpenAi.from_env(own).endpoint == "http://127.0.0.1:8000/v1"  # a server of one's own needs no key
    assert OpenAi.status(own).configured
    assert OpenAi.status(env).found == tuple(env)
    assert [said.split()[1] for said in OpenAi.status({}).missing] == [
        "DIGITREC_OPENAI_MODEL", "OPENAI_API_KEY,",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": " ", "key": "k"}, "DIGITREC_OPENAI_MODEL"),
        ({"model": "m"}, "OPENAI_API_KEY"),
        ({"model": "m", "key": "k", "limit": "tokens"}, "DIGITREC_OPENAI_LIMIT"),
        ({"model": "m", "key": "two\nlines"}, "OPENAI_API_KEY"),
        ({"model": "m", "key": "k", "endpoint": "api.example/v1"}, "OPENAI_BASE_URL"),
    ],
)
def test_what_is_missing_or_wrong_is_named(options: Any, said: str) -> None:
    with pytest.raises(NotConfigured, match=said):
        OpenAi(**options)


def test_another_model_is_another_question(opened: Opened) -> None:
    one, other = (opened("openai", model=model) for model in ("a", "b"))
    assert one.options != other.options  # type: ignore[attr-defined]


def test_no_answer_is_no_digit(stored: Stored) -> None:
    for case in ("refusal", "length", "filtered", "prose", "no-choices"):
        with pytest.raises(BadAnswer):
            parse(stored("openai", case))
