import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_server import RawServer, answer, raw_server

from digitrec.answer import Answer
from digitrec.errors import AuthFailed, NotConfigured, NotInstalled, ProviderError, Rejected, Unreachable
from digitrec.providers.azure import AzureAnalysis, found_identity
from digitrec.providers.registry import provider_class

from .common import KEY, NOTHING, POLLED, Told, asked, assert_error, json_answer, outcome

BOTH = pytest.mark.parametrize("cloud", POLLED)


@BOTH
def test_the_operation_is_polled_at_our_own_endpoint(cloud: str, server: RawServer, told: Told) -> None:
    with raw_server() as stranger:
        ordered = answer(202, b"", ("Operation-Location", f"{stranger.url}/results/abc?api-version=1"))
        assert isinstance(told(cloud, ordered, answer(404, b"{}")), Rejected)
        assert stranger.arrived == []
    assert b"analyzeResults/abc" in server.arrived[1]


TOKEN, HEADER = "planted-token-0123456789", "planted-header-0123456789"
BLANK = json_answer(200, NOTHING["azure-analysis"])


def token(value: object = TOKEN) -> bytes:
    """Return the reply of App Service's token endpoint."""
    said = {
        "access_token": value, "expires_on": str(int(time.time() + 3600)), "token_type": "Bearer",
        "resource": "https://cognitiveservices.azure.com",
    }  # fmt: skip
    return json_answer(200, said, ("Content-Type", "application/json"))


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    """Set the two variables that name the token address of an Azure machine."""
    with raw_server() as server:
        server.say = [token()]
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        yield server


@pytest.fixture
def azure(server: RawServer) -> Iterator[AzureAnalysis]:
    """Return a service that finds nothing on any picture."""
    server.say = [BLANK]
    provider = AzureAnalysis(endpoint=server.url)
    yield provider
    provider.close()


def bearers(server: RawServer) -> list[bytes]:
    """Return the token of each request."""
    return [request.partition(b"Bearer ")[2].partition(b"\r\n")[0] for request in server.arrived]


def test_one_token_for_four_threads(authority: RawServer, server: RawServer, azure: AzureAnalysis) -> None:
    together = [threading.Thread(target=outcome, args=(azure,)) for _ in "1234"]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert bearers(server) == [TOKEN.encode()] * 4
    (request,) = authority.arrived
    assert request.startswith(b"GET /msi/token?")
    assert b"resource=https://cognitiveservices.azure.com " in request
    assert f"X-IDENTITY-HEADER: {HEADER}".encode() in request


@pytest.mark.parametrize("cloud", ["azure", "azure-analysis", "azure-document"])
def test_each_signs_with_its_key_or_an_identity(cloud: str, authority: RawServer, server: RawServer) -> None:
    server.say = [answer(400)]
    cls: Any = provider_class(cloud)
    for key, tokens in ((KEY, 0), (None, 1)):
        endpoint, name = (names[0] for names in cls.variables.values())
        assert isinstance(outcome(cls.from_env({endpoint: server.url, name: key or ""})), ProviderError)
        assert len(authority.arrived) == tokens
    assert bearers(server) == [b"", TOKEN.encode()]
    assert KEY.encode() in server.arrived[0]
    cls(endpoint="http://192.0.2.1", key=KEY, allow_plain_http=True).close()
    with pytest.raises(NotConfigured):
        cls(endpoint="http://192.0.2.1", allow_plain_http=True)


def test_a_token_is_never_shown(
    authority: RawServer, server: RawServer, azure: AzureAnalysis, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    server.say = [json_answer(400, {"error": {"message": f"you said Bearer {TOKEN} {HEADER}"}, TOKEN: 1})]
    reply = asked(azure, ledger=tmp_path / "ledger.sqlite")
    assert isinstance(reply.outcome, ProviderError)
    shown = [str(reply), repr(reply.outcome.raw), repr(azure), repr(vars(azure)), caplog.text]
    shown += [file.read_bytes().decode("latin-1") for file in tmp_path.iterdir()]
    assert TOKEN not in "".join(shown) and HEADER not in "".join(shown)


def test_a_refused_token_is_not_reused(authority: RawServer, server: RawServer, azure: AzureAnalysis) -> None:
    authority.say, server.say = [token("revoked"), token()], [answer(401, b"{}"), BLANK, answer(401, b"{}")]
    assert isinstance(outcome(azure), Answer)
    assert_error(outcome(azure), AuthFailed, "Cognitive Services User")
    assert bearers(server) == [b"revoked", *[TOKEN.encode()] * 3]


FIELDS = ["access_token", "expires_on", "expires_in", "resource", "token_type"]
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(["x"])
BODIES = (
    st.binary(max_size=60)
    | st.dictionaries(st.sampled_from(FIELDS), VALUES).map(lambda it: json.dumps(it).encode())
    | VALUES.map(lambda it: token(it).partition(b"\r\n\r\n")[2])
)
"""Any bytes, any fields, and valid documents with an invalid token."""


@settings(max_examples=50)
@given(st.sampled_from([200, 200, 204, 400, 401, 403]), BODIES, st.sampled_from(["application/json", ""]))
def test_any_invalid_token_reply_is_one_error(status: int, body: bytes, kind: str) -> None:
    with raw_server() as authority, raw_server() as service, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDENTITY_ENDPOINT", authority.url)
        patch.setenv("IDENTITY_HEADER", HEADER)
        patch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        authority.say, service.say = [answer(status, body, ("Content-Type", kind))], [answer(401, b"{}")]
        azure = AzureAnalysis(endpoint=service.url)
        error = outcome(azure)
        azure.close()
        assert type(error) is (AuthFailed if service.arrived else NotConfigured)


def test_with_neither_key_nor_identity_nothing_is_sent(
    server: RawServer, azure: AzureAnalysis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")  # or it would look for a metadata server
    assert_error(outcome(AzureAnalysis(endpoint=server.url)), NotConfigured, "VISION_KEY")
    assert server.arrived == []


def test_a_variable_that_azure_identity_refuses_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "planted-nonsense")
    with pytest.raises(NotConfigured) as caught:
        AzureAnalysis(endpoint="https://a.example")
    assert "AZURE_" in str(caught.value) and "planted" not in str(caught.value)


def test_without_azure_identity_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    AzureAnalysis(endpoint="https://a.example", key=KEY).close()
    with pytest.raises(NotInstalled) as caught:
        AzureAnalysis(endpoint="https://a.example")
    assert "VISION_KEY" in str(caught.value) and "[azure]" in str(caught.value)


def test_a_custom_authority_is_asked_instead_of_microsofts(monkeypatch: pytest.MonkeyPatch) -> None:
    """MSAL would ask login.microsoftonline.com first whether it knows the authority."""
    addresses: list[str] = []
    passed = "digitrec.providers.wire.transport.is_metadata_server"  # by each request for a credential
    monkeypatch.setattr(passed, lambda url: bool(addresses.append(url)))
    for name, value in {
        "TENANT_ID": "a-tenant", "CLIENT_ID": "a-client", "CLIENT_SECRET": KEY,
        "AUTHORITY_HOST": "https://127.0.0.1:9", "TOKEN_CREDENTIALS": "EnvironmentCredential",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"AZURE_{name}", value)
    error = outcome(AzureAnalysis(endpoint="https://a.example"), timeout=2)
    assert isinstance(error, NotConfigured | Unreachable)
    assert {url.split("/")[2] for url in addresses} == {"127.0.0.1:9"}


def test_the_home_of_an_unknown_user_holds_no_identity() -> None:
    assert found_identity({"AZURE_CONFIG_DIR": "~an-unknown-user"}) == ()
