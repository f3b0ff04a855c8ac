"""Whether digits that measure a model are among those it learned from: by a hash of their pixels.

A picture is known again in MNIST's form, to which every source is brought and in which a picture of MNIST
stays as it is: whatever file it comes from, an array, a table or a PNG. It is not known again once its pixels
were changed: by lossy compression, by enlarging, or by turning it dark on light, which is then cut out anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import DataError
from digitrec.lab.datasets.digits import in_form

Keys = NDArray[np.uint64]
"""One for each picture: the first 8 bytes of its BLAKE2b; of 70,000 two differ by chance in all but 1e-10."""

FILE = "learned.npy"
"""Where a training run keeps the keys of what was learned."""


def key(image: NDArray[np.uint8]) -> np.uint64:
    """Return the key of a picture in MNIST's form, (28, 28)."""
    digest = hashlib.blake2b(image.tobytes(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def keys(digits: Digits) -> Keys:
    """Return the keys of the digits, (N,)."""
    return np.array([key(image) for image in digits.images], np.uint64)


def keys_with(start: Path | None, digits: Digits) -> Keys:
    """Return the keys of the digits and of what the model `start` learned, if they are kept beside it."""
    before = None if start is None else read(start)
    return keys(digits) if before is None else np.concatenate([keys(digits), before])


def apart(test: Digits, learned: Keys, what: str) -> Digits:
    """Return the test digits that were not learned.

    Args:
        test: to measure with.
        learned: of those learned from.
        what: what the test digits are called.

    Raises:
        DataError: not one is left.
    """
    left = test[np.flatnonzero(~np.isin(keys(test), learned))]
    if not len(left):
        raise DataError(
            f"{what}: all {len(test):,} test digits are training digits, so there is "
            "nothing to measure; learn from fewer (--limit), or test on others (--test)"
        )
    return left


def unlearned(samples: Sequence[Sample], learned: Keys) -> list[Sample]:
    """Return the labelled pictures that were not learned; an unreadable one was not."""

    def known(sample: Sample) -> bool:
        with suppress(DataError):  # reported when it is read
            return bool(np.isin(key(in_form(sample.image)), learned))
        return False

    return [sample for sample in samples if not known(sample)]


def write(learned: Keys, folder: Path) -> None:
    """Keep the keys in the folder of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / FILE, np.unique(learned))


def read(model: Path) -> Keys | None:
    """Read the keys of the digits a model file learned, stored beside it by its training; None if missing.

    Raises:
        DataError: the file of them is damaged.
    """
    file = beside(model) / FILE
    if not file.is_file():
        file = model.parent / FILE  # the model is the best network in the folder of a run
    try:
        kept = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{file}: damaged; train {model} again") from error
    if kept.dtype != np.uint64 or kept.ndim != 1:
        raise DataError(f"{file}: not the list of a training run; train {model} again")
    found: Keys = kept
    return found


def beside(model: Path) -> Path:
    """Return the folder with the history, checkpoint and keys of a model file's training."""
    return model.with_name(f"{model.stem}-run")
