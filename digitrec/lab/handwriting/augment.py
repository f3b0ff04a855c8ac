"""Change 28x28 digits at random, as other people might have written and scanned them; the seed decides.

Each digit goes through these steps in order: an affine map (slant, turn, size, place) and an elastic map,
sampled together; a change of stroke width; a loss of resolution; blur, gamma and contrast; stray lines;
noise. This takes about 0.2 ms per digit on one core, fast enough for training on two cores.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from digitrec.lab.handwriting.photo import Floats

SIDE = 28
_FINE = 2 * SIDE  # strokes are widened at twice the resolution, in half-pixel steps
_KNOTS = 6  # control points of the elastic map along each side
_BOX = 20  # the side of the square that MNIST's digits fit
_CROSS = ndimage.generate_binary_structure(2, 1)[None]  # a pixel and its four neighbours
_CHUNK = 256  # digits worked on at once: small enough for the cache


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Limits of the changes; each digit draws its own values from 0 to these limits."""

    rotation: float = 12.0
    """Maximum turn to either side, degrees."""
    shear: float = 0.25
    """Maximum slant to either side, as the tangent of its angle."""
    zoom: float = 0.18
    """Maximum change of size, as the natural logarithm of the factor."""
    stretch: float = 0.10
    """Maximum change of the width-to-height ratio, as the natural logarithm of the factor."""
    boxed: float = 0.13
    """Share of the digits that are widened towards a square, as some form readers do."""
    shift: float = 2.0
    """Maximum displacement along each axis, pixels."""
    elastic: float = 0.9
    """Maximum standard deviation of the elastic map's control points, pixels."""
    thinner: float = 1.0
    """Maximum thinning on each side of a stroke, half pixels."""
    thicker: float = 2.0
    """Maximum thickening on each side of a stroke, half pixels."""
    coarse: float = 0.10
    """Share of the digits that are reduced to 14x14 and enlarged again."""
    blur: float = 0.25
    """Share of the digits that are blurred."""
    hard: float = 0.15
    """Share of the digits whose edges are made hard, as in a 1-bit scan."""
    lines: float = 0.06
    """Share of the digits with a stray line across or beside them."""
    noise: float = 0.15
    """Share of the digits with noise over the whole image."""
    clean: float = 0.10
    """Share of the digits that are left unchanged."""

    def gentler(self, share: float) -> Augmentation:
        """Scale every limit by `share`, 0..1; the share of unchanged digits stays."""
        limits = {name: share * limit for name, limit in asdict(self).items()}
        return replace(Augmentation(**limits), clean=self.clean)


def augment(images: NDArray[np.uint8], rng: np.random.Generator, limits: Augmentation) -> NDArray[np.uint8]:
    """Return a changed copy of each digit.

    `images` is (N, 28, 28), ink high, and so is the result. The same generator state gives the same digits.
    """
    changed = images.copy()
    for start in range(0, len(images), _CHUNK):
        part = slice(start, start + _CHUNK)
        chosen = rng.random(len(images[part])) >= limits.clean
        ink = _change(images[part][chosen].astype(np.float32) / 255.0, rng, limits)
        changed[part][chosen] = np.rint(np.clip(ink, 0.0, 1.0) * 255.0)
    return changed


def _change(ink: Floats, rng: np.random.Generator, limits: Augmentation) -> Floats:
    fine = _sample(ink, *_positions(ink, rng, limits))
    fine = _widen(fine, rng.uniform(-limits.thinner, limits.thicker, len(ink)))
    ink = _halve(fine)
    coarse = rng.random(len(ink)) < limits.coarse
    ink[coarse] = _halve(ink[coarse]).repeat(2, axis=1).repeat(2, axis=2)
    blurred = (rng.random(len(ink)) < limits.blur) | coarse
    ink[blurred] = _blur(ink[blurred])
    ink = _tones(ink, rng, limits)
    ink = _lines(ink, rng, limits)
    return _noise(ink, rng, limits)


def _positions(ink: Floats, rng: np.random.Generator, limits: Augmentation) -> tuple[Floats, Floats]:
    """Return the source of each point of the changed digit: rows and columns, (N, 56, 56)."""
    n = len(ink)
    turn = np.radians(rng.uniform(-limits.rotation, limits.rotation, n))
    slant = rng.uniform(-limits.shear, limits.shear, n)
    zoom = rng.uniform(-limits.zoom, limits.zoom, n)
    stretch = rng.uniform(-limits.stretch, limits.stretch, n)
    high, wide = np.exp(-zoom - stretch), np.exp(-zoom + stretch)
    boxed = rng.random(n) < limits.boxed
    wide[boxed] /= (_BOX / _widths(ink[boxed])) ** rng.uniform(0, 1, boxed.sum())
    cos, sin = np.cos(turn), np.sin(turn)
    move = rng.uniform(-limits.shift, limits.shift, (2, n)) + (SIDE - 1) / 2
    share = limits.elastic * rng.random((2, n, 1, 1))
    bend = _SPLINE @ (share * rng.standard_normal((2, n, _KNOTS, _KNOTS))).astype(np.float32) @ _SPLINE.T

    axis = ((np.arange(_FINE) + 0.5) / 2 - SIDE / 2).astype(np.float32)
    y, x = axis[None, :, None], axis[None, None, :]
    matrix = np.stack([high * cos, high * sin, wide * (slant * cos - sin), wide * (slant * sin + cos), *move])
    yy, yx, xy, xx, dy, dx = matrix.astype(np.float32)[:, :, None, None]
    return yy * y + yx * x + dy + bend[0], xy * y + xx * x + dx + bend[1]


