"""Makes the pictures in this folder, and labels.csv.

Run it with `DIGITREC_DATA=... python samples/make_samples.py`; HWD-1000 is read from
$DIGITREC_DATA/sets/hwd1000.npz. Each picture shows the next digit of its label, in file order, of MNIST's
test set or of HWD-1000, so that nobody chooses; SOURCES.md says which few are passed over.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pictures import PICTURES, Picture
from PIL import Image

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting.photo import Floats, Look, paper, photograph, put_ink
from digitrec.lab.handwriting.strokes import Pen, ink
from digitrec.lab.handwriting.writer import enlarge, rewrite

Pixels = NDArray[np.uint8]

FOLDER = Path(__file__).parent
SEED = 2026
PASSED_OVER = (8, 947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)


def letter(rng: np.random.Generator) -> Pixels:
    """Draw a capital K, which no digit looks like."""
    strokes = [[(0.3, 0.15), (0.28, 0.85)], [(0.72, 0.16), (0.3, 0.55)], [(0.42, 0.46), (0.75, 0.86)]]
    return ink([np.array(stroke) for stroke in strokes], Pen(0.045), 400, rng)


class Digits:
    """Hands out the digits of each set in file order, one label's after the other."""

    def __init__(self) -> None:
        hwd = np.load(Path(os.environ["DIGITREC_DATA"], "sets", "hwd1000.npz"))
        test = mnist_test()
        self.sets = {"mnist": (test.images, test.labels), "hwd": (hwd["x"], hwd["y"])}
        self.queues: dict[tuple[str, int], Iterator[int]] = {}

    def next(self, source: str, label: int) -> Pixels:
        images, labels = self.sets[source]
        found = (int(i) for i in np.flatnonzero(labels == label) if source != "mnist" or i not in PASSED_OVER)
        return np.asarray(images[next(self.queues.setdefault((source, label), found))])


def written(picture: Picture, digits: Digits, canvas: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """All of a picture's ink on a field of `canvas` (width, height) pixels."""
    width, height = canvas
    field = Image.new("L", canvas)
    side = round(picture.height * min(picture.size))
    for place, sign in enumerate(picture.digits):
        if sign.isdigit():
            digit = digits.next(picture.source, int(sign))
            large = rewrite(digit, picture.pen, side, rng) if picture.pen else enlarge(digit, side)
        else:
            large = letter(rng)
        mark = Image.fromarray(large).rotate(picture.turn, Image.Resampling.BICUBIC)
        middle = picture.at[0] * picture.size[0] + (place - (len(picture.digits) - 1) / 2) * 0.9 * side
        left = round(middle + (width - picture.size[0]) / 2 - mark.width / 2)
        top = round(picture.at[1] * picture.size[1] + (height - picture.size[1]) / 2 - mark.height / 2)
        field.paste(mark, (left, top))
    return np.asarray(field)


def draw(picture: Picture, digits: Digits, rng: np.random.Generator) -> Image.Image:
    """Draw the picture as the camera, scanner or drawing program gives it."""
    if picture.tilt:
        picture = by_hand(picture, rng)
    margin = 1 + 2 * picture.tilt
    canvas = round(picture.size[0] * margin), round(picture.size[1] * margin)
    look = picture.look
    ink_there = written(picture, digits, canvas, rng)
    page = paper(rng, canvas[1], canvas[0], look=look)
    scene = (picture.setting or put_ink)(page, ink_there, rng, look)
    seen = tilted(scene, picture, rng) if picture.tilt else scene
    return Image.fromarray(photograph(seen, rng, replace(look, quality=0)))


def by_hand(picture: Picture, rng: np.random.Generator) -> Picture:
    """Vary the picture as between two photos: position, tilt, brightness and colour."""
    look = picture.look
    look = replace(
        look, exposure=look.exposure * rng.uniform(0.82, 1.12), warmth=look.warmth + rng.normal(0, 0.03)
    )
    at = picture.at[0] + rng.normal(0, 0.04), picture.at[1] + rng.normal(0, 0.04)
    return replace(picture, look=look, at=at, turn=picture.turn + rng.normal(0, 4))


def tilted(scene: Floats, picture: Picture, rng: np.random.Generator) -> Floats:
    """Show the surface slightly from the side; take the picture's corners from the larger scene."""
    wide, high = (side * picture.tilt for side in picture.size)
    (left, upper), (right, lower) = (wide, high), (wide + picture.size[0], high + picture.size[1])
    corners = np.array([(left, upper), (left, lower), (right, lower), (right, upper)])
    corners += rng.uniform(-0.9, 0.9, (4, 2)) * (wide, high)
    surface = Image.fromarray(np.uint8(np.rint(255 * scene)))
    seen = surface.transform(
        picture.size, Image.Transform.QUAD, corners.ravel().tolist(), Image.Resampling.BICUBIC
    )
    return np.asarray(seen, np.float32) / np.float32(255)


def save(image: Image.Image, picture: Picture) -> None:
    """Save the file in its own format, mode and orientation."""
    how = dict(picture.save or {})
    path = FOLDER / picture.file
    mode = how.pop("mode", None)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    elif mode:
        image = image.convert(mode, dither=Image.Dither.NONE)
    if turned := how.pop("orientation", None):
        back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}[turned]
        image = image.transpose(back)
        exif = Image.Exif()
        exif[0x0112] = turned
        how["exif"] = exif
    if path.suffix == ".jpg":
        how["quality"] = picture.look.quality
    image.save(path, **how)


