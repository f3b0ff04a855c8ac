"""Draws docs/images/scenes.png: five pictures of each scene that `digitrec evaluate` measures.

Run from anywhere; needs nothing but digitrec itself.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from digitrec.datasets.mnist import mnist_test
from digitrec.evaluation.accuracy import SEED
from digitrec.handwriting.scenes import KINDS, scenes
from digitrec.handwriting.spoiled import REFUSED
from digitrec.handwriting.writer import Writer

OUT = Path(__file__).with_name("images") / "scenes.png"
EACH = 5
"""Pictures of each scene."""
SIDE, GAP, TITLE = 92, 6, 18
"""Of a picture, between two, and for a line of text: pixels."""
COLUMNS = 2


def main() -> None:
    """Draw the sheet."""
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
    sheet.quantize(256).save(OUT, optimize=True)


if __name__ == "__main__":
    main()
