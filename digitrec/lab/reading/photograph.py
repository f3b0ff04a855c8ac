"""A number cut out of its page and photographed: light, blur, size, compression and noise."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digitrec.lab.handwriting.pen import log_uniform
from digitrec.models.sequence import HEIGHT

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
STRETCH = 1.3
"""Factor by which a view is widened: narrow digits would leave too few columns."""


def cut(page: Floats, ink: Floats, tall: float, rng: np.random.Generator) -> Floats:
    """Return the part of the page with the number, cut tightly or loosely.

    Args:
        page: (H, W), 0..1, the number's digits between 0.9 and 2.1 times `tall` from the top.
        ink: (H, W), 0..1, the number and parts of other lines.
        tall: height of a digit, px.
        rng: the source of all that varies.
    """
    rows, columns = np.flatnonzero((ink > 0.3).any(axis=1)), np.flatnonzero((ink > 0.3).any(axis=0))
    middle = (rows > 0.9 * tall) & (rows < 2.1 * tall)
    rows = rows[middle] if middle.any() else rows
    high = rows[-1] + 1 - rows[0]
    loose = rng.gamma(1.3, 0.12, 2) - 0.06 if rng.random() < 0.7 else rng.uniform(0, 0.8, 2)
    top, bottom = rows[0] - loose[0] * high, rows[-1] + 1 + loose[1] * high
    before, after = ((rng.gamma(1.3, 0.2, 2) - 0.05) if rng.random() < 0.7 else rng.uniform(0, 1.5, 2)) * high
    left, right = columns[0] - before, columns[-1] + 1 + after
    left, top = max(0, round(left)), max(0, round(top))
    right, bottom = min(page.shape[1], round(right)), min(page.shape[0], round(bottom))
    return page[top:bottom, left:right]


def photograph(page: Floats, breadth: float, rng: np.random.Generator) -> Pixels:
    """Return a photo of the page, (H, W), 0..1, as a view, (HEIGHT, W'); thin pens are blurred less."""
    picture = Image.fromarray(np.asarray(np.clip(_lit(page, rng), 0, 1) * 255, np.uint8))
    if rng.random() < 0.6:
        most = min(3.0, 0.6 + 40 * breadth)
        picture = picture.filter(ImageFilter.GaussianBlur(log_uniform(rng, 0.4, most)))
    if rng.random() < 0.25:
        scale = rng.uniform(14, 32) / picture.height
        size = (max(8, round(picture.width * scale)), max(8, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.BOX)
    if rng.random() < 0.3:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(rng.integers(20, 95)))
        picture = Image.open(file)
    width = max(8, round(picture.width * HEIGHT / picture.height * STRETCH))
    view = np.asarray(picture.resize((width, HEIGHT), Image.Resampling.BILINEAR, reducing_gap=2), np.float32)
    if rng.random() < 0.5:
        view = view + rng.standard_normal(view.shape) * np.exp(rng.uniform(0, np.log(12)))
    return np.asarray(np.clip(view, 0, 255), np.uint8)


def _lit(page: Floats, rng: np.random.Generator) -> Floats:
    """Return the page under uneven light, sometimes with another contrast, rarely as a negative."""
    turn = rng.uniform(0, 2 * np.pi)
    across, down = np.meshgrid(np.linspace(-1, 1, page.shape[1]), np.linspace(-1, 1, page.shape[0]))
    slope = 0.5 + 0.5 * (across * np.cos(turn) + down * np.sin(turn))
    page = page * (1 - rng.uniform(0, 0.4) * slope)
    if rng.random() < 0.3:
        page = np.clip(page, 0, 1) ** np.exp(rng.uniform(-0.6, 0.6))
    return 1 - page if rng.random() < 0.05 else page
