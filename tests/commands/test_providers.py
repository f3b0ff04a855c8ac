"""`digitrec providers`: lists engines without asking them; `check` sends one request."""

import json
from pathlib import Path
from typing import Any

import pytest
from raw_server import answer, raw_server
from terminal import run

from digitrec.commands.engines import EMULATED
from digitrec.emulator import Emulator

ALL = [*EMULATED, "local", "rapidocr", "tesseract"]


def listed() -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(run("providers", "-o", "json", code=0).stdout)}


def test_every_provider_is_listed_with_state_and_price() -> None:
    rows = listed()
    assert set(ALL) <= set(rows)
    assert rows["local"]["price"] == {"usd": 0.0, "source": "runs on this machine"}
    assert rows["local"]["status"] == {"installed": True, "configured": True, "missing": [], "found": []}
    assert rows["azure"]["price"] is None
    assert "2028-09-25" in str(rows["azure-analysis"]["notice"])


def test_what_is_missing_is_named_and_what_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "VISION_KEY" in str(listed()["azure"]["status"])
    monkeypatch.setenv("VISION_KEY", "planted-secret")
    monkeypatch.setenv("VISION_ENDPOINT", "http://127.0.0.1:1")
    status = listed()["azure"]["status"]
    assert status["configured"]
    assert "VISION_KEY" in status["found"]
    assert "planted-secret" not in str(listed()) + run("providers").output


def test_a_models_price_is_the_most_its_tokens_cost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('tokens."m" = {input = 1, output = 10}')
    settings = {"DIGITREC_CONFIG": str(tmp_path / "config.toml"), "DIGITREC_OPENAI_MODEL": "m"}
    for name, value in {**settings, "OPENAI_API_KEY": "k"}.items():
        monkeypatch.setenv(name, value)
    assert listed()["openai"]["price"]["usd"] == pytest.approx(2000 / 1e6 + 10 * 2048 / 1e6)
    assert "up to $22.48 per 1,000" in run("providers").stdout


def test_engines_that_are_ready_come_first_and_each_has_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_KEY", "k")
    monkeypatch.setenv("VISION_ENDPOINT", "http://127.0.0.1:1")
    rows = [line.split() for line in run("providers").stdout.splitlines() if not line.startswith(" ")]
    assert {row[0] for row in rows} >= set(ALL)
    ready = [row[1] == "ready" for row in rows]
    assert ready == sorted(ready, reverse=True)
    assert {"azure", "local"} <= {row[0] for row in rows if row[1] == "ready"}


def test_check_asks_for_real() -> None:
    assert "answered digit 7 for a 7" in run("providers", "check", "local", code=0).output
    assert "GOOGLE_API_KEY" in run("providers", "check", "google", code=4).stderr


def test_check_says_when_it_was_an_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(["azure"], engine="local") as emulator:
        monkeypatch.setenv("VISION_ENDPOINT", emulator.endpoints["azure"])
        monkeypatch.setenv("VISION_KEY", "test")
        done = run("providers", "check", "azure")
        assert emulator.calls("azure") == 1
    assert "an emulator answered" in done.output


def test_a_check_says_which_parameters_the_server_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b'{"error": {"message": "Unrecognized request argument supplied: logprobs"}}'
    said = b'{"choices": [{"message": {"content": "{\\"digit\\": 7}"}}]}'
    with raw_server() as server:
        server.say = [answer(400, refusal), answer(200, said)]
        for name, value in {
            "DIGITREC_OPENAI_MODEL": "m", "DIGITREC_OPENAI_PRESET": "vllm",
            "OPENAI_BASE_URL": server.url, "NO_PROXY": "127.0.0.1",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        output = run("providers", "check", "openai").output
    found = dict(line.split(": ") for line in output.splitlines() if line.startswith("parameters"))
    assert set(found["parameters refused"].split(", ")) == {"logprobs", "top_logprobs"}
    assert {"temperature", "max_tokens"} <= set(found["parameters accepted"].split(", "))
    assert found["parameters left out"] == "-"
