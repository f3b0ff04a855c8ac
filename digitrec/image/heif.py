"""HEIC pictures, opened by pillow-heif (the extra ``heif``)."""

from __future__ import annotations

import sys
from typing import Any

from pillow_heif import HeifImageFile


class HeifImage(HeifImageFile):
    """A HEIC picture that raises where it cannot be decoded.

    pillow-heif returns a black picture if `PIL.ImageFile.LOAD_TRUNCATED_IMAGES` is set.
    """

    def load(self) -> Any:
        """Decode it if that is still to do."""
        self._before = sys.exception()
        return super().load()  # type: ignore[no-untyped-call]

    def load_prepare(self) -> None:
        """Make room for the pixels, unless decoding them has just failed."""
        if (failed := sys.exception()) is not None and failed is not self._before:
            raise failed
        super().load_prepare()
