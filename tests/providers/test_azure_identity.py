"""Azure's services asked with an identity of Entra ID instead of a key; no real authority is ever asked."""

from __future__ import annotations

import json
import logging
import os
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

from digitrec.emulator import Credentials, Emulator
from digitrec.emulator.kit import drawn_seven
from digitrec.engine import Engine, Options
from digitrec.errors import AuthFailed, NotConfigured, NotInstalled, ProviderError, Unreachable
from digitrec.image import PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.azure_resource import AzureProvider
from digitrec.providers.base import Provider
from digitrec.providers.registry import provider_class

from .common import KEY
from .conftest import sees_a_seven

AZURES = ("azure", "azure-analysis", "azure-document")
EACH = pytest.mark.parametrize("cloud", AZURES)
TOKEN, HEADER = "planted-token-0123456789", "planted-header-0123456789"


def token(value: object = TOKEN, lasts_s: float = 3600, **changed: Any) -> bytes:
    """What App Service's endpoint says."""
    said = {
        "access_token": value, "expires_on": str(int(time.time() + lasts_s)), "token_type": "Bearer",
        "resource": "https://cognitiveservices.azure.com", **changed,
    }  # fmt: skip
    return answer(200, json.dumps(said).encode(), ("Content-Type", "application/json"))


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    """Where a machine of Azure's gets its tokens, as its two variables say."""
    with raw_server() as server:
        server.say = [token()]
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        yield server


@pytest.fixture(scope="module")
def clouds() -> Iterator[Emulator]:
    """Services that take one key and two tokens."""
    taken = Credentials(azure_keys=frozenset({KEY}), azure_tokens=frozenset({TOKEN, f"{TOKEN}-2"}))
    with Emulator(AZURES, engine=sees_a_seven, credentials=taken) as running:
        yield running


def opened(cloud: str, endpoint: str, **options: Any) -> Any:
    more = {} if cloud == "azure-analysis" else {"poll_s": 0.02}
    return provider_class(cloud)(endpoint=endpoint, **more, **options)


def seven(provider: Provider) -> PreparedImage:
    return prepare(drawn_seven(), provider.wants)


@EACH
def test_a_machines_identity_is_asked_for_a_token_once(
    cloud: str, authority: RawServer, clouds: Emulator
) -> None:
    azure = opened(cloud, clouds.endpoints[cloud])
    together = [
        threading.Thread(target=azure.read, args=(seven(azure),), kwargs={"timeout": 10}) for _ in "1234"
    ]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert azure.read(seven(azure), timeout=10).candidates[0].text == "7"
    azure.close()
    (request,) = authority.arrived
    assert request.startswith(b"GET /msi/token?")
    assert b"resource=https://cognitiveservices.azure.com " in request
    assert f"X-IDENTITY-HEADER: {HEADER}".encode() in request


