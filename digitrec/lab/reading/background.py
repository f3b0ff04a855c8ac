"""What is on paper besides a number, each as darkness 0..1 to take from the paper's grey."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Floats = NDArray[np.float32]


def rulings(shape: tuple[int, int], middle: float, tall: float, rng: np.random.Generator) -> Floats:
    """Return base lines, sides of boxes and squares around a number, (H, W).

    Args:
        shape: height and width, px.
        middle: height of the number's middle, px.
        tall: height of a digit, px.
        rng: the source of all that varies.
    """
    height, width = shape
    lines = Image.new("L", (width, height))
    pen = ImageDraw.Draw(lines)
    thick = max(1, round(rng.uniform(1, 4)))
    if rng.random() < 0.45:
        step = tall * rng.uniform(0.9, 2)
        first = middle + tall * rng.uniform(0.4, 0.75)
        for at in (first - step, first, first + step)[rng.integers(3) :]:
            pen.line((0, at, width, at + rng.normal(0, 2)), fill=255, width=thick)
    if rng.random() < 0.35:
        for at in (rng.uniform(0.8, 1.4) * tall, width - rng.uniform(0.8, 1.5) * tall):
            if rng.random() < 0.7:
                pen.line((at, 0, at + rng.normal(0, 3), height), fill=255, width=thick)
    if rng.random() < 0.12:
        step = tall * rng.uniform(0.3, 0.9)
        for at in np.arange(rng.uniform(0, step), max(width, height), step):
            pen.line((at, 0, at, height), fill=255)
            pen.line((0, at, width, at), fill=255)
    return np.asarray(np.asarray(lines) * (rng.uniform(0.1, 0.75) / 255), np.float32)


def guilloche(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return fine wavy lines as on cheques, (H, W)."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    total = np.zeros(shape, np.float32)
    for _ in range(rng.integers(1, 4)):
        turn, bend = rng.uniform(0, np.pi), rng.uniform(0, 8)
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        wave = np.sin((across + bend * np.sin(along * rng.uniform(0.02, 0.2))) * rng.uniform(0.3, 1.5))
        total = np.maximum(total, np.clip(3 * wave - 2 + rng.uniform(0, 1.5), 0, 1))
    return np.asarray(total * rng.uniform(0.03, 0.22), np.float32)


def stamp(shape: tuple[int, int], middle: float, tall: float, rng: np.random.Generator) -> Floats:
    """Return the ring of a stamp over a number, (H, W); the arguments are those of `rulings`."""
    ring = Image.new("L", shape[::-1])
    at, r = rng.uniform(0, shape[1]), tall * rng.uniform(0.6, 1.6)
    ImageDraw.Draw(ring).ellipse((at - r, middle - r, at + r, middle + r), outline=255, width=5)
    return np.asarray(np.asarray(ring) * (rng.uniform(0.15, 0.4) / 255), np.float32)
