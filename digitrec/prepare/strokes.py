"""The strokes of a digit on a picture: told from the paper, its printed lines, and what lies around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
import numpy as np

from digitrec.prepare.background import Paper, find_paper
from digitrec.prepare.components import Components, Scores, components
from digitrec.prepare.filters import Floats, Mask, grow, smooth, steepness
from digitrec.prepare.rules import rules

SMALL = 64
"""A picture with a shorter side of at most this many pixels is a drawing or a scan rather than a photo."""
WINDOWS = (0.5, 0.2, 0.07)
"""Windows in which the paper is sought, as shares of the shorter side: for markers, felt pens, fine pens."""
SMALL_WINDOWS = (1.0, 0.25)
"""The same for small pictures, on which a stroke may be as wide as a tenth of the side."""
LOST = 0.7
"""Strokes that keep less than this share of their score in a narrower window are wider than it."""
CLEARLY = 2.0
"""A narrower window that may hollow the strokes out is trusted when it shows this many times the score."""
STEP = 0.6
"""Each threshold that is tried is this share of the one before."""
BETTER = 1.2
"""A lower threshold is taken where the part scores this many times as much."""
FAINTEST = 0.02
"""Ink takes away at least this share of the paper's light."""
NOISE = 4.0
"""Ink departs from the paper by at least this many standard deviations of the paper's noise."""
EDGE = 0.3
"""A stroke ends where the contrast falls below this share of the ink's."""
FRAMED = (0.2, 0.08)
"""What lies inside another part is framed by it from this share of its score; the second: by a part that
reaches the picture's border, and is a page's edge or the table around it."""
SPANNING = 0.5
"""A part that reaches across this share of the picture may hang on printed lines."""
ACROSS = 0.2
"""A part that reaches from one side of the picture to the other counts this much: so do lines and frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Strokes:
    """One way to see the picture: with the paper sought in a window of one size."""

    paper: Paper
    """The background."""
    contrast: Floats
    """(h, w): 0 paper, 1 black."""
    noise: float
    """Standard deviation of the contrast on bare paper."""
    seed: Mask
    """The one part, at whatever threshold, that looks most like a digit's ink."""
    score: float
    """How much it does; 0 when nothing stands out."""

    @property
    def faintest(self) -> float:
        """Contrast below which nothing is told from the paper."""
        return max(FAINTEST, NOISE * self.noise)

    @property
    def level(self) -> float:
        """Contrast of the digit's ink, 0..1."""
        return float(np.percentile(self.contrast[self.seed], 80)) if self.score else 0.0

    def inked(self) -> Mask:
        """Everything as dark as the digit's ink, its paler ends included."""
        return self.contrast > max(EDGE * self.level, self.faintest)


def find_strokes(view: Floats) -> Strokes:
    """The strokes of a view, (channels, h, w), with dark ink on light paper.

    The paper is sought in ever narrower windows, as long as the strokes are not lost: the narrower, the
    less remains of shadows.
    """
    side = min(view.shape[1:])
    small = side <= SMALL
    windows = SMALL_WINDOWS if small else WINDOWS
    seen = _through(view, windows[0] * side)
    for share in windows[1:]:
        closer = _through(view, share * side)
        reach = max(1, round(share * side / 4))
        hollow = grow(closer.seed, reach, np.minimum).any()  # hardly narrower than the window
        if closer.score > (CLEARLY if hollow else LOST) * seen.score:
            seen = closer
    return seen if small else _without_rules(seen)


def _through(view: Floats, window: float) -> Strokes:
    paper = find_paper(view, window)
    contrast = paper.contrast(view)
    if min(contrast.shape) > SMALL:
        contrast = smooth(contrast)
    level, noise = _bare(contrast)
    contrast -= level
    if min(contrast.shape) <= SMALL:  # a digit may fill the picture, and leave too little paper to judge by
        noise = min(noise, float(contrast.max()) / 10)
    seed, score = _best(contrast, max(FAINTEST, NOISE * noise))
    return Strokes(paper, contrast, noise, seed, score)


