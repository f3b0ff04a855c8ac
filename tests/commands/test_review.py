"""`digitrec review`: its messages before it serves the page."""

import json
from pathlib import Path

import pytest
from terminal import run

import digitrec
from digitrec.emulator.kit import FakeProvider, drawn_seven


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    file = tmp_path / "answers.jsonl"
    file.write_text(json.dumps(digitrec.predict(drawn_seven(), FakeProvider(["7"])).as_dict()) + "\n")
    return file


def test_a_file_without_doubts_needs_no_page(answers: Path, tmp_path: Path) -> None:
    assert "0 doubtful" in run("review", answers, "--below", "0.5", "--out", tmp_path / "out", code=0).stderr


@pytest.mark.parametrize("content", [b"7,0.9\n", b"[1]\n", b"\xff\xd8\xff"])
def test_another_file_is_an_error(answers: Path, tmp_path: Path, content: bytes) -> None:
    answers.write_bytes(content)
    assert "line 1" in run("review", answers, "--out", tmp_path / "out", code=6).stderr
