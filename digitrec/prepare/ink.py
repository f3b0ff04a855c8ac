"""Where the ink is on a picture: polarity, paper, strokes, and how many digits they look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from digitrec.decode import Pixels
from digitrec.image import Polarity
from digitrec.prepare.background import Paper, find_paper, find_polarity
from digitrec.prepare.components import Components, components
from digitrec.prepare.filters import Floats, Mask, grow, smooth, steepness
from digitrec.prepare.rules import rules

WORKING_SIDE = 320
"""Longer side of the picture on which the ink is looked for, px: a thin pen is still a pixel wide."""
FAINTEST = 0.02
"""Ink takes away at least this share of the paper's light; paper grain and JPEG noise stay below."""
NOISE = 4.0
"""Ink departs from the paper by at least this many standard deviations of the paper's noise."""
WINDOWS = (0.5, 0.2, 0.07)
"""Windows in which the paper is sought, as shares of the shorter side: for markers, felt pens, fine pens."""
LOST = 0.7
"""Strokes that keep less than this share of their score in a narrower window are wider than it."""
SMALL = 64
"""A picture with a shorter side of at most this many pixels is a drawing or a scan rather than a photo."""
FRAMED = 0.2
"""What lies inside another part counts as framed by it from this share of its score."""
EDGE = 0.3
"""A stroke ends where the contrast falls below this share of the ink's."""
SPANNING = 0.8
"""A part that reaches across this share of the picture may hang on printed lines."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """What `find_ink` saw."""

    polarity: Polarity
    """Whether the ink is darker or lighter than the paper."""
    reason: str | None
    """"blank", "texture" or "more than one digit"; None: one digit."""
    boxes: tuple[Box, ...]
    """Left, top, right, bottom of each digit, right and bottom exclusive, in pixels of the picture."""
    paper: Paper
    """The background."""
    mask: Mask
    """The digit's ink on the reduced picture."""
    shrink: int
    """How many pixels of the picture make one of the mask, along each side."""
    level: float
    """Contrast of the digit's ink, 0..1."""
    noise: float
    """Standard deviation of the paper's contrast."""


