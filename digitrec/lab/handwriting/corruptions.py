"""Apply the fifteen corruptions of MNIST-C; the code is ours, from their published description.

Norman Mu and Justin Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision", ICML 2019 Workshop on
Uncertainty and Robustness in Deep Learning, https://arxiv.org/abs/1906.02337. The strengths are those of the
published set (https://github.com/google-research/mnist-c); each function names its own. Our code works on all
images at once with NumPy, so single pixels differ. Where the method itself differs (glass blur, fog, zigzag,
canny edges), the function explains how.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_propagation, gaussian_filter

from digitrec.lab.handwriting.photo import Floats
from digitrec.lab.handwriting.strokes import rotation
from digitrec.lab.handwriting.writer import moved

SIDE = 28


def corrupt(images: NDArray[np.uint8], kind: str, seed: int) -> NDArray[np.uint8]:
    """Damage the images in one way, as in MNIST-C.

    Args:
        images: (N, 28, 28), ink high.
        kind: one of `KINDS`.
        seed: the same seed and images give the same result.

    Returns:
        A new array of the same shape and type.

    Raises:
        KeyError: there is no such kind.
    """
    damage = CORRUPTIONS[kind]
    ink = images.astype(np.float32) / np.float32(255)
    damaged = damage(ink, np.random.default_rng((seed, KINDS.index(kind))))
    return np.asarray(np.rint(np.clip(damaged, 0, 1) * 255), np.uint8)


def _shot_noise(x: Floats, rng: np.random.Generator) -> Floats:
    """Add Poisson noise of three photons at full brightness."""
    return np.asarray(rng.poisson(3 * x) / 3, np.float32)


def _impulse_noise(x: Floats, rng: np.random.Generator) -> Floats:
    """Make 17 % of the pixels black or white, with equal chance."""
    chance = rng.random(x.shape)
    return np.where(chance < 0.085, 0, np.where(chance < 0.17, 1, x)).astype(np.float32)


def _glass_blur(x: Floats, rng: np.random.Generator) -> Floats:
    """Blur, exchange pixels with a neighbour in two rounds, and blur again; standard deviation 0.7 pixels.

    MNIST-C exchanges pixels one by one; here a random half of the pixels take a neighbour's value.
    """
    x = _blur(x, 0.7)
    images, rows, columns = np.ogrid[: len(x), :SIDE, :SIDE]
    for _ in range(2):
        moves = rng.random(x.shape) < 0.5
        up, left = rng.integers(0, 2, (2, *x.shape)) * moves
        x = x[images, np.maximum(rows - up, 0), np.maximum(columns - left, 0)]
    return _blur(x, 0.7)


def _motion_blur(x: Floats, rng: np.random.Generator) -> Floats:
    """Smear along 21 pixels, fading as half a Gaussian of 3 pixels, at up to 45 degrees from horizontal."""
    angle = np.radians(rng.uniform(-45, 45, (len(x), 1, 1)))
    weights = np.exp(-(np.arange(21) ** 2) / (2 * 3.0**2))
    images, rows, columns = np.ogrid[: len(x), :SIDE, :SIDE]
    trail = np.zeros_like(x)
    for step, weight in enumerate(weights / weights.sum()):
        down, right = (np.rint(step * part(angle)).astype(int) for part in (np.sin, np.cos))
        place = images, np.clip(rows + down, 0, SIDE - 1), np.clip(columns + right, 0, SIDE - 1)
        trail += np.float32(weight) * x[place]
    return trail


def _shear(x: Floats, rng: np.random.Generator) -> Floats:
    """Slant by 0.4 radians to either side."""
    leans = 0.4 * rng.choice([-1, 1], len(x))
    return _affine(x, [np.array([[1, -np.sin(a)], [0, np.cos(a)]]) for a in leans])


def _scale(x: Floats, _: np.random.Generator) -> Floats:
    """Reduce to 70 % of the size."""
    return _affine(x, [np.eye(2) / 0.7] * len(x))


def _rotate(x: Floats, rng: np.random.Generator) -> Floats:
    """Rotate by 0.4 radians to either side."""
    turns = 0.4 * rng.choice([-1, 1], len(x))
    return _affine(x, [rotation(turn) for turn in turns])


def _brightness(x: Floats, _: np.random.Generator) -> Floats:
    """Brighten by half the range."""
    return x + np.float32(0.5)


def _translate(x: Floats, rng: np.random.Generator) -> Floats:
    """Move by three pixels along each axis, to either side."""
    padded = np.pad(x, ((0, 0), (3, 3), (3, 3)))
    images, rows, columns = np.ogrid[: len(x), :SIDE, :SIDE]
    down, right = np.divmod(rng.integers(0, 4, (len(x), 1, 1)), 2)
    return np.asarray(padded[images, rows + 6 * down, columns + 6 * right])


def _stripe(x: Floats, _: np.random.Generator) -> Floats:
    """Invert all but the middle 14 columns."""
    out = 1 - x
    out[:, :, 7:21] = x[:, :, 7:21]
    return out


def _fog(x: Floats, rng: np.random.Generator) -> Floats:
    """Add fog three times as bright as ink, each finer octave 1.4 times weaker; then darken to the range.

    MNIST-C uses the diamond-square algorithm; here smooth noise of 1 to 32 cells a side is added.
    """
    size = 32
    plasma = np.zeros((len(x), size, size), np.float32)
    for octave in range(6):
        cells = 2**octave
        at = np.arange(size) * cells / size
        near = np.maximum(1 - np.abs(at[:, None] - np.arange(cells + 1)), 0).astype(np.float32)
        knots = rng.uniform(-1, 1, (len(x), cells + 1, cells + 1)).astype(np.float32)
        plasma += near @ knots @ near.T / np.float32(1.4**octave)
    low, high = plasma.min((1, 2), keepdims=True), plasma.max((1, 2), keepdims=True)
    fog = ((plasma - low) / (high - low))[:, :SIDE, :SIDE]
    brightest = x.max((1, 2), keepdims=True)
    return np.asarray((x + 3 * fog) * brightest / (brightest + 3), np.float32)


def _spatter(x: Floats, rng: np.random.Generator) -> Floats:
    """Add drops of mud, a quarter as bright as ink, where blurred noise is far above its mean."""
    liquid = _blur(rng.normal(0.65, 0.3, x.shape).astype(np.float32), 1.0)
    drops = _blur((liquid > 0.65).astype(np.float32), 1.5)
    drops[drops < 0.8] = 0
    return x * (1 - drops) + np.float32(63 / 255) * drops


def _dotted_line(x: Floats, rng: np.random.Generator) -> Floats:
    """Draw a line from edge to edge, two columns on and two off."""
    first, last = rng.integers(0, 27, (2, len(x), 1))
    columns = np.arange(SIDE)
    return x + _line(first + (last - first) * columns / 27) * (columns % 4 >= 2)


def _zigzag(x: Floats, rng: np.random.Generator) -> Floats:
    """Draw a zigzag, 2 pixels high with a period of 8, from column 2 to 25, with a slope of up to 5.

    MNIST-C turns the zigzag with its slope; this one slides its columns up or down.
    """
    first = rng.integers(0, 27, (len(x), 1))
    rise = rng.integers(-5, 5, (len(x), 1))
    columns = np.arange(SIDE)
    along = columns - 2
    wave = np.abs((along - 2) % 8 - 4) - 2
    line = _line(first + rise * along / 23 - wave)
    return x + line * ((columns >= 2) & (columns <= 25))


def _canny_edges(x: Floats, _: np.random.Generator) -> Floats:
    """Apply Canny's edge detector: Gaussian of 1 pixel, Sobel, thresholds 0.1 and 0.2.

    MNIST-C interpolates between neighbours when it thins an edge; here the nearest of four directions is
    used.
    """
    smooth = np.pad(_blur(x, 1.0), ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = smooth[:, :-2] + 2 * smooth[:, 1:-1] + smooth[:, 2:]
    columns = smooth[:, :, :-2] + 2 * smooth[:, :, 1:-1] + smooth[:, :, 2:]
    across, down = rows[:, :, 2:] - rows[:, :, :-2], columns[:, 2:] - columns[:, :-2]
    steep = np.hypot(across, down)
    sector = np.rint(np.arctan2(down, across) / (np.pi / 4)).astype(int) % 4
    ridge = np.zeros(x.shape, np.bool_)
    for direction, (row, column) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        before, after = np.roll(steep, (row, column), (1, 2)), np.roll(steep, (-row, -column), (1, 2))
        ridge |= (sector == direction) & (steep > before) & (steep >= after)
    ridge[:, [0, -1]] = ridge[:, :, [0, -1]] = False
    # an edge goes on to any of a pixel's eight neighbours in the same image
    whole = binary_propagation(ridge & (steep > 0.2), np.ones((1, 3, 3)), ridge & (steep > 0.1))
    return np.asarray(whole, np.float32)


_IN_ORDER: tuple[Callable[[Floats, np.random.Generator], Floats], ...] = (
    _shot_noise, _impulse_noise, _glass_blur, _motion_blur, _shear, _scale, _rotate, _brightness, _translate,
    _stripe, _fog, _spatter, _dotted_line, _zigzag, _canny_edges,
)  # fmt: skip
CORRUPTIONS = {one.__name__[1:].replace("_", " "): one for one in _IN_ORDER}
KINDS = tuple(CORRUPTIONS)
"""The names of the fifteen corruptions, in the paper's order."""


def _blur(x: Floats, sigma: float) -> Floats:
    """Apply a Gaussian filter; repeat the edge pixels beyond the edge."""
    return np.asarray(gaussian_filter(x, (0, sigma, sigma), mode="nearest"))


def _affine(x: Floats, maps: list[NDArray[np.float64]]) -> Floats:
    """Interpolate each image bilinearly at `maps[i] @ (x, y)` about its centre; no ink outside."""
    middle, bilinear = np.full(2, SIDE / 2), Image.Resampling.BILINEAR
    out = np.empty_like(x)
    for at, (image, turn) in enumerate(zip(x, maps, strict=True)):
        forth = np.asarray(np.linalg.inv(turn), np.float64)
        out[at] = np.asarray(moved(Image.fromarray(image), forth, (SIDE, SIDE), middle, bilinear))
    return out


def _line(heights: NDArray[np.float64]) -> Floats:
    """Draw a line at the given row of each column, (N, 28); it fades as 1 + log(1 - distance / 2.3)."""
    distance = np.abs(np.arange(SIDE)[None, :, None] - heights[:, None, :])
    return np.asarray(np.maximum(1 + np.log(np.maximum(1 - distance / 2.3, 1e-9)), 0), np.float32)
