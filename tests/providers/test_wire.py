"""Before anything is sent, and how far a request came: what all four clouds share."""

from __future__ import annotations

import json
import socket
import traceback
from pathlib import Path
from typing import Any

import pytest
from raw_server import answer, raw_server

from digitrec.answer import Answer
from digitrec.emulator.kit import drawn_seven
from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    DigitrecError,
    NotConfigured,
    RateLimited,
    Rejected,
    Unavailable,
    Unreachable,
)
from digitrec.prepare import prepare
from digitrec.providers.base import Provider
from digitrec.providers.registry import provider_class

from .common import CLOUDS, POLLED, Opened, Prepared
from .conftest import AWS_KEY, AWS_SECRET, KEY

ENDPOINTS = {
    "google": "DIGITREC_GOOGLE_ENDPOINT",
    "aws": "AWS_ENDPOINT_URL_REKOGNITION",
    "aws-textract": "AWS_ENDPOINT_URL_TEXTRACT",
    "azure": "VISION_ENDPOINT",
    "azure-analysis": "VISION_ENDPOINT",
    "azure-document": "DOCUMENTINTELLIGENCE_ENDPOINT",
    "openai": "OPENAI_BASE_URL",
}


def from_env(cloud: str, endpoint: str, **more: str) -> Provider:
    env = {
        "GOOGLE_API_KEY": KEY,
        "VISION_KEY": KEY,
        "DOCUMENTINTELLIGENCE_API_KEY": KEY,
        "OPENAI_API_KEY": KEY,
        "DIGITREC_OPENAI_MODEL": "a-model",
        "AWS_REGION": "us-east-1",
    }
    env |= {"AWS_ACCESS_KEY_ID": AWS_KEY, "AWS_SECRET_ACCESS_KEY": AWS_SECRET}
    return provider_class(cloud).from_env(env | {ENDPOINTS[cloud]: endpoint} | more)


def failure(provider: Provider, timeout: float = 5) -> DigitrecError:
    """What comes of a question that cannot be answered; all that is to be said of it holds no key."""
    try:
        (outcome,) = provider.read_many([prepare(drawn_seven(), provider.wants)], timeout=timeout)
    except DigitrecError as error:
        outcome = error  # type: ignore[assignment]
    provider.close()
    assert isinstance(outcome, DigitrecError)
    chain, inner = "", outcome
    while inner is not None:
        chain += repr(inner) + repr(vars(inner))
        inner = inner.__cause__ or inner.__context__  # type: ignore[assignment]
    shown = "".join(traceback.format_exception(outcome)) + chain
    assert not [key for key in (KEY, AWS_KEY, AWS_SECRET) if key in shown]
    assert "\n" not in str(outcome)
    return outcome


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(
    "endpoint",
    [
        " https://ocr.example", "https://ocr.example\n", "https://ocr.example\t/", "https://ocr .example",
        "https://user:pass@ocr.example", "https://ocr.example?x", "https://ocr.example#x", "https://",
        "https://[::1", "::::", "ftp://ocr.example", "https://ocr.example:port", "https://\u202e.example",
    ],
)  # fmt: skip
def test_an_endpoint_that_is_none_is_not_configured(cloud: str, endpoint: str) -> None:
    with pytest.raises(NotConfigured):
        from_env(cloud, endpoint)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("endpoint", ["http://192.0.2.1", "http://ocr.example:80/", "HTTP://ocr.example"])
def test_no_key_goes_to_a_plain_http_endpoint_unless_that_is_allowed_by_name(
    cloud: str, endpoint: str
) -> None:
    with pytest.raises(NotConfigured, match="DIGITREC_ALLOW_PLAIN_HTTP=1"):
        from_env(cloud, endpoint)
    from_env(cloud, endpoint, DIGITREC_ALLOW_PLAIN_HTTP="1").close()