def find_ink(pixels: Pixels) -> Ink:
    """Find the handwriting on a picture, uint8 (H, W) or (H, W, 3), of any polarity.

    Costs well under a millisecond for a small picture and some milliseconds for a large one, which is
    looked at on a reduced scale.
    """
    shrink = -(-max(pixels.shape[:2]) // WORKING_SIDE)
    view = planes(pixels if shrink == 1 else np.asarray(Image.fromarray(pixels).reduce(shrink)))
    polarity = find_polarity(view.mean(axis=2))
    if polarity == "light on dark":
        view = 255 - view
    seen = _look(view)
    paper, noise = seen.paper, seen.noise
    if not seen.seed.any():
        return Ink(polarity, "blank", (), paper, seen.seed, shrink, 0.0, noise)
    mask, level = _strokes(seen)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (
        int(columns[0]) * shrink, int(rows[0]) * shrink,
        min((int(columns[-1]) + 1) * shrink, pixels.shape[1]), min((int(rows[-1]) + 1) * shrink, pixels.shape[0]),
    )  # fmt: skip
    return Ink(polarity, None, (box,), paper, mask, shrink, level, noise)


def planes(pixels: Pixels) -> Floats:
    """Any picture as (h, w, channels) in float32."""
    return (pixels if pixels.ndim == 3 else pixels[:, :, None]).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """One way to see the picture: with the paper sought in a window of one size."""

    paper: Paper
    contrast: Floats
    noise: float
    faintest: float
    """Contrast below which nothing is told from the paper."""
    seed: Mask
    """The one part, at whatever threshold, that looks most like a digit's ink."""
    score: float
    """How much it does; 0 when nothing stands out."""


def _look(view: Floats) -> _Look:
    """The paper sought in ever narrower windows, as long as the strokes are not lost."""
    side = min(view.shape[:2])
    seen = _through(view, WINDOWS[0] * side)
    for share in WINDOWS[1:] if side > SMALL else ():
        closer = _through(view, share * side)
        if closer.score < LOST * seen.score or grow(closer.seed, round(share * side / 4), np.minimum).any():
            break
        seen = closer
    return seen if side <= SMALL else _without_rules(seen)


def _without_rules(seen: _Look) -> _Look:
    """The same with the printed lines of the paper taken out, if the strokes seem to hang on them."""
    mask = seen.contrast > max(EDGE * _level(seen), seen.faintest)
    parts = components(mask)
    across = ((parts.right - parts.left) > SPANNING * mask.shape[1]) | ((parts.bottom - parts.top) > SPANNING * mask.shape[0])
    if not across.any():
        return seen
    bare = np.where(rules(mask), np.float32(0), seen.contrast)
    return _Look(seen.paper, bare, seen.noise, seen.faintest, *_best(bare, seen.faintest))


def _level(seen: _Look) -> float:
    """Contrast of the digit's ink."""
    return float(np.percentile(seen.contrast[seen.seed], 80)) if seen.score else 0.0


def _through(view: Floats, window: float) -> _Look:
    paper = find_paper(view, window)
    contrast = paper.contrast(view)
    if min(contrast.shape) > SMALL:
        contrast = smooth(contrast)
    middle = float(np.median(contrast))
    noise = 1.4826 * float(np.median(np.abs(contrast - middle)))
    contrast = contrast - middle
    faintest = max(FAINTEST, NOISE * noise)
    return _Look(paper, contrast, noise, faintest, *_best(contrast, faintest))


def _best(contrast: Floats, faintest: float) -> tuple[Mask, float]:
    """The part that looks most like a digit's ink, at the threshold where it does most, and how much."""
    sharp = steepness(contrast) ** 2
    threshold = float(contrast.max()) / 2
    best, best_score = np.zeros(contrast.shape, bool), 0.0
    while threshold >= faintest:
        mask = contrast > threshold
        parts = components(mask)
        top, score = main_part(parts, mask, parts.total(sharp, mask) / parts.peak(contrast, mask))
        if score > 1.2 * best_score:
            best_score, best = score, np.zeros(mask.shape, bool)
            best[mask] = parts.labels == top
        threshold *= 0.6
    return best, best_score


def main_part(parts: Components, mask: Mask, energy: np.ndarray) -> tuple[int, float]:
    """The part that looks most like a digit's ink, and its score.

    A digit has sharp edges and much of them, little of its outline lies on the picture's border, and it is
    near the middle rather than in a corner. What frames another candidate is a printed box, a page's edge
    or the table around it.
    """
    height, width = mask.shape
    contact = parts.border(mask) / (parts.right - parts.left + parts.bottom - parts.top)
    x = (parts.left + parts.right) / width - 1
    y = (parts.top + parts.bottom) / height - 1
    scores = energy * np.maximum(1 - contact, 0.01) / (1 + 3 * (x**4 + y**4))
    main = int(np.argmax(scores))
    while (inside := _framed(parts, main, mask) & (scores > FRAMED * scores[main])).any():
        main = int(np.argmax(np.where(inside, scores, 0)))
    return main, float(scores[main])


def _framed(parts: Components, frame: int, mask: Mask) -> Mask:
    """Which parts lie wholly inside the box of one, whose sides on the picture's border count as open."""
    height, width = mask.shape
    left, top, right, bottom = (int(side[frame]) for side in (parts.left, parts.top, parts.right, parts.bottom))
    inside = (
        (parts.left > (left if left > 0 else -1)) & (parts.right < (right if right < width else width + 1))
        & (parts.top > (top if top > 0 else -1)) & (parts.bottom < (bottom if bottom < height else height + 1))
    )  # fmt: skip
    inside[frame] = False
    return inside


def _strokes(seen: _Look) -> tuple[Mask, float]:
    """The mask of the digit's ink, all its parts and paler ends included, and its contrast."""
    level = _level(seen)
    mask = seen.contrast > max(EDGE * level, seen.faintest)
    parts = components(mask)
    energy = parts.total(steepness(seen.contrast), mask)
    main = int(np.argmax(parts.total(seen.seed.astype(np.float32), mask)))
    mask[mask] = _together(parts, main, energy, mask)[parts.labels]
    return mask, level


def _together(parts: Components, main: int, energy: np.ndarray, mask: Mask) -> np.ndarray:
    """Which parts belong to the same digit as the main one: near it, and no mere specks."""
    size = max(parts.bottom[main] - parts.top[main], parts.right[main] - parts.left[main])
    gap_x = np.maximum(parts.left - parts.right[main], parts.left[main] - parts.right)
    gap_y = np.maximum(parts.top - parts.bottom[main], parts.top[main] - parts.bottom)
    keep = (np.maximum(gap_x, gap_y) < 0.2 * size) & (energy > 0.05 * energy[main]) 
    for part in np.flatnonzero(keep):
        keep[part] = not _framed(parts, int(part), mask)[main]
    keep[main] = True
    return keep
