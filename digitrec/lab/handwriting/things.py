"""Draw things beside a digit: pens, rulers, cables, fingers, tables under a card, brackets, lines."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.photo import Colour, Floats, axes, clouds, texture
from digitrec.lab.handwriting.strokes import Pen, Stroke, ink, log_uniform, one_of, put, smooth
from digitrec.lab.handwriting.writer import Box, cut_out

Thing = Callable[[np.random.Generator, int, int, float], tuple[Floats, Floats]]
"""Draws a thing of a size that suits a digit's length, as `stick` does."""
_BARRELS: tuple[Colour, ...] = ((0.05, 0.05, 0.06), (0.06, 0.09, 0.3), (0.3, 0.05, 0.06), (0.1, 0.22, 0.14))
_SKINS: tuple[Colour, ...] = ((0.86, 0.64, 0.54), (0.72, 0.50, 0.38), (0.48, 0.32, 0.23), (0.30, 0.20, 0.15))


def table(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Draw a dark surface, wood, cloth, stone or black, (height, width, 3), that reflects 2 to 40 %."""
    kind = str(rng.choice(["wood", "cloth", "stone", "black"], p=[0.4, 0.1, 0.1, 0.4]))
    if kind == "black":
        tone = 1 + 0.1 * clouds(rng, height, width, (height / 2, width / 2))
        return np.asarray(rng.uniform(0.02, 0.1) * np.repeat(tone[:, :, None], 3, axis=2), np.float32)
    surface = texture(rng, height, width, kind)
    return np.asarray(surface * min(1.0, rng.uniform(0.15, 0.4) / float(surface.mean())), np.float32)


def lay(surface: Floats, thing: Floats, cover: Floats, shade: float) -> Floats:
    """Lay a thing on the surface, both (H, W, 3), where `cover`, (H, W) in 0..1, is high.

    `shade` is the share of light that the thing's shadow removes close to it.
    """
    reach = max(2, round(0.02 * min(cover.shape)))
    lower = Image.fromarray(np.asarray(255 * np.roll(cover, (reach, reach), (0, 1)), np.uint8))
    soft = np.asarray(lower.filter(ImageFilter.GaussianBlur(reach)), np.float32) / np.float32(255)
    shaded = surface * (1 - shade * soft)[:, :, None]
    return np.asarray(shaded + cover[:, :, None] * (thing - shaded), np.float32)


def barrel(rng: np.random.Generator, height: int, width: int, digit: Box) -> tuple[Floats, Floats]:
    """Draw a dark pen clear of a digit: its colours (height, width, 3) and cover (height, width)."""
    size = digit[3] - digit[1]
    while True:
        half, length = size * rng.uniform(0.04, 0.12), size * rng.uniform(2, 5)
        turn = rng.uniform(0, 2 * np.pi)
        along, across = axes(height, width, turn, rng.uniform((0, 0), (width, height)))
        thick = np.clip((length - along) / 3, 0.15 * half, half)  # thinner towards the tip
        cover = np.clip(thick - np.abs(across) + 0.5, 0, 1) * np.clip(along + 0.5, 0, 1)
        cover = np.asarray(cover * np.clip(length - along + 0.5, 0, 1), np.float32)
        if cover.sum() > 0.15 * size * size and is_clear(cover, digit, 0.12 * size + half):
            break
    colour = np.asarray(one_of(rng, _BARRELS), np.float32)
    shine = rng.uniform(0, 0.35) * np.exp(-(((across / half - 0.3) / 0.15) ** 2))
    return np.asarray(colour + shine[:, :, None], np.float32), cover


def finger(rng: np.random.Generator, height: int, width: int, digit: Box) -> tuple[Floats, Floats]:
    """Draw a finger that enters from an edge, clear of a digit: colours and cover as for `barrel`."""
    size = digit[3] - digit[1]
    while True:
        place = rng.uniform(0, 1, 2)
        place[rng.integers(2)] = rng.integers(2)
        along, across = axes(height, width, rng.uniform(0, np.pi), place * (width, height))
        half = size * rng.uniform(0.15, 0.35)
        round_off = np.hypot(along / rng.uniform(1.5, 3), across) / half
        cover = np.asarray(np.clip((1 - round_off) * half / 2, 0, 1), np.float32)
        if cover.sum() > 0.1 * size * size and is_clear(cover, digit, 0.15 * size):
            break
    colour = np.asarray(one_of(rng, _SKINS), np.float32)
    return np.asarray(colour * (1 - 0.35 * round_off**2)[:, :, None], np.float32), cover


def is_clear(cover: Floats, digit: Box, margin: float) -> bool:
    """Return whether the thing keeps at least this margin from the digit's box."""
    left, top = max(0, int(digit[0] - margin)), max(0, int(digit[1] - margin))
    return not cover[top : int(digit[3] + margin), left : int(digit[2] + margin)].any()


def bracket(rng: np.random.Generator, height: int, breadth: float, closing: bool) -> Pixels:
    """Draw a round or, a fifth of the time, a square bracket by a pen: ink high, cropped."""
    bow = rng.uniform(15, 30)
    down = np.linspace(0, 1, 30)
    path = np.stack([bow * np.sin(np.pi * down), 100 * down], axis=1)
    if rng.random() < 0.2:
        path = np.array([[0, 0], [bow, 1], [bow - 1, 99], [0, 100]])
    path = path + rng.normal(0, 0.4, path.shape)
    drawn = cut_out(put([path], Pen(breadth), rng, 2 * height), height)
    return drawn if closing else drawn[:, ::-1]


def line(rng: np.random.Generator, ends: NDArray[np.float64]) -> Stroke:
    """Draw a slightly bent line between two points, (2, 2), as by hand."""
    middle = ends.mean(axis=0) + rng.normal(0, 0.015, 2) * np.abs(np.ptp(ends, axis=0))[::-1]
    return smooth(np.stack([ends[0], middle, ends[1]]))


def drawn(field: Pixels, paths: list[Stroke], breadth: float, rng: np.random.Generator) -> Pixels:
    """Draw lines on a field of ink, (H, W); paths and breadth in pixels."""
    height, width = field.shape
    side = max(height, width)
    inside = [np.clip(path, -side, 2 * side) / side for path in paths]
    more = ink(inside, Pen(breadth / side, float(rng.uniform(0, 0.2))), side, rng)
    return np.maximum(field, more[:height, :width])


def beside(draw: Thing, pixels: Pixels, digit: Box, rng: np.random.Generator) -> Pixels:
    """Lay one or two things beside a digit on an RGB picture, or return it unchanged if they do not fit."""
    height, width = pixels.shape[:2]
    size = max(digit[2] - digit[0], digit[3] - digit[1])
    for _ in range(int(rng.integers(1, 3))):
        for _ in range(20):
            thing, cover = draw(rng, height, width, size)
            if cover.sum() > 0.03 * size * size and is_clear(cover, digit, round(0.04 * size)):
                surface = lay(pixels.astype(np.float32), 255 * thing, cover, rng.uniform(0, 0.5))
                pixels = np.clip(surface, 0, 255).astype(np.uint8)
                break
    return pixels


def stick(rng: np.random.Generator, height: int, width: int, size: float) -> tuple[Floats, Floats]:
    """Return the colours, (height, width, 3), and the cover, (height, width), of a straight or bent thing.

    ``size`` is a digit's length. A pen is 7 to 11 mm broad and digits are 5 to 50 mm high, so a pen may be as
    broad as a digit is high. It is longer than a digit: a stroke of a digit's length may be a 1.
    """
    turn = rng.uniform(0, 2 * np.pi)
    along, across = axes(height, width, turn, rng.uniform((0, 0), (width, height)))
    half, length = size * log_uniform(rng, 0.02, 0.6), size * log_uniform(rng, 1.5, 8)
    tip = half * log_uniform(rng, 0.7, 7)
    if rng.random() < 0.7:
        along = length - along  # its tip is in the picture, not its other end
    if rng.random() < 0.25:
        across = across + rng.normal(0, 0.15) / size * (along - length / 2) ** 2
    at_tip = np.clip(length - tip * rng.uniform(0.1, 1.3, rng.integers(0, 3)), 0, length)
    knots = np.sort([0, *rng.uniform(0, length, rng.integers(0, 5)), *at_tip, length])
    wide = half * np.repeat(rng.uniform(0.75, 1.1, len(knots) - 1), 2)  # parts of different breadths
    thick = np.interp(along, np.sort([*knots[:-1] + 0.5, *knots[1:] - 0.5]), wide).astype(np.float32)
    if rng.random() < 0.75:  # a pointed or a rounded tip
        rest = np.clip((length - along) / tip, 0, 1)
        thick = thick * np.maximum(rest ** rng.choice([0.5, 1.0]), rng.uniform(0, 0.3))
    cover = np.clip(thick - np.abs(across) + 0.5, 0, 1) * np.clip(along + 0.5, 0, 1)
    cover = np.asarray(cover * np.clip(length - along + 0.5, 0, 1), np.float32)
    part = np.clip(np.searchsorted(knots, along) - 1, 0, len(knots) - 2)
    side = across / np.maximum(thick, 0.5)
    colours = np.stack([material(rng) for _ in knots[1:]])[part] * _light(rng, side)[:, :, None]
    return _printed(rng, colours, along / half, side), cover


def tick(rng: np.random.Generator, height: int, width: int, size: float) -> tuple[Floats, Floats]:
    """Return the colours and the cover, as for `stick`, of a teacher's tick, often in red."""
    path = np.array([(-0.3, 0.1), (-0.1, 0.5), (0.5, -0.5)]) + rng.normal(0, 0.07, (3, 2))
    path = one_of(rng, (path, smooth(path))) * size * log_uniform(rng, 0.25, 1.2)
    at = rng.uniform((0, 0), (width, height))
    field = drawn(np.zeros((height, width), np.uint8), [path + at], size * log_uniform(rng, 0.02, 0.12), rng)
    colour = (rng.uniform(0.5, 0.9), 0.1, 0.1) if rng.random() < 0.5 else 0.4 * material(rng)
    return np.full((height, width, 3), colour, np.float32), np.asarray(field / 255, np.float32)


def material(rng: np.random.Generator) -> Floats:
    """Return the colour of plastic, metal, wood, skin or paper, (3,), 0..1."""
    grey, hue = rng.beta(0.7, 0.9), rng.random(3)
    return np.asarray(grey + (hue - 0.5) * rng.choice([0.0, 0.2, 0.9]), np.float32)


def _light(rng: np.random.Generator, side: Floats) -> Floats:
    """Return the brightness across a thing, whose sides are at -1 and 1: flat, round with a shine, facets."""
    kind = rng.integers(3)
    if kind == 0:
        return np.ones_like(side)
    if kind == 1:
        bright, middle, broad = rng.uniform((0, -0.7, 0.05), (0.8, 0.7, 0.4))
        darker, aside = rng.uniform((0, -0.3), (0.6, 0.3))
        shine = bright * np.exp(-(((side - middle) / broad) ** 2))
        return np.asarray(1 - darker * side**2 + aside * side + shine, np.float32)
    edges, tones = np.sort(rng.uniform(-1, 1, rng.integers(1, 4))), rng.uniform(0.5, 1.4, 4)
    return np.asarray(tones[np.searchsorted(edges, side)], np.float32)


def _printed(rng: np.random.Generator, colours: Floats, along: NDArray[np.floating], side: Floats) -> Floats:
    """Add a grain, and often print: a scale, letters or a clip along the thing."""
    height, width = side.shape
    grain = 1 + rng.uniform(0, 0.15) * clouds(rng, height, width, (2, 4))
    colours = colours * grain[:, :, None]
    if rng.random() < 0.5:
        low, start = rng.uniform(-1, 0.6), rng.uniform(-1, 3)
        marked = (side > low) & (side < low + rng.uniform(0.1, 1)) & (along > start)
        marked &= along < start + log_uniform(rng, 1, 12)
        period = log_uniform(rng, 0.1, 1)
        if rng.random() < 0.7:  # a scale or letters rather than a clip
            marked &= (along / period) % 1 < rng.uniform(0.1, 0.7)
        colours = np.where(marked[:, :, None], material(rng), colours)
    return np.asarray(np.clip(colours, 0, 1.2), np.float32)