def _bare(contrast: Floats) -> tuple[float, float]:
    """Mean and standard deviation on bare paper, from the palest quarter: the rest may be ink."""
    palest = contrast[:: 1 + contrast.shape[0] // 128, :: 1 + contrast.shape[1] // 128]
    low, quarter = np.percentile(palest, [5, 25])
    deviation = float(quarter - low) / 0.97  # of a normal distribution: 1.645 - 0.674
    return float(quarter) + 0.674 * deviation, deviation


def _without_rules(seen: Strokes) -> Strokes:
    """The same with the printed lines of the paper taken out, if the strokes may hang on them."""
    mask = seen.inked()
    parts = components(mask)
    height, width = mask.shape
    if not (parts.width > SPANNING * width).any() and not (parts.height > SPANNING * height).any():
        return seen
    printed = rules(mask)
    if not printed.any():
        return seen
    gone = grow(printed, 1) & ~(mask & ~printed)
    contrast = np.where(gone, np.float32(0), seen.contrast)
    seed, score = _best(contrast, max(EDGE * seen.level, seen.faintest))
    return replace(seen, contrast=contrast, seed=seed, score=score)


def _best(contrast: Floats, faintest: float) -> tuple[Mask, float]:
    """The part that looks most like a digit's ink, at the threshold where it does most, and how much."""
    peak = float(contrast.max()) / 2
    steps = int(np.log(max(peak / faintest, 1)) / -np.log(STEP)) + 1 if peak >= faintest else 0
    if not steps:
        return np.zeros(contrast.shape, bool), 0.0
    thresholds = (peak * STEP ** np.arange(steps)).astype(np.float32)
    parts = components(contrast > thresholds[:, None, None])
    scores = _scores(parts, parts.total(steepness(contrast) ** 2) / parts.peak(contrast))
    best, best_score = 0, 0.0
    for layer in range(steps):
        main = _unframed(parts, np.where(parts.layer == layer, scores, 0.0))
        if scores[main] > BETTER * best_score:
            best, best_score = main, float(scores[main])
    return parts.drawn(np.arange(len(parts)) == best, int(parts.layer[best])), best_score


def _scores(parts: Components, edges: Scores) -> Scores:
    """How much each part looks like a digit's ink.

    That is: its edges are sharp and long, little of its outline is the picture's border, and it is not
    at the very rim.
    """
    height, width = parts.masks.shape[1:]
    contact = parts.border() / (parts.width + parts.height)
    x = (parts.left + parts.right) / width - 1
    y = (parts.top + parts.bottom) / height - 1
    across = (parts.width == width) * 1.0 + (parts.height == height)
    scores: Scores = edges * np.maximum(1 - contact, 0.01) * ACROSS**across / (1 + 3 * (x**4 + y**4))
    return scores


def _unframed(parts: Components, scores: Scores) -> int:
    """The part with the highest score, or what it frames: a box, a page's edge, the table around a page."""
    height, width = parts.masks.shape[1:]
    reach = (parts.left == 0) + (parts.top == 0) * 1 + (parts.right == width) + (parts.bottom == height)
    main = int(np.argmax(scores))
    while True:
        share = FRAMED[int(reach[main] > 1)]
        inside = framed(parts, main) & (scores > share * scores[main])
        if not inside.any():
            return main
        main = int(np.argmax(np.where(inside, scores, 0)))


def framed(parts: Components, frame: int) -> Mask:
    """Which parts lie wholly inside the box of one, whose sides on the picture's border count as open."""
    height, width = parts.masks.shape[1:]
    left, top, right, bottom = (int(x[frame]) for x in (parts.left, parts.top, parts.right, parts.bottom))
    area = parts.width * parts.height
    inside: Mask = area < area[frame]
    if left > 0:
        inside &= parts.left > left
    if top > 0:
        inside &= parts.top > top
    if right < width:
        inside &= parts.right < right
    if bottom < height:
        inside &= parts.bottom < bottom
    return inside
