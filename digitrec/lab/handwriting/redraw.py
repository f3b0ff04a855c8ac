"""A small digit written again at any size: by its own outline, or along its middle line with another pen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digitrec.lab.handwriting.pen import Path, Pen, stamp

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom exclusive."""
_FINE = 112  # the side at which lines are thinned, four times MNIST's


def enlarge(digit: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Enlarge the digit with smooth, sharp edges: from (28, 28) to (side, side), ink high in both."""
    large = _smooth(digit, side)
    edge = 28 / side  # the change of level across about one pixel of the large picture
    sharp = np.clip((large - 0.42) / (2 * edge) + 0.5, 0, 1)
    return np.asarray(np.rint(255 * sharp), np.uint8)


def rewrite(digit: NDArray[np.uint8], pen: Pen, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Redraw the digit along its middle line with `pen`: from (28, 28) to (side, side), ink high in both."""
    return stamp(centreline(digit), pen, side, rng)


def shrink(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fit the writing into the middle 20x20 pixels of (28, 28), ink high in both."""
    small = Image.fromarray(ink)
    small.thumbnail((20, 20))
    page = Image.new("L", (28, 28))
    page.paste(small, ((28 - small.width) // 2, (28 - small.height) // 2))
    return np.asarray(page)


def cut_out(written: NDArray[np.uint8], height: int | None = None) -> NDArray[np.uint8]:
    """Crop the writing, ink high, to its bounding box and scale it to a height, px; None: unscaled."""
    ink = Image.fromarray(written).crop(box_of(written))
    if height is None:
        return np.asarray(ink)
    width = max(1, round(ink.width * height / ink.height))
    return np.asarray(ink.resize((width, height), Image.Resampling.BICUBIC))


def box_of(ink: NDArray[np.uint8]) -> Box:
    """Return the bounding box of the ink, (H, W), ink high."""
    rows, columns = (np.flatnonzero((ink > 127).any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def sized(ink: NDArray[np.uint8], side: int, least: int = 1) -> NDArray[np.uint8]:
    """Crop to the ink and scale its longer side to `side` pixels, its shorter one to `least` or more."""
    found = Image.fromarray(cut_out(ink) if ink.max() > 127 else ink)
    scale = side / max(found.size)
    size = (max(least, round(found.width * scale)), max(least, round(found.height * scale)))
    return np.asarray(found.resize(size, Image.Resampling.BICUBIC))


def without_paper(scan: NDArray[np.uint8], reach: float) -> NDArray[np.uint8]:
    """Remove the paper's tone from a scan, ink high; `reach` is the share of its contrast that is kept."""
    ink = scan.astype(np.float32)
    low, high = np.quantile(ink, 0.5), ink.max()
    strength = (ink - low - 0.2 * (high - low)) / (reach * (high - low) + 1)
    return np.asarray(np.clip(strength, 0, 1) * 255, np.uint8)


def moved(
    ink: Image.Image, forth: NDArray[np.float64], size: tuple[int, int], at: NDArray[np.float64],
    how: Image.Resampling = Image.Resampling.BICUBIC,
) -> Image.Image:  # fmt: skip
    """Return a picture of a size, px, with the ink on it, mapped by `forth`, (2, 2), its middle `at` x, y."""
    back = np.linalg.inv(forth)
    start = np.array(ink.size) / 2 - back @ at
    data = (back[0, 0], back[0, 1], start[0], back[1, 0], back[1, 1], start[1])
    return ink.transform(size, Image.Transform.AFFINE, data, how)


def centreline(digit: NDArray[np.uint8]) -> Path:
    """Points along the middle of the strokes, (N, 2), x and y as shares of the side, in no order."""
    thin = _thin(_smooth(digit, _FINE) > 0.5)
    points = np.argwhere(thin)[:, ::-1] + 0.5
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    near = np.exp(-apart / (2 * 2.5**2))  # takes the steps of the pixels out of the line
    smooth = near @ points / near.sum(axis=1, keepdims=True) / _FINE
    first, second = np.nonzero(np.triu(apart <= 2))
    share = np.linspace(0, 1, 6)[:, None, None]
    return np.asarray((smooth[first] * (1 - share) + smooth[second] * share).reshape(-1, 2))


def _smooth(digit: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Enlarge the digit without steps, (side, side), 0..1; about 0.5 on its edges, even faint ones."""
    small = Image.fromarray(digit)
    around = small.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.GaussianBlur(1.5))
    size = (side, side)
    large = np.asarray(small.resize(size, Image.Resampling.BICUBIC), np.float32)
    strongest = np.asarray(around.resize(size, Image.Resampling.BICUBIC), np.float32)
    even = np.clip(255 * large / np.maximum(strongest, 40), 0, 255).astype(np.uint8)
    soft = Image.fromarray(even).filter(ImageFilter.GaussianBlur(0.65 * side / 28))
    return np.asarray(soft, np.float32) / np.float32(255)


def _thin(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Lines one pixel wide along the middle of the mask.

    T. Y. Zhang and C. Y. Suen, "A fast parallel algorithm for thinning digital patterns", 1984.
    """
    mask = np.pad(mask, 1)
    while True:
        before = mask.sum()
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            ring = np.stack([np.roll(mask, shift, (0, 1)) for shift in _CLOCKWISE])
            neighbours = ring.sum(axis=0)
            rises = (~ring & np.roll(ring, -1, axis=0)).sum(axis=0)
            edge = ~(ring[list(first)].all(axis=0) | ring[list(second)].all(axis=0))
            mask = mask & ~((neighbours >= 2) & (neighbours <= 6) & (rises == 1) & edge)
        if mask.sum() == before:
            return mask[1:-1, 1:-1]


_CLOCKWISE = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
# the shifts that bring a pixel's eight neighbours onto it: the one above first, then clockwise
