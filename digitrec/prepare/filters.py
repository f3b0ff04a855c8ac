"""Small filters on NumPy arrays: running extremes, smoothing, gradients, resizing."""

from typing import Any

import numpy as np
from PIL import Image

Floats = np.ndarray[Any, np.dtype[np.float32]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def running(values: np.ndarray[Any, Any], size: int, axis: int, pick: np.ufunc) -> np.ndarray[Any, Any]:
    """Return the extreme of each window of ``size`` along ``axis``, which gets ``size - 1`` shorter.

    The window is doubled until it is nearly wide enough, so the cost grows with its logarithm.
    """
    values = values.swapaxes(0, axis)
    width = 1
    while width < size:
        step = min(width, size - width)
        values = pick(values[:-step], values[step:])
        width += step
    return values.swapaxes(0, axis)


def spread(values: np.ndarray[Any, Any], diagonal: bool, pick: np.ufunc = np.maximum) -> np.ndarray[Any, Any]:
    """Return the extreme of each pixel and its four neighbours (eight if ``diagonal``)."""
    out = values.copy()
    pick(out[1:], values[:-1], out=out[1:])
    pick(out[:-1], values[1:], out=out[:-1])
    across = out.copy() if diagonal else values
    pick(out[:, 1:], across[:, :-1], out=out[:, 1:])
    pick(out[:, :-1], across[:, 1:], out=out[:, :-1])
    return out


def grow(values: np.ndarray[Any, Any], radius: int, pick: np.ufunc = np.maximum) -> np.ndarray[Any, Any]:
    """Return the extreme within ``radius`` pixels; crosses and squares alternate, which makes an octagon."""
    for step in range(radius):
        values = spread(values, diagonal=step % 2 == 1, pick=pick)
    return values


def _edged(values: Floats) -> Floats:
    """Repeat each edge pixel outside; several times as fast as `np.pad`."""
    height, width = values.shape
    wide = np.empty((height + 2, width + 2), np.float32)
    wide[1:-1, 1:-1] = values
    wide[0, 1:-1], wide[-1, 1:-1] = values[0], values[-1]
    wide[:, 0], wide[:, -1] = wide[:, 1], wide[:, -2]
    return wide


def smooth(values: Floats) -> Floats:
    """Apply the 3x3 binomial filter."""
    wide = _edged(values)
    rows = wide[:-2] + 2 * wide[1:-1] + wide[2:]
    return np.asarray((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) * np.float32(1 / 16))


def steepness(values: Floats) -> Floats:
    """Return the length of the gradient at each pixel."""
    wide = _edged(values)
    down, across = wide[2:, 1:-1] - wide[:-2, 1:-1], wide[1:-1, 2:] - wide[1:-1, :-2]
    return np.asarray(
        np.sqrt(down * down + across * across) * np.float32(0.5)
    )  # np.hypot takes six times as long


def edges(values: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    """Return the first and last row and column."""
    return values[0], values[-1], values[:, 0], values[:, -1]


def edge_colour(picture: Image.Image) -> int | tuple[int, ...]:
    """Return the median colour along the edge, so that an added margin hides the picture's end."""
    right, bottom = picture.size
    sides = (0, 0, right, 1), (0, bottom - 1, right, bottom), (0, 0, 1, bottom), (right - 1, 0, right, bottom)
    lines = [np.asarray(picture.crop(side)) for side in sides]  # all pixels would take ten times as long
    colour = np.median(np.concatenate([line.reshape(-1, *line.shape[2:]) for line in lines]), axis=0)
    return int(colour) if colour.ndim == 0 else tuple(int(channel) for channel in colour)


def resize(
    values: Floats,
    width: int,
    height: int,
    box: tuple[float, float, float, float] | None = None,
    how: Image.Resampling = Image.Resampling.BILINEAR,
) -> Floats:
    """Resize one channel or a part of it; reducing averages, enlarging interpolates."""
    picture = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(picture.resize((width, height), how, box=box))


def quantile(values: np.ndarray[Any, Any], share: float) -> float:
    """Return an approximate quantile, several times faster than `np.quantile`; it loads no masked arrays."""
    return quantiles(values, share)[0]


def quantiles(values: np.ndarray[Any, Any], *shares: float) -> list[float]:
    """Return several approximate quantiles, in the time of one."""
    flat = values.ravel()
    places = [int(share * (flat.size - 1)) for share in shares]
    found: list[float] = np.partition(flat, places)[places].tolist()
    return found
