"""`digitrec completion`: the script, and what it completes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from digitrec.cli import main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_for_this_program(shell: str) -> None:
    assert "_DIGITREC_COMPLETE" in CliRunner().invoke(main, ["completion", shell]).stdout


@pytest.mark.parametrize(("typed", "completed"), [("go", "google"), ("local,go", "local,google")])
def test_providers_are_completed(typed: str, completed: str) -> None:
    env = os.environ | {
        "_DIGITREC_COMPLETE": "bash_complete",
        "COMP_WORDS": f"digitrec predict --provider {typed}",
        "COMP_CWORD": "3",
    }
    command = [sys.executable, "-c", "from digitrec.cli import main; main(prog_name='digitrec')"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [f"plain,{completed}"]
