"""Around every answer: headers, problem bodies, logs; and that nothing comes from another host."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from digitrec.web import app as app_module
from digitrec.web.logs import JsonLines
from digitrec.web.settings import Settings

from .fakes import local, png, serving

STATIC = Path(app_module.__file__).parent / "static"
TEXTS = [file for file in STATIC.iterdir() if file.suffix != ".jpg"]


@pytest.mark.parametrize("path", ["/", "/docs", "/health", "/openapi.json", "/static/main.js", "/nothing"])
def test_every_answer_carries_the_protective_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy and "script-src 'self';" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/static/icon.svg"])
def test_assets_are_served_from_here(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_swaggers_script_travels_compressed_where_that_is_accepted(client: TestClient) -> None:
    plain, packed = (
        client.get("/docs/swagger-ui-bundle.js", headers={"accept-encoding": coding})
        for coding in ("identity", "gzip")
    )
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content and int(packed.headers["content-length"]) < len(plain.content) / 2


def test_every_file_that_a_page_names_is_there(client: TestClient) -> None:
    named = {
        path
        for file in TEXTS
        for path in re.findall(r"""["`]/?(static/[^"`$]+|docs/[^"`$]+|\./[^"`]+)["`]""", file.read_text())
    }
    assert {"static/main.js", "./pad.js", "static/sample-red.jpg", "docs/swagger-ui.css"} <= named
    for path in named:
        at = path.removeprefix("./").removeprefix("static/") if not path.startswith("docs/") else ""
        assert client.get(f"/static/{at}" if at else f"/{path}").status_code == 200, path


def test_without_scripts_the_page_says_so(client: TestClient) -> None:
    words = re.search(r"<noscript>(.*)</noscript>", client.get("/").text)
    assert words and "switched off" in words[1] and 'href="openapi.json"' in words[1]


def test_no_page_names_another_host() -> None:
    for file in TEXTS:
        found = re.findall(r"https?://[^\s\"'<>]+", file.read_text())
        assert set(found) <= {"http://www.w3.org/2000/svg"}, file.name


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/predict", 405), ("PUT", "/health", 405)],
)
def test_every_error_is_a_problem(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert set(answer.json()) == {"type", "title", "status", "detail"}


def test_a_wrong_parameter_is_named(client: TestClient) -> None:
    answer = client.post("/predict?seen=perhaps", content=png())
    assert answer.status_code == 422
    assert "seen" in answer.json()["detail"]


def test_a_bug_is_told_to_the_log_and_not_to_the_client(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as client, monkeypatch.context() as broken:
        broken.setattr("digitrec.recognise.pipeline.normalise", lambda *_, **__: 1 / 0)
        answer = client.post("/predict", content=png())
    assert answer.status_code == 500
    assert "division" not in answer.text and "Traceback" not in answer.text
    assert any(record.exc_info and record.name == "digitrec.web" for record in caplog.records)


def test_a_bug_in_an_engine_is_that_engines_failure() -> None:
    engine = local()
    with serving(engine) as client:
        engine.provider.read = lambda image, timeout: 1 / 0  # type: ignore[method-assign, return-value]
        answer = client.post("/predict", content=png())
    assert answer.status_code == 502
    assert "division" not in answer.text and "Traceback" not in answer.text


def test_the_log_is_one_object_a_request_without_picture_key_or_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "digitrec.web")
    with serving(settings=Settings(api_keys=("open-sesame",))) as client:
        client.post("/predict?seen=true", content=png(), headers={"x-api-key": "open-sesame"})
    lines = [JsonLines().format(record) for record in caplog.records if record.name == "digitrec.web"]
    line = json.loads(lines[-1])
    told = [line[name] for name in ("event", "method", "path", "status")]
    assert told == ["request", "POST", "/predict", 200]
    assert "open-sesame" not in "".join(lines) and "seen" not in "".join(lines)
