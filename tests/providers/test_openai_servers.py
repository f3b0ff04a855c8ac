"""Servers of OpenAI's protocol, each with the error bodies that its users report."""

from __future__ import annotations

import json
from typing import Any

import pytest
from raw_server import RawServer, answer

from digitrec.answer import Answer
from digitrec.engine import Engine, Options
from digitrec.engine.config import Config, Parameters
from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Rejected,
    Unavailable,
)
from digitrec.providers.base import Adjustable
from digitrec.providers.openai import LEFT_OUT
from digitrec.providers.openai_servers import PRESETS, refused_parameters

from .common import Opened, Prepared, Stored, Told, outcome
from .test_openai import answered, sent


def body(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


def unknown_names(*names: str) -> list[Any]:
    said = "\n".join(
        f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.' for name in names
    )
    details = [
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"description": said}]}
    ]
    return [{"error": {"code": 400, "message": said, "status": "INVALID_ARGUMENT", "details": details}}]


def forbidden(*names: str) -> list[Any]:
    said = "Extra inputs are not permitted"
    return [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": said, "input": {"store": 1}}
        for name in names
    ]


def mistral(message: Any) -> dict[str, Any]:
    return {
        "object": "error", "message": message, "type": "invalid_request_error", "param": None, "code": None,
    }  # fmt: skip


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


UPSTREAM = json.dumps(error("Unsupported value: 'temperature' does not support 0 with this model."))
CHANCES = {"logprobs", "top_logprobs"}
REFUSED = [
    ("openai", 400, error("Unsupported parameter.", param="store"), {"store"}),
    ("openai", 400, error("Unrecognized request argument supplied: logprobs", param=None), CHANCES),
    ("openai", 403, error("You are not allowed to request logprobs from this model"), CHANCES),
    ("openai", 400, error("Unsupported parameter: 'max_completion_tokens'"), {"max_completion_tokens"}),
    ("azure-openai", 422, error("The deployment doesn't support logprobs request parameter."), CHANCES),
    ("azure-openai", 400, error("Validation error at #/seed: Extra inputs are not permitted"), {"seed"}),
    ("gemini", 400, unknown_names("logprobs", "top_logprobs"), CHANCES),
    ("openai", 400, unknown_names("seed", "store"), {"seed", "store"}),
    ("gemini", 400, [error("Logprobs is not enabled for models/gemini-2.5-pro", code=400)], CHANCES),
    ("mistral", 422, mistral({"detail": forbidden("temperature")}), {"temperature"}),
    ("openai", 422, mistral(json.dumps({"detail": forbidden("seed")})), {"seed"}),
    ("openai", 422, {"detail": forbidden("seed", "logprobs")}, {"seed", *CHANCES}),
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
    ("openai", 400, error("`logprobs` is not supported with this model"), CHANCES),
    ("openai", 400, error("property 'store' is unsupported"), {"store"}),
    ("openai", 400, {"errors": {"seed": ["not allowed"]}}, {"seed"}),
    ("openai", 400, error("unknown fields: temperature, store"), {"temperature", "store"}),
    ("openai", 422, error("max_tokens: field required"), {"max_completion_tokens"}),
    ("gemini", 400, unknown_names("topLogprobs", "responseFormat"), {*CHANCES, "response_format"}),
    ("openai", 200, error("logprobs is not supported by this provider", code=400), CHANCES),
]  # fmt: skip
"""Preset, status and body of a refusal, and the parameters without which the second request goes out."""


@pytest.mark.parametrize(("preset", "status", "said", "left_out"), REFUSED)
def test_a_refused_parameter_is_left_out_at_once_and_for_the_run(
    preset: str, status: int, said: Any, left_out: set[str],
    opened: Opened, stored: Stored, server: RawServer,
) -> None:  # fmt: skip
    server.say = [answer(status, body(said)), answered(stored)]
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
    for requests in (2, 3):
        result = outcome(openai)
        assert type(result) is Rejected
        assert "max_tokens" in str(result)
        assert len(server.arrived) == requests


@pytest.mark.parametrize("status", [401, 402, 429, 500, 503])
def test_another_error_that_names_a_parameter_is_that_error(
    status: int, told: Told, server: RawServer
) -> None:
    assert isinstance(told("openai", answer(status, body(error("seed")))), ProviderError)
    assert len(server.arrived) == 1


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("the model is not in the store", set()),
        ("unknown field: store", {"store"}),
        ("the parameter store is unknown", {"store"}),
        ('Unknown name "store"', {"store"}),
        ("seedling", set()),
    ],
)
def test_an_english_word_is_a_parameter_only_where_it_is_meant(said: str, named: set[str]) -> None:
    assert refused_parameters({"message": said}, ["store", "seed"]) == named


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, {"error": {"code": 500, "message": "image input is not supported by this server"}}),
        (500, error("image input is not supported - hint: if this is unexpected, provide the mmproj")),
        (404, {"error": {"message": "No endpoints found that support image input", "code": 404}}),
        (400, {"error": "Model does not support images. Please use a model that does."}),
        (400, error("m is not a multimodal model")),
        (400, error("messages[0]: unknown variant `image_url`, expected `text`")),
        (200, {"error": {"code": 500, "message": "image input is not supported by this server"}}),
    ],
)
def test_a_model_without_eyes_is_asked_once(status: int, said: Any, told: Told, server: RawServer) -> None:
    result = told("openai", answer(status, body(said)), preset="llama.cpp")
    assert type(result) is Rejected
    assert "--mmproj" in str(result)
    assert len(server.arrived) == 1


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"error": {"code": 429}}, RateLimited),
        ({"error": {"code": "429", "message": "slow down"}, "choices": []}, RateLimited),
        ([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}], RateLimited),
        (error("spent", code="insufficient_quota"), QuotaExceeded),
        ({"error": {"message": "wrong key", "type": "authentication_error"}}, AuthFailed),
        ({"error": {"message": "overloaded", "code": 503}}, Unavailable),
        ({"error": "something"}, Unavailable),
        ({"object": "error", "message": "no such model", "code": 404}, Rejected),
        (
            {"choices": [{"message": {"content": ""}, "error": {"code": 502, "message": "broken"}}]},
            Unavailable,
        ),
        ({"error": {"code": 429}, "choices": [{"message": {"content": ""}}]}, RateLimited),
        ({"status": 429, "title": "Too Many Requests"}, RateLimited),
        ({"error": None}, BadAnswer),
        ({"status": "completed"}, BadAnswer),
    ],
)
def test_an_error_inside_a_200_is_that_error(said: Any, kind: type[Exception], told: Told) -> None:
    assert type(told("openai", answer(200, body(said)))) is kind


def test_the_settings_of_the_configuration_hold_for_every_request(
    opened: Opened, prepared: Prepared, stored: Stored, server: RawServer
) -> None:
    config = Config(parameters={"openai": Parameters(("store", "top_logprobs"), 64)})
    server.say = [answered(stored)]
    openai = opened("openai", endpoint=server.url)
    with Engine(openai, Options(ledger="none", _config=config)) as engine:
        engine.ask([prepared(openai)])
    (asked,) = sent(server)
    assert not {"store", "logprobs", "top_logprobs"} & set(asked)
    assert asked["max_completion_tokens"] == 64


def test_parameters_left_out_by_setting_make_another_question(opened: Opened) -> None:
    openai = opened("openai", leave_out=["seed"])
    assert isinstance(openai, Adjustable)
    openai.adjust(["store"], None)
    assert openai.options["leave_out"] == ["seed", "store"]  # type: ignore[attr-defined]
