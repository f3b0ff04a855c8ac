"""Around every answer: the name and the path that were asked for, HEAD, who may ask from where, the log."""

from __future__ import annotations

import json
import logging

import pytest
from fastapi.testclient import TestClient

from digitrec.web.app import create_app
from digitrec.web.logs import JsonLines, TextLines
from digitrec.web.settings import Settings

from .fakes import local, png, serving


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/health", "/ready", "/providers", "/metrics", "/openapi.json", "/static/icon.svg", "/no"],
)
def test_head_is_answered_as_get_is_without_the_body(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.headers["content-type"]) == (get.status_code, get.headers["content-type"])
    assert head.content == b""


def test_head_of_a_question_is_told_what_is_allowed(client: TestClient) -> None:
    answer = client.head("/predict")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_slash_at_the_end_is_no_other_address_and_nothing_is_redirected(client: TestClient) -> None:
    answer = client.post("/predict/", content=png(), follow_redirects=False)
    assert (answer.status_code, answer.json()["prediction"]) == (200, 7)
    for path in ("/health/", "/providers/", "/static/", "/nothing/", "//"):
        assert not client.get(path, follow_redirects=False).is_redirect


@pytest.mark.parametrize("path", ["/docs/", "/digits/docs/"])
def test_a_page_with_a_slash_leads_to_the_page_without(path: str) -> None:
    with serving(settings=Settings(root_path="/digits")) as client:
        answer = client.get(path)
    assert (answer.status_code, answer.url.path) == (200, path[:-1])
    assert "swagger" in answer.text


def test_a_slash_at_the_end_does_not_get_past_the_limits() -> None:
    with serving(settings=Settings(api_keys=("one",))) as client:
        assert client.post("/predict/", content=png()).status_code == 401
        assert client.post("/predict//", content=png()).status_code == 401
        assert client.get("/metrics/").status_code == 401


@pytest.mark.parametrize("prefix", ["", "/digits"])
def test_under_a_prefix_all_is_found_whether_or_not_the_proxy_cuts_it_off(prefix: str) -> None:
    with serving(settings=Settings(root_path="/digits", rate=0.01, burst=1)) as client:
        for path in ("/", "/docs", "/static/main.js", "/docs/swagger-ui.css", "/health"):
            assert client.get(prefix + path).status_code == 200, path
        assert client.get(f"{prefix}/openapi.json").json()["servers"] == [{"url": "/digits"}]
        statuses = [client.post(f"{prefix}/predict", content=png()).status_code for _ in range(2)]
    assert statuses == [200, 429]


def test_the_prefix_alone_leads_to_the_page_by_whatever_scheme_was_used() -> None:
    with serving(settings=Settings(root_path="/digits")) as client:
        answer = client.get("/digits", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, "/digits/")
        assert client.get("/digitsx").status_code == 404


def test_another_name_is_refused_where_names_are_listed() -> None:
    with serving(settings=Settings(hosts=("digits.example.org",))) as client:
        refused = client.get("/", headers={"host": "evil.example"})
        assert (refused.status_code, refused.json()["type"]) == (421, "urn:digitrec:problem:wrong-host")
        asked = client.post("/predict", content=png(), headers={"host": "evil.example"})
        assert asked.status_code == 421
        for host in ("digits.example.org", "127.0.0.1:5000"):
            assert client.get("/", headers={"host": host}).status_code == 200
        assert client.get("/health", headers={"host": "10.0.0.7"}).status_code == 200


def test_only_sites_that_are_listed_may_ask_and_are_told_so() -> None:
    ours, other = {"origin": "https://friend.example"}, {"origin": "https://evil.example"}
    with serving(settings=Settings(origins=("https://friend.example",))) as client:
        good, bad = (client.post("/predict", content=png(), headers=one) for one in (ours, other))
        asks = {
            **ours,
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-api-key",
        }
        allowed = client.options("/predict", headers=asks)
        refused = client.options("/predict", headers={**asks, **other})
    assert (good.status_code, good.headers["access-control-allow-origin"]) == (200, ours["origin"])
    assert bad.status_code == 403 and "access-control-allow-origin" not in bad.headers
    assert allowed.status_code == 200 and allowed.headers["access-control-allow-origin"] == ours["origin"]
    assert refused.status_code == 400 and "access-control-allow-origin" not in refused.headers


SITES = [
    ({"origin": "http://testserver"}, 200),
    ({"origin": "http://testserver:8080"}, 403),
    ({"origin": "http://testserver:8080", "sec-fetch-site": "same-origin"}, 200),  # a proxy cut the port off
    ({"origin": "http://evil.example", "sec-fetch-site": "cross-site"}, 403),
    ({"origin": "http://sub.testserver", "sec-fetch-site": "same-site"}, 403),
    ({"origin": "null"}, 403), ({"origin": "http://["}, 403), ({"origin": "http://]"}, 403),
    ({"origin": "\xff"}, 403), ({}, 200),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "status"), SITES)
def test_only_this_servers_own_page_may_ask(client: TestClient, headers: dict[str, str], status: int) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    assert client.post("/predict", content=png(), headers=sent).status_code == status


@pytest.mark.parametrize(
    ("peer", "headers", "settings", "status"),
    [
        ("127.0.0.1", {}, Settings(), 200), ("::1", {}, Settings(), 200),
        ("::ffff:127.0.0.1", {}, Settings(), 200),
        ("203.0.113.1", {}, Settings(), 403), ("a name", {}, Settings(), 403),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.1"}, Settings(), 403),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, Settings(), 403),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.1"}, Settings(proxies=1), 403),
        ("127.0.0.1", {}, Settings(proxies=1), 200),
        ("10.1.2.3", {}, Settings(metrics_from=("10.0.0.0/8",)), 200),
        ("11.1.2.3", {}, Settings(metrics_from=("10.0.0.0/8",)), 403),
        ("127.0.0.1", {}, Settings(api_keys=("one",)), 401),
        ("203.0.113.1", {"x-api-key": "one"}, Settings(api_keys=("one",)), 200),
    ],
)  # fmt: skip
def test_figures_are_shown_to_this_machine_and_whom_the_operator_names(
    peer: str, headers: dict[str, str], settings: Settings, status: int
) -> None:
    client = TestClient(create_app([local()], settings), client=(peer, 50_000))
    assert client.get("/metrics", headers=headers).status_code == status


def test_the_log_names_whom_the_outermost_trusted_proxy_saw(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "digitrec.web")
    forwarded = {"x-forwarded-for": "a lie, 203.0.113.1:4711"}
    with serving(settings=Settings(proxies=1)) as client:
        client.get("/health", headers=forwarded)
    line = json.loads(JsonLines().format(caplog.records[-1]))
    assert line["client"] == "203.0.113.1"
    assert 'path="/health" status=200' in TextLines().format(caplog.records[-1])


def test_nothing_that_is_asked_makes_two_lines_of_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "digitrec.web")
    with serving(settings=Settings(proxies=1)) as client:
        client.get("/a%0Ab", headers={"x-forwarded-for": "203.0.113.1"})
    for form in (JsonLines(), TextLines()):
        assert "\n" not in form.format(caplog.records[-1])