def test_a_profiles_endpoint_is_judged_like_any_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for endpoint, said in [
        ("http://192.0.2.1", "PLAIN_HTTP"),
        ("https://a\n  b.example", "endpoint"),
        ("nonsense", "endpoint"),
    ]:
        config.write_text(f"[default]\nendpoint_url = {endpoint}\n")
        with pytest.raises(NotConfigured, match=said) as caught:
            provider_class("aws")(access_key=AWS_KEY, secret_key=AWS_SECRET, region="us-east-1")  # type: ignore[call-arg]
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("proxy", ["nonsense://x", "http://[::1", "::::", "http://proxy.example:port"])
def test_a_proxy_that_is_none_is_not_configured_before_and_after_opening(
    cloud: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = from_env(cloud, "https://ocr.example")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert isinstance(failure(provider), NotConfigured)
    with pytest.raises(NotConfigured, match="HTTPS_PROXY"):
        from_env(cloud, "https://ocr.example")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_proxy_that_is_not_there_is_unreachable_and_its_password_is_not_told(
    cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:planted-pass@127.0.0.1:{taken.getsockname()[1]}")
        error = failure(from_env(cloud, "https://ocr.example"))
    assert type(error) is Unreachable
    assert "planted-pass" not in str(error)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_missing_file_of_certificates_is_named(cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "AWS_CA_BUNDLE" if cloud.startswith("aws") else "REQUESTS_CA_BUNDLE"
    monkeypatch.setenv(variable, "/no/such/file.pem")
    error = failure(from_env(cloud, "https://127.0.0.1:9"))
    assert isinstance(error, NotConfigured)
    assert f"correct {variable}" in str(error)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_server_without_encryption_at_an_https_address_got_nothing(cloud: str) -> None:
    with raw_server() as server:
        server.say = [answer(400)]
        error = failure(from_env(cloud, server.url.replace("http:", "https:")))
    assert type(error) is Unreachable


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", Unavailable),
        (b"SSH-2.0-OpenSSH_9.6\r\n", BadAnswer),
        (b"HTTP/1.1 200 OK\r\n", BadAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", BadAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", BadAnswer),
    ],
)
def test_how_far_it_came_decides(
    cloud: str, said: bytes, kind: type[Exception], opened: Opened, prepared: Prepared
) -> None:
    with raw_server() as server:
        server.say = [said if cloud not in POLLED else said.replace(b"200", b"202")]
        error = failure(opened(cloud, endpoint=server.url))
        assert len(server.arrived) == 1
    assert kind in type(error).__mro__


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_key_that_comes_back_shows_nowhere(cloud: str, opened: Opened, prepared: Prepared) -> None:
    entities = [{"description": "7"}, {"description": KEY}]
    echo = {
        "google": {"responses": [{"textAnnotations": entities, KEY: KEY}]},
        "aws": {
            "TextDetections": [{"Type": "WORD", "DetectedText": f"x{AWS_SECRET}", "Confidence": 9, "Id": 1}],
            "TextModelVersion": AWS_KEY,
        },
        "aws-textract": {
            "Blocks": [{"BlockType": "WORD", "Text": f"x{AWS_SECRET}", "Confidence": 9, "Id": "1"}],
            "DetectDocumentTextModelVersion": AWS_KEY,
        },
        "azure": {"status": "succeeded", "analyzeResult": {"modelVersion": KEY, "readResults": []}, KEY: KEY},
        "azure-analysis": {"modelVersion": KEY, "readResult": {"blocks": []}, "metadata": {KEY: KEY}},
        "azure-document": {"status": "succeeded", "analyzeResult": {"modelId": KEY, "pages": []}, KEY: KEY},
        "openai": {
            "choices": [{"message": {"content": json.dumps({"digit": None, "reason": KEY})}}],
            KEY: KEY,
        },
    }
    ordered = answer(202, b"", ("Operation-Location", "http://a/abc"))
    with raw_server() as server:
        server.say = [*([ordered] if cloud in POLLED else []), answer(200, json.dumps(echo[cloud]).encode())]
        provider = opened(cloud, endpoint=server.url)
        outcome = provider.read(prepared(provider), timeout=5)
    assert isinstance(outcome, Answer)
    assert "***" in repr(outcome)
    assert not [key for key in (KEY, AWS_KEY, AWS_SECRET) if key in repr(outcome)]


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("status", [200, 400, 401, 429, 503])
def test_a_key_that_comes_back_in_an_error_shows_nowhere(cloud: str, status: int, opened: Opened) -> None:
    key = AWS_SECRET if cloud.startswith("aws") else KEY
    error = {"code": key, "message": f"no {key}", "details": [key]}
    said = {"error": error, "__type": key, "message": f"sign with {key}", key: key}
    with raw_server() as server:
        server.say = [answer(status, json.dumps(said).encode(), ("x-amzn-ErrorType", key))]
        failure(opened(cloud, endpoint=server.url))


@pytest.mark.parametrize("cloud", POLLED)
def test_a_key_in_the_place_of_an_operation_is_none(cloud: str, opened: Opened, prepared: Prepared) -> None:
    azure: Any = opened(cloud)
    with raw_server() as server:
        server.say = [answer(202, b"", ("Operation-Location", f"http://a/{KEY}"))]
        azure = opened(cloud, endpoint=server.url)
        with pytest.raises(BadAnswer, match="Operation-Location"):
            azure.start(prepared(azure), timeout=5)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthFailed), (403, AuthFailed), (400, Rejected), (429, RateLimited), (500, Unavailable)],
)
def test_a_poll_keeps_its_class(status: int, kind: type[Exception], opened: Opened) -> None:
    with raw_server() as server:
        server.say = [answer(status, b"{}")]
        azure: Any = opened("azure", endpoint=server.url)
        with pytest.raises(kind) as caught:
            azure.poll("abc", timeout=5)
    assert caught.value.status == status  # type: ignore[attr-defined]


@pytest.mark.parametrize(("status", "over"), [("notStarted", False), ("running", False), ("succeeded", True)])
def test_a_poll_is_one_look(status: str, over: bool, opened: Opened) -> None:
    with raw_server() as server:
        raw = {"status": status, "analyzeResult": {"readResults": []}}
        server.say = [answer(200, json.dumps(raw).encode())]
        azure: Any = opened("azure", endpoint=server.url)
        assert (azure.poll("abc", timeout=5) is not None) is over
        assert len(server.arrived) == 1
