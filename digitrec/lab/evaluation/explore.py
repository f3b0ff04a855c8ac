"""Explore a set of digits: counts, typical images, and unusual digits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import DataError
from digitrec.providers.base import requires

with requires("Exploring digits", "stats,plots"):
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 15
"""Number of nearest neighbours that measure how unusual a digit is."""
COMPONENTS = 50
"""Number of principal components for distances; they hold five sixths of MNIST's variance."""
NOTABLE = 10
"""Number of digits shown of each unusual kind."""
EMBEDDED = 2000
"""Maximum number of digits in the map by similarity, drawn at random."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Notable:
    """Digits that are unusual in one respect."""

    title: str
    """The respect, as a title."""
    places: NDArray[np.int64]
    """Indices of the digits, the most unusual first."""
    remarks: tuple[str, ...]
    """For each digit, how unusual it is, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Exploration:
    """Statistics of a set of digits before training."""

    name: str
    """Name of the set."""
    digits: Digits
    """The set."""
    counts: NDArray[np.int64]
    """(10,): number of images of each digit."""
    mean: Floats
    """(10, 28, 28): the mean image of each digit, 0..255."""
    variance: Floats
    """(10, 28, 28): the variance of each pixel over the images of a digit, 0..16,256."""
    histogram: NDArray[np.int64]
    """(256,): number of pixels with each value."""
    notable: tuple[Notable, ...]
    """The faintest, boldest and most unusual digits, and those with doubtful labels."""
    embedded: NDArray[np.int64]
    """(n,): indices of the digits in the map."""
    embedding: Floats
    """(n, 2): positions in the map; near means similar, the axes have no meaning."""


def explore(digits: Digits, name: str, chances: NDArray[np.float32]) -> Exploration:
    """Compute the statistics of a set of digits.

    The embedding is t-SNE: L. van der Maaten, G. Hinton, Visualizing data using t-SNE, J. Mach. Learn. Res. 9
    (2008) 2579-2605. A label is doubtful if a network reads another digit; the order is by the label's
    chance, the self-confidence of Curtis Northcutt, Lu Jiang, Isaac Chuang, "Confident Learning: Estimating
    Uncertainty in Dataset Labels", J. Artif. Intell. Res. 70 (2021). In the paper the network has not learned
    the digits; a network that learned them with these labels doubts fewer labels.

    Args:
        digits: the set.
        name: name of the set.
        chances: (N, 10), a network's chances for each digit.

    Raises:
        DataError: there are fewer than three digits, or all are the same picture.
    """
    if len(digits) < 3 or not np.ptp(digits.images, axis=0).any():  # t-SNE crashes for equal pictures
        raise DataError(f"{name}: {len(digits)} digits, too few that differ; give three or more")
    images = digits.images.astype(np.float32)
    flat = images.reshape(len(images), -1)
    features = PCA(min(COMPONENTS, len(flat) - 1), random_state=0).fit_transform(flat)
    mean, variance = _moments(images, digits.labels)
    chosen = np.sort(np.random.default_rng(0).permutation(len(digits))[:EMBEDDED])
    layout = TSNE(perplexity=min(30.0, len(chosen) / 3), init="pca", random_state=0)
    return Exploration(
        name, digits, np.bincount(digits.labels, minlength=10), mean, variance,
        np.bincount(digits.images.ravel(), minlength=256),
        (*_by_ink(images), _loneliest(features), _doubtful(chances, digits.labels)),
        chosen, np.asarray(layout.fit_transform(features[chosen]), np.float64),
    )  # fmt: skip


def _moments(images: NDArray[np.float32], labels: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Return mean and variance of each digit's images; 0 for a digit without images."""
    of_each = [images[labels == digit] for digit in range(10)]
    mean = [them.mean(axis=0) if len(them) else np.zeros((28, 28)) for them in of_each]
    variance = [them.var(axis=0) if len(them) else np.zeros((28, 28)) for them in of_each]
    return np.array(mean, np.float64), np.array(variance, np.float64)


def _by_ink(images: NDArray[np.float32]) -> list[Notable]:
    """Return the palest digits, and those with the broadest and finest strokes."""
    ink = images / 255
    area = ink.sum(axis=(1, 2))
    strength = (ink**2).sum(axis=(1, 2)) / np.maximum(area, 1e-6)  # mean blackness of the ink
    down, across = np.diff(ink, axis=1, prepend=0, append=0), np.diff(ink, axis=2, prepend=0, append=0)
    outline = (np.abs(down).sum(axis=(1, 2)) + np.abs(across).sum(axis=(1, 2))) * np.pi / 4
    stroke = 2 * area / np.maximum(outline, 1e-6)  # width times length, over twice the length
    return [
        _notable("Faintest", strength, "{:.0%} black"),
        _notable("Thickest strokes", -stroke, "{:.1f} px"),
        _notable("Thinnest strokes", stroke, "{:.1f} px"),
    ]


def _loneliest(features: Floats) -> Notable:
    """Return the digits that are farthest from the digits most like them."""
    wanted = min(NEIGHBOURS, len(features) - 1)
    far, _ = NearestNeighbors(n_neighbors=wanted + 1, algorithm="brute").fit(features).kneighbors(features)
    distance = far[:, 1:].mean(axis=1)
    apart = distance[distance > 1e-3 * distance.max()]  # exact copies are not usual neighbours
    usual = np.median(apart) if len(apart) else 1.0
    return _notable("Most unusual", -distance / usual, "{:.1f} times the usual distance")


def _doubtful(chances: NDArray[np.float32], labels: NDArray[np.uint8]) -> Notable:
    """Return the digits that the network reads as another digit, the lowest chance of their label first."""
    own = chances[np.arange(len(labels)), labels]
    doubted = np.flatnonzero(chances.argmax(axis=1) != labels)
    places = doubted[np.argsort(own[doubted], kind="stable")][:NOTABLE]
    remarks = tuple(f"read as {chances[place].argmax()}, {chances[place].max():.0%}" for place in places)
    return Notable("Label in doubt", places, remarks)


def _notable(title: str, values: Floats | NDArray[np.float32], words: str) -> Notable:
    """Return the digits with the smallest values; ``words`` formats each absolute value."""
    places = np.argsort(values, kind="stable")[:NOTABLE]
    return Notable(title, places, tuple(words.format(abs(values[place])) for place in places))
