"""Planted keys appear in no output, log, ledger, recording, page or file of the home folder."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import terminal
from providers.common import AWS_KEY, AWS_SECRET, CLOUDS, KEY

from digitrec.emulator import Emulator


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Start an emulator that accepts only the planted keys, read from a file with their line break."""
    with Emulator(CLOUDS, engine="local", keys={KEY, AWS_KEY}) as running:
        settings = {
            "DIGITREC_GOOGLE_ENDPOINT": running.endpoints["google"], "GOOGLE_API_KEY": f"{KEY}\r\n",
            "AWS_ENDPOINT_URL_REKOGNITION": running.endpoints["aws"], "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_TEXTRACT": running.endpoints["aws-textract"], "AWS_ACCESS_KEY_ID": AWS_KEY,
            "AWS_SECRET_ACCESS_KEY": f"{AWS_SECRET}\n", "VISION_ENDPOINT": running.endpoints["azure"],
            "VISION_KEY": f"{KEY}\n", "DOCUMENTINTELLIGENCE_ENDPOINT": running.endpoints["azure-document"],
            "DOCUMENTINTELLIGENCE_API_KEY": f"{KEY}\n", "DIGITREC_OPENAI_MODEL": "a-model",
            "OPENAI_BASE_URL": f"{running.endpoints['openai']}/v1", "OPENAI_API_KEY": f"{KEY}\n",
        }  # fmt: skip
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_planted_key_is_anywhere(
    cloud: str, seven: Path, emulator: Emulator, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)  # at lower levels the SDKs log whole requests on purpose
    caplog.set_level(logging.DEBUG, "digitrec")
    # The program's logger does not propagate to the root.
    monkeypatch.setattr(logging.getLogger("digitrec"), "handlers", [caplog.handler])
    files = seven.parent
    ledger = f"--ledger={files / 'paid.sqlite'}"
    said = ""
    for fault in ("", "401", "html", "unusable"):
        emulator.set_faults(cloud, *([fault] if fault else []))
        arguments = ["-p", cloud, f"--ledger={files / fault}.sqlite", "--timeout=5", "-o", "jsonl"]
        said += run("predict", seven, *arguments, f"--record={files / 'recording.jsonl'}")
        emulator.set_faults(cloud)
    said += run("compare", seven, "-p", f"local,{cloud}", ledger, "-o", "json")
    said += run("predict", seven, "-p", cloud, ledger)
    for command in ("providers", "providers -o json", f"providers check {cloud}"):
        said += run(*command.split())
    for command in ("show", "spend", "export"):
        said += run("ledger", ledger, command)
    assert "answered digit 7 for a 7" in said
    assert "AuthFailed" in said
    assert "replayed" in said
    kept = [path for folder in (files, Path.home()) for path in folder.rglob("*") if path.is_file()]
    assert {"paid.sqlite", "recording.jsonl"} <= {path.name for path in kept}
    everything = (said + caplog.text).encode() + b"".join(path.read_bytes() for path in kept)
    assert [key for key in (KEY, AWS_KEY, AWS_SECRET) if key.encode() in everything] == []


def run(*arguments: object) -> str:
    """Everything that a command prints."""
    return terminal.run(*arguments).output
