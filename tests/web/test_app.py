"""Parts of every answer: headers, problem bodies, allowed addresses, sites and hosts, the log."""

import json
import logging
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from digitrec.web import server as server_module
from digitrec.web.monitoring import JsonLines
from digitrec.web.server import create_app
from digitrec.web.settings import Settings

from .fakes import local, png, serving

TEXTS = [file for file in (Path(server_module.__file__).parent / "static").iterdir() if file.suffix != ".jpg"]
PATHS = ["/", "/docs", "/health", "/ready", "/providers", "/metrics", "/openapi.json", "/static/main.js",
         "/docs/swagger-ui.css", "/nothing"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_response_has_the_security_headers(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (get.status_code == 404) == (path == "/nothing")
    assert (head.status_code, head.headers["content-type"]) == (get.status_code, get.headers["content-type"])
    assert head.content == b""
    policy = get.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy and "script-src 'self';" in policy
    for name, value in {"x-content-type-options": "nosniff", "x-frame-options": "DENY"}.items():
        assert get.headers[name] == value
    assert get.headers["referrer-policy"] == "no-referrer"
    assert not {"access-control-allow-origin", "server", "accept-ranges"} & get.headers.keys()
    if tag := get.headers.get("etag"):
        assert client.get(path, headers={"if-none-match": tag}).status_code == 304


def test_every_file_that_a_page_names_is_here_and_none_is_on_another_host(client: TestClient) -> None:
    texts = {file.name: file.read_text() for file in TEXTS}
    pattern = r"""["`]/?(static/[^"`$]+|docs/[^"`$]+|\./[^"`]+)["`]"""
    named = {path for text in texts.values() for path in re.findall(pattern, text)}
    assert {"static/main.js", "./pad.js", "static/sample-red.jpg", "docs/swagger-ui.css"} <= named
    for path in named - {"./"}:
        address = "/static/" + path.removeprefix("./") if path.startswith("./") else "/" + path
        assert client.get(address, headers={"range": "bytes=9999999-"}).status_code == 200, path
    for name, text in texts.items():
        assert set(re.findall(r"https?://[^\s\"'<>]+", text)) <= {"http://www.w3.org/2000/svg"}, name


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nothing", 404), ("GET", "/predict", 405), ("HEAD", "/predict", 405), ("PUT", "/health", 405),
    ("POST", "/predict?seen=perhaps", 422),
])  # fmt: skip
def test_every_error_is_a_problem(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, content=png() if method == "POST" else None)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert status != 405 or answer.headers["allow"] == ("POST" if path == "/predict" else "GET")
    if method != "HEAD":
        problem = answer.json()
        assert problem["status"] == status
        assert set(problem) == {"type", "title", "status", "detail"}
        assert status != 422 or "seen" in problem["detail"]


def test_bugs_reach_only_the_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = local()
    with serving(engine) as client:
        with monkeypatch.context() as broken:
            broken.setattr("digitrec.recognise.pipeline.normalise", lambda *_, **__: 1 / 0)
            in_server = client.post("/predict", content=png())
        engine.provider.read = lambda image, timeout: 1 / 0  # type: ignore[method-assign, return-value]
        in_engine = client.post("/predict", content=png())
    assert (in_server.status_code, in_engine.status_code) == (500, 502)
    assert "division" not in in_server.text + in_engine.text
    assert any(record.exc_info and record.name == "digitrec.web" for record in caplog.records)


def test_the_log_is_one_line_a_request_without_picture_key_or_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "digitrec.web")
    sent = {"x-forwarded-for": "a lie, 203.0.113.1:4711", "x-api-key": "open-sesame"}
    with serving(settings=Settings(api_keys=("open-sesame",), proxies=1)) as client:
        client.post("/predict?seen=true", content=png(), headers=sent)
        client.get("/a%0Ab", headers=sent)
    records = [record for record in caplog.records if record.name == "digitrec.web"]
    lines = [JsonLines().format(record) for record in records]
    assert not any("open-sesame" in line or "seen" in line or "\n" in line for line in lines)
    line = json.loads(lines[-2])
    told = [line[name] for name in ("event", "method", "path", "status", "client")]
    assert told == ["request", "POST", "/predict", 200, "203.0.113.1"]


