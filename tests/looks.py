"""Looking for ink on pixels that a test drew."""

from __future__ import annotations

from PIL import Image

from digitrec.image.pixels import Pixels
from digitrec.prepare.ink import Ink, find_ink


def look(pixels: Pixels) -> Ink:
    """What `find_ink` sees on them."""
    return find_ink(Image.fromarray(pixels))
