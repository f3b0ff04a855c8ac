"""`digitrec serve`: what it refuses to start with; that it serves is in tests/web and tests/browser."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner, Result

from digitrec.cli import main


def serve(*options: str) -> Result:
    return CliRunner().invoke(main, ["serve", *options])


def test_help_says_what_is_on_by_default_and_shows_an_example() -> None:
    done = serve("--help")
    assert done.exit_code == 0
    assert 'curl -X POST -F "file=@test.png" http://127.0.0.1:5000/predict' in done.output
    assert "default: 127.0.0.1" in done.output


def test_an_engine_that_costs_money_needs_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "made-up")
    done = serve("--providers", "local,google")
    assert done.exit_code == 2
    assert "google costs money" in done.output and "--max-cost" in done.output
    assert "made-up" not in done.output


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--providers", "nobody"], 2, "no provider is called 'nobody'"),
        (["--providers", " , "], 2, "names no engine"),
        (["--providers", "tesseract", "--model", "x.tflite"], 2, "--model is for the local engine"),
        (["--model", "absent.tflite"], 5, "absent.tflite"),
        (["--port", "70000"], 2, "--port"),
    ],
)
def test_what_cannot_be_served_is_said_before_it_listens(options: list[str], code: int, words: str) -> None:
    done = serve(*options)
    assert done.exit_code == code
    assert words in done.output


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("digitrec.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    done = serve()
    assert done.exit_code == 3
    assert "pip install 'digitrec[web]'" in done.output
