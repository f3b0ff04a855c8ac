"""Estimate the paper's brightness everywhere, and how far each pixel differs from it towards ink."""

import numpy as np

from digitrec.prepare.filters import Floats, edges, quantile, resize, running

EDGE_WEIGHT = 0.5
"""Weight of the picture's edge against the skew for the polarity; 0.3 to 0.5 give the same results."""
CHANCE = 3.2
"""Largest correlation of neighbours that can be due to chance, in standard deviations."""
CELLS = 28
"""Number of grid cells on the shorter side, if it has as many pixels; light changes slowly."""


def contrast_to(paper: Floats, view: Floats, box: tuple[float, float, float, float] | None = None) -> Floats:
    """Return how far each pixel departs from the paper towards the ink: 0 paper, 1 black.

    Args:
        paper: the result of `find_paper`.
        view: (h, w), 0..255, dark ink on light paper.
        box: the part that ``view`` shows: left, top, right, bottom as shares of the picture; None: all.
    """
    height, width = view.shape
    rows, columns = paper.shape
    part = box and (box[0] * columns, box[1] * rows, box[2] * columns, box[3] * rows)
    return 1 - view / resize(paper, width, height, part)


def find_paper(view: Floats, window: float) -> Floats:
    """Return the paper's brightness, 1..255, on a coarse grid over a picture with dark ink on light paper.

    Args:
        view: (h, w), 0..255.
        window: width, px, below which a darker area is not paper.
    """
    height, width = view.shape
    cell = max(1.0, min(width, height) / CELLS)
    size = max(1, round(width / cell)), max(1, round(height / cell))
    return bare(resize(view, *size), max(3, round(window / cell)))


def bare(planes: Floats, size: int) -> Floats:
    """Return the paper's brightness: fill areas darker than their surroundings and narrower than ``size``.

    Args:
        planes: one view or several, (..., h, w), 0..255, dark ink on light paper.
        size: px, >= 1.
    """
    widths = {axis: min(size, planes.shape[axis]) for axis in (-2, -1)}
    for axis, width in widths.items():
        planes = _continued(planes, width - 1, axis)
    for pick in (np.maximum, np.minimum):
        for axis, width in widths.items():
            planes = running(planes, width, axis, pick)
    return np.maximum(planes, 1, dtype=np.float32)


def _continued(planes: Floats, by: int, axis: int) -> Floats:
    """Continue each end by its point reflection, so that a gradient of light continues beyond the edge."""
    planes = planes.swapaxes(0, axis)
    steps = np.arange(1, by + 1)
    before = 2 * planes[:1] - planes[steps[::-1]]
    after = 2 * planes[-1:] - planes[len(planes) - 1 - steps]
    return np.concatenate([before, planes, after]).swapaxes(0, axis)


def lightness(grey: Floats) -> tuple[float, float]:
    """Return how much a picture, (h, w), looks like light ink (above 0) or like dark ink (below 0).

    Two measures are added. Ink covers fewer pixels than paper, so the skew of each pixel's difference from
    its surroundings tells ink from paper; slow changes of light do not affect it. The picture's edge shows
    paper, which decides where a digit fills the picture.

    Returns:
        The sum of both, and the skew alone as a measure of certainty.
    """
    away = grey - _local_mean(grey, max(3, min(grey.shape) // 2))
    squares = away * away
    skew = float((squares * away).mean()) / (float(squares.mean()) ** 1.5 + 1e-6)
    edge = quantile(np.concatenate(edges(grey)), 0.5)
    inside = (float(grey.mean()) - edge) / (float(grey.std()) + 1e-6)
    return skew + EDGE_WEIGHT * inside, skew


def is_noise(grey: Floats) -> bool:
    """Return whether the pixels of a picture, (h, w), are uncorrelated, as in pure or enlarged noise.

    Independent neighbours have the correlation 0, with a standard deviation of 1 / sqrt(number of pairs). The
    noisiest digits of MNIST-C, 28x28, still correlate by 0.09, more than three standard deviations.
    """
    grey = _unrepeated(grey)
    away = grey - grey.mean()
    variance = float((away * away).mean())
    pairs = away[1:] * away[:-1], away[:, 1:] * away[:, :-1]
    count = pairs[0].size + pairs[1].size
    return variance > 0 and float(pairs[0].sum() + pairs[1].sum()) < CHANCE * variance * count**0.5


def _unrepeated(grey: Floats) -> Floats:
    """Undo an enlargement that repeated each pixel."""
    height, width = grey.shape
    for times in range(min(grey.shape), 1, -1):
        if height % times == 0 and width % times == 0:
            small = grey[::times, ::times]
            if np.array_equal(small.repeat(times, axis=0).repeat(times, axis=1), grey):
                return small
    return grey


def _local_mean(grey: Floats, size: int) -> Floats:
    """Return the mean over a square window, cut off at the edges."""
    for axis in (0, 1):
        grey = grey.swapaxes(0, axis)
        n = len(grey)
        sums = np.concatenate([np.zeros_like(grey[:1]), np.cumsum(grey, axis=0)])
        first = np.maximum(np.arange(n) - size // 2, 0)
        last = np.minimum(np.arange(n) + size // 2 + 1, n)
        means = (sums[last] - sums[first]) / (last - first)[:, None].astype(np.float32)
        grey = means.swapaxes(0, axis)
    return grey
