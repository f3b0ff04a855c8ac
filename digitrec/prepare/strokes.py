"""Separate the strokes on a picture from paper, printed lines and surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digitrec.prepare.background import Paper, find_paper
from digitrec.prepare.components import Components, Scores, components
from digitrec.prepare.filters import Floats, Mask, grow, quantile, quantiles, smooth, steepness

GLANCE = 0.25
"""Width of the window of the quick search, as a share of the shorter side: wider than most strokes and
narrower than most shadows."""
WINDOWS = (0.5, 0.2, 0.07)
"""Widths of the windows of the full search: for markers, felt pens and fine pens."""
LOST = 0.7
"""Strokes that keep less than this share of their score in a narrower window are wider than the window."""
CLEARLY = 2.0
"""A narrower window that may hollow the strokes out is used only if it gives this many times the score."""
STEP = 0.6
"""Ratio of each threshold that is tried to the one before."""
FAINTEST = 0.02
"""Minimum contrast of ink, as a share of the paper's brightness."""
NOISE = 4.0
"""Minimum contrast of ink, in standard deviations of the paper's noise."""
EDGE = 0.3
"""A stroke ends where the contrast falls below this share of the ink's."""
FRAMED = 0.05
"""A part inside another part is framed by it if it has at least this share of the outer part's score."""
LEVEL = 0.8
"""The ink's contrast is this quantile of the contrast of the ink's pixels."""
CLEAREST = 200.0
"""Contrast above this many times the noise does not raise the score further."""

SURE = 0.25
"""Minimum `Strokes.evidence` that needs no full search: ten times the minimum of a digit's."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The picture without its paper, estimated with one window size."""

    paper: Paper
    """The background."""
    contrast: Floats
    """(h, w): 0 paper, 1 black."""
    slopes: Floats
    """(h, w): how steep the contrast is at each pixel."""
    noise: float
    """Standard deviation of the contrast on bare paper."""

    @property
    def faintest(self) -> float:
        """Contrast below which ink and paper are not distinct."""
        return max(FAINTEST, NOISE * self.noise)

    def inked(self, level: float) -> Mask:
        """Return everything as dark as ink of this level, including its paler edges."""
        return np.asarray(self.contrast > max(EDGE * level, self.faintest))


@dataclass(frozen=True, slots=True, eq=False)
class Strokes:
    """The ink that was found, and which of it looks most like a digit's."""

    sight: Sight
    """The view in which the ink was found."""
    level: float
    """Contrast of the digit's ink, 0..1; 0 when nothing stands out."""
    parts: Components
    """Everything as dark as the digit's ink, including its paler edges."""
    main: int
    """The part that looks most like a digit's ink."""
    score: float
    """The main part's score."""

    @property
    def mask(self) -> Mask:
        """(h, w): all ink."""
        return np.asarray(self.parts.masks[0])

    @property
    def evidence(self) -> float:
        """How surely the main part is ink; high for sharp, long edges with contrast far above the noise."""
        clear = min(self.level / max(self.sight.noise, 1e-6), CLEAREST)
        return float(self.score / max(self.mask.shape) * clear**0.5)


def glance(view: Floats, small: bool) -> Strokes | None:
    """Return the strokes of a view if they are clear and whole; None: run the full search.

    Args:
        view: (h, w), 0..255, dark ink on light paper.
        small: whether it is a drawing or a scan rather than a photo, and may be cropped close to its digit.
    """
    found = _plainest(_look(view, GLANCE * min(view.shape), small))
    if found is None or found.evidence < SURE or found.parts.border[found.main]:
        return None
    return found


def _plainest(sight: Sight) -> Strokes | None:
    """Return the ink at half the darkest contrast; None if it is not distinct from the paper."""
    half = float(sight.contrast.max()) / 2
    if half < sight.faintest:
        return None
    level = quantile(sight.contrast[sight.contrast > half], LEVEL)
    parts = components(sight.inked(level))
    scores = _scores(parts, parts.total(sight.slopes**2) / parts.peak(sight.contrast))
    main = _unframed(parts, scores)
    return Strokes(sight, level, parts, main, float(scores[main]))


def outline(mask: Mask) -> int:
    """Count the steps between ink and paper along rows and columns, px."""
    return int(np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1]))


