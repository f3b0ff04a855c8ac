"""`digitrec tune`, and the winner trained."""

from pathlib import Path

import pytest
from terminal import run

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras 3.15


@pytest.mark.usefixtures("here", "eagerly")
def test_the_winner_is_one_command_away() -> None:
    options = ["--data", "mnist-test", "--limit", "60", "--epochs", "1", "--out", "study"]
    done = run("tune", "--trials", "1", *options, code=0)
    assert "best of 1 trials" in done.stdout
    command = done.stdout.splitlines()[-1].removeprefix("train it: digitrec ").split()
    run(*command, "--data", "mnist-test", "--limit", "60", "--epochs", "1", "--limit-test", "100", code=0)
    assert Path("tuned.keras").is_file()


def test_a_seed_that_no_library_takes_is_wrong_usage() -> None:
    assert "-1 is not in the range" in run("tune", "--seed", "-1", code=2).stderr