@EACH
def test_a_key_comes_first(
    cloud: str, authority: RawServer, clouds: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = provider_class(cloud)
    assert issubclass(kind, AzureProvider)
    env = {kind.endpoints[0]: clouds.endpoints[cloud], kind.keys[0]: KEY, **os.environ}
    azure = kind.from_env(env)
    assert azure.read(seven(azure), timeout=10).candidates
    azure.close()
    assert authority.arrived == []
    without = kind.from_env({**env, kind.keys[0]: ""})
    assert without.read(seven(without), timeout=10).candidates
    without.close()
    assert len(authority.arrived) == 1


@EACH
def test_a_token_shows_nowhere(
    cloud: str, authority: RawServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with raw_server() as server:
        echo = json.dumps(
            {"error": {"code": "400", "message": f"you said Bearer {TOKEN} {HEADER}"}, TOKEN: 1}
        )
        server.say = [answer(400, echo.encode())]
        azure = opened(cloud, server.url)
        options = Options(ledger=tmp_path / "ledger.sqlite", record=tmp_path / "recording.jsonl")
        with Engine(azure, options) as engine:
            (reply,) = engine.ask([seven(azure)])
        assert isinstance(reply.outcome, ProviderError)
        assert f"Bearer {TOKEN}".encode() in server.arrived[0]
    shown = [str(reply), repr(reply.outcome.raw), repr(azure), repr(vars(azure)), caplog.text]
    shown += [file.read_bytes().decode("latin-1") for file in tmp_path.iterdir()]
    for text in shown:
        assert TOKEN not in text
        assert HEADER not in text


@EACH
def test_a_token_never_travels_in_the_clear(cloud: str) -> None:
    opened(cloud, "http://192.0.2.1", key=KEY, allow_plain_http=True).close()
    with pytest.raises(NotConfigured):
        opened(cloud, "http://192.0.2.1", allow_plain_http=True)


@EACH
def test_a_token_that_is_refused_is_not_used_again(
    cloud: str, authority: RawServer, clouds: Emulator
) -> None:
    authority.say = [token("revoked-token-0123456789"), token()]
    azure = opened(cloud, clouds.endpoints[cloud])
    with pytest.raises(AuthFailed, match="Cognitive Services User"):
        azure.read(seven(azure), timeout=10)
    assert azure.read(seven(azure), timeout=10).candidates
    azure.close()
    assert len(authority.arrived) == 2


def test_a_token_is_fetched_anew_before_it_expires(authority: RawServer, clouds: Emulator) -> None:
    authority.say = [token(lasts_s=2), token(f"{TOKEN}-2")]
    azure = opened("azure-analysis", clouds.endpoints["azure-analysis"])
    azure.read(seven(azure), timeout=10)
    time.sleep(2.1)  # azure-identity keeps it to its last second
    for _ in range(3):
        azure.read(seven(azure), timeout=10)
    azure.close()
    assert len(authority.arrived) == 2


TOKENS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(["x"])
BODIES = (
    st.binary(max_size=60)
    | st.dictionaries(
        st.sampled_from(["access_token", "expires_on", "expires_in", "resource", "token_type"]), TOKENS
    ).map(lambda it: json.dumps(it).encode())
    | TOKENS.map(lambda it: token(it).partition(b"\r\n\r\n")[2])
)
"""Any bytes, any of the fields, and what is right but for the token."""


@settings(max_examples=50)
@given(status=st.sampled_from([200, 200, 200, 201, 204, 400, 401, 403]), body=BODIES, kind=st.sampled_from(
    ["application/json", "text/html", ""]))  # fmt: skip
def test_whatever_comes_for_a_token_is_told_in_one_line(status: int, body: bytes, kind: str) -> None:
    with raw_server() as authority, raw_server() as service, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDENTITY_ENDPOINT", authority.url)
        patch.setenv("IDENTITY_HEADER", HEADER)
        patch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        authority.say = [answer(status, body, ("Content-Type", kind))]
        service.say = [answer(401, b"{}")]
        azure = opened("azure-analysis", service.url)
        with pytest.raises((NotConfigured, AuthFailed)) as caught:
            azure.read(PreparedImage(b"x", "image/png", azure.wants, drawn_seven().ref), timeout=10)
        azure.close()
        assert "\n" not in str(caught.value)
        assert isinstance(caught.value, AuthFailed) or "no token from Entra ID" in str(caught.value)
        assert len(service.arrived) == isinstance(caught.value, AuthFailed)


@pytest.mark.skipif(sys.platform == "win32", reason="the program would be a batch file there")
def test_az_is_started_once_for_many_questions(
    clouds: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"accessToken": TOKEN, "expires_on": int(time.time() + 3600), "expiresOn": "2099-01-01 00:00:00.0",
            "subscription": "s", "tenant": "t", "tokenType": "Bearer"}  # fmt: skip
    program = tmp_path / "az"
    program.write_text(f"#!/bin/sh\necho started >> {tmp_path}/log\ncat <<'END'\n{json.dumps(said)}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    azure = opened("azure-analysis", clouds.endpoints["azure-analysis"])
    for _ in range(3):
        assert azure.read(seven(azure), timeout=10).candidates
    azure.close()
    assert (tmp_path / "log").read_text() == "started\n"


def test_with_neither_key_nor_identity_it_is_said_and_nothing_is_sent(
    clouds: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")  # or it would look for a metadata server
    before = clouds.calls("azure-analysis")
    azure = opened("azure-analysis", clouds.endpoints["azure-analysis"])
    with pytest.raises(NotConfigured, match="VISION_KEY") as caught:
        azure.read(seven(azure), timeout=10)
    azure.close()
    assert "\n" not in str(caught.value)
    assert clouds.calls("azure-analysis") == before


def test_a_variable_that_azure_identity_does_not_take_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "planted-nonsense")
    with pytest.raises(NotConfigured, match="AZURE_") as caught:
        opened("azure", "https://a.example")
    assert "planted" not in str(caught.value)


def test_without_azure_identity_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    opened("azure", "https://a.example", key=KEY).close()
    with pytest.raises(NotInstalled, match=r"VISION_KEY.*\[azure\]"):
        opened("azure", "https://a.example")


def test_an_authority_of_ones_own_is_asked_and_microsofts_is_not(
    clouds: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MSAL would ask login.microsoftonline.com first whether it knows the authority."""
    asked = []
    monkeypatch.setattr(
        "digitrec.providers.wire.transport.is_metadata_server", lambda url: bool(asked.append(url))
    )  # every request that fetches a credential passes it
    for name, value in {
        "TENANT_ID": "a-tenant",
        "CLIENT_ID": "a-client",
        "CLIENT_SECRET": "planted-secret",
    }.items():
        monkeypatch.setenv(f"AZURE_{name}", value)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://127.0.0.1:9")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    azure = opened("azure-analysis", clouds.endpoints["azure-analysis"])
    with pytest.raises((NotConfigured, Unreachable)) as caught:
        azure.read(seven(azure), timeout=2)
    azure.close()
    assert "planted-secret" not in str(caught.value)
    assert asked
    assert {url.split("/")[2] for url in asked} == {"127.0.0.1:9"}
