"""`digitrec config`: the file's path, the settings in force and their origin."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
import terminal

from digitrec.engine.config import config_path, example

run = partial(terminal.run, "config", code=0)


def settings() -> dict[str, list[str]]:
    """Return each setting's value, its origin and its meaning."""
    rows = [re.split(r"\s{2,}", line) for line in run().stdout.splitlines()[2:]]
    return {name: rest for name, *rest in rows}


def test_without_a_file_there_are_the_defaults() -> None:
    first, header, *rows = run().stdout.splitlines()
    assert first == f"{config_path()} (missing, but not needed)"
    assert header.split() == ["setting", "value", "from", "meaning"]
    assert rows[0].split()[:3] == ["provider", "local", "default"]
    assert settings()["budget.per_month"][0] == "-"


def test_each_setting_says_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.toml"
    tokens = '[tokens."a.model"]\ninput = 0.15\noutput = 0.6\n'
    file.write_text(f"[prices]\naws = 0.002\n[budget]\nper_month = 0\n{tokens}", "utf-8")
    monkeypatch.setenv("DIGITREC_CONFIG", str(file))
    found = settings()
    for name, value, origin in (
        ("prices.aws", "0.002", "file"), ("budget.per_month", "0", "file"), ("provider", "local", "default"),
        ("tokens.a.model", "input 0.15, output 0.6", "file"), ("DIGITREC_CONFIG", str(file), "environment"),
    ):  # fmt: skip
        assert found[name][:2] == [value, origin]


def test_no_key_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITREC_API_KEYS", "s3cret")
    monkeypatch.setenv("DIGITREC_GOOGLE_ENDPOINT", "https://me:s3cret@example.org")
    monkeypatch.setenv("DIGITREC_MODLE", "s3cret")
    assert "s3cret" not in run().output
    assert "unknown" in settings()["DIGITREC_MODLE"][2]


def test_what_is_wrong_is_told_and_costs_the_code_of_a_wrong_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text("budjet = 1\n", "utf-8")
    monkeypatch.setenv("DIGITREC_CONFIG", str(file))
    assert "budjet" in run(code=4).stderr


def test_the_example_is_a_file_that_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("--example").stdout == example()
    (tmp_path / "example.toml").write_text(run("--example").stdout, "utf-8")
    monkeypatch.setenv("DIGITREC_CONFIG", str(tmp_path / "example.toml"))
    assert settings()["rates.azure"][0] == "0.33"
