"""`digitrec config`: the file's path and its settings."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import terminal

from digitrec.engine.config import config_path, default_ledger

run = partial(terminal.run, "config", code=0)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a configuration file, which a test writes."""
    monkeypatch.setenv("DIGITREC_CONFIG", str(tmp_path / "mine.toml"))
    return tmp_path / "mine.toml"


def settings() -> dict[str, Any]:
    """Return the value of each setting."""
    rows = [line.partition(" = ") for line in run().stdout.splitlines()[1:]]
    return {name: json.loads(value) for name, _, value in rows}


def test_without_a_file_there_are_the_defaults() -> None:
    assert run().stdout.splitlines()[0] == f"{config_path()} (missing, but not needed)"
    found = settings()
    assert (found["provider"], found["ledger"]) == ("local", str(default_ledger()))
    assert found["budget"] == {"per_month": None} and found["prices"] == {}


def test_a_named_file_that_is_missing_is_an_error(file: Path) -> None:
    assert run(code=4).stdout == f"{file} (missing)\n"


@pytest.mark.parametrize("variable", ["DIGITREC_CONFIG", "XDG_CONFIG_HOME"])
def test_a_closed_file_is_an_error(as_nobody: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    Path("closed").mkdir(0)
    monkeypatch.setenv(variable, "closed/mine.toml")
    assert "cannot be read: Permission denied; name another in DIGITREC_CONFIG" in run(code=4).stderr


def test_each_setting_of_the_file_is_shown(file: Path) -> None:
    tokens = '[tokens."a.model"]\ninput = 0.15\noutput = 0.6\n'
    file.write_text(f"[prices]\naws = 0.002\n[budget]\nper_month = 0\n{tokens}", "utf-8")
    found = settings()
    assert (found["prices"], found["budget"]) == ({"aws": 0.002}, {"per_month": 0})
    assert (found["provider"], found["tokens"]) == ("local", {"a.model": {"input": 0.15, "output": 0.6}})


def test_what_is_wrong_is_told_and_costs_the_code_of_a_wrong_setting(file: Path) -> None:
    file.write_text("budjet = 1\n", "utf-8")
    assert "budjet" in run(code=4).stderr


def test_the_example_is_a_file_that_can_be_used(file: Path) -> None:
    shown = run("--example").stdout
    live = "\n".join(line.removeprefix("# ") for line in shown.splitlines())
    for content, rates in ((shown, {}), (live, {"azure": 0.33})):  # nothing is set before its mark is removed
        file.write_text(content, "utf-8")
        assert settings()["rates"] == rates
