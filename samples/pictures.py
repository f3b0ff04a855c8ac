"""What the pictures in this folder show: one row for each, as `make_samples.py` draws them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from digitrec.lab.handwriting.photo import INKS, Floats, Look, put_ink, texture
from digitrec.lab.handwriting.strokes import Pen

BARE = Look()
SCAN = Look(exposure=1.03, slope=0.0, vignette=0.0, blur=0.7, noise=0.008, quality=80)
CLEAN = Look(strength=1, tint=(1, 1, 1), exposure=1, slope=0, vignette=0, blur=0.5, noise=0, quality=0)

Pixels = NDArray[np.uint8]
Setting = Callable[[Floats, Pixels, np.random.Generator, Look], Floats]


@dataclass(frozen=True)
class Picture:
    """One file: what is written on it, with what, where and on which surface."""

    file: str
    digits: str
    source: Literal["mnist", "hwd"] = "mnist"
    look: Look = BARE
    pen: Pen | None = None
    """None: the digit's own outline."""
    size: tuple[int, int] = (600, 800)
    """Width and height, pixels."""
    height: float = 0.5
    """Of the 28x28 field that holds a digit, as a share of the picture's shorter side."""
    at: tuple[float, float] = (0.5, 0.5)
    """Middle of the writing, as shares of width and height."""
    turn: float = 0.0
    """Degrees, counter-clockwise."""
    tilt: float = 0.06
    """How far the corners move when the camera does not look straight down, as a share of the sides."""
    setting: Setting | None = None
    save: dict[str, Any] | None = None
    reason: str = ""
    """Why refusing is right; empty where one digit is written."""


def on_wood(page: Floats, written: Pixels, rng: np.random.Generator, look: Look) -> Floats:
    """Lay the sheet askew on a table, with two of its edges in the picture."""
    height, width = written.shape
    table = texture(rng, height, width, "wood")
    sheet = Image.new("L", (width, height))
    corners = [(0.16, 0.11), (1.2, 0.19), (1.1, 1.2), (0.07, 0.9)]
    ImageDraw.Draw(sheet).polygon([(x * width, y * height) for x, y in corners], fill=255)
    shade = np.asarray(sheet.filter(ImageFilter.GaussianBlur(9)), np.float32)[:, :, None] / 255
    mask = np.asarray(sheet.filter(ImageFilter.GaussianBlur(1)), np.float32)[:, :, None] / 255
    return np.asarray(table * (1 - 0.5 * shade) * (1 - mask) + put_ink(page, written, rng, look) * mask)