def _widths(ink: Floats) -> NDArray[np.float64]:
    """Return the width of each digit, pixels, 1 to `_BOX`."""
    inked = ink.max(axis=1) > 0.25
    margins = inked.argmax(axis=1) + inked[:, ::-1].argmax(axis=1)
    return np.asarray(np.clip(SIDE - margins, 1, _BOX), np.float64)


def _spline_weights() -> Floats:
    """Return the uniform cubic B-spline from `_KNOTS` control points to 56 positions, rows summing to 1."""
    far = np.abs(np.linspace(0, _KNOTS - 1, _FINE)[:, None] - np.arange(_KNOTS)[None, :])
    near = 2 / 3 - far**2 + far**3 / 2
    weights = np.where(far < 1, near, np.where(far < 2, (2 - far) ** 3 / 6, 0.0))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


_SPLINE = _spline_weights()


def _sample(ink: Floats, rows: Floats, columns: Floats) -> Floats:
    """Interpolate each digit bilinearly at the given positions; no ink outside."""
    pairs = zip(ink, np.stack([rows, columns], axis=1), strict=True)
    fine = [ndimage.map_coordinates(*pair, order=1, mode="grid-constant") for pair in pairs]
    return np.array(fine, np.float32).reshape(-1, _FINE, _FINE)


def _widen(fine: Floats, steps: NDArray[np.float64]) -> Floats:
    """Thicken (steps > 0) or thin (steps < 0) strokes by that many pixels of `fine` on each side."""
    for sign, extreme in ((1, ndimage.maximum_filter), (-1, ndimage.minimum_filter)):
        left = steps * sign
        while (still := left > 0).any():
            part = fine[still]
            amount = np.minimum(left[still], 1.0).astype(np.float32)[:, None, None]
            spread = extreme(part, footprint=_CROSS, mode="nearest")
            fine[still] = part + amount * (spread - part)
            left = left - 1.0
    return fine


def _halve(ink: Floats) -> Floats:
    """Return the mean of each 2x2 block."""
    side = ink.shape[1] // 2
    return np.asarray(ink.reshape(-1, side, 2, side, 2).mean(axis=(2, 4)))


def _blur(ink: Floats) -> Floats:
    """Apply the 3x3 binomial filter."""
    for axis in (1, 2):
        ink = ndimage.convolve1d(ink, [0.25, 0.5, 0.25], axis, mode="constant")
    return ink


def _tones(ink: Floats, rng: np.random.Generator, limits: Augmentation) -> Floats:
    """Change the contrast about the middle grey, harden some edges, and apply gamma."""
    n = len(ink)
    contrast = rng.uniform(1.0, 1.6, n)
    contrast[rng.random(n) < limits.hard] = 8.0
    gamma = np.exp(rng.uniform(-0.4, 0.4, n))
    ink = np.clip((ink - 0.45) * contrast[:, None, None].astype(np.float32) + 0.45, 0.0, 1.0)
    return np.asarray(ink ** gamma[:, None, None].astype(np.float32), dtype=np.float32)


def _lines(ink: Floats, rng: np.random.Generator, limits: Augmentation) -> Floats:
    """Draw a straight line across some digits, or a short stroke beside them, mostly fainter."""
    marked = np.flatnonzero(rng.random(len(ink)) < limits.lines)
    middle = rng.uniform(0, SIDE, (2, len(marked), 1, 1))
    angle = rng.uniform(0, np.pi, (len(marked), 1, 1))
    half = rng.choice([1.5, 3.0, SIDE], (len(marked), 1, 1))
    width = rng.uniform(0.3, 1.0, (len(marked), 1, 1))
    strength = rng.uniform(0.2, 0.9, (len(marked), 1, 1))
    y, x = np.mgrid[:SIDE, :SIDE][:, None] - middle
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    distance = np.hypot(across, np.maximum(np.abs(along) - half, 0))
    stroke = strength * np.clip(width + 0.5 - distance, 0, 1)
    ink[marked] = np.maximum(ink[marked], stroke)
    return ink


def _noise(ink: Floats, rng: np.random.Generator, limits: Augmentation) -> Floats:
    """Add noise to some images, with a random strength for each."""
    noisy = np.flatnonzero(rng.random(len(ink)) < limits.noise)
    grain = rng.standard_normal((len(noisy), SIDE, SIDE), dtype=np.float32)
    ink[noisy] += grain * rng.uniform(0.02, 0.15, (len(noisy), 1, 1)).astype(np.float32)
    return ink
