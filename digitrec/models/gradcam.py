"""Grad-CAM: which places of a network's last feature maps raise the score of a digit.

R. R. Selvaraju and others, Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization,
ICCV 2017. Where a mean over each map and one fully connected layer follow, as in our own network, it is the
older class activation map but for a factor: B. Zhou and others, Learning Deep Features for Discriminative
Localization, CVPR 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitrec.models.scores import Floats

SIDE = 28
"""Pixels along each side of what a network is given."""


@dataclass(frozen=True, slots=True, eq=False)
class LastMaps:
    """The last of a network's results that have places, and how its scores hang on them."""

    maps: Floats
    """(H, W, C): the maps A of one picture."""
    gradients: Floats
    """(N, H, W, C): by how much the score of each of N digits grows with each place of each map."""
    field: tuple[float, float] | None = None
    """The pixel on which the middle of the first place lies, and how many pixels a place is from the next;
    None where that cannot be told, and the places are spread evenly."""


def class_maps(parts: Sequence[LastMaps]) -> Floats:
    """What each place adds to the score of each digit, laid over the pixels: (N, 28, 28), before the ReLU.

    For a digit c and maps A^k: sum over k of alpha_k A^k, where alpha_k is the mean of d score_c / d A^k over
    the places (the paper's equations 1 and 2, of which the ReLU is left to the caller). The score is the one
    before the softmax. The maps of networks that are joined count as one layer. Between the middles of the
    places it is interpolated, linearly.
    """
    found = [_laid_out(_weighed(part), part.field) for part in parts]
    return np.asarray(np.sum(found, axis=0), np.float32)


def _weighed(part: LastMaps) -> Floats:
    weights = part.gradients.mean(axis=(1, 2))
    return np.asarray(np.einsum("nc,hwc->nhw", weights, part.maps))


def _laid_out(maps: Floats, field: tuple[float, float] | None) -> Floats:
    """(N, H, W) over the pixels, (N, 28, 28); beyond the outermost places it stays the same."""
    down, across = (_shares(side, field) for side in maps.shape[1:])
    return np.asarray(np.einsum("ph,nhw,qw->npq", down, maps, across))


def _shares(places: int, field: tuple[float, float] | None) -> Floats:
    """(28, places): how much each pixel takes of each place."""
    step = SIDE / places
    first, step = field or ((step - 1) / 2, step)
    at = np.clip((np.arange(SIDE) - first) / step, 0, places - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(places))), np.float32)


def through(layers: Sequence[tuple[int, int, int]]) -> tuple[float, float]:
    """A `LastMaps.field` after layers that see several places: of each size, stride and padding before.

    After V. Dumoulin, F. Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285.
    """
    first, step = 0.0, 1.0
    for size, stride, before in layers:
        first += ((size - 1) / 2 - before) * step
        step *= stride
    return first, step
