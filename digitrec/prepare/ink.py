"""Where the ink is on a picture: polarity, paper, strokes, and how many digits they look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from digitrec.image import Pixels, Polarity
from digitrec.prepare.background import Paper, find_paper, find_polarity
from digitrec.prepare.components import Components, components
from digitrec.prepare.filters import Floats, Mask, smooth, steepness

WORKING_SIDE = 320
"""Longer side of the picture on which the ink is looked for, px: a thin pen is still a pixel wide."""
FAINTEST = 0.04
"""Ink takes away at least this share of the paper's light; paper grain and JPEG noise stay below."""
NOISE = 5.0
"""Ink departs from the paper by at least this many standard deviations of the paper's noise."""
EDGE = 0.3
"""A stroke ends where the contrast falls below this share of the ink's."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """What `find_ink` saw."""

    polarity: Polarity
    """Whether the ink is darker or lighter than the paper."""
    reason: str | None
    """"blank", "texture" or "more than one digit"; None: one digit."""
    boxes: tuple[Box, ...]
    """Left, top, right, bottom of each digit, right and bottom exclusive, in pixels of the picture."""
    paper: Paper
    """The background."""
    mask: Mask
    """The digit's ink on the reduced picture."""
    shrink: int
    """How many pixels of the picture make one of the mask, along each side."""
    level: float
    """Contrast of the digit's ink, 0..1."""
    noise: float
    """Standard deviation of the paper's contrast."""


def find_ink(pixels: Pixels) -> Ink:
    """Find the handwriting on a picture, uint8 (H, W) or (H, W, 3), of any polarity.

    Costs well under a millisecond for a small picture and some milliseconds for a large one, which is
    looked at on a reduced scale.
    """
    shrink = -(-max(pixels.shape[:2]) // WORKING_SIDE)
    view = planes(pixels if shrink == 1 else np.asarray(Image.fromarray(pixels).reduce(shrink)))
    polarity = find_polarity(view.mean(axis=2))
    if polarity == "light on dark":
        view = 255 - view
    paper = find_paper(view)
    contrast = paper.contrast(view)
    if min(contrast.shape) > 64:
        contrast = smooth(contrast)
    middle = float(np.median(contrast))
    noise = 1.4826 * float(np.median(np.abs(contrast - middle)))
    contrast -= middle
    found = _strokes(contrast, max(FAINTEST, NOISE * noise))
    if found is None:
        return Ink(polarity, "blank", (), paper, np.zeros(contrast.shape, bool), shrink, 0.0, noise)
    mask, level = found
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (
        int(columns[0]) * shrink, int(rows[0]) * shrink,
        min((int(columns[-1]) + 1) * shrink, pixels.shape[1]), min((int(rows[-1]) + 1) * shrink, pixels.shape[0]),
    )  # fmt: skip
    return Ink(polarity, None, (box,), paper, mask, shrink, level, noise)


def planes(pixels: Pixels) -> Floats:
    """Any picture as (h, w, channels) in float32."""
    return (pixels if pixels.ndim == 3 else pixels[:, :, None]).astype(np.float32)


def _strokes(contrast: Floats, faintest: float) -> tuple[Mask, float] | None:
    """The mask of the digit's ink, and its contrast; None when nothing stands out."""
    steep = steepness(contrast)
    threshold = float(contrast.max()) / 2
    best: tuple[float, Mask, float] | None = None
    while threshold >= faintest:
        mask = contrast > threshold
        parts = components(mask)
        scores = _scores(parts, parts.total(steep, mask), mask.shape)
        top = int(np.argmax(scores))
        if best is None or scores[top] > 1.2 * best[0]:
            chosen = np.zeros(mask.shape, bool)
            chosen[mask] = parts.labels == top
            best = float(scores[top]), chosen, threshold
        threshold *= 0.6
    if best is None:
        return None
    level = float(np.percentile(contrast[best[1]], 80))
    mask = contrast > max(EDGE * level, faintest)
    parts = components(mask)
    scores = _scores(parts, parts.total(steep, mask), mask.shape)
    keep = _together(parts, int(np.argmax(scores)), scores)
    mask[mask] = keep[parts.labels]
    return mask, level


def _scores(parts: Components, energy: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How much each part looks like a digit's ink: sharp edges, much of them, little of them at the border."""
    height, width = shape
    contact = (
        np.where(parts.left == 0, parts.bottom - parts.top, 0)
        + np.where(parts.right == width, parts.bottom - parts.top, 0)
        + np.where(parts.top == 0, parts.right - parts.left, 0)
        + np.where(parts.bottom == height, parts.right - parts.left, 0)
    )
    return energy / (1 + (contact / (0.25 * (height + width))) ** 2)


def _together(parts: Components, main: int, scores: np.ndarray) -> np.ndarray:
    """Which parts belong to the same digit as the main one: near it, and no mere specks."""
    size = max(parts.bottom[main] - parts.top[main], parts.right[main] - parts.left[main])
    gap_x = np.maximum(parts.left - parts.right[main], parts.left[main] - parts.right)
    gap_y = np.maximum(parts.top - parts.bottom[main], parts.top[main] - parts.bottom)
    gap = np.maximum(gap_x, gap_y)
    keep = (gap < 0.2 * size) & (scores > 0.05 * scores[main])
    keep[main] = True
    return keep
