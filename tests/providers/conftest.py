"""The vendors' stored answers, and their emulators."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore import session
from raw_server import RawServer

from digitrec.emulator import Emulator, Word
from digitrec.emulator.kit import drawn_seven
from digitrec.prepare import prepare
from digitrec.providers.base import Provider
from digitrec.providers.registry import provider_class

from .common import AWS_KEY, AWS_SECRET, KEY, Opened, Prepared, Profile, Told, outcome

CREDENTIALS: dict[str, dict[str, Any]] = {
    "google": {"api_key": KEY}, "openai": {"key": KEY, "model": "a-model"}, "azure-analysis": {"key": KEY},
    "aws": {"access_key": AWS_KEY, "secret_key": AWS_SECRET, "region": "us-east-1"},
    "aws-textract": {"access_key": AWS_KEY, "secret_key": AWS_SECRET, "region": "us-east-1"},
    "azure": {"key": KEY, "poll_s": 0.02}, "azure-document": {"key": KEY, "poll_s": 0.02},
}  # fmt: skip
"""Arguments of each constructor besides the endpoint."""


def secret_of(cloud: str) -> str:
    """Return the secret that a cloud's provider signs in with."""
    return AWS_SECRET if cloud.startswith("aws") else KEY


@pytest.fixture(autouse=True)
def no_metadata_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep Google's search for credentials on this machine."""
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.fixture(autouse=True, scope="session")
def parsed_once() -> Iterator[None]:
    """Share botocore's descriptions of AWS, which each of its sessions would parse anew, in 0.1 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_loader", cache(session.create_loader))
        yield


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Start all vendors, whose engine reads a 7 everywhere."""
    seven = Word("7", 0.875, (10.0, 20.0, 30.0, 60.0))
    with Emulator(engine=lambda _: [seven], keys={KEY, AWS_KEY}) as running:
        yield running


@pytest.fixture
def opened(emulator: Emulator) -> Iterator[Opened]:
    """Return a function that opens a provider at its emulator, free of faults."""
    providers: list[Provider] = []

    def open_one(name: str, **options: Any) -> Provider:
        emulator.set_faults(name)
        settings = {"endpoint": emulator.endpoints[name], **CREDENTIALS[name], **options}
        providers.append(provider_class(name)(**settings))
        return providers[-1]

    yield open_one
    for provider in providers:
        provider.close()


@pytest.fixture
def aws_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """Return a function that leaves AWS's default profile as the only source of keys."""

    def write(config: str = "[default]\nregion = us-east-1\n", *, script: str | None = None) -> None:
        if script is not None:
            program = tmp_path / "program"
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o700)
            config += f"credential_process = {program}\n"
        (tmp_path / "config").write_text(config)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))

    return write


@pytest.fixture
def prepared() -> Prepared:
    """Return a function that prepares a seven in the form that a provider wants."""
    return lambda provider: prepare(drawn_seven(), provider.wants)


@pytest.fixture
def told(server: RawServer, opened: Opened) -> Told:
    """Asks a cloud's provider about a seven at the server."""

    def ask(cloud: str, *said: bytes, timeout: float = 5.0, **options: Any) -> Any:
        server.say = list(said) or server.say
        return outcome(opened(cloud, **{"endpoint": server.url, **options}), timeout)

    return ask
