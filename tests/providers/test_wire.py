"""The transport of all clouds: endpoints, proxies, certificates, redirects, refusals, secrets."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from raw_server import RawServer, answer
from tls_server import TlsServer

from digitrec import errors
from digitrec.answer import Answer
from digitrec.providers.base import Provider
from digitrec.providers.registry import provider_class
from digitrec.providers.wire import transport

from .common import CLOUDS, NOTHING, POLLED, Opened, Told, asked, assert_error, json_answer, outcome, replies
from .conftest import CREDENTIALS, secret_of

EACH = pytest.mark.parametrize("cloud", CLOUDS)
EACH_POLLED = pytest.mark.parametrize("cloud", POLLED)


def from_env(cloud: str, endpoint: str, **env: str) -> Provider:
    return provider_class(cloud).from_env(env, endpoint=endpoint, **CREDENTIALS[cloud])  # type: ignore[call-arg]


@EACH
@pytest.mark.parametrize("endpoint", [
    " https://ocr.example", "https://ocr.example\n", "https://ocr .example", "https://ocr.example?x",
    "https://user:pass@ocr.example", "https://", "https://[::1", "ftp://ocr.example",
    "https://ocr.example:port", "https://\u202e.example",
])  # fmt: skip
def test_an_invalid_endpoint_is_not_configured(cloud: str, endpoint: str) -> None:
    with pytest.raises(errors.NotConfigured):
        from_env(cloud, endpoint)


@EACH
@pytest.mark.parametrize("endpoint", [
    "http://ocr.example:80/", "HTTP://192.0.2.1", "http://localhost.example", "http://169.254.169.254",
])  # fmt: skip
def test_plain_http_has_to_be_allowed(cloud: str, endpoint: str) -> None:
    with pytest.raises(errors.NotConfigured, match="DIGITREC_ALLOW_PLAIN_HTTP=1"):
        from_env(cloud, endpoint)
    from_env(cloud, endpoint, DIGITREC_ALLOW_PLAIN_HTTP="1").close()


@EACH
@pytest.mark.parametrize("proxy", ["nonsense://x", "http://[::1", "http://proxy.example:port"])
def test_an_invalid_proxy_is_not_configured_before_and_after_opening(
    cloud: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = from_env(cloud, "https://ocr.example")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert isinstance(outcome(provider), errors.NotConfigured)
    with pytest.raises(errors.NotConfigured, match="HTTPS_PROXY"):
        from_env(cloud, "https://ocr.example")


@EACH
def test_no_proxy_reads_what_stays_here(cloud: str, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = opened(cloud)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert isinstance(outcome(provider), Answer)


@pytest.mark.skipif(find_spec("socks") is not None, reason="PySocks is installed")
def test_a_socks_proxy_without_its_package_names_it(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = opened("google", endpoint="https://ocr.example")
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:9")
    assert_error(outcome(provider), errors.NotConfigured, "SOCKS")


@pytest.mark.parametrize("cloud", ["google", "aws"])
@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "AWS_CA_BUNDLE"])
def test_unusable_certificates_name_their_variable(
    cloud: str, content: bytes | None, variable: str, opened: Opened, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    # Undo these changes before the server restores its own.
    with TlsServer("cut") as server, monkeypatch.context() as changed:
        for name in transport.CA_BUNDLES:
            changed.delenv(name, raising=False)
        changed.setenv(variable, str(bundle))
        error = outcome(opened(cloud, endpoint=server.endpoint))
    if variable != "AWS_CA_BUNDLE" or cloud == "aws":
        assert_error(error, errors.NotConfigured, f"correct {variable}")
    else:
        assert_error(error, errors.Unreachable)


@pytest.mark.parametrize("cloud", ["google", "aws"])
def test_ssl_cert_file_is_trusted(cloud: str, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    with TlsServer("answer", answer(429)) as server, monkeypatch.context() as changed:
        for name in set(transport.CA_BUNDLES) - {"SSL_CERT_FILE"}:
            changed.delenv(name, raising=False)
        assert type(outcome(opened(cloud, endpoint=server.endpoint))) is errors.RateLimited


@pytest.mark.parametrize("status", [300, 301, 304, 308, 399])
def test_a_redirect_is_not_taken_and_its_status_is_kept(status: int, server: RawServer, told: Told) -> None:
    error = told("google", answer(status, b"", ("Location", "/elsewhere")))
    assert isinstance(error, errors.BadAnswer) and error.status == status
    assert len(server.arrived) == 1


@EACH
def test_a_server_without_tls_at_an_https_address_got_nothing(cloud: str, server: RawServer) -> None:
    server.say = [answer(400)]
    assert type(outcome(from_env(cloud, server.url.replace("http:", "https:")))) is errors.Unreachable


@pytest.mark.parametrize(("said", "kind"), [
    (b"", errors.Unavailable), (b"SSH-2.0-OpenSSH_9.6\r\n", errors.BadAnswer),
    (b"HTTP/1.1 200 OK\r\n", errors.BadAnswer),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", errors.BadAnswer),
    (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", errors.BadAnswer),
    (b"HTTP/1.1 103 Early\r\n\r\n" + answer(429, b"{}"), errors.BadAnswer),
    (answer(600, b"{}"), errors.BadAnswer), (answer(418), errors.Rejected),
])  # fmt: skip
def test_a_reply_decides_the_error(said: bytes, kind: type[Exception], server: RawServer, told: Told) -> None:
    assert type(told("google", said)) is kind
    assert len(server.arrived) == 1


INNER = {"code": "InvalidContent", "innererror": {"code": "TooSmall", "message": "50 pixels at least"}}


def reason(name: str) -> dict[str, Any]:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": name}
    return {"error": {"code": 403, "message": "No.", "details": [info]}}


@pytest.mark.parametrize(("cloud", "status", "body", "kind", "named"), [
    *((one, 402, {"message": "Insufficient Balance"}, errors.QuotaExceeded, "add credit") for one in CLOUDS),
    *((cloud, 407, {}, errors.NotConfigured, "HTTP_PROXY") for cloud in CLOUDS),
    ("google", 400, {"error": {"message": "a picture per day"}}, errors.Rejected, "per day"),
    ("google", 403, {"error": {"message": "Out of call volume quota."}}, errors.QuotaExceeded, "volume"),
    ("google", 429, {"error": {"message": "Requests per day"}}, errors.QuotaExceeded, "per day"),
    ("google", 403, reason("BILLING_DISABLED"), errors.AuthFailed, "enable billing"),
    ("google", 403, reason("SERVICE_DISABLED"), errors.AuthFailed, "enable the Cloud Vision API"),
    ("google", 400, [{"error": {"message": "in a list"}}], errors.Rejected, "in a list"),
    ("google", 400, {"error": {"message": "m", "details": [None, {"@type": 7}]}}, errors.Rejected, "m"),
    ("google", 400, {"error": "Service errors.Unavailable"}, errors.Rejected, "Service errors.Unavailable"),
    ("google", 400, {"error": {"message": None, "details": None}}, errors.Rejected, "400"),
    *(("azure-analysis", 400, {"error": {"code": "InvalidRequest", "message": "No.", "innererror": INNER}},
       errors.Rejected, said) for said in ("InvalidRequest: No.", "InvalidContent", "TooSmall: 50 pixels")),
])  # fmt: skip
def test_a_refusal_names_its_cause_and_what_to_do(
    cloud: str, status: int, body: Any, kind: type[Exception], named: str, told: Told
) -> None:
    assert_error(told(cloud, json_answer(status, body)), kind, named)


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13.5s"}


@EACH
@pytest.mark.parametrize(("headers", "body", "wait"), [
    ([("retry-after-ms", "1500")], {}, 1.5),
    ([("x-ms-retry-after-ms", "250"), ("Retry-After", "9")], {}, 0.25), ([("Retry-After", "2.5")], {}, 2.5),
    ([], {"error": {"details": [RETRY_INFO]}}, 13.5),
])  # fmt: skip
def test_every_form_of_a_wait_is_read(
    cloud: str, headers: list[tuple[str, str]], body: Any, wait: float, told: Told
) -> None:
    error = told(cloud, json_answer(429, body, *headers))
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after == wait


@EACH_POLLED
def test_a_poll_that_comes_early_says_how_long_to_wait(cloud: str, server: RawServer, opened: Opened) -> None:
    azure: Any = opened(cloud, endpoint=server.url)
    server.say = [json_answer(200, {"status": "running"}, ("Retry-After", "3"))]
    assert azure.poll("abc", timeout=5) == 3.0
    server.say = [json_answer(200, {"status": "notStarted"})]
    assert azure.poll("abc", timeout=5) is None


@EACH_POLLED
def test_an_orders_error_is_kept_where_no_time_is_left(cloud: str, server: RawServer, opened: Opened) -> None:
    server.say = [answer(429, b"{}", ("Retry-After", "1"))]
    azure = opened(cloud, endpoint=server.url, poll_s=1.0)
    assert type(asked(azure, timeout=1.6).outcome) is errors.RateLimited


@EACH
def test_an_echoed_key_is_redacted(cloud: str, told: Told) -> None:
    key = secret_of(cloud)
    said = {"responses": [{key: key}]} if cloud == "google" else {**NOTHING[cloud], key: f"x{key}"}
    result = told(cloud, *replies(cloud, said))
    assert isinstance(result, Answer)
    assert "***" in repr(result)


@EACH
@pytest.mark.parametrize("status", [200, 400, 401, 429, 503])
def test_a_key_echoed_in_an_error_is_redacted(cloud: str, status: int, told: Told) -> None:
    key = secret_of(cloud)
    error = {"code": key, "message": f"no {key}", "details": [key]}
    said = {"error": error, "__type": key, "message": f"sign with {key}", key: key}
    assert isinstance(told(cloud, json_answer(status, said, ("x-amzn-ErrorType", key))), errors.ProviderError)


@EACH_POLLED
def test_a_key_in_place_of_an_operation_is_a_bad_answer(cloud: str, told: Told) -> None:
    ordered = answer(202, b"", ("Operation-Location", f"http://a/{secret_of(cloud)}"))
    assert isinstance(told(cloud, ordered), errors.BadAnswer)
