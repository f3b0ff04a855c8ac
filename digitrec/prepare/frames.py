"""A frame around a digit that consists of several parts: a box or a ring in pencil, the cell of a grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from digitrec.prepare.components import Components, Scores, components
from digitrec.prepare.filters import Mask, grow
from digitrec.prepare.strokes import Strokes

FAINT = 0.15
"""A frame's line is at least this share as dark as the digit's ink."""
GAPS = 0.012
"""Half of the widest gap in its line, as a share of the picture's longer side."""
TALL = 0.25
"""What it frames is at least this share as high."""
RICH = 0.06
"""And has this share of its edges."""


def without_frame(seen: Strokes) -> Strokes | None:
    """Return the strokes without those of a frame around others; None: there is no frame.

    A pencil's line is broken, and each piece alone looks like a sign beside the digit: the frame shows where
    fainter ink is taken in and the gaps are closed.
    """
    sight = seen.sight
    faint = sight.contrast > max(FAINT * seen.level, sight.faintest)
    joined = components(grow(faint, max(1, round(GAPS * max(faint.shape)))))
    whole = seen.parts.within(joined)
    edges = seen.parts.total(sight.slopes)
    rich = np.bincount(whole, edges, len(joined)).astype(np.float64)
    frames = _frames(joined, rich)
    around = frames[whole]
    if not around.any() or around.all():
        return None
    parts = components(seen.mask & ~seen.parts.drawn(around))
    left = parts.total(sight.slopes)
    main = int(np.argmax(left))
    return replace(seen, parts=parts, main=main, score=seen.score * left[main] / edges[seen.main])


def _frames(joined: Components, rich: Scores) -> Mask:
    """Which of the joined parts lie around another that may be a digit."""
    inside = (
        (joined.left[:, None] < joined.left)
        & (joined.top[:, None] < joined.top)
        & (joined.right[:, None] > joined.right)
        & (joined.bottom[:, None] > joined.bottom)
    )
    alike = (joined.height > TALL * joined.height[:, None]) & (rich > RICH * rich[:, None])
    return np.asarray((inside & alike).any(axis=1))