def search(view: Floats, small: bool) -> Strokes:
    """Return the strokes of a view, whatever lies around them.

    Estimate the paper in ever narrower windows, because these leave fewer shadows; stop before the strokes
    are lost.
    """
    side = min(view.shape)
    sight = _look(view, WINDOWS[0] * side, small)
    seed, score = _best(sight, sight.faintest)
    for share in WINDOWS[1:]:
        closer = _look(view, share * side, small)
        closer_seed, closer_score = _best(closer, closer.faintest)
        reach = max(1, round(share * side / 4))
        hollow = grow(closer_seed, reach, np.minimum).any()  # the strokes are hardly narrower than the window
        if closer_score > (CLEARLY if hollow else LOST) * score:
            sight, seed, score = closer, closer_seed, closer_score
    level = quantile(sight.contrast[seed], LEVEL) if score else 0.0
    parts = components(sight.inked(level) & (score > 0))
    main = int(np.argmax(parts.total(seed.astype(np.float32)))) if score else 0
    return Strokes(sight, level, parts, main, score)


def _look(view: Floats, window: float, small: bool) -> Sight:
    paper = find_paper(view, window)
    contrast = paper.contrast(view)
    if not small:
        contrast = smooth(contrast)
    level, noise = _bare(contrast)
    contrast -= level
    if small:  # a digit may fill the picture, and leave too little paper to compare with
        noise = min(noise, float(contrast.max()) / 10)
    return Sight(paper, contrast, steepness(contrast), noise)


def _bare(contrast: Floats) -> tuple[float, float]:
    """Return mean and standard deviation of bare paper, from the palest quarter: the rest may be ink."""
    palest = contrast[:: 1 + contrast.shape[0] // 128, :: 1 + contrast.shape[1] // 128]
    low, quarter = quantiles(palest, 0.05, 0.25)
    deviation = (quarter - low) / 0.97  # for a normal distribution: 1.645 - 0.674
    return quarter + 0.674 * deviation, deviation


def _best(sight: Sight, faintest: float) -> tuple[Mask, float]:
    """Return the part most like a digit's ink, at its best threshold, and its score."""
    contrast = sight.contrast
    peak = float(contrast.max()) / 2
    steps = int(np.log(max(peak / faintest, 1)) / -np.log(STEP)) + 1 if peak >= faintest else 0
    if not steps:
        return np.zeros(contrast.shape, bool), 0.0
    thresholds = (peak * STEP ** np.arange(steps)).astype(np.float32)
    parts = components(contrast > thresholds[:, None, None])
    scores = _scores(parts, parts.total(sight.slopes**2) / parts.peak(contrast))
    best, best_score = 0, 0.0
    for layer in range(steps):
        main = _unframed(parts, np.where(parts.layer == layer, scores, 0.0))
        inside = bool(framed(parts, best)[main]) and scores[main] > FRAMED * best_score
        if inside or scores[main] > best_score:
            best, best_score = main, float(scores[main])
    return parts.drawn(np.arange(len(parts)) == best, int(parts.layer[best])), best_score


def _scores(parts: Components, edges: Scores) -> Scores:
    """Return how much each part looks like a digit's ink.

    A part scores high if its edges are sharp and long, little of its outline is the picture's border, and
    it does not lie at the border itself.
    """
    height, width = parts.masks.shape[1:]
    contact = parts.border / (parts.width + parts.height)
    x = (parts.left + parts.right) / width - 1
    y = (parts.top + parts.bottom) / height - 1
    scores: Scores = edges * np.maximum(1 - contact, 0.01) / (1 + 3 * (x**4 + y**4))
    return scores


def _unframed(parts: Components, scores: Scores) -> int:
    """Return the part with the highest score, or the part that it frames if it is a box or a page's edge."""
    main = int(np.argmax(scores))
    while True:
        inside = framed(parts, main) & (scores > FRAMED * scores[main])
        if not inside.any():
            return main
        main = int(np.argmax(np.where(inside, scores, 0)))


def framed(parts: Components, frame: int) -> Mask:
    """Return which parts lie wholly inside the frame's box; its sides on the picture's border are open."""
    height, width = parts.masks.shape[1:]
    left, top, right, bottom = (int(x[frame]) for x in (parts.left, parts.top, parts.right, parts.bottom))
    area = parts.width * parts.height
    inside: Mask = area < area[frame]
    inside &= (left == 0) | (parts.left > left)
    inside &= (top == 0) | (parts.top > top)
    inside &= (right == width) | (parts.right < right)
    inside &= (bottom == height) | (parts.bottom < bottom)
    return inside
