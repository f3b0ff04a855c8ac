"""Planted keys appear in no output, log, ledger, recording, page or file of the home folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from raw_server import answer, raw_server

from digitrec.cli import main
from digitrec.emulator import Credentials, Emulator

KEY, AWS_KEY, AWS_SECRET = "planted-key-0123456789", "AKIAPLANTED012345678", "planted-secret-0123456789"
PLANTED = (KEY, AWS_KEY, AWS_SECRET)
CLOUDS = ("google", "aws", "aws-textract", "azure", "azure-analysis", "azure-document", "openai")
FAULTS = ("", "400", "401", "403", "html", "cut-off", "no-field")


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Start an emulator that accepts only the planted keys, read from a file with their line break."""
    strict = Credentials(
        google_api_keys=frozenset({KEY}),
        aws_keys=frozenset({AWS_KEY}),
        azure_keys=frozenset({KEY}),
        openai_keys=frozenset({KEY}),
    )
    with Emulator(CLOUDS, engine="local", credentials=strict) as running:
        settings = {
            "DIGITREC_GOOGLE_ENDPOINT": running.endpoints["google"], "GOOGLE_API_KEY": f"{KEY}\r\n",
            "AWS_ENDPOINT_URL_REKOGNITION": running.endpoints["aws"], "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_TEXTRACT": running.endpoints["aws-textract"],
            "AWS_ACCESS_KEY_ID": AWS_KEY, "AWS_SECRET_ACCESS_KEY": f"{AWS_SECRET}\n",
            "VISION_ENDPOINT": running.endpoints["azure"], "VISION_KEY": f"{KEY}\n",
            "DOCUMENTINTELLIGENCE_ENDPOINT": running.endpoints["azure-document"],
            "DOCUMENTINTELLIGENCE_API_KEY": f"{KEY}\n", "DIGITREC_OPENAI_MODEL": "a-model",
            "OPENAI_BASE_URL": f"{running.endpoints['openai']}/v1", "OPENAI_API_KEY": f"{KEY}\n",
        }  # fmt: skip
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_planted_key_is_anywhere(
    cloud: str,
    seven: Path,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)  # at lower levels the SDKs log whole requests on purpose
    caplog.set_level(logging.DEBUG, "digitrec")
    ours = logging.getLogger("digitrec")
    # The program's logger does not propagate to the root.
    monkeypatch.setattr(ours, "handlers", [caplog.handler])
    files = seven.parent
    ledger = f"--ledger={files / 'paid.sqlite'}"
    said = ""
    for fault in FAULTS:
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
    assert [key for key in PLANTED if key.encode() in everything] == []


TOKEN = "planted-session-token-0123456789"
"""Keys of the profile, which digitrec never reads itself."""
ANSWERS = {
    "google": [answer(200, json.dumps({"responses": [{
        "textAnnotations": [{"description": "7"}, {"description": f"7 {KEY}"}], KEY: [KEY]}]}).encode())],
    "aws": [answer(200, json.dumps({
        "TextDetections": [{"Type": "WORD", "DetectedText": f"7 {TOKEN}", "Confidence": 90, "Id": 0}],
        "TextModelVersion": f"{AWS_SECRET} {TOKEN}"}).encode())],
    "aws-textract": [answer(200, json.dumps({
        "Blocks": [{"BlockType": "WORD", "Text": f"7 {TOKEN}", "Confidence": 90, "Id": "w"}],
        "DetectDocumentTextModelVersion": f"{AWS_SECRET} {TOKEN}"}).encode())],
    "azure": [answer(202, b"", ("Operation-Location", "https://any.example/abc")), answer(200, json.dumps({
        "status": "succeeded", KEY: KEY, "analyzeResult": {"modelVersion": KEY, "readResults": [
            {"lines": [{"words": [{"text": f"7 {KEY}", "confidence": 0.9}]}]}]}}).encode())],
    "azure-analysis": [answer(200, json.dumps({"modelVersion": KEY, "readResult": {"blocks": [
        {"lines": [{"words": [{"text": f"7 {KEY}", "confidence": 0.9}]}]}]}}).encode())],
    "azure-document": [answer(202, b"", ("Operation-Location", "https://any.example/abc?api-version=1")),
        answer(200, json.dumps({"status": "succeeded", KEY: KEY, "analyzeResult": {"modelId": KEY, "pages": [
            {"words": [{"content": f"7 {KEY}", "confidence": 0.9}]}]}}).encode())],
    "openai": [answer(200, json.dumps({"model": f"7 {KEY}", "choices": [{"message": {
        "content": '{"digit": 7, "reason": "' + KEY + '"}'}}]}).encode())],
}  # fmt: skip
"""Answers of a service that echoes the request."""


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_key_that_a_server_sends_back_is_nowhere(
    cloud: str, seven: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = seven.parent
    profile = files / "aws"
    keys = f"aws_access_key_id = {AWS_KEY}\naws_secret_access_key = {AWS_SECRET}\n"
    profile.write_text(f"[default]\nregion = us-east-1\n{keys}aws_session_token = {TOKEN}\n")
    with raw_server() as server:
        settings = {
            "AWS_SHARED_CREDENTIALS_FILE": str(profile), "AWS_ENDPOINT_URL": server.url,
            "AWS_REGION": "us-east-1", "VISION_ENDPOINT": server.url, "VISION_KEY": KEY,
            "DOCUMENTINTELLIGENCE_ENDPOINT": server.url, "DOCUMENTINTELLIGENCE_API_KEY": KEY,
            "DIGITREC_OPENAI_MODEL": "a-model", "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY,
            "DIGITREC_GOOGLE_ENDPOINT": server.url, "GOOGLE_API_KEY": KEY,
        }  # fmt: skip
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        server.say = ANSWERS[cloud]
        ways = [f"--ledger={files / 'paid.sqlite'}", f"--record={files / 'recording.jsonl'}", "-o", "json"]
        said = run("predict", seven, "-p", cloud, *ways)
        said += run("compare", seven, "-p", f"local,{cloud}", ways[0], "-o", "json")
        said += run("ledger", ways[0], "export")
        assert len(server.arrived) == len(ANSWERS[cloud])
    profile.unlink()
    everything = said.encode() + b"".join(file.read_bytes() for file in files.rglob("*") if file.is_file())
    assert [key for key in (*PLANTED, TOKEN) if key.encode() in everything] == []
    assert b"7 ***" in everything


def run(*arguments: object) -> str:
    """Everything that a command prints."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.output
