"""Each failure names its real cause and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from raw_server import answer, raw_server

from digitrec.emulator.kit import drawn_seven
from digitrec.emulator.kit.tls import TlsServer
from digitrec.engine import Engine, Options
from digitrec.errors import (
    AuthFailed,
    DigitrecError,
    NotConfigured,
    NotInstalled,
    ProviderError,
    QuotaExceeded,
    RateLimited,
)
from digitrec.prepare import prepare
from digitrec.providers.base import Provider
from digitrec.providers.registry import provider_class
from digitrec.providers.wire.carrier import CA_BUNDLES

from .common import CLOUDS, POLLED, Opened


def failure(provider: Provider, timeout: float = 5.0) -> DigitrecError:
    with pytest.raises(DigitrecError) as caught:
        provider.read(prepare(drawn_seven(), provider.wants), timeout=timeout)
    provider.close()
    return caught.value


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(
    ("status", "said", "kind", "named"),
    [
        (402, "Insufficient Balance", QuotaExceeded, "add credit"),
        (407, "Proxy Authentication Required", NotConfigured, "HTTP_PROXY"),
    ],
)
def test_a_status_with_one_cause_names_it(
    cloud: str, status: int, said: str, kind: type[Exception], named: str, opened: Opened
) -> None:
    with raw_server() as server:
        server.say = [answer(status, json.dumps({"error": {"message": said}, "message": said}).encode())]
        error = failure(opened(cloud, endpoint=server.url))
    assert type(error) is kind
    assert named in str(error)


@pytest.mark.parametrize(
    ("reason", "named"), [("BILLING_DISABLED", "billing"), ("SERVICE_DISABLED", "enable")]
)
def test_googles_project_is_to_be_mended_and_not_waited_for(reason: str, named: str, opened: Opened) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
    message = "This API method requires billing to be enabled."
    with raw_server() as server:
        body = {"error": {"code": 403, "message": message, "status": "PERMISSION_DENIED", "details": [info]}}
        server.say = [answer(403, json.dumps(body).encode())]
        error = failure(opened("google", endpoint=server.url))
    assert type(error) is AuthFailed
    assert str(error).rpartition("; ")[2].startswith("enable")
    assert named in str(error)


WAITS: list[tuple[list[tuple[str, str]], Any, float]] = [
    ([("retry-after-ms", "1500")], {}, 1.5),
    ([("x-ms-retry-after-ms", "250"), ("Retry-After", "9")], {}, 0.25),
    ([("Retry-After", "2.5")], {}, 2.5),
    (
        [],
        {
            "error": {
                "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13.5s"}]
            }
        },
        13.5,
    ),
]


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(("headers", "body", "wait"), WAITS)
def test_every_form_of_a_wait_is_read(
    cloud: str, headers: list[tuple[str, str]], body: Any, wait: float, opened: Opened
) -> None:
    with raw_server() as server:
        server.say = [answer(429, json.dumps(body).encode(), *headers)]
        error = failure(opened(cloud, endpoint=server.url))
    assert type(error) is RateLimited
    assert error.retry_after == wait


@pytest.mark.parametrize("cloud", POLLED)
def test_a_look_that_comes_too_early_says_how_long_to_wait(cloud: str, opened: Opened) -> None:
    with raw_server() as server:
        server.say = [answer(200, b'{"status": "running"}', ("Retry-After", "3"))]
        azure: Any = opened(cloud, endpoint=server.url)
        assert azure.poll("abc", timeout=5) == 3.0


@pytest.mark.parametrize("cloud", POLLED)
def test_the_error_of_an_order_is_told_where_no_time_is_left(cloud: str, opened: Opened) -> None:
    with raw_server() as server:
        server.say = [answer(429, b"{}", ("Retry-After", "1"))]
        azure = opened(cloud, endpoint=server.url, poll_s=1.0)
        with Engine(azure, Options(timeout=1.6, ledger="none")) as engine:
            (reply,) = engine.ask([prepare(drawn_seven(), azure.wants)])
    assert type(reply.outcome) is RateLimited


@pytest.mark.parametrize("cloud", ["azure", "azure-analysis", "azure-document"])
def test_the_errors_inside_azures_error_are_told(cloud: str, opened: Opened) -> None:
    inner = {"code": "InvalidContent", "innererror": {"code": "TooSmall", "message": "50 pixels at least"}}
    with raw_server() as server:
        body = {"error": {"code": "InvalidRequest", "message": "Invalid request.", "innererror": inner}}
        server.say = [answer(400, json.dumps(body).encode())]
        error = failure(opened(cloud, endpoint=server.url))
    assert isinstance(error, ProviderError)
    for part in ("InvalidRequest", "Invalid request.", "InvalidContent", "TooSmall", "50 pixels at least"):
        assert part in str(error)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("interim", [102, 103])
def test_interim_answers_are_not_the_answer(cloud: str, interim: int, opened: Opened) -> None:
    early = f"HTTP/1.1 {interim} Early\r\nLink: </style.css>\r\n\r\n".encode()
    with raw_server() as server:
        server.say = [early * 2 + answer(429, b"{}", ("Retry-After", "7"))]
        error = failure(opened(cloud, endpoint=server.url))
    assert type(error) is RateLimited
    assert error.retry_after == 7


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificates_that_cannot_be_used_name_their_variable(
    cloud: str, content: bytes | None, variable: str, opened: Opened, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    # What is changed is undone before the server restores its own.
    with TlsServer("cut") as server, monkeypatch.context() as changed:
        for name in CA_BUNDLES:
            changed.delenv(name, raising=False)
        provider = opened(cloud, endpoint=server.endpoint)
        changed.setenv(variable, str(bundle))
        error = failure(provider)
    assert type(error) is NotConfigured
    assert f"correct {variable}" in str(error)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_ssl_cert_file_is_trusted(cloud: str, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    server = TlsServer("answer", answer(429, b"{}", ("Retry-After", "7")))
    with server, monkeypatch.context() as changed:
        for name in set(CA_BUNDLES) - {"SSL_CERT_FILE"}:
            changed.delenv(name, raising=False)
        error = failure(opened(cloud, endpoint=server.endpoint))
    assert type(error) is RateLimited


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_socks_proxy_without_its_package_is_not_installed(
    cloud: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitrec.providers.addresses.find_spec", lambda name: None)
    provider = opened(cloud, endpoint="https://ocr.example")
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:9")
    error = failure(provider)
    assert type(error) is NotInstalled
    assert "PySocks" in str(error)


def test_a_missing_file_of_googles_token_is_named(tmp_path: Path) -> None:
    info = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.example/v1/token",
        "credential_source": {"file": "/no/such/token"},
    }
    file = tmp_path / "external.json"
    file.write_text(json.dumps(info))
    google: Any = provider_class("google")
    error = failure(google(credentials_file=file, endpoint="https://ocr.example"))
    assert type(error) is NotConfigured
    assert "/no/such/token" in str(error)


def test_a_missing_sign_in_of_aws_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(
        "[default]\nregion = us-east-1\nsso_start_url = https://a.example/start\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = reader\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    error = failure(provider_class("aws").from_env({}))
    assert type(error) is AuthFailed
    assert "aws sso login" in str(error)