SHEET = (("142", "7.50"), ("86", "12.00"), ("305", "9.75"), ("20", "31.40"))
"""The numbers on sheet.jpg, row by row."""


def sheet(digits: Digits, rng: np.random.Generator) -> Image.Image:
    """Lined paper with two columns of numbers, seen from above."""
    size, look, pen, side = (900, 640), Look(ruling="lines", period=0.2), Pen(0.06), 64
    field = Image.new("L", size)
    for row, numbers in enumerate(SHEET):
        for column, number in enumerate(numbers):
            x, y = 200 + 320 * column + rng.normal(0, 6), 110 + 128 * row + rng.normal(0, 4)
            for sign in number:
                mark = Image.new("L", (7, 7), 255)
                if sign != ".":
                    large = Image.fromarray(rewrite(digits.next("mnist", int(sign)), pen, side, rng))
                    mark = large.crop((large.getbbox()[0], 0, large.getbbox()[2], large.height))
                top = y + 0.32 * side if sign == "." else y - mark.height / 2
                field.paste(mark, (round(x), round(top)), mark)
                x += mark.width + rng.uniform(4, 10)
    page = paper(rng, size[1], size[0], look=look)
    return Image.fromarray(
        photograph(put_ink(page, np.asarray(field), rng, look), rng, replace(look, quality=0))
    )


def main() -> None:
    digits = Digits()
    rows = []
    for number, picture in enumerate(PICTURES):
        save(draw(picture, digits, np.random.default_rng((SEED, number))), picture)
        rows.append((picture.file, "none" if picture.reason else picture.digits, picture.reason))
    rows += small_pictures(digits)
    sheet(digits, np.random.default_rng((SEED, len(PICTURES)))).save(FOLDER / "sheet.jpg", quality=85)
    rows.append(("sheet.jpg", "none", "several numbers"))
    with (FOLDER / "labels.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("file", "label", "reason"), *rows])


def small_pictures(digits: Digits) -> list[tuple[str, str, str]]:
    """Files that hold a digit of a set as it is, or its bare ink."""
    mark = Image.fromarray(enlarge(digits.next("mnist", 3), 300))
    for name, colour in (("transparent.png", (20, 30, 120)), ("transparent-white-ink.png", (255, 255, 255))):
        bare = Image.new("RGBA", mark.size, colour)
        bare.putalpha(mark)
        bare.save(FOLDER / name)
        mark = Image.fromarray(enlarge(digits.next("hwd", 8), 300))
    Image.fromarray(digits.next("hwd", 2)).save(FOLDER / "drawing-28x28.png")
    Image.fromarray(255 - digits.next("hwd", 9)).save(FOLDER / "drawing-28x28-dark-on-light.png")
    Image.fromarray(digits.next("mnist", 0)).save(FOLDER / "mnist-28x28.png")
    labels = {
        "transparent.png": "3",
        "transparent-white-ink.png": "8",
        "drawing-28x28.png": "2",
        "drawing-28x28-dark-on-light.png": "9",
        "mnist-28x28.png": "0",
    }
    return [(file, label, "") for file, label in labels.items()]


if __name__ == "__main__":
    main()
