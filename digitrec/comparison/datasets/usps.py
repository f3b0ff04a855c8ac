"""The files in which the USPS digits are handed around: 16x16, from envelopes, -1 (paper) to 1 (ink) as text.

LIBSVM's (``usps.bz2``, ``usps.t.bz2``; also what torchvision fetches) has lines "label place:value ...", its
labels and places counted from 1. The one of "The Elements of Statistical Learning" (``zip.train.gz``,
``zip.test.gz``) has lines "label value value ...".
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.errors import DataError

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

NAMES = ("usps", "zip.train", "zip.test")
"""What the names of the files begin with."""
_SIDE = 16


def read(path: Path) -> tuple[Bytes, Bytes]:
    """Images (N, 16, 16), ink high, and labels (N,), 0..9.

    Raises:
        DataError: the file is damaged or in neither form.
    """
    opener = {".bz2": bz2.open, ".gz": gzip.open}.get(path.suffix, open)
    try:
        with opener(path, "rt", encoding="ascii") as file:
            rows = [_row(line.split()) for line in file if line.strip()]
        values = np.stack([image for _, image in rows])
        labels = np.array([label for label, _ in rows], np.uint8)
    except (OSError, EOFError, ValueError, IndexError, OverflowError, zlib.error) as error:
        raise DataError(f"{path}: not one of the USPS files, or damaged; fetch it again") from error
    images = np.rint(np.clip((values + 1) / 2, 0, 1) * 255).astype(np.uint8)
    return images, labels


def _row(words: list[str]) -> tuple[int, np.ndarray[Any, np.dtype[np.float64]]]:
    label, pixels = round(float(words[0])), np.full(_SIDE**2, -1.0)
    if ":" in words[1]:
        for word in words[1:]:
            place, value = word.split(":")
            pixels[int(place) - 1] = float(value)
        label -= 1
    else:
        pixels[:] = [float(word) for word in words[1:]]
    return label, pixels.reshape(_SIDE, _SIDE)
