"""Draw the surfaces that people write on and their surroundings, and photograph them.

Every surface is made of smooth noise on several scales and of lines, from a random generator only. Surfaces
are float32 arrays (height, width, 3): the share of light that each point reflects, 0..1.
"""

import io
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digitrec.image.pixels import Pixels

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]
"""Red, green and blue, each 0..1."""

Ruling = Literal["plain", "squares", "lines", "dots"]
"""Kinds of lines that may be printed on a page."""

_PRINTS: tuple[Colour, ...] = ((0.45, 0.55, 0.75), (0.55, 0.55, 0.58), (0.45, 0.62, 0.60), (0.70, 0.50, 0.45))


INKS: dict[str, Colour] = {
    "black": (0.07, 0.07, 0.08),
    "blue": (0.10, 0.16, 0.55),
    "light blue": (0.15, 0.55, 0.75),
    "red": (0.75, 0.10, 0.12),
    "green": (0.08, 0.42, 0.22),
    "violet": (0.42, 0.10, 0.50),
    "pencil": (0.30, 0.30, 0.32),
}
"""Colours of pens and pencils."""


@dataclass(frozen=True, slots=True)
class Look:
    """The properties of the writing and of its photograph."""

    ink: Colour = INKS["black"]
    """Colour of the ink."""
    strength: float = 0.92
    """Share of the paper that the ink hides, 0..1."""
    grain: float = 0.0
    """Share of the stroke that rough paper leaves without ink, 0..1: for pencil and chalk."""
    tint: Colour = (0.93, 0.92, 0.90)
    """Colour of the bare paper."""
    ruling: Ruling = "plain"
    """Kind of lines printed on the paper."""
    period: float = 0.1
    """Distance of the printed lines as a share of the shorter side."""
    print_strength: float = 0.4
    """Darkness of the print, 0..1."""
    crumple: float = 0.0
    """Depth of creases, 0..1."""
    exposure: float = 0.9
    """Brightness of the picture, > 0; white paper clips above about 1.05."""
    warmth: float = 0.0
    """Colour of the light, about -0.1..0.1: above 0 that of a lamp, below 0 that of the sky."""
    slope: float = 0.1
    """Share of the light lost from one side of the picture to the other, 0..1."""
    vignette: float = 0.05
    """Share of the light lost in the corners, 0..1."""
    shadow: float = 0.0
    """Share of the light that a hand's or phone's shadow removes from a part of the picture, 0..1."""
    softness: float = 0.15
    """Breadth of the shadow's edge as a share of the shorter side, > 0."""
    blur: float = 0.6
    """Standard deviation of the lens's blur, pixels, >= 0."""
    noise: float = 0.01
    """Standard deviation of the sensor's noise, 0..1."""
    quality: int = 85
    """JPEG quality, 1..95; 0: no compression."""


def clouds(rng: np.random.Generator, height: int, width: int, cells: tuple[float, float]) -> Floats:
    """Return smooth noise, (height, width), about -1..1.

    `cells` are the numbers of hills from top to bottom and from left to right, both > 0.
    """
    rows, columns = (max(2, round(count) + 1) for count in cells)
    knots = rng.uniform(-1, 1, (rows, columns)).astype(np.float32)
    hills = Image.fromarray(knots).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(hills, dtype=np.float32)


def soft_noise(rng: np.random.Generator, shape: tuple[int, int], least: int, most: int) -> Floats:
    """Return smooth noise, (height, width), about -1..1, from a grid of `least` to `most` points a side."""
    grid = rng.standard_normal(tuple(rng.integers(least, most + 1, 2))).astype(np.float32)
    return np.asarray(Image.fromarray(grid * np.float32(0.5)).resize(shape[::-1], Image.Resampling.BICUBIC))


