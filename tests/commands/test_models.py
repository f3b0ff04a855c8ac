"""`digitrec models`: facts about a model file, and the comparison of several kinds."""

import json
from pathlib import Path

import pytest
from terminal import run

from digitrec.commands.models import _accuracy
from digitrec.lab.training import compare
from digitrec.lab.training.card import description
from digitrec.models import store
from digitrec.models.network import described


def test_the_shipped_model_says_what_it_is() -> None:
    (facts,) = json.loads(run("models", "list", "-o", "json").stdout)
    assert facts["version"] == store.load().version
    assert facts["card"]["test"]["count"] == 10_000
    assert facts["card"]["test"]["percent"] >= 99.5
    assert facts["input"]["form"] == "mnist"
    assert _accuracy({"test": {"percent": 99}}) == "the file does not state its accuracy"


def test_a_foreign_file_does_not_control_the_terminal(tmp_path: Path) -> None:
    test = {"on": "\x1b[2J", "interval": [1, 2], "percent": "\x07"}
    bare, _ = store.SHIPPED.read_bytes().split(b"PK\x03\x04", 1)
    (tmp_path / "a.tflite").write_bytes(described(bare, description("\x1b[31m", {"test": test})))
    shown = run("models", "list", str(tmp_path / "a.tflite"), code=0).stdout
    assert "\\x1b[31m-" in shown and "\\x1b[2J \\x07 %" in shown and "\x1b" not in shown


def test_a_wrong_name_is_reported_before_digits_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digitrec.lab.datasets.digits.read_digits", lambda _: 1 / 0)
    assert "'nosuch'" in run("models", "compare", "nosuch", code=5).stderr


def test_kinds_of_models_are_compared_on_few_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "QUICK_DIGITS", 300)
    monkeypatch.setattr(compare, "QUICK_TEST", 200)
    done = run("models", "compare", "knn", "--quick", "--out", str(tmp_path), code=0)
    header, row = done.stdout.splitlines()[:2]
    assert header.split()[:3] == ["model", "test", "accuracy"]
    assert row.startswith("k-NN ") and row.rstrip().endswith("knn.skops")
    page = (tmp_path / "models.md").read_text(encoding="utf-8")
    assert "300 digits" in page and "The winner: k-NN" in page and "The winner: k-NN" in done.stdout
    images = [path.name for path in (tmp_path / "images").iterdir()]
    assert len(images) == 4 and all(f"images/{name}" in page for name in images)
    model = store.load(tmp_path / "models" / "knn.skops")
    assert (model.name, model.card["test"]["on"]) == ("knn", "mnist-test")
