"""``digitrec demo``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import IO

import click
from PIL import Image
from rich.text import Text

from digitrec.answer import Outcome
from digitrec.commands.progress import quietly
from digitrec.recognise import predict_many
from digitrec.report import predictions

PICTURES = Path(__file__).parent / "pictures"
"""Copies of some samples, which the wheel contains; SOURCES.md beside them names their sources."""
WIDTH = 24
"""Of a picture on the terminal, in columns."""
NEXT = """
Try next:
  digitrec predict PHOTO.jpg                              your own picture
  digitrec explain PHOTO.jpg                              how it was read, step by step (extra: plots)
  digitrec predict PHOTO.jpg --provider google --emulate  ask a cloud without an account (extra: google)
  digitrec serve                                          a page to draw on (extra: web)
"""


@click.command()
def demo() -> None:
    """Read five pictures that come with digitrec, and say what to try next.

    A colour terminal shows the pictures. Four hold a digit; the fifth holds a letter, which is refused.
    Nothing is fetched from a network.

    \b
    Example:
      digitrec demo
    """
    files = sorted(PICTURES.glob("*.jpg"), key=lambda file: (file.stem == "letter", file.stem))
    with quietly():
        outcomes = [_named(outcome, file) for outcome, file in zip(predict_many(files), files, strict=True)]
    if sys.stdout.isatty():
        _show(files, sys.stdout)
    predictions.write(outcomes, "table", names=[file.name for file in files])
    click.echo(NEXT, nl=False)


def _named(outcome: Outcome, file: Path) -> Outcome:
    """Return an outcome under the file's name alone: where digitrec is installed is of no interest."""
    return replace(outcome, image=replace(outcome.image, source=file.name))


def _show(files: list[Path], out: IO[str]) -> None:
    """Draw the pictures side by side, as many as fit, where the terminal has colours and half blocks."""
    console = predictions.terminal(out)
    if console.color_system is None or not console.encoding.startswith("utf"):
        return
    fitting = max(1, min(len(files), (console.width + 1) // (WIDTH + 1)))
    drawn = [_drawn(Image.open(file)) for file in files[:fitting]]
    for lines in zip(*drawn, strict=True):
        console.print(Text(" ").join(lines), no_wrap=True, overflow="crop")


def _drawn(picture: Image.Image) -> list[Text]:
    """Return a picture as `WIDTH` columns and half as many lines; each character shows two pixels."""
    small = picture.convert("RGB").resize((WIDTH, WIDTH), Image.Resampling.BOX)
    colours = [[f"rgb{small.getpixel((x, y))}".replace(" ", "") for x in range(WIDTH)] for y in range(WIDTH)]
    return [
        Text.assemble(*(("▀", f"{above} on {below}") for above, below in zip(*rows, strict=True)))
        for rows in zip(colours[::2], colours[1::2], strict=True)
    ]
