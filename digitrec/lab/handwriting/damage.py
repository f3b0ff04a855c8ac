"""Digits that something happened to: bands inverted, haze, outlines only, strokes across, specks and spots.

They are learned so that the network reads through what a poor scan, a screen or a careless pen leaves behind.
Six of MNIST-C's fifteen corruptions are of these kinds, drawn otherwise; `corruptions` is never used here.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from digitrec.lab.handwriting.paper import Floats, clouds
from digitrec.prepare.filters import grow, smooth

Pixels = NDArray[np.uint8]
Damage = Callable[[Floats, np.random.Generator], Floats]

_FINE = 4  # strokes across are drawn at this many times the picture's size


def damage(digit: Pixels, rng: np.random.Generator) -> Pixels:
    """Damage a copy of a digit in MNIST's form, of any polarity: square, uint8, 28 to 56 pixels a side."""
    ink = np.asarray(_enlarged(digit, rng), np.float32) / np.float32(255)
    kind = KINDS[rng.choice(len(KINDS), p=_CHANCES)]
    damaged = np.clip(kind(ink, rng), 0, 1)
    darkest = rng.uniform(0, 0.5) if rng.random() < 0.4 else 0.0
    brightest = rng.uniform(darkest + 0.3, 1.0) if rng.random() < 0.4 else 1.0
    seen = darkest + (brightest - darkest) * damaged
    return np.asarray(np.rint(255 * (1 - seen if rng.random() < 0.3 else seen)), np.uint8)


def _enlarged(digit: Pixels, rng: np.random.Generator) -> Image.Image:
    side = int(rng.integers(29, 57)) if rng.random() < 0.35 else len(digit)
    return Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)


def _band(ink: Floats, rng: np.random.Generator) -> Floats:
    """Inverted within a band of any place, width and direction, or everywhere but within it."""
    upright = rng.random() < 0.6
    angle = rng.choice([0, np.pi / 2]) if upright else rng.uniform(0, np.pi)
    side = len(ink)
    y, x = np.mgrid[:side, :side] / (side - 1) - 0.5
    across = x * np.cos(angle) + y * np.sin(angle)
    band = np.abs(across - rng.uniform(-0.5, 0.5)) < rng.uniform(0.08, 0.4)
    if rng.random() < 0.3:
        band = np.abs(across - rng.uniform(-0.15, 0.15)) < rng.uniform(0.15, 0.4)
    inverted = band if rng.random() < 0.5 else ~band
    return np.where(inverted, 1 - ink, ink)


def _haze(ink: Floats, rng: np.random.Generator) -> Floats:
    """Seen through clouds of any size, up to three times as bright as the ink."""
    side = len(ink)
    veil = np.zeros_like(ink)
    finer = rng.uniform(0.3, 0.75)  # strength of each finer layer of clouds
    for layer in range(5):
        cells = rng.uniform(0.7, 1.4) * 2**layer
        veil += np.float32(finer**layer) * clouds(rng, side, side, (cells, cells))
    veil = (veil - veil.min()) / max(float(np.ptp(veil)), 1e-6)
    strength = rng.uniform(0.3, 3.0)
    return np.asarray((ink + strength * veil) / (1 + strength), np.float32)


def _hollow(ink: Floats, rng: np.random.Generator) -> Floats:
    """Only the outline, thin and hard or a little softer, just inside the ink's edge or just outside."""
    soft = smooth(ink) if rng.random() < 0.7 else ink
    solid = soft > rng.uniform(0.2, 0.6)
    inside = rng.random() < 0.5
    outline = solid & ~grow(solid, 1, np.minimum) if inside else grow(solid, 1) & ~solid
    line = outline.astype(np.float32)
    return line if rng.random() < 0.7 else np.minimum(2 * smooth(line), 1, dtype=np.float32)


def _crossed(ink: Floats, rng: np.random.Generator) -> Floats:
    """Draw zigzags and straight or broken lines across it, in any direction."""
    size = _FINE * len(ink)
    drawing = Image.new("L", (size, size))
    pen = ImageDraw.Draw(drawing)
    for _ in range(int(rng.choice([1, 2, 3], p=[0.75, 0.18, 0.07]))):
        points = size * _zigzag(rng)
        width = max(1, round(size / 28 * rng.uniform(0.4, 1.6)))
        on, period = int(rng.integers(2, 7)), int(rng.integers(6, 13))
        broken = rng.random() < 0.4
        for step, (first, last) in enumerate(pairwise(points)):
            if not broken or step % period < on:
                pen.line([*first, *last], fill=int(rng.integers(110, 256)), width=width)
    lines = np.asarray(drawing.reduce(_FINE), np.float32) / np.float32(255)
    return np.asarray(np.maximum(ink, lines))


def _zigzag(rng: np.random.Generator) -> NDArray[np.float64]:
    """Points along a zigzag or straight line, (N, 2), x and y as shares of the picture's side."""
    ends = rng.uniform(0, 1, (2, 2))
    ends[:, int(rng.integers(2))] = rng.uniform(-0.1, 0.15), rng.uniform(0.85, 1.1)
    along = np.linspace(0, 1, 113)[:, None]
    teeth = rng.uniform(1, 6)
    height = rng.uniform(0.03, 0.15) if rng.random() < 0.7 else 0.0
    wave = height * (4 * np.abs((along * teeth + rng.random()) % 1 - 0.5) - 1)
    direction = ends[1] - ends[0]
    normal = np.array([-direction[1], direction[0]]) / np.hypot(*direction)
    return np.asarray(ends[0] + along * direction + wave * normal)


def _specks(ink: Floats, rng: np.random.Generator) -> Floats:
    """Single pixels black, white or grey, and grain."""
    chance = rng.random(ink.shape)
    share = rng.uniform(0.01, 0.22)
    grain = ink + np.float32(rng.uniform(0, 0.2)) * rng.standard_normal(ink.shape, np.float32)
    return np.where(chance < share / 2, 0, np.where(chance < share, rng.uniform(0.5, 1), grain))


def _spots(ink: Floats, rng: np.random.Generator) -> Floats:
    """Put drops over the ink, paler than it."""
    side = len(ink)
    cells = rng.uniform(4, 14)
    height = clouds(rng, side, side, (cells, cells))
    wet = height > np.percentile(height, rng.uniform(60, 97))
    return np.where(wet, np.float32(rng.uniform(0.05, 0.5)), ink)


KINDS: tuple[Damage, ...] = (_band, _haze, _hollow, _crossed, _specks, _spots)
"""What may happen to a digit: ink (side, side) in 0..1, and a generator, to the same, now and then beyond."""
_CHANCES = (0.25, 0.22, 0.16, 0.22, 0.11, 0.04)
