"""Project a picture to one channel: the mixture in which the ink differs most from the paper."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from digitrec.image import Polarity
from digitrec.prepare.background import bare
from digitrec.prepare.filters import Floats

COLOUR_SIDE = 80
"""Longer side of the reduced picture on which the ink's colour is found, in pixels."""
INK_SHARE = 0.01
"""Share of the pixels, those that differ most from the paper, that show the ink's colour."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Statistics of the ink in each channel of a picture."""

    polarity: Polarity
    """Whether the ink is darker or lighter than the paper."""
    weights: Floats
    """(channels,), >= 0, with the sum 1; the only weight of a grey picture is 1."""

    def view(self, picture: Image.Image) -> Floats:
        """Project a part of the picture to one channel, (h, w), 0..255, dark ink on light paper."""
        values = np.asarray(picture)
        if len(self.weights) == 1:
            view = np.array(values if values.ndim == 2 else values[:, :, 0], np.float32)
        else:
            view = values.astype(np.float32) @ self.weights
        return 255 - view if self.polarity == "light on dark" else view


def find_projection(picture: Image.Image, polarity: Polarity, window: float) -> Projection:
    """Weight each channel by the ink's difference from the paper in it, as a share of the paper's brightness.

    Args:
        picture: grey or RGB; a small one is enough.
        polarity: whether the ink is darker or lighter than the paper.
        window: px; only areas narrower than this that differ from their surroundings can be ink.
    """
    values = np.asarray(picture)
    if values.ndim == 2 or not (values != values[:, :, :1]).any():
        return Projection(polarity, np.ones(1, np.float32))
    planes = values.transpose(2, 0, 1).astype(np.float32)
    planes = 255 - planes if polarity == "light on dark" else planes
    papers = bare(planes, max(3, round(window)))
    away = (1 - planes / papers).reshape(len(planes), -1)
    strength = away.sum(axis=0)
    most = max(1, round(INK_SHARE * len(strength)))
    ink = np.maximum(away[:, np.argpartition(strength, -most)[-most:]].mean(axis=1), 1e-3)
    weights = ink / papers.mean(axis=(1, 2))
    return Projection(polarity, np.asarray(weights / weights.sum(), np.float32))


def unhidden(picture: Image.Image, coarse: Image.Image | None = None) -> Image.Image:
    """Invert a channel of a picture of mode L or RGB if that makes the ink plainer in grey, else return it.

    Ink may be darker than its paper in one channel and lighter in another, as blue on red; in grey, both
    differences nearly cancel out. If ink is darker or lighter in all channels, no inversion helps.
    ``coarse``: the picture reduced, if it is known; reducing a photo costs much of the time.
    """
    if picture.mode == "L":
        return picture
    tiny, _ = reduced(coarse or picture, COLOUR_SIDE)
    parts = np.asarray(tiny, np.float32) * np.array([0.299, 0.587, 0.114], np.float32)  # their sum is grey
    steps = np.concatenate([np.diff(parts, axis=axis).reshape(-1, 3) for axis in (0, 1)])
    signs = 1 - 2 * np.eye(4, 3, -1)  # no channel inverted, then each one
    contrast = ((signs @ (steps.T @ steps)) * signs).sum(axis=1)  # the squares of all steps in grey
    best = int(contrast.argmax())
    return _inverted(picture, best - 1) if contrast[best] > 2 * contrast[0] else picture


def reduced(picture: Image.Image, side: int) -> tuple[Image.Image, int]:
    """Reduce the picture until its longer side is at most ``side``; return it and the divisor."""
    shrink = -(-max(picture.size) // side)
    return (picture if shrink == 1 else picture.reduce(shrink)), shrink


def _inverted(picture: Image.Image, channel: int) -> Image.Image:
    values = np.array(picture)
    values[:, :, channel] = 255 - values[:, :, channel]
    return Image.fromarray(values)
