"""The channels of a picture made one: that in which its ink departs most from its paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from digitrec.image import Polarity
from digitrec.prepare.background import bare
from digitrec.prepare.filters import Floats

INK_SHARE = 0.01
"""The share of pixels that depart most is ink, and shows its colour."""
FEWEST = 4
"""But at least this many pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Statistics of the ink in each channel of a picture."""

    polarity: Polarity
    """Whether the ink is darker or lighter than the paper."""
    weights: Floats
    """(channels,), >= 0; they add up to 1. One for a picture without colours."""

    def view(self, picture: Image.Image) -> Floats:
        """Project a part of the picture to one channel, (h, w), 0..255, dark ink on light paper."""
        values = np.asarray(picture)
        if len(self.weights) == 1:
            view = np.array(values if values.ndim == 2 else values[:, :, 0], np.float32)
        else:
            view = values.astype(np.float32) @ self.weights
        return 255 - view if self.polarity == "light on dark" else view


def find_projection(picture: Image.Image, polarity: Polarity, window: float) -> Projection:
    """Each channel counts by how far the ink departs from the paper in it, as a share of the paper's light.

    Args:
        picture: grey or RGB; a small one is enough.
        polarity: what is ink.
        window: what departs from its surroundings and is narrower than this, px, may be ink.
    """
    values = np.asarray(picture)
    if values.ndim == 2 or not (values != values[:, :, :1]).any():
        return Projection(polarity, np.ones(1, np.float32))
    planes = values.transpose(2, 0, 1).astype(np.float32)
    planes = 255 - planes if polarity == "light on dark" else planes
    papers = bare(planes, max(3, round(window)))
    away = (1 - planes / papers).reshape(len(planes), -1)
    strength = away.sum(axis=0)
    most = min(len(strength), max(FEWEST, round(INK_SHARE * len(strength))))
    ink = np.maximum(away[:, np.argpartition(strength, -most)[-most:]].mean(axis=1), 1e-3)
    weights = ink / papers.mean(axis=(1, 2))
    return Projection(polarity, np.asarray(weights / weights.sum(), np.float32))
