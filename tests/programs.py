"""Programs in processes of their own."""

import subprocess
import sys
from typing import Any


def ran(*command: object, code: int | None = 0, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end.

    Args:
        command: converted to strings.
        code: the expected exit status; None: any.
        options: those of `subprocess.run`, such as ``cwd``.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    assert code in (None, done.returncode), done.stdout + done.stderr
    return done


def python(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run this Python with the options of `ran`."""
    return ran(sys.executable, *arguments, **options)
