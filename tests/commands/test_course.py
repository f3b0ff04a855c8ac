"""`digitrec course`: from the data to a prediction, each step a command that is shown."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from terminal import run

from digitrec.models import store

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras 3.15


@pytest.mark.timeout(600)
def test_one_command_goes_the_whole_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("course", "--quick", "--arch", "mlp", "--epochs", "4", "--out", "all", code=0)
    shown = [shlex.split(line)[1:] for line in done.stdout.splitlines() if line.startswith("$ digitrec ")]
    assert [words[0] for words in shown] == ["digitrec"] * 4
    assert [words[1] for words in shown] == ["explore", "train", "evaluate", "predict"]
    for name in ("data/embedding.png", "model-curves.png", "evaluation/mnist-test-mistakes.png", "digit.png"):
        assert (tmp_path / "all" / name).is_file()
    card = store.load(tmp_path / "all" / "model.keras").card
    assert card["learned_from"] == {"mnist-test": 500} and card["test"]["left_out"] == 500
    assert "mnist-test: accuracy " in done.stdout and "all/digit.png" in done.stdout
    again = run(*shown[-1][1:])  # what is shown is what was done
    assert again.exit_code == 0 and "all/digit.png" in again.stdout
