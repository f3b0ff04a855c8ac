"""Draw a hand that holds a pen."""

import numpy as np
from numpy.typing import NDArray

from digitrec.lab.handwriting.photo import Floats, clouds
from digitrec.lab.handwriting.strokes import log_uniform, one_of
from digitrec.lab.handwriting.things import material

_SKINS = ((0.88, 0.68, 0.58), (0.8, 0.57, 0.45), (0.68, 0.46, 0.34), (0.5, 0.33, 0.23), (0.32, 0.21, 0.15))


def hand(rng: np.random.Generator, height: int, width: int, size: float) -> tuple[Floats, Floats]:
    """Draw a hand, mostly with a pen: its colours (height, width, 3), 0..1, and its cover (height, width).

    ``size`` is a digit's length. The hand may lie partly outside.
    """
    layer = np.zeros((height, width, 4), np.float32)
    tip, turn = rng.uniform(-0.1, 1.1, 2) * (width, height), rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(turn), np.sin(turn)])
    half = size * log_uniform(rng, 0.05, 0.3)
    if rng.random() < 0.9:
        neck, end = tip + along * half * rng.uniform(1.5, 4), tip + along * size * log_uniform(rng, 3, 9)
        colour = material(rng)
        _limb(layer, (neck, end), (half, half * rng.uniform(0.8, 1)), colour, rng)
        _limb(layer, (tip, neck), (0.12 * half, 0.9 * half), colour + rng.normal(0, 0.15), rng)
    _fingers(layer, tip + along * half * rng.uniform(3, 9), along, half * rng.uniform(1, 2.6), rng)
    layer[..., :3] *= 1 + rng.uniform(0, 0.1) * clouds(rng, height, width, (2, 4))[:, :, None]
    return np.clip(layer[..., :3], 0, 1), layer[..., 3]


def _fingers(
    layer: Floats, grip: NDArray[np.float64], along: NDArray[np.float64], half: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Draw two to four fingers that hold a pen at ``grip``, a palm, and often a sleeve.

    ``along`` is the pen's direction, (2,), ``half`` half of a finger's breadth.
    """
    skin = np.array(one_of(rng, _SKINS)) * rng.uniform(0.75, 1.1) + rng.normal(0, 0.02, 3)
    across = np.array([-along[1], along[0]]) * one_of(rng, (-1, 1))
    palm = grip + half * (along * rng.uniform(3, 7) + across * rng.uniform(-3, 3))
    for at in range(int(rng.integers(2, 5))):
        end = grip + half * (across * (at - 0.8) * rng.uniform(0.5, 1.3) + along * at * rng.uniform(-0.5, 2))
        knuckle = palm + across * half * (at - 1) * 1.2
        bend = (end + knuckle) / 2 - across * half * rng.uniform(-1, 1)
        _limb(layer, (bend, knuckle), (half, half * rng.uniform(1, 1.4)), skin * rng.uniform(0.9, 1.05), rng)
        _limb(layer, (end, bend), (half * rng.uniform(0.7, 0.95), half), skin * rng.uniform(0.92, 1.06), rng)
        if rng.random() < 0.4:
            nail = end + np.outer((0.1, 0.25), bend - end)
            _limb(layer, (nail[0], nail[1]), (0.35 * half, 0.4 * half), 1.15 * skin + 0.05, rng)
    arm = half * 8 * (along * rng.uniform(0.4, 1.5) + across * rng.uniform(-0.3, 1))
    wrist = half * rng.uniform((1.8, 2.5), (3, 4))
    _limb(layer, (palm, palm + arm), (wrist[0], wrist[1]), skin, rng)
    if rng.random() < 0.5:
        _limb(layer, (palm + arm, palm + 2 * arm), (half * rng.uniform(3, 4.5), half * 5), material(rng), rng)


def _limb(
    layer: Floats, ends: tuple[NDArray[np.float64], NDArray[np.float64]], radii: tuple[float, float],
    colour: NDArray[np.floating], rng: np.random.Generator,
) -> None:  # fmt: skip
    """Draw a stick with round ends, darker at its sides, on a layer of colours and cover, (H, W, 4)."""
    (x, y), way = ends[0], ends[1] - ends[0]
    down, right = np.indices(layer.shape[:2], np.float32) - np.array([[[y]], [[x]]], np.float32)
    share = np.clip((right * way[0] + down * way[1]) / max(way @ way, 1e-6), 0, 1)
    radius = radii[0] + (radii[1] - radii[0]) * share
    off = np.hypot(right - share * way[0], down - share * way[1]) / radius
    cover = np.clip((1 - off) * radius / 1.2, 0, 1)[:, :, None]
    lit = 1 - rng.uniform(0.15, 0.5) * np.minimum(off, 1) ** rng.uniform(1.5, 4)
    painted = np.dstack([np.clip(np.maximum(colour, 0.02) * lit[:, :, None], 0, 1), np.ones_like(off)])
    layer += cover * (painted - layer)
