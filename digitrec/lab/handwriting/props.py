"""Draw things beside a digit: pens, fingers, tables under a card, brackets, boxes, lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting import strokes
from digitrec.lab.handwriting.photo import Colour, Floats, clouds, texture
from digitrec.lab.handwriting.strokes import Pen, Stroke, ink
from digitrec.lab.handwriting.writer import Box, cut_out

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


def turned(layer: Floats, degrees: float) -> Floats:
    """Rotate a layer, (H, W), and enlarge it so that all of it fits; the corners become 0."""
    picture = Image.fromarray(layer)
    return np.asarray(picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True), np.float32)


def barrel(rng: np.random.Generator, height: int, width: int, digit: Box) -> tuple[Floats, Floats]:
    """Draw a dark pen clear of a digit: its colours (height, width, 3) and cover (height, width)."""
    size = digit[3] - digit[1]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    while True:
        half, length = size * rng.uniform(0.04, 0.12), size * rng.uniform(2, 5)
        turn, at = rng.uniform(0, 2 * np.pi), rng.uniform((0, 0), (width, height))
        along = (x - at[0]) * np.cos(turn) + (y - at[1]) * np.sin(turn)
        across = (y - at[1]) * np.cos(turn) - (x - at[0]) * np.sin(turn)
        thick = np.clip((length - along) / 3, 0.15 * half, half)  # thinner towards the tip
        cover = np.clip(thick - np.abs(across) + 0.5, 0, 1) * np.clip(along + 0.5, 0, 1)
        cover = np.asarray(cover * np.clip(length - along + 0.5, 0, 1), np.float32)
        if cover.sum() > 0.15 * size * size and _clear(cover, digit, 0.12 * size + half):
            break
    colour = np.asarray(_BARRELS[rng.integers(len(_BARRELS))], np.float32)
    shine = rng.uniform(0, 0.35) * np.exp(-(((across / half - 0.3) / 0.15) ** 2))
    return np.asarray(colour + shine[:, :, None], np.float32), cover


def finger(rng: np.random.Generator, height: int, width: int, digit: Box) -> tuple[Floats, Floats]:
    """Draw a finger that enters from an edge, clear of a digit: colours and cover as for `barrel`."""
    size = digit[3] - digit[1]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    while True:
        place = rng.uniform(0, 1, 2)
        place[rng.integers(2)] = rng.integers(2)
        at, turn = place * (width, height), rng.uniform(0, np.pi)
        along = (x - at[0]) * np.cos(turn) + (y - at[1]) * np.sin(turn)
        across = (y - at[1]) * np.cos(turn) - (x - at[0]) * np.sin(turn)
        half = size * rng.uniform(0.15, 0.35)
        round_off = np.hypot(along / rng.uniform(1.5, 3), across) / half
        cover = np.asarray(np.clip((1 - round_off) * half / 2, 0, 1), np.float32)
        if cover.sum() > 0.1 * size * size and _clear(cover, digit, 0.15 * size):
            break
    colour = np.asarray(_SKINS[rng.integers(len(_SKINS))], np.float32)
    return np.asarray(colour * (1 - 0.35 * round_off**2)[:, :, None], np.float32), cover


def _clear(cover: Floats, digit: Box, margin: float) -> bool:
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
    drawn = cut_out(strokes.put([path], Pen(breadth), rng, 2 * height), height)
    return drawn if closing else drawn[:, ::-1]


def line(rng: np.random.Generator, ends: NDArray[np.float64]) -> Stroke:
    """Draw a slightly bent line between two points, (2, 2), as by hand."""
    middle = ends.mean(axis=0) + rng.normal(0, 0.015, 2) * np.abs(np.ptp(ends, axis=0))[::-1]
    return strokes.smooth(np.stack([ends[0], middle, ends[1]]))


def ring(rng: np.random.Generator, middle: NDArray[np.float64], radii: NDArray[np.float64]) -> Stroke:
    """Draw a circle around a point as by hand; it does not quite close, or overlaps itself."""
    turns = np.linspace(0, rng.uniform(1.97, 2.15) * np.pi, 60) + rng.uniform(0, 2 * np.pi)
    wobble = 1 + 0.03 * np.sin(2 * turns + rng.uniform(0, 6)) + 0.02 * np.sin(3 * turns)
    return middle + radii * np.stack([wobble * np.cos(turns), wobble * np.sin(turns)], axis=1)


def frame(rng: np.random.Generator, box: NDArray[np.float64], beyond: float) -> list[Stroke]:
    """Draw the sides of a box, (2, 2), top left and bottom right; extend each side by `beyond`."""
    (left, top), (right, bottom) = box
    level = [np.array([[left - beyond, y], [right + beyond, y]]) for y in (top, bottom)]
    upright = [np.array([[x, top - beyond], [x, bottom + beyond]]) for x in (left, right)]
    skew = rng.normal(0, 0.006, (4, 2, 2)) * (right - left)
    return [side + shift for side, shift in zip(level + upright, skew, strict=True)]


def drawn(field: Pixels, paths: list[Stroke], breadth: float, rng: np.random.Generator) -> Pixels:
    """Draw lines on a field of ink, (H, W); paths and breadth in pixels."""
    height, width = field.shape
    side = max(height, width)
    inside = [np.clip(path, -side, 2 * side) / side for path in paths]
    more = ink(inside, Pen(breadth / side, float(rng.uniform(0, 0.2))), side, rng)
    return np.maximum(field, more[:height, :width])
