"""Native code's lines on stderr: dropped or passed on, and stderr as it was afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest


def told(code: str) -> str:
    """What a process says on stderr."""
    head = "import os; from digitrec.models import chatter\n"
    done = subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True, check=True)
    return done.stderr


def test_what_is_no_greeting_is_passed_on() -> None:
    code = "with chatter.without(b'INFO: Created'): os.write(2, b'INFO: Created X.\\nout of memory\\n')"
    assert told(code) == "out of memory\n"


def test_silence_ends_with_the_work_also_when_it_fails() -> None:
    code = (
        "try:\n"
        "    with chatter.silenced(): os.write(2, b'I am here'); 1 / 0\n"
        "except ZeroDivisionError: os.write(2, b'failed')"
    )
    assert told(code) == "failed"


@pytest.mark.parametrize("silence", ["silenced()", "without(b'x')"])
def test_a_closed_stderr_stays_closed(silence: str) -> None:
    code = (
        f"os.close(2)\nwith chatter.{silence}: print('worked')\n"
        "try: os.fstat(2)\n"
        "except OSError: print('closed')"
    )
    done = subprocess.run(
        [sys.executable, "-c", "import os; from digitrec.models import chatter\n" + code],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "worked\nclosed\n"