def spiral_bound(page: Floats, written: Pixels, rng: np.random.Generator, look: Look) -> Floats:
    """Holes and wire along the left edge of a pad."""
    height, width = written.shape
    scene = Image.fromarray(np.uint8(255 * put_ink(page, written, rng, look)))
    draw = ImageDraw.Draw(scene)
    for y in range(height // 40, height, height // 20):
        draw.ellipse((0.07 * width, y, 0.095 * width, y + 0.02 * height), fill=(60, 58, 56))
        draw.arc(
            (-0.05 * width, y - 4, 0.09 * width, y + 0.02 * height), 180, 400, fill=(150, 152, 156), width=6
        )
    return np.asarray(scene, np.float32) / np.float32(255)


def form_box(page: Floats, written: Pixels, rng: np.random.Generator, look: Look) -> Floats:
    """One printed box round the digit, as on a form."""
    height, width = written.shape
    scene = Image.fromarray(np.uint8(255 * put_ink(page, written, rng, look)))
    box = (0.2 * width, 0.16 * height, 0.8 * width, 0.84 * height)
    ImageDraw.Draw(scene).rectangle(box, outline=(120, 60, 60), width=3)
    return np.asarray(scene, np.float32) / np.float32(255)


BALLPOINT = Look(ink=INKS["blue"], grain=0.12, strength=0.85)
PENCIL = Look(ink=INKS["pencil"], grain=0.35, strength=0.75)
CHALK = Look(ink=(0.93, 0.93, 0.90), grain=0.35, tint=(0.12, 0.20, 0.16), exposure=1.0)
ROUND, FINE, FELT, CHISEL = Pen(0.045), Pen(0.022), Pen(0.07), Pen(0.12, 0.05, 0.45)

PICTURES = (
    Picture("photo-pen.jpg", "7", look=replace(BALLPOINT, slope=0.2), pen=ROUND),
    Picture("photo-shadow.jpg", "3", look=Look(shadow=0.45, softness=0.08), pen=ROUND),
    Picture(
        "photo-phone-shadow.jpg", "8", "hwd", replace(BALLPOINT, shadow=0.6, softness=0.4, vignette=0.3), FELT
    ),
    Picture("photo-lamp.jpg", "5", look=Look(warmth=0.14, slope=0.45, vignette=0.25), pen=Pen(0.05)),
    Picture("photo-dark.jpg", "9", "hwd", Look(exposure=0.3, noise=0.025, warmth=0.05), Pen(0.06)),
    Picture("photo-bright.jpg", "4", "hwd", Look(exposure=1.25, strength=0.8), Pen(0.05)),
    Picture("photo-defocused.jpg", "0", look=replace(BALLPOINT, blur=7.0), pen=Pen(0.06)),
    Picture("photo-noisy.jpg", "2", "hwd", Look(exposure=0.55, noise=0.05, quality=55), FELT),
    Picture("photo-tilted.jpg", "6", look=Look(slope=0.2), pen=ROUND, tilt=0.22, turn=12),
    Picture("photo-small.jpg", "3", "hwd", BALLPOINT, Pen(0.06), height=0.16, at=(0.72, 0.3)),
    Picture("photo-large.jpg", "0", "hwd", BALLPOINT, Pen(0.012), height=1.1),
    Picture("thin-pen.jpg", "4", look=Look(strength=0.85), pen=Pen(0.014), height=0.8),
    Picture("fine-liner.jpg", "2", look=Look(slope=0.15), pen=FINE, height=0.7),
    Picture("thick-marker.jpg", "5", "hwd", Look(grain=0.03), CHISEL, height=0.75),
    Picture("brush-pen.jpg", "1", "hwd", Look(), Pen(0.1, 0.5), height=0.7),
    Picture("blue-ink.jpg", "9", look=replace(BALLPOINT, grain=0.2), pen=Pen(0.035)),
    Picture("red-ink.jpg", "6", "hwd", Look(ink=INKS["red"], slope=0.2), Pen(0.05)),
    Picture("green-felt.jpg", "1", look=Look(ink=INKS["green"], slope=0.15), pen=FELT),
    Picture("light-blue-felt.jpg", "0", look=Look(ink=INKS["light blue"], vignette=0.35), pen=Pen(0.05)),
    Picture("pencil.jpg", "8", look=PENCIL, pen=Pen(0.035)),
    Picture("pencil-faint.jpg", "3", look=replace(PENCIL, strength=0.42, slope=0.2), pen=Pen(0.03)),
    Picture("squared-paper.jpg", "5", look=replace(BALLPOINT, ruling="squares", period=0.16), pen=ROUND),
    Picture("squared-fine.jpg", "7", "hwd", Look(ruling="squares", period=0.055, print_strength=0.5), FELT),
    Picture(
        "squared-pencil.jpg",
        "2",
        "hwd",
        replace(PENCIL, strength=0.8, ruling="squares", period=0.12),
        Pen(0.05),
    ),
    Picture("lined-paper.jpg", "4", "hwd", replace(BALLPOINT, ruling="lines", period=0.13), ROUND),
    Picture("lined-shadow.jpg", "6", look=Look(ruling="lines", period=0.1, shadow=0.4), pen=Pen(0.05)),
    Picture("dotted-paper.jpg", "9", "hwd", Look(ruling="dots", period=0.09, print_strength=0.6), Pen(0.05)),
    Picture(
        "sticky-note.jpg", "3", "hwd", replace(BALLPOINT, tint=(0.96, 0.88, 0.42)), Pen(0.05), (600, 600), 0.7
    ),
    Picture("cardboard.jpg", "7", look=Look(tint=(0.66, 0.50, 0.34), grain=0.1), pen=CHISEL, height=0.7),
    Picture("crumpled.jpg", "8", "hwd", Look(crumple=0.2), Pen(0.06)),
    Picture(
        "page-edge.jpg", "5", look=Look(tint=(0.95, 0.95, 0.93)), pen=ROUND, at=(0.55, 0.5), setting=on_wood
    ),
    Picture("spiral-pad.jpg", "1", "hwd", replace(BALLPOINT, ruling="squares"), ROUND, setting=spiral_bound),
    Picture(
        "form-box.jpg", "8", look=SCAN, pen=Pen(0.05), size=(240, 300), height=0.8, tilt=0, setting=form_box
    ),
    Picture("chalk.jpg", "1", look=CHALK, pen=Pen(0.07, 0.3)),
    Picture(
        "blackboard.jpg", "0", "hwd", replace(CHALK, slope=0.35, tint=(0.16, 0.16, 0.17)), Pen(0.06, 0.3)
    ),
    Picture(
        "screen-dark-mode.png",
        "5",
        "hwd",
        replace(CLEAN, ink=(0.9, 0.9, 0.9), tint=(0.1, 0.1, 0.12)),
        tilt=0,
        size=(320, 320),
        height=0.8,
    ),
    Picture("screen-drawing.png", "9", look=CLEAN, size=(280, 280), height=0.9, tilt=0),
    Picture("scan-one-bit.png", "6", "hwd", SCAN, Pen(0.06), (300, 400), 0.7, tilt=0, save={"mode": "1"}),
    Picture(
        "scan-16-bit.png",
        "4",
        look=SCAN,
        pen=Pen(0.06),
        size=(200, 260),
        height=0.7,
        tilt=0,
        save={"mode": "I;16"},
    ),
    Picture("palette.gif", "2", look=replace(CLEAN, ink=INKS["violet"]), size=(240, 240), height=0.9, tilt=0),
    Picture("photo.webp", "7", "hwd", BALLPOINT, Pen(0.05), save={"quality": 70}),
    Picture(
        "scan-cmyk.jpg", "1", look=SCAN, pen=FELT, size=(300, 400), height=0.7, tilt=0, save={"mode": "CMYK"}
    ),
    Picture("turned-by-exif.jpg", "4", look=Look(slope=0.15), pen=Pen(0.05), save={"orientation": 6}),
    Picture("upside-down-by-exif.jpg", "6", look=BALLPOINT, pen=Pen(0.05), save={"orientation": 3}),
    Picture("blank-page.jpg", "", look=Look(slope=0.3, vignette=0.2, shadow=0.2), reason="blank"),
    Picture("blank-squared.jpg", "", look=Look(ruling="squares", period=0.1), reason="blank"),
    Picture(
        "two-digits.jpg",
        "42",
        look=replace(BALLPOINT, slope=0.2),
        pen=ROUND,
        height=0.45,
        reason="more than one digit",
    ),
    Picture("letter.jpg", "K", look=BALLPOINT, reason="a letter"),
)
