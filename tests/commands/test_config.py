"""`digitrec config`: the file's path, the settings in force and their origin."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import terminal

from digitrec.engine.config import config_path, example

run = partial(terminal.run, "config", code=0)


def settings() -> dict[str, dict[str, object]]:
    return {row["name"]: row for row in json.loads(run("-o", "json").stdout)["settings"]}


def test_without_a_file_there_are_the_defaults() -> None:
    first, header, *rows = run().stdout.splitlines()
    assert first == f"{config_path()} (missing, but not needed)"
    assert header.split() == ["setting", "value", "from", "meaning"]
    assert rows[0].split()[:3] == ["provider", "local", "default"]
    assert settings()["budget.per_month"]["value"] is None


def test_each_setting_says_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.toml"
    tokens = '[tokens."a.model"]\ninput = 0.15\noutput = 0.6\n'
    file.write_text(f"[prices]\naws = 0.002\n[budget]\nper_month = 0\n{tokens}", "utf-8")
    monkeypatch.setenv("DIGITREC_CONFIG", str(file))
    found = settings()
    for name, value, origin in (
        ("prices.aws", 0.002, "file"), ("budget.per_month", 0.0, "file"), ("provider", "local", "default"),
        ("tokens.a.model", "input 0.15, output 0.6", "file"), ("DIGITREC_CONFIG", str(file), "environment"),
    ):  # fmt: skip
        assert (found[name]["value"], found[name]["origin"]) == (value, origin)


def test_no_key_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITREC_API_KEYS", "s3cret")
    monkeypatch.setenv("DIGITREC_GOOGLE_ENDPOINT", "https://me:s3cret@example.org")
    monkeypatch.setenv("DIGITREC_MODLE", "s3cret")
    assert "s3cret" not in run().output + run("-o", "json").output
    assert "unknown" in str(settings()["DIGITREC_MODLE"]["meaning"])


def test_what_is_wrong_is_told_and_costs_the_code_of_a_wrong_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text("budjet = 1\n", "utf-8")
    monkeypatch.setenv("DIGITREC_CONFIG", str(file))
    assert "budjet" in run(code=4).stderr
    (problem,) = json.loads(run("-o", "json", code=4).stdout)["problems"]
    assert "budjet" in problem


def test_the_path_and_an_example_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("--path").stdout == f"{config_path()}\n"
    assert run("--example").stdout == example()
    (tmp_path / "example.toml").write_text(run("--example").stdout, "utf-8")
    monkeypatch.setenv("DIGITREC_CONFIG", str(tmp_path / "example.toml"))
    assert settings()["rates.azure"]["value"] == 0.33
