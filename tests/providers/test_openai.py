import json
import math
from typing import Any

import pytest
from raw_server import RawServer, answer

from digitrec import errors
from digitrec.answer import Answer, Candidate
from digitrec.engine.config import Config, Parameters
from digitrec.errors import NotConfigured
from digitrec.providers.base import Adjustable
from digitrec.providers.openai import LEFT_OUT, PRESETS, Numbers, OpenAi, parse
from digitrec.recognise.normalise import normalise

from .common import KEY, Opened, Told, asked, assert_error, json_answer, outcome
from .documents import stored


def sent(server: RawServer) -> list[dict[str, Any]]:
    """Return each request's parameters."""
    return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.arrived]


def answered(case: str = "seven") -> bytes:
    return json_answer(200, stored("openai", case))


def test_what_is_sent(told: Told, server: RawServer, monkeypatch: Any) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "planted-organisation")
    told("openai", answered(), endpoint=f"{server.url}/v1/")
    (request,) = sent(server)
    head = server.arrived[0].partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"post /v1/chat/completions ")
    assert f"authorization: bearer {KEY}".encode() in head
    assert b"planted-org" not in head and b"x-" not in head
    assert (request["model"], request["store"], request["temperature"]) == ("a-model", False, 0)
    assert request["response_format"]["json_schema"]["strict"] is True
    assert request["max_completion_tokens"] == 2048
    text, picture = request["messages"][0]["content"]
    assert text["type"] == "text"
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    assert picture["image_url"]["detail"] == "low"


def test_a_server_of_ones_own_needs_no_key(told: Told, server: RawServer) -> None:
    assert isinstance(told("openai", answered(), key="", preset="vllm"), Answer)
    assert b"authorization" not in server.arrived[0].lower()


def test_a_key_is_not_sent_to_the_address_of_another_preset() -> None:
    env = {"OPENAI_BASE_URL": "https://proxy.example/v1", "GEMINI_API_KEY": KEY, "OPENAI_API_KEY": KEY}
    asked = [OpenAi.from_env(env, model="x", preset=name).endpoint for name in ("gemini", "openai", "vllm")]
    assert asked == [PRESETS["gemini"].endpoint, *[env["OPENAI_BASE_URL"]] * 2]
    env["DIGITREC_OPENAI_PRESET"] = "gemini"
    assert OpenAi.from_env(env, model="x", preset="gemini").endpoint == env["OPENAI_BASE_URL"]


@pytest.mark.parametrize("wrong", [{"most_tokens": 0}, {"most_tokens": "9"}, {"model": None}, {"key": None}])
def test_a_wrong_setting_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises((NotConfigured, TypeError, ValueError), match=r"model|most_tokens|needs a key"):
        OpenAi(**{"model": "x", "key": KEY, **wrong})


def test_the_name_of_the_limit_is_a_setting(told: Told, server: RawServer) -> None:
    told("openai", answered(), limit="max_tokens", most_tokens=64)
    (request,) = sent(server)
    assert request["max_tokens"] == 64
    assert "max_completion_tokens" not in request


NEW_ACCOUNT = "Limit reached on requests per min. Limit: 3 / min. Add a payment method at example.com/billing"
PLAN = "You exceeded your current quota, please check your plan and billing details."


def gemini(quota: str) -> list[Any]:
    kind = "type.googleapis.com/google.rpc"
    failure = {"@type": f"{kind}.QuotaFailure", "violations": [{"quotaId": f"GenerateRequests{quota}"}]}
    details = [failure, {"@type": f"{kind}.RetryInfo", "retryDelay": "23s"}]
    return [{"error": {"code": 429, "message": PLAN, "status": "RESOURCE_EXHAUSTED", "details": details}}]


@pytest.mark.parametrize(("status", "body", "kind", "said"), [
    (429, {"error": {"code": "insufficient_quota", "message": "spent"}}, errors.QuotaExceeded, "quota"),
    (429, {"error": {"message": PLAN}}, errors.QuotaExceeded, "billing"),
    (429, {"error": {"message": NEW_ACCOUNT}}, errors.RateLimited, "per min"),
    (429, gemini("PerMinutePerProject-FreeTier"), errors.RateLimited, "plan"),
    (429, gemini("PerDayPerProject-FreeTier"), errors.QuotaExceeded, "plan"),
    (400, [{"error": {"code": 400, "message": "API key not valid."}}], errors.AuthFailed, "not valid"),
    (400, {"error": {"code": "content_filter", "message": "no"}}, errors.Rejected, "no"),
    (404, {"object": "error", "message": "no such model", "code": 404}, errors.Rejected, "no such model"),
    (404, {"detail": "no such model"}, errors.Rejected, "no such model"),
    (404, {"error": "no such model"}, errors.Rejected, "no such model"),
])  # fmt: skip
def test_the_error_code_decides_and_the_servers_message_is_kept(
    status: int, body: Any, kind: type[Exception], said: str, told: Told
) -> None:
    assert_error(told("openai", json_answer(status, body)), kind, said)


