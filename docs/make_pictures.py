"""Draw pictures of docs/images: ``python docs/make_pictures.py [answers] [numbers] ...``, by default all.

- answers.png: some samples above their answers, and half of numbers.png beside them.
- numbers.png, the overlay of `digitrec read` on a sheet of numbers.
- explain.png, as `digitrec explain` draws it; needs the extra `plots`.
- scenes.png: five pictures of each scene that `digitrec evaluate` measures.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps
from PIL.PngImagePlugin import PngInfo

import digitrec
from digitrec.answer import short
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors.text import percent
from digitrec.lab.evaluation.accuracy import SEED
from digitrec.lab.handwriting.scenes import KINDS, REFUSED, scenes
from digitrec.lab.handwriting.writer import Writer

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SAMPLES = ("photo-shadow.jpg", "squared-pencil.jpg", "blackboard.jpg", "red-ink.jpg", "letter.jpg")
"""The samples above their answers."""
SHEET = "sheet.jpg"
"""The sample with numbers."""
PHOTO, BELOW = 170, 90
"""Side of each sample and height of the answer below it, px."""
CUT = (170, 45, 710, 288)
"""The part of the sheet beside the samples: left, top, right and bottom, px."""
SHOWN = "photo-shadow"
"""The sample that is explained."""
WIDTH = 1000
"""Maximum width of a picture of `explain` in the docs, px."""
EACH, COLUMNS = 5, 2
"""Pictures of each scene; columns of scenes."""
SIDE, GAP, TITLE = 92, 6, 18
"""Side of a scene's picture, gap between two, and height of a line of text, px."""


def answers() -> None:
    """Draw samples above their answers beside a sheet with its numbers; a test compares them with today's."""
    predictions = [digitrec.predict(ROOT / "samples" / name) for name in SAMPLES]
    column, height = PHOTO + GAP, PHOTO + BELOW
    part = overlay().crop(CUT)
    part = part.resize((round(height * part.width / part.height), height), Image.Resampling.LANCZOS)
    picture = Image.new("RGB", (len(SAMPLES) * column + 2 * GAP + part.width, height), "white")
    draw = ImageDraw.Draw(picture)
    for at, (name, answer) in enumerate(zip(SAMPLES, predictions, strict=True)):
        photo = ImageOps.fit(ImageOps.exif_transpose(Image.open(ROOT / "samples" / name)), (PHOTO, PHOTO))
        left, middle = at * column, at * column + PHOTO / 2
        picture.paste(photo.convert("RGB"), (left, 0))
        digit = "no digit" if answer.digit is None else str(answer.digit)
        below = answer.reason or f"{percent(answer.confidence)} sure"
        size, colour = (48, "#0a6b2d") if answer.digit is not None else (32, "#a33")
        draw.text((middle, PHOTO + 36), digit, colour, ImageFont.load_default(size), "mm")
        draw.text((middle, PHOTO + 74), below, "#333", ImageFont.load_default(19), "mm")
    picture.paste(part, (picture.width - part.width, 0))
    sheet = digitrec.read(ROOT / "samples" / SHEET)
    info = PngInfo()
    info.add_text("answers", json.dumps({n: short(one) for n, one in zip(SAMPLES, predictions, strict=True)}))
    info.add_text("numbers", json.dumps([number.text for number in sheet.numbers]))
    picture.quantize(256).save(IMAGES / "answers.png", optimize=True, pnginfo=info)


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


def numbers() -> None:
    """Draw the sample sheet with its numbers."""
    overlay().quantize(256).save(IMAGES / "numbers.png", optimize=True)


def overlay() -> Image.Image:
    """Return the overlay of `digitrec read` on the sample sheet."""
    command = [sys.executable, "-m", "digitrec", "read", f"samples/{SHEET}", "--save-overlay"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*command, Path(folder, "seen.png")], cwd=ROOT, check=True)
        return Image.open(Path(folder, "seen.png")).convert("RGB")


DRAWN = {"answers": answers, "numbers": numbers, "explain": explain, "scenes": draw_scenes}

if __name__ == "__main__":
    for name in sys.argv[1:] or DRAWN:
        DRAWN[name]()
