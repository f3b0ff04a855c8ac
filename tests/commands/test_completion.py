"""What a shell offers to complete, through click's own scripts."""

import os
import shlex

import pytest
from programs import python


def offered(*words: str) -> list[str]:
    """Return the completions of the last word."""
    env = os.environ | {
        "_DIGITREC_COMPLETE": "bash_complete", "COMP_WORDS": shlex.join(["digitrec", *words]),
        "COMP_CWORD": str(len(words)),
    }  # fmt: skip
    done = python("-c", "from digitrec.cli import main; main(prog_name='digitrec')", env=env)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(("words", "items"), [
    (["tr"], ["plain,train"]), (["config", "--ex"], ["plain,--example"]), (["predict", ""], ["file,"]),
    (["nonsense", "x"], [""]),
])  # fmt: skip
def test_what_is_offered(words: list[str], items: list[str]) -> None:
    assert offered(*words) == items