def test_usage_may_be_missing() -> None:
    openai = OpenAi(model="m", key="k")
    wrong: list[Any] = [None, {"prompt_tokens": 5}, [], {"prompt_tokens": -1, "completion_tokens": "9"}]
    for raw in ({}, *({"usage": usage} for usage in wrong)):
        assert openai.tokens(Answer(raw=raw)) is None
    thinking = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 107}
    assert openai.tokens(Answer(raw={"usage": thinking})) == (5, 102)
    openai.close()


def completion(content: Any, **choice: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content}, **choice}]}


def chances(tokens: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Tokens and the chances of their alternatives."""
    told = [
        {"token": token, "logprob": 0.0,
         "top_logprobs": [{"token": it, "logprob": math.log(p)} for it, p in others.items()]}
        for token, others in tokens.items()
    ]  # fmt: skip
    return {"content": told}


@pytest.mark.parametrize(("case", "candidate"), [
    ("seven", Candidate("7", pytest.approx(0.91 / 0.98, abs=1e-4))), ("no-logprobs", Candidate("7", None)),
    ("fenced", Candidate("4", None)), ("thinking", Candidate("4", None)), ("least", Candidate("7", None)),
])  # fmt: skip
def test_a_digit(case: str, candidate: Candidate) -> None:
    raw = stored("openai", case)
    answer = parse(raw)
    assert (answer.candidates, answer.raw, answer.probabilities) == ((candidate,), raw, None)


def test_no_digit_and_why() -> None:
    answer = parse(stored("openai", "no-digit"))
    assert (answer.candidates, answer.reason) == ((), "a letter")
    assert parse(completion('{"digit": null, "reason": " "}')).reason == "no digit"
    assert normalise(answer).digit is None


@pytest.mark.parametrize("case", ["refusal", "filtered", "length", "prose", "no-choices"])
def test_a_document_without_an_answer_is_a_bad_answer(case: str) -> None:
    with pytest.raises(errors.BadAnswer):
        parse(stored("openai", case))


@pytest.mark.parametrize("content", [
    "", "7", '"7"', '{"digit": "10"}', '{"digit": 10}', '{"digit": -1}', '{"digit": 7.5}', '{"digit": true}',
    "{}", '{"reason": "7"}', '{"digit": 1} No: {"digit": 7', '{"digit": 1} No: {"digit": 12}', "{" * 5000,
    '{"digit": ' * 2_000, "[7]", '{"digit": 7', "```\n7\n```", None,
])  # fmt: skip
def test_anything_else_that_a_model_says_is_a_bad_answer(content: Any) -> None:
    with pytest.raises(errors.BadAnswer):
        parse(completion(content))


@pytest.mark.parametrize("content", [
    '{"digit": "7"}', '{"digit": 7.0}', '{"digit": 7, "reason": null}', '{"digit": 7, "more": {"a": [1]}}',
    'Here you are:\n{"digit": 7, "reason": "a {hook}"}\nAnything else?', '```json\n{"digit": 7}\n```',
    '{"reason": "a \\"{hook}", "digit": 7}', '{"digit": 7} I am {quite} sure.',
    'A 1? {"digit": 1} No: {"digit": 7}', 'thoughts about {"digit": 1}</think>{"digit": 7}',
    [{"type": "text", "text": '{"digit": 7}'}],
    [{"type": "thinking", "thinking": [{"text": "1?"}]}, {"type": "text", "text": '{"digit": 7}'}],
])  # fmt: skip
def test_harmless_variants_are_read(content: Any) -> None:
    assert [candidate.text for candidate in parse(completion(content)).candidates] == ["7"]


@pytest.mark.parametrize(("tokens", "score"), [
    ({'{"digit":': {}, ' "': {}, "7": {"7": 0.4, "1": 0.4, "x": 0.2}, '"}': {}}, 0.5),
    ({'{"digit":': {}, "7": {"7": 0.3, "x": 0.2}, "}": {}}, 0.375),
    ({'{"digit":': {}, " 7": {" 7": 0.5, "7": 0.2, ' "7': 0.1, " 1": 0.2}, "}": {}}, 0.8),
])  # fmt: skip
def test_equal_digits_are_added_up_whatever_stands_beside_them(tokens: Any, score: float) -> None:
    (found,) = parse(completion("".join(tokens), logprobs=chances(tokens))).candidates
    assert found == Candidate("7", pytest.approx(score))


def test_a_number_has_the_chance_of_its_place_in_the_answer() -> None:
    tokens = {"I see ": {}, "7": {"7": 0.9}, ': {"numbers": ["': {}, "7 ": {"7 ": 0.1}, '"]}': {}}
    (found,) = parse(completion("".join(tokens), logprobs=chances(tokens)), Numbers).candidates
    assert found == Candidate("7", pytest.approx(0.1))


@pytest.mark.parametrize("logprobs", [
    None, {"content": None}, {"content": []}, {},
    chances({'{"digit": 7': {"x": 1.0}}),  # cut short
    chances({'{"digit": ': {}, "1": {"7": 1.0}, "}": {}}),  # of another text
    chances({'{"digit": ': {}, "7": {"x": 1.0}, "}": {}}),  # no digit among them
    chances({'{"digit": ': {}, "7": {}, "}": {}}),
    chances({'{"digit": ': {}, "7": {"1": 1.0}, "}": {}}),  # not the token of the answer
])  # fmt: skip
def test_without_chances_of_the_digit_there_is_no_confidence(logprobs: Any) -> None:
    (found,) = parse(completion('{"digit": 7}', logprobs=logprobs)).candidates
    assert found == Candidate("7", None)


def body(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


def unknown_names(*names: str) -> list[Any]:
    said = "\n".join(f'Invalid JSON payload received. Unknown name "{name}": Cannot find.' for name in names)
    return [{"error": {"code": 400, "message": said, "status": "INVALID_ARGUMENT"}}]


def forbidden(name: str) -> list[Any]:
    said = "Extra inputs are not permitted"
    return [{"type": "extra_forbidden", "loc": ["body", name], "msg": said, "input": {"store": 1}}]


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


UPSTREAM = json.dumps(error("Unsupported value: 'temperature' does not support 0 with this model."))
CHANCES = {"logprobs", "top_logprobs"}
REFUSED = [
    ("openai", 400, error("Unsupported parameter.", param="store"), {"store"}),
    ("openai", 403, error("You are not allowed to request logprobs from this model"), CHANCES),
    ("openai", 400, error("Unsupported parameter: 'max_completion_tokens'"), {"max_completion_tokens"}),
    ("azure-openai", 400, error("Validation error at #/seed: Extra inputs are not permitted"), {"seed"}),
    ("gemini", 400, unknown_names("logprobs", "top_logprobs"), CHANCES),
    ("gemini", 400, [error("Logprobs is not enabled for models/gemini-2.5-pro", code=400)], CHANCES),
    ("gemini", 400, [error("Invalid value at 'response_schema.enum[0]'")], {"response_format"}),
    ("mistral", 422, {"object": "error", "message": {"detail": forbidden("temperature")}}, {"temperature"}),
    ("mistral", 422, {"object": "Error", "detail": forbidden("max_tokens"), "code": 3001}, {"max_tokens"}),
    ("openrouter", 400, error("Provider returned error", metadata={"raw": UPSTREAM}), {"temperature"}),
    ("vllm", 400,
     {"object": "error", "message": "Requested sample logprobs of 20, which is greater than max allowed: 5",
      "type": "BadRequestError", "param": None, "code": 400}, CHANCES),
    ("ollama", 400, error("json: cannot unmarshal bool into Go struct field Request.logprobs"), CHANCES),
    ("llama.cpp", 400, error('Either "json_schema" or "grammar" can be specified'), {"response_format"}),
    ("lm-studio", 400, {"error": "'response_format.type' must be 'text'"}, {"response_format"}),
    ("openai", 422, {"error": "Input validation error: `top_n_tokens` must be >= 0 and <= 5. Given: 20",
                     "error_type": "validation"}, CHANCES),
    ("openai", 422, "Failed to deserialize the JSON body: response_format: unknown variant `json_schema`",
     {"response_format"}),
    ("openai", 400, error("unknown fields: temperature, store"), {"temperature", "store"}),
    ("openai", 400, error("the parameter store is unknown"), {"store"}),
    ("openai", 422, error("max_tokens: field required"), {"max_completion_tokens"}),
    ("gemini", 400, unknown_names("topLogprobs", "responseFormat"), {*CHANCES, "response_format"}),
    ("openai", 200, error("logprobs is not supported by this provider", code=400), CHANCES),
]  # fmt: skip
"""Preset, status and body of a refusal, and the parameters that the second request omits."""


@pytest.mark.parametrize(("preset", "status", "said", "left_out"), REFUSED)
def test_a_refused_parameter_is_left_out_at_once_and_for_the_run(
    preset: str, status: int, said: Any, left_out: set[str], opened: Opened, server: RawServer
) -> None:
    server.say = [answer(status, body(said)), answered()]
    openai = opened("openai", preset=preset, endpoint=server.url)
    for _ in range(2):
        result = outcome(openai)
        assert isinstance(result, Answer)
        assert set(result.raw[LEFT_OUT]) == left_out | set(PRESETS[preset].leave_out)
    refused, again, later = (set(one) for one in sent(server))
    assert refused & left_out == left_out
    assert again == later
    assert not again & left_out
    assert isinstance(openai, Adjustable)
    assert {name for name, state in openai.parameters().items() if state == "refused"} == left_out


def test_both_names_of_the_limit_may_be_refused(opened: Opened, server: RawServer) -> None:
    said = "'max_tokens' or 'max_completion_tokens' is too large: 2048. The maximum context length is 2048"
    server.say = [answer(400, body(error(said)))]
    openai = opened("openai", preset="vllm", endpoint=server.url)
    for requests in (2, 4):  # what did not help is not left out next time
        assert_error(outcome(openai), errors.Rejected, "max_tokens")
        assert len(server.arrived) == requests


@pytest.mark.parametrize("page", ['<meta content="no-store">', "it does not exist or exceeds the limit"])
def test_a_refusal_that_names_nothing_changes_nothing(page: str, opened: Opened, server: RawServer) -> None:
    server.say = [answer(403, page.encode()), answered()]
    openai = opened("openai", endpoint=server.url)
    assert isinstance(outcome(openai), errors.AuthFailed) and isinstance(outcome(openai), Answer)
    assert all("store" in request for request in sent(server))


@pytest.mark.parametrize(("status", "said"), [
    (401, "seed"), (402, "seed"), (429, "seed"), (500, "seed"), (503, "seed"), (400, "another image"),
])  # fmt: skip
def test_another_error_about_a_parameter_stays(status: int, said: str, told: Told, server: RawServer) -> None:
    assert isinstance(told("openai", answer(status, body(error(said)))), errors.ProviderError)
    assert len(server.arrived) == 1


@pytest.mark.parametrize(("said", "kind"), [
    ({"error": {"code": 429}}, errors.RateLimited),
    ({"error": {"code": "429", "message": "slow down"}, "choices": []}, errors.RateLimited),
    (error("spent", code="insufficient_quota"), errors.QuotaExceeded),
    ({"error": {"message": "wrong key", "type": "authentication_error"}}, errors.AuthFailed),
    ({"error": "something"}, errors.Unavailable),
    ({"object": "error", "message": "no such model", "code": 404}, errors.Rejected),
    ({"choices": [{"message": {"content": ""}, "error": {"code": 502}}]}, errors.Unavailable),
    ({"status": 429, "title": "Too Many Requests"}, errors.RateLimited), ({"error": None}, errors.BadAnswer),
    ({**completion('{"digit": 7}'), "error": {}}, Answer),
])  # fmt: skip
def test_an_error_inside_a_200_is_that_error(said: Any, kind: type[Exception], told: Told) -> None:
    assert type(told("openai", answer(200, body(said)))) is kind


def test_the_settings_of_the_configuration_hold_for_every_request(opened: Opened, server: RawServer) -> None:
    config = Config(parameters={"openai": Parameters(("store", "top_logprobs"), 64)})
    server.say = [answered()]
    asked(opened("openai", endpoint=server.url), _config=config)
    (request,) = sent(server)
    assert not {"store", "logprobs", "top_logprobs"} & set(request)
    assert request["max_completion_tokens"] == 64


def test_parameters_left_out_by_setting_make_another_question(opened: Opened) -> None:
    openai = opened("openai", leave_out=["seed"])
    assert isinstance(openai, Adjustable)
    openai.adjust(["store"], None)
    assert openai.options["leave_out"] == ["seed", "store"]  # type: ignore[attr-defined]
