"""Show a proposal for the picture's digit with its surroundings, for the judge's network."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from digitrec.image.pixels import Pixels
from digitrec.prepare.components import longer_side
from digitrec.prepare.finder import CLOSER
from digitrec.prepare.form import as_bytes, extent
from digitrec.prepare.proposals import Proposal

SIDE, CHANNELS = 64, 6
"""Side of a view in pixels, and its channels: red, green, blue, the proposal's ink, the ink of the finder's
other marks, and 255 inside the picture."""
Part = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the picture; a part may extend beyond the picture."""


def view(picture: Image.Image, one: Proposal, marks: Sequence[Proposal]) -> Pixels:
    """Return a proposal and what is around it, (SIDE, SIDE, CHANNELS).

    Outside the picture, the colours at its edge are repeated.
    """
    left, top, right, bottom = one.box
    side = CLOSER * longer_side(one.box)
    x, y = (left + right - side) / 2, (top + bottom - side) / 2
    shown, found = (x, y, x + side, y + side), np.zeros((SIDE, SIDE, CHANNELS), np.uint8)
    for mark in dict.fromkeys((one, *marks)):
        ink = _scaled(_ink(mark), mark.box, shown)
        if ink is not None:
            rows, columns, pixels = ink
            own = found[rows, columns, 3 if mark is one else 4]
            np.maximum(own, np.asarray(pixels), out=own)
    inside = _scaled(picture, (0, 0, *picture.size), shown)
    assert inside is not None  # a proposal's box lies inside the picture
    rows, columns, part = inside
    margins = [(each.start, SIDE - each.stop) for each in (rows, columns)]
    found[..., :3] = np.pad(np.asarray(part.convert("RGB")), (*margins, (0, 0)), "edge")
    found[rows, columns, 5] = 255
    return found


def _ink(one: Proposal) -> Image.Image:
    """Return the ink that fills a proposal's box."""
    left, top, right, bottom = extent(one.reading.ink)
    return Image.fromarray(as_bytes(one.reading.ink[top:bottom, left:right]))


def _scaled(image: Image.Image, place: Part, shown: Part) -> tuple[slice, slice, Image.Image] | None:
    """Return the rows and columns of a view that an image fills, and the image in that size; None: no pixel.

    Args:
        image: the image.
        place: the part of the picture that the image covers.
        shown: the part of the picture that the view shows.
    """
    filled, edges = [], []
    for axis, length in enumerate(image.size):
        low, high, start, end = place[axis], place[axis + 2], shown[axis], shown[axis + 2]
        first, last = max(low, start), min(high, end)
        if first >= last:
            return None
        scale, zoom = SIDE / (end - start), length / (high - low)
        begin = min(round((first - start) * scale), SIDE - 1)
        filled.append(slice(begin, min(max(round((last - start) * scale), begin + 1), SIDE)))
        edges.append((max((first - low) * zoom, 0), min((last - low) * zoom, length)))  # if rounded up
    (columns, rows), ((left, right), (top, bottom)) = filled, edges
    size = columns.stop - columns.start, rows.stop - rows.start
    how = Image.Resampling.BILINEAR
    return rows, columns, image.resize(size, how, (left, top, right, bottom), reducing_gap=3.0)
