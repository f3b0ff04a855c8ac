"""Shells as people use them: a terminal, a line typed into it, the Tab key, and what is run in the end."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

START = {
    "bash": (["bash", "--noprofile", "--rcfile", "{home}/.zshrc", "-i"],
             "PS1='ready> '; bind 'set enable-bracketed-paste off'"),
    "zsh": (["zsh", "-d", "-i"],
            "PS1='ready> '; unset zle_bracketed_paste; autoload -Uz compinit; compinit -D -u"),
    "fish": (["fish", "--no-config", "-i", "-C", "source {home}/.zshrc"],
             "function fish_prompt; echo -n 'ready> '; end"),
}  # fmt: skip
"""How each is started with nothing of the user's, and what it is told first."""
CONTROL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the program's own, as a window does."""
PROGRAM = """#!/bin/sh
if [ -n "$_DIGITREC_COMPLETE" ]; then
    '{python}' -c 'from digitrec.cli import main; main(prog_name="digitrec")'
    touch '{home}/completed'
else
    '{python}' -c 'import json, sys; json.dump(sys.argv[1:], sys.stdout)' "$@" > '{home}/said.part'
    mv '{home}/said.part' '{home}/said.json'
fi
"""
"""In the place of digitrec: completes as it does, but only writes down with what it was called."""
PATIENCE_S = 60.0
"""How long a busy machine may take for what takes it milliseconds."""


class Shell:
    """One shell at its prompt, in a folder of files."""

    def __init__(self, name: str, home: Path, terminal: int) -> None:
        self._name, self._home, self._terminal = name, home, terminal
        self._shown = b""
        self._wait(lambda: b"ready> " in self._shown)

    def type(self, line: str) -> list[str]:
        """The arguments that the line calls digitrec with; \\t is the Tab key."""
        said, completed = self._home / "said.json", self._home / "completed"
        said.unlink(missing_ok=True)
        self._shown = b""
        for number, part in enumerate(line.split("\t")):
            if number:
                completed.unlink(missing_ok=True)
                os.write(self._terminal, b"\t")
                self._wait(completed.exists)
                self._listen(0.3)  # the shell has its answer, and writes it into the line
            os.write(self._terminal, part.encode())
        os.write(self._terminal, b"\n")
        self._wait(said.exists)
        arguments = json.loads(said.read_text())
        assert isinstance(arguments, list)
        return arguments

    def _wait(self, over: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not over():
            assert time.monotonic() < until, f"{self._name} shows {self._shown.decode(errors='replace')}"
            self._listen(0.05)

    def _listen(self, seconds: float) -> None:
        """Take what is shown until nothing more is for so long."""
        while select.select([self._terminal], [], [], seconds)[0]:
            self._shown += os.read(self._terminal, 65536)


@contextmanager
def started(name: str, home: Path, folder: Path) -> Iterator[Shell]:
    """The shell of that name with our completion, in ``folder``; ``home`` is empty and becomes its own."""
    env = os.environ | {
        "PATH": f"{home}:{os.environ['PATH']}", "HOME": str(home), "ZDOTDIR": str(home), "TERM": "dumb",
        "PYTHONPATH": str(Path(__file__).parents[1]), "LC_ALL": "C.UTF-8", "INPUTRC": os.devnull,
    }  # fmt: skip
    program = home / "digitrec"
    program.write_text(PROGRAM.format(python=sys.executable, home=home))
    program.chmod(0o755)
    script = [sys.executable, "-m", "digitrec", "completion", name]
    (home / "script").write_bytes(subprocess.run(script, env=env, check=True, capture_output=True).stdout)
    command, first = START[name]
    (home / ".zshrc").write_text(f"{first}\nsource '{home}/script'\n")
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", CONTROL, *(word.format(home=home) for word in command)],
        stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=folder,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Shell(name, home, ours)
    finally:
        child.kill()
        child.wait()
        os.close(ours)
