"""Draw things of many shapes and materials beside a digit: pens, rulers, cables, fingers, erasers, notes."""

from __future__ import annotations

import numpy as np

from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.photo import Floats, clouds
from digitrec.lab.handwriting.props import lay
from digitrec.lab.handwriting.strokes import log_uniform
from digitrec.lab.handwriting.writer import Box


def beside(pixels: Pixels, digit: Box, rng: np.random.Generator) -> Pixels:
    """Lay one or two things beside a digit on an RGB picture, or return it unchanged if they do not fit."""
    height, width = pixels.shape[:2]
    for _ in range(int(rng.integers(1, 3))):
        for _ in range(20):
            thing, cover = _thing(rng, height, width, max(digit[2] - digit[0], digit[3] - digit[1]))
            if _is_clear(cover, digit):
                surface = lay(pixels.astype(np.float32), 255 * thing, cover, rng.uniform(0, 0.5))
                pixels = np.clip(surface, 0, 255).astype(np.uint8)
                break
    return pixels


def _is_clear(cover: Floats, digit: Box) -> bool:
    """Return whether the thing shows, but not on the digit or within 4 % of its length."""
    left, top, right, bottom = digit
    size = max(right - left, bottom - top)
    near = round(0.04 * size)
    on_digit = cover[max(0, top - near) : bottom + near, max(0, left - near) : right + near].any()
    return not on_digit and cover.sum() > 0.03 * size * size


def _thing(rng: np.random.Generator, height: int, width: int, size: float) -> tuple[Floats, Floats]:
    """Return the colours, (height, width, 3), and the cover, (height, width), of a straight or bent thing.

    ``size`` is a digit's length. A pen is 7 to 11 mm broad and digits are 5 to 50 mm high, so a pen may be as
    broad as a digit is high. It is longer than a digit: a stroke of a digit's length may be a 1.
    """
    y, x = np.mgrid[:height, :width].astype(np.float32)
    turn, at = rng.uniform(0, 2 * np.pi), rng.uniform((0, 0), (width, height))
    along = (x - at[0]) * np.cos(turn) + (y - at[1]) * np.sin(turn)
    across = (y - at[1]) * np.cos(turn) - (x - at[0]) * np.sin(turn)
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
    colours = np.stack([_material(rng) for _ in knots[1:]])[part] * _light(rng, side)[:, :, None]
    return _printed(rng, colours, along / half, side), cover


def _material(rng: np.random.Generator) -> Floats:
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


def _printed(rng: np.random.Generator, colours: Floats, along: Floats, side: Floats) -> Floats:
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
        colours = np.where(marked[:, :, None], _material(rng), colours)
    return np.asarray(np.clip(colours, 0, 1.2), np.float32)