def axes(
    height: int, width: int, turn: float, start: NDArray[np.float64] | tuple[float, float] = (0, 0)
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return how far each pixel, (height, width), is from a point x, y: along a direction, and across it.

    ``turn`` is the direction's angle from the horizontal, radians.
    """
    x, y = np.arange(width) - start[0], (np.arange(height) - start[1])[:, None]
    return x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)


def paper(rng: np.random.Generator, height: int, width: int, *, look: Look) -> Floats:
    """Return a page, (height, width, 3), 0..1, with the tint, ruling and creases of `look`.

    The grain, the colour of the print and the position of its lines come from `rng`.
    """
    side = min(height, width)
    fibres = clouds(rng, height, width, (height / 2.5, width / 2.5))
    mottle = clouds(rng, height, width, (8 * height / side, 8 * width / side))
    page = np.asarray(look.tint, np.float32) * (1 + 0.015 * fibres + 0.012 * mottle)[:, :, None]
    if look.ruling != "plain":
        colour = np.asarray(_PRINTS[rng.choice(4, p=[0.45, 0.35, 0.12, 0.08])], np.float32)
        cover = look.print_strength * _ruled(rng, height, width, look.ruling, max(4.0, look.period * side))
        page += cover[:, :, None] * (colour - page)
    if look.crumple:
        page *= 1 + look.crumple * _creases(rng, height, width)[:, :, None]
    return np.asarray(np.clip(page, 0, 1), np.float32)


def texture(rng: np.random.Generator, height: int, width: int, kind: str) -> Floats:
    """Draw a surface without writing, one of `TEXTURES`: (height, width, 3), 0..1."""
    draw, *colours = TEXTURES[kind]
    tone = draw(rng, height, width)
    colour = np.asarray(colours[rng.integers(3)], np.float32)
    return np.asarray(np.clip(colour * (1 + tone)[:, :, None], 0, 1), np.float32)


def _ruled(rng: np.random.Generator, height: int, width: int, ruling: Ruling, period: float) -> Floats:
    """Return the share of each point that the print covers, 0..1; the lines are never quite level."""
    along, down = axes(height, width, rng.normal(0, 0.02))
    down, along = down / period + rng.random(), along / period + rng.random()
    half = max(0.45, 0.016 * period)  # half the width of a printed line, px
    rows, columns = (np.abs(at - np.round(at)) * period for at in (down, along))
    dots, squares = np.hypot(rows, columns) - 0.6 * half, np.minimum(rows, columns)
    nearest = {"lines": rows, "squares": squares, "dots": dots}
    return np.asarray(np.clip(half + 0.5 - nearest[ruling], 0, 1), np.float32)


def _creases(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Return light and shade on dented paper: each fold is bright on one side and dark on the other."""
    y, x = np.mgrid[:height, :width].astype(np.float32) / min(height, width)
    shade = 0.25 * clouds(rng, height, width, (4, 4))
    for _ in range(rng.integers(4, 9)):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.3, 1.2)
        across = x * np.cos(angle) + y * np.sin(angle) - offset + 0.05 * clouds(rng, height, width, (3, 3))
        reach = rng.uniform(0.02, 0.1)
        shade += rng.uniform(0.2, 0.6) * np.sign(across) * np.exp(-np.abs(across) / reach)
    return np.asarray(shade, np.float32)


def _wood(rng: np.random.Generator, height: int, width: int) -> Floats:
    rings = clouds(rng, height, width, (3, 2)) + np.linspace(0, 2, height, dtype=np.float32)[:, None]
    fibres = clouds(rng, height, width, (height / 2, width / 60))
    return np.asarray(0.12 * np.sin(rng.uniform(8, 25) * rings) + 0.10 * fibres, np.float32)


def _cloth(rng: np.random.Generator, height: int, width: int) -> Floats:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    step = max(3.0, min(height, width) / rng.uniform(30, 80))
    weave = np.sin(2 * np.pi * x / step) * np.sin(2 * np.pi * y / step)
    return np.asarray(0.12 * weave + 0.15 * clouds(rng, height, width, (3, 3)), np.float32)


def _stone(rng: np.random.Generator, height: int, width: int) -> Floats:
    tone = np.zeros((height, width), np.float32)
    for octave in range(1, 6):
        tone += clouds(rng, height, width, (3 * 2**octave, 3 * 2**octave)) / 2 ** (octave / 2)
    return 0.15 * tone


TEXTURES = {
    "wood": (_wood, (0.62, 0.42, 0.25), (0.36, 0.24, 0.16), (0.78, 0.63, 0.45)),
    "cloth": (_cloth, (0.30, 0.36, 0.52), (0.70, 0.66, 0.60), (0.45, 0.18, 0.18)),
    "stone": (_stone, (0.55, 0.55, 0.54), (0.75, 0.72, 0.68), (0.25, 0.26, 0.28)),
}
"""Surfaces that a page may lie on: a function that draws the light and dark of each, and its colours."""