def test_a_final_slash_changes_nothing_and_passes_no_limit(client: TestClient) -> None:
    answer = client.post("/predict/", content=png(), follow_redirects=False)
    assert (answer.status_code, answer.json()["prediction"]) == (200, 7)
    for path in ("/health/", "/providers/", "/static/", "/nothing/", "//"):
        assert not client.get(path, follow_redirects=False).is_redirect
    with serving(settings=Settings(api_keys=("one",))) as keyed:
        for path in ("/predict/", "/predict//"):
            assert keyed.post(path, content=png()).status_code == 401
        assert keyed.get("/metrics/").status_code == 401


def test_another_name_is_refused_where_names_are_listed() -> None:
    with serving(settings=Settings(hosts=("digits.example.org",))) as client:
        for method, path in (("GET", "/"), ("POST", "/predict")):
            refused = client.request(method, path, content=png(), headers={"host": "evil.example"})
            assert (refused.status_code, refused.json()["type"]) == (421, "urn:digitrec:problem:wrong-host")
        for host in ("digits.example.org", "127.0.0.1:5000"):
            assert client.get("/", headers={"host": host}).status_code == 200
        assert client.get("/health", headers={"host": "10.0.0.7"}).status_code == 200


def test_only_sites_that_are_listed_may_ask_and_are_told_so() -> None:
    friend = "https://friend.example"
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
    with serving(settings=Settings(origins=(friend,))) as client:
        for site, post, preflight in ((friend, 200, 200), ("https://evil.example", 403, 400)):
            origin = {"origin": site}
            posted = client.post("/predict", content=png(), headers=origin)
            asked = client.options("/predict", headers=asks | origin)
            assert [posted.status_code, asked.status_code] == [post, preflight]
            for answer in (posted, asked):
                assert answer.headers.get("access-control-allow-origin") == (site if post == 200 else None)


@pytest.mark.parametrize(("headers", "status"), [
    ({"origin": "http://testserver"}, 200), ({"origin": "http://testserver:8080"}, 403),
    ({"origin": "http://testserver:8080", "sec-fetch-site": "same-origin"}, 200),  # a proxy cut the port off
    ({"origin": "http://evil.example", "sec-fetch-site": "cross-site"}, 403),
    ({"origin": "http://sub.testserver", "sec-fetch-site": "same-site"}, 403),
    ({"origin": "null"}, 403), ({"origin": "http://["}, 403), ({"origin": "http://]"}, 403),
    ({"origin": "\xff"}, 403), ({}, 200),
])  # fmt: skip
def test_only_this_servers_own_page_may_ask(client: TestClient, headers: dict[str, str], status: int) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    assert client.post("/predict", content=png(), headers=sent).status_code == status


@pytest.mark.parametrize(("peer", "headers", "settings", "status"), [
    ("127.0.0.1", {}, Settings(), 200), ("::1", {}, Settings(), 200),
    ("::ffff:127.0.0.1", {}, Settings(), 200), ("203.0.113.1", {}, Settings(), 403),
    ("a name", {}, Settings(), 403), ("127.0.0.1", {"x-forwarded-for": "203.0.113.1"}, Settings(), 403),
    ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, Settings(), 403),
    ("127.0.0.1", {"x-forwarded-for": "203.0.113.1"}, Settings(proxies=1), 403),
    ("127.0.0.1", {}, Settings(proxies=1), 200), ("127.0.0.1", {}, Settings(api_keys=("one",)), 401),
    ("203.0.113.1", {"x-api-key": "one"}, Settings(api_keys=("one",)), 200),
])  # fmt: skip
def test_metrics_are_shown_to_this_machine_and_where_the_operator_allows(
    peer: str, headers: dict[str, str], settings: Settings, status: int
) -> None:
    client = TestClient(create_app([local()], settings), client=(peer, 50_000))
    assert client.get("/metrics", headers=headers).status_code == status
