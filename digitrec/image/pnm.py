"""PBM, PGM and PPM pictures (P1 to P6): header by Pillow, samples by NumPy.

Pillow decodes plain samples, and binary ones of an unusual maximum, one by one in Python.
"""

from __future__ import annotations

import re
import string
from typing import Any

import numpy as np
from PIL import Image
from PIL.PpmImagePlugin import PpmImageFile

from digitrec.image.pixels import scaled

MAGIC = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")
IN_PYTHON = ("ppm", "ppm_plain")
"""Pillow's decoders that loop over samples in Python."""
_SPACE = string.whitespace.encode()


class PnmImage(PpmImageFile):
    """Such a picture, opened and not yet decoded."""

    def load(self) -> Any:
        """Decode it if that is still to do; samples become 8 bits, those above the maximum white."""
        if self.tile and self.tile[0][0] in IN_PYTHON:
            picture = Image.fromarray(self._samples())
            self._mode, self.im, self.tile = picture.mode, picture.im, []
        return super().load()

    def _samples(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        decoder, _, offset, options = self.tile[0]
        largest: int = options[-1]  # type: ignore[assignment, index]
        bands = 3 if self.mode == "RGB" else 1
        count, shape = self.width * self.height * bands, (self.height, self.width, bands)[: 2 + (bands > 1)]
        assert self.fp is not None
        self.fp.seek(offset)
        data = self.fp.read()
        if decoder == "ppm":
            sample = np.uint8 if largest < 256 else np.dtype(">u2")
            return scaled(np.frombuffer(data, sample, count).reshape(shape), largest)
        data = re.sub(rb"#[^\r\n]*", b"", data)
        if data.translate(None, string.digits.encode() + _SPACE):
            raise ValueError("a plain picture has digits, whitespace and comments alone")
        if self.mode == "1":
            bits = np.frombuffer(data.translate(None, _SPACE), np.uint8, count) - ord("0")
            return np.where(bits.reshape(shape) == 0, np.uint8(255), np.uint8(0))
        numbers = np.fromstring(data, np.int32, sep=" ")[:count]
        del data  # before `scaled` needs memory of its own
        return scaled(numbers.reshape(shape), largest)
