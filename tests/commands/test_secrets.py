"""Planted keys are searched for everywhere: output, logs, ledgers, recordings, pages, the home folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from digitrec.cli import main
from digitrec.emulator import Credentials, Emulator

KEY, AWS_KEY, AWS_SECRET = "planted-key-0123456789", "AKIAPLANTED012345678", "planted-secret-0123456789"
PLANTED = (KEY, AWS_KEY, AWS_SECRET)
CLOUDS = ("google", "aws", "azure", "azure-analysis")
FAULTS = ("", "400", "401", "403", "html", "cut-off", "no-field")


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """One that takes the planted keys alone; they are set from a file, as by many, line break and all."""
    strict = Credentials(
        google_api_keys=frozenset({KEY}), aws_keys={AWS_KEY: AWS_SECRET}, azure_keys=frozenset({KEY})
    )
    with Emulator(CLOUDS, engine="local", credentials=strict) as running:
        settings = {
            "DIGITREC_GOOGLE_ENDPOINT": running.endpoints["google"], "GOOGLE_API_KEY": f"{KEY}\r\n",
            "AWS_ENDPOINT_URL_REKOGNITION": running.endpoints["aws"], "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": AWS_KEY, "AWS_SECRET_ACCESS_KEY": f"{AWS_SECRET}\n",
            "VISION_ENDPOINT": running.endpoints["azure"], "VISION_KEY": f"{KEY}\n",
        }  # fmt: skip
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_planted_key_is_anywhere(
    cloud: str, seven: Path, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)  # below that the SDKs log whole requests, for whoever asks for it
    caplog.set_level(logging.DEBUG, "digitrec")
    files = seven.parent
    ledger = f"--ledger={files / 'paid.sqlite'}"
    said = ""
    for fault in FAULTS:
        emulator.set_faults(cloud, *([fault] if fault else []))
        arguments = ["-p", cloud, f"--ledger={files / fault}.sqlite", "--timeout=5", "-o", "jsonl"]
        said += run("predict", seven, *arguments, f"--record={files / 'recording.jsonl'}")
        emulator.set_faults(cloud)
    said += run(
        "compare", seven, "-p", f"local,{cloud}", ledger, "-o", "json", f"--html={files / 'page.html'}"
    )
    said += run("predict", seven, "-p", cloud, ledger)
    for command in ("providers", "providers -o json", f"providers check {cloud}"):
        said += run(*command.split())
    for command in ("show", "spend", "export"):
        said += run("ledger", ledger, command)
    assert "answered digit 7 for a 7" in said
    assert "AuthFailed" in said
    assert "replayed" in said
    kept = [path for folder in (files, Path.home()) for path in folder.rglob("*") if path.is_file()]
    assert {"paid.sqlite", "recording.jsonl", "page.html"} <= {path.name for path in kept}
    everything = (said + caplog.text).encode() + b"".join(path.read_bytes() for path in kept)
    assert [key for key in PLANTED if key.encode() in everything] == []


def run(*arguments: object) -> str:
    """All that a command says."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.output
