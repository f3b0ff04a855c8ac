"""Draws docs/images/predict.svg: what a terminal shows for `digitrec predict` on some samples.

Runs the command on a pseudo-terminal (so not on Windows) from the root of a clone.
"""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
SAMPLES = (
    "photo-shadow.jpg", "squared-pencil.jpg", "thin-pen.jpg", "red-ink.jpg", "blackboard.jpg",
    "photo-defocused.jpg", "blank-page.jpg", "two-digits.jpg",
)  # fmt: skip
COLUMNS = 92


def shown(command: list[str]) -> str:
    """What a command writes on a terminal, colours included."""
    ours, its = pty.openpty()
    env = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    child = subprocess.Popen(command, stdout=its, env=env)
    os.close(its)
    written = b""
    with suppress(OSError):  # how a pseudo-terminal says that the other end is closed
        while part := os.read(ours, 4096):
            written += part
    if child.wait():
        sys.exit(f"{' '.join(command)} ended with status {child.returncode}")
    return written.decode().replace("\r\n", "\n")


def main() -> None:
    """Run the command in the samples' folder and draw its output."""
    os.chdir(ROOT / "samples")
    program = Path(sys.executable).with_name("digitrec")
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text(f"$ digitrec predict {' '.join(SAMPLES)}", style="bold"))
    console.print(Text.from_ansi(shown([str(program), "predict", *SAMPLES])))
    console.save_svg(str(ROOT / "docs" / "images" / "predict.svg"), title="digitrec")


if __name__ == "__main__":
    main()
