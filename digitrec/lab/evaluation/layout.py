"""A map on which a network's last layer places one's own pictures among MNIST's digits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.comparison.datasets.sampling import sampled
from digitrec.engine import Engine
from digitrec.errors import DataError
from digitrec.image import ImageSource, PreparedImage
from digitrec.image.pixels import Pixels
from digitrec.lab.evaluation.nearest import directions
from digitrec.providers.base import not_installed
from digitrec.recognise.pipeline import batches, infer

try:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits
except ImportError as error:
    raise not_installed("A map of pictures", "stats") from error

AROUND = 2000
"""So many of MNIST's test digits are drawn around one's own."""
OWN = 1000
"""Pictures of one's own at most; more would be a blot, and take minutes."""
COMPONENTS = 50
"""Principal components that are laid out."""


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """A picture of one's own, as the network was given it."""

    image: str
    """Where it came from."""
    digit: Pixels
    """(28, 28), ink high."""
    read: int | None
    """The digit read; None: refused."""
    reason: str | None
    """Why it was refused."""
    label: int | None
    """What it shows, where that is known."""

    @property
    def misread(self) -> bool:
        """Whether it is known to show another digit than the one read."""
        return self.label is not None and self.read is not None and self.read != self.label


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Pictures laid out so that those that the last layer finds alike are near each other."""

    around: Digits
    """MNIST's test digits, each label in its share."""
    places: NDArray[np.float64]
    """(N, 2): where they are, within 0..1."""
    own: tuple[Own, ...]
    """One's own."""
    own_places: NDArray[np.float64]
    """(M, 2): where those are."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What became of the pictures that were to be laid out."""

    own: tuple[Own, ...]
    """Those that the network was asked about."""
    refused: tuple[Prediction, ...]
    """Those in which there was nothing to ask about."""
    failed: tuple[Failure, ...]
    """Those that could not be read."""


def read(sources: Iterable[ImageSource], engine: Engine, labels: Mapping[str, int | None]) -> Read:
    """Read pictures, keeping what the network was given of each.

    Args:
        sources: the pictures.
        engine: reads 28x28 pixels on this machine.
        labels: what some of them show, by the name of their file as `Path` writes it.
    """
    own, refused, failed = [], [], []
    for batch in batches(sources, engine):
        for given, outcome in zip(batch, infer(batch, engine), strict=True):
            if isinstance(outcome, Failure):
                failed.append(outcome)
            elif outcome.probabilities is None or not isinstance(given, PreparedImage):
                refused.append(outcome)
            else:
                digit = np.frombuffer(given.data, np.uint8).reshape(28, 28)
                source = outcome.image.source
                label = labels.get(str(Path(source)))
                own.append(Own(source, digit, outcome.digit, outcome.reason, label))
    return Read(tuple(own), tuple(refused), tuple(failed))


def layout(own: Sequence[Own], engine: Engine, *, around: int = AROUND) -> Layout:
    """Lay pictures out among MNIST's test digits, which come with digitrec and were not learned from.

    By t-SNE (L. van der Maaten, G. Hinton, Visualizing data using t-SNE, J. Mach. Learn. Res. 9 (2008)
    2579-2605) of what the last layer is given, brought to length 1, in `COMPONENTS` principal components. The
    same pictures give the same map; near means alike, and how far apart groups are means little.

    Args:
        own: as `read` gives them; of more than `OWN` so many are drawn by lot, with a seed.
        engine: which read them.
        around: how many of MNIST's.

    Raises:
        DataError: there is none.
        ModelError: the network has no last layer to compare by.
    """
    if not own:
        raise DataError("no picture with a digit on it to lay out; name some, or a folder of them")
    own = [own[place] for place in sampled([None] * len(own), OWN)]
    test = mnist_test()
    digits = test[sampled(test.labels, around)]
    pictures = np.concatenate([digits.images, np.stack([one.digit for one in own])])
    placed = directions(engine.provider, pictures)
    most = min(COMPONENTS, *placed.shape)
    reduced = PCA(most, svd_solver="full").fit_transform(placed)
    perplexity = min(30.0, len(reduced) / 4)
    with threadpool_limits(1, user_api="openmp"):  # of this thread alone: sums in the same order each time
        found = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(reduced)
    least, largest = found.min(axis=0), found.max(axis=0)
    shares = np.asarray((found - least) / np.maximum(largest - least, 1e-9), np.float64)
    return Layout(digits, shares[: len(digits)], tuple(own), shares[len(digits) :])
