"""Draws pictures of docs/images: ``python docs/make_pictures.py [predict] [explain] [scenes]``, else all.

- predict.svg: what a terminal shows for `digitrec predict` on some samples; on a pseudo-terminal, so not on
  Windows.
- explain.png, as `digitrec explain` draws it; needs the extra `plots`.
- scenes.png: five pictures of each scene that `digitrec evaluate` measures.
"""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.text import Text

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.evaluation.accuracy import SEED
from digitrec.lab.handwriting.scenes import KINDS, REFUSED, scenes
from digitrec.lab.handwriting.writer import Writer

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SAMPLES = (
    "photo-shadow.jpg", "squared-pencil.jpg", "thin-pen.jpg", "red-ink.jpg", "blackboard.jpg",
    "photo-defocused.jpg", "blank-page.jpg", "two-digits.jpg",
)  # fmt: skip
"""The samples that `predict` reads."""
TERMINAL = 92
"""Columns of the terminal."""
SHOWN = "photo-shadow"
"""The sample that is explained."""
WIDTH = 1000
"""Of a picture of `explain` in the docs, px at most."""
EACH, COLUMNS = 5, 2
"""Pictures of each scene; columns of scenes."""
SIDE, GAP, TITLE = 92, 6, 18
"""Of a scene's picture, between two, and for a line of text: pixels."""


def predict() -> None:
    """Run `digitrec predict` in the samples' folder and draw its output."""
    command = ["digitrec", "predict", *SAMPLES]
    console = Console(record=True, width=TERMINAL, file=io.StringIO())
    console.print(Text(f"$ {' '.join(command)}", style="bold"))
    console.print(Text.from_ansi(shown([sys.executable, "-m", *command])))
    console.save_svg(str(IMAGES / "predict.svg"), title="digitrec")


def shown(command: list[str]) -> str:
    """What a command writes on a terminal, colours included."""
    ours, its = pty.openpty()
    env = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(TERMINAL)}
    child = subprocess.Popen(command, stdout=its, env=env, cwd=ROOT / "samples")
    os.close(its)
    written = b""
    with suppress(OSError):  # how a pseudo-terminal says that the other end is closed
        while part := os.read(ours, 4096):
            written += part
    if child.wait():
        sys.exit(f"{' '.join(command)} ended with status {child.returncode}")
    return written.decode().replace("\r\n", "\n")


def explain() -> None:
    """Draw what `digitrec explain` draws, smaller and with fewer colours."""
    command = [sys.executable, "-m", "digitrec", "explain", "--out"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*command, folder, f"samples/{SHOWN}.jpg"], cwd=ROOT, check=True)
        small = Image.open(Path(folder, f"{SHOWN}.png")).convert("RGB")
    small.thumbnail((WIDTH, 2 * WIDTH), Image.Resampling.LANCZOS)
    small.quantize(256, Image.Quantize.MAXCOVERAGE).save(IMAGES / "explain.png", optimize=True)


def draw_scenes() -> None:
    """Draw the sheet of scenes."""
    rows = -(-len(KINDS) // COLUMNS)
    column, row = EACH * (SIDE + GAP) + 4 * GAP, TITLE + SIDE + 2 * GAP
    sheet = Image.new("RGB", (COLUMNS * column, rows * row), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    writer = Writer(mnist_test())
    for at, kind in enumerate(KINDS):
        x, y = 2 * GAP + at // rows * column, GAP + at % rows * row
        draw.text((x, y - 2), f"{kind} (to be refused)" if kind in REFUSED else kind, "black", font)
        for number, one in enumerate(scenes(kind, writer, EACH, SEED)):
            picture = Image.fromarray(one.pixels)
            picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            left, top = x + number * (SIDE + GAP), y + TITLE
            sheet.paste(picture, (left, top))
            draw.rectangle((left, top, left + picture.width - 1, top + picture.height - 1), outline="#bbb")
    sheet.quantize(256).save(IMAGES / "scenes.png", optimize=True)


DRAWN = {"predict": predict, "explain": explain, "scenes": draw_scenes}

if __name__ == "__main__":
    for name in sys.argv[1:] or DRAWN:
        DRAWN[name]()
