"""What a picture reminds a network of: the digits that its last layer can tell from it the least."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import ModelError
from digitrec.image import atomic
from digitrec.providers.base import Embedding, Provider

log = logging.getLogger(__name__)

NEAREST = 12
"""So many of the digits most alike are shown."""
PART = 1024
"""Digits embedded between two words on how far it is."""
PROBES = 4
"""So many of the digits kept are embedded anew, to see that a file still fits."""
Progress = Callable[[int, int], object]
"""Is told how many of how many digits are done."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A digit that a picture reminds a network of."""

    place: int
    """Its place in the set, from 0."""
    label: int
    """What it shows, 0..9."""
    likeness: float
    """The cosine of the angle between the two, -1..1; 1: they differ in nothing but their strength."""


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Digits and where a network's last layer places them."""

    digits: Digits
    """The digits."""
    directions: NDArray[np.float16]
    """(N, F): what the last layer before the scores is given for each, brought to length 1."""

    def nearest(self, direction: NDArray[np.float32], count: int = NEAREST) -> list[Neighbour]:
        """The digits most like one of `directions`, (F,), the most alike first."""
        likeness = np.concatenate([
            self.directions[start : start + PART].astype(np.float32) @ direction
            for start in range(0, len(self.directions), PART)
        ])  # fmt: skip
        best = np.argsort(-likeness, kind="stable")[:count].tolist()
        return [Neighbour(one, int(self.digits.labels[one]), float(likeness[one])) for one in best]


def directions(provider: Provider, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Where a network's last layer places pictures, (N, 28, 28), ink high: (N, F), each row of length 1.

    They are compared by their angle, not by their distance. The scores are dot products of these numbers, so
    their direction says which digit and their length how clearly it is seen: a faint 7 is to remind of
    sevens, not of whatever is faint.

    Raises:
        ModelError: the engine has no such layer, or does not show it.
    """
    found = provider.features(pictures) if isinstance(provider, Embedding) else None
    if found is None:
        raise ModelError(
            f"{provider.name}: digits are compared by what the last dense layer is given, and this model has "
            "none; give a network that ends in one"
        )
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.where(lengths > 0, lengths, 1), np.float32)


def memory(provider: Provider, digits: Digits, name: str, progress: Progress = lambda *_: None) -> Memory:
    """The digits as the network places them, from the user's cache folder or else embedded and kept there.

    Args:
        provider: the network.
        digits: MNIST's training digits, say.
        name: of the set; letters, digits and hyphens.
        progress: told how far it is, where they have to be embedded.

    Raises:
        ModelError: as for `directions`.
    """
    probes = directions(provider, digits.images[:PROBES])
    assert isinstance(provider, Embedding)  # or it had no directions
    path = platformdirs.user_cache_path("digitrec") / "features" / f"{name}-{provider.features_of}.npy"
    kept = _kept(path, len(digits), probes)
    if kept is None:
        kept = _embedded(provider, digits, progress)
        _keep(path, kept)
    return Memory(digits, kept)


def _kept(path: Path, count: int, probes: NDArray[np.float32]) -> NDArray[np.float16] | None:
    """What the file holds; None where there is none, or it is not of these digits and this network."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = isinstance(found, np.ndarray) and found.dtype == np.float16
    if not fits or found.shape != (count, probes.shape[1]):
        return None
    return found if np.allclose(found[:PROBES], probes, atol=0.01) else None


def _embedded(provider: Provider, digits: Digits, progress: Progress) -> NDArray[np.float16]:
    parts = []
    for start in range(0, len(digits), PART):
        parts.append(directions(provider, digits.images[start : start + PART]).astype(np.float16))
        progress(min(start + PART, len(digits)), len(digits))
    return np.concatenate(parts)


def _keep(path: Path, found: NDArray[np.float16]) -> None:
    """Keep them for the next run; where that fails, the next run only takes longer."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic.replacing(path) as unfinished, unfinished.open("wb") as file:
            np.save(file, found)
    except OSError as error:
        log.warning("%s: cannot be kept (%s); the next run embeds the digits again", path, error.strerror)
