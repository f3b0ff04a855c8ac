"""`digitrec serve`: what it refuses to start with; that it serves is in tests/web and tests/browser."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from digitrec.cli import main
from digitrec.engine import Engine
from digitrec.web.settings import Settings


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


@pytest.mark.parametrize(
    ("where", "public"),
    [
        (["--host", "0.0.0.0"], True),
        (["--host", "::"], True),
        (["--host", ""], True),
        (["--host", "192.0.2.7"], True),
        (["--host", "::ffff:127.0.0.1"], True),
        (["--host", "a.name.example"], True),
        (["--proxies", "1"], True),
        ([], False),
        (["--host", "127.0.0.9"], False),
        (["--host", "localhost"], False),
        (["--host", "::1"], False),
    ],
)
@pytest.mark.parametrize("allowed", [None, "key", "--public-spending"])
def test_paid_engines_are_for_everybody_only_where_that_was_said(
    monkeypatch: pytest.MonkeyPatch, where: list[str], public: bool, allowed: str | None
) -> None:
    from digitrec.web import server

    started: list[object] = []
    monkeypatch.setattr(server, "run", lambda *given, **named: started.append(given))
    monkeypatch.setenv("GOOGLE_API_KEY", "made-up")
    if allowed == "key":
        monkeypatch.setenv("DIGITREC_API_KEYS", "one")
    flags = ["--public-spending"] if allowed == "--public-spending" else []
    done = serve("--providers", "local,google", "--max-cost", "1", *where, *flags)
    assert bool(started) == (not public or allowed is not None), done.output
    if not started:
        assert done.exit_code == 2
        assert "google costs money" in done.output and "--public-spending" in done.output


def test_free_engines_are_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    from digitrec.web import server

    started: list[object] = []
    monkeypatch.setattr(server, "run", lambda *given, **named: started.append(given))
    assert serve("--host", "0.0.0.0").exit_code == 0
    assert started


def test_a_price_from_the_configuration_is_the_one_on_offer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from digitrec.web import app, server

    file = tmp_path / "config.toml"
    file.write_text("[prices]\ngoogle = 0.25\n")
    monkeypatch.setenv("DIGITREC_CONFIG", str(file))
    monkeypatch.setenv("GOOGLE_API_KEY", "made-up")
    offered: list[object] = []

    def run(engines: list[Engine], settings: Settings, **_: object) -> None:
        with TestClient(app.create_app(engines, settings)) as client:
            offered.extend(client.get("/providers").json()["providers"])

    monkeypatch.setattr(server, "run", run)
    assert serve("--providers", "google", "--max-cost", "1").exit_code == 0
    assert offered == [{"name": "google", "usd_per_picture": 0.25, "remote": True, "explains": False}]


def test_labels_are_collected_only_where_that_was_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from digitrec.web import server

    started: list[Settings] = []
    monkeypatch.setattr(server, "run", lambda engines, settings, **_: started.append(settings))
    monkeypatch.setenv("DIGITREC_OWNER_KEY", "mine")
    assert serve().exit_code == serve("--collect", str(tmp_path)).exit_code == 0
    assert [settings.collect for settings in started] == [None, tmp_path]
    assert started[1].owner_key == "mine" and "mine" not in repr(started[1])


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = serve("--collect", str(tmp_path / "file" / "below"))
    assert done.exit_code != 0
    assert "cannot be written to" in done.output and "Traceback" not in done.output