def random_look(rng: np.random.Generator) -> Look:
    """Return a random look of photographs of handwriting; common looks are more frequent."""
    names = list(INKS)
    name = names[rng.choice(len(names), p=[0.36, 0.24, 0.06, 0.08, 0.05, 0.05, 0.16])]
    pencil = name == "pencil"
    grey, hue = rng.uniform(0.80, 0.96), rng.normal(0, 0.012, 3)
    spread = rng.random(7)
    return Look(
        ink=INKS[name],
        strength=float(rng.uniform(0.45, 0.85) if pencil else rng.uniform(0.75, 0.97)),
        grain=float(rng.uniform(0.2, 0.6) if pencil else 0.3 * spread[0] ** 4),
        tint=(float(grey + hue[0]), float(grey + hue[1]), float(grey + hue[2])),
        ruling=get_args(Ruling)[rng.choice(4, p=[0.6, 0.2, 0.15, 0.05])],
        period=float(rng.uniform(0.06, 0.3)),
        print_strength=float(rng.uniform(0.12, 0.6)),
        crumple=float(0.25 * spread[1] if rng.random() < 0.15 else 0.0),
        exposure=float(1.08 - 0.6 * spread[6] ** 2),
        warmth=float(rng.normal(0, 0.05)),
        slope=float(0.5 * spread[2] ** 2),
        vignette=float(0.5 * spread[3] ** 2),
        shadow=float(rng.uniform(0.15, 0.6) if rng.random() < 0.35 else 0.0),
        softness=float(rng.uniform(0.01, 0.4)),
        blur=float(2.0 * spread[4] ** 2),
        noise=float(0.03 * spread[5] ** 3),
        quality=int(rng.integers(40, 96)),
    )


def ink_on_paper(ink: Pixels, rng: np.random.Generator, look: Look | None = None) -> Pixels:
    """Photograph the writing on paper.

    Args:
        ink: (height, width), 255 for ink and 0 for paper.
        rng: draws everything that `look` does not fix, and the look itself if it is None.
        look: properties of the writing and its photograph; None: random.

    Returns:
        RGB pixels, uint8, (height, width, 3).
    """
    look = look or random_look(rng)
    page = paper(rng, *ink.shape, look=look)
    return photograph(put_ink(page, ink, rng, look), rng, look)


def perhaps_on_paper(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Photograph the writing on paper, or half of the time leave it unchanged."""
    return ink_on_paper(ink, rng) if rng.random() < 0.5 else ink


def put_ink(page: Floats, ink: Pixels, rng: np.random.Generator, look: Look) -> Floats:
    """Put ink on the page; both are reflected light, 0..1, of shapes (H, W, 3) and (H, W)."""
    height, width = ink.shape
    cover = look.strength * ink.astype(np.float32) / 255
    if look.grain:
        tooth = clouds(rng, height, width, (height / 1.8, width / 1.8))
        tooth = tooth + 0.5 * clouds(rng, height, width, (12, 12))
        cover *= np.clip(1 - look.grain * (1 + 1.2 * tooth), 0, 1)
    return np.asarray(page + cover[:, :, None] * (np.asarray(look.ink, np.float32) - page), np.float32)


def photograph(scene: Floats, rng: np.random.Generator, look: Look) -> Pixels:
    """Photograph a surface, (H, W, 3), under the light of `look`: uint8, (H, W, 3)."""
    height, width = scene.shape[:2]
    tone = np.array([1 + look.warmth, 1.0, 1 - look.warmth], np.float32)
    seen = scene * (look.exposure * _light(rng, height, width, look))[:, :, None] * tone
    picture = Image.fromarray(_bytes(seen)).filter(ImageFilter.GaussianBlur(look.blur))
    noise = look.noise * rng.standard_normal((height, width, 1), np.float32)
    noise = noise + 0.4 * look.noise * rng.standard_normal((height, width, 3), np.float32)
    pixels = _bytes(np.asarray(picture, np.float32) / 255 + noise)
    return jpeg(pixels, look.quality) if look.quality else pixels


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Compress the pixels as JPEG of the given quality, 1..95, and decode them."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _light(rng: np.random.Generator, height: int, width: int, look: Look) -> Floats:
    """Return how much light reaches each point, 0..1: a slope, dark corners, one shadow with a soft edge."""
    side = min(height, width)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = (y - height / 2) / side, (x - width / 2) / side
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 - look.slope * (0.5 + (x * np.cos(angle) + y * np.sin(angle)) / 1.5)
    light *= 1 - look.vignette * (x**2 + y**2) / 0.6
    if look.shadow:
        angle, wave = rng.uniform(0, 2 * np.pi), 0.12 * clouds(rng, height, width, (3, 3))
        across = x * np.cos(angle) + y * np.sin(angle) + wave - rng.uniform(-0.15, 0.25)
        light *= 1 - look.shadow / (1 + np.exp(-np.clip(across / (look.softness / 4), -30, 30)))
    return np.asarray(np.clip(light, 0, None), np.float32)


def _bytes(values: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), np.uint8)
