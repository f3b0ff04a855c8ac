"""Separate the strokes on a picture from paper, printed lines and surroundings."""

from dataclasses import dataclass

import numpy as np

from digitrec.prepare.background import contrast_to, find_paper
from digitrec.prepare.components import Components, Scores, components
from digitrec.prepare.filters import Floats, Mask, quantile, quantiles, smooth, steepness
from digitrec.prepare.form import SIDE

WINDOW = 0.25
"""Width of the window in which the paper is estimated, as a share of the shorter side (of MNIST's, if that
is longer): wider than most strokes and narrower than most shadows."""
FAINTEST = 0.02
"""Minimum contrast of ink, as a share of the paper's brightness."""
NOISE = 4.0
"""Minimum contrast of ink, in standard deviations of the paper's noise."""
EDGE = 0.3
"""A stroke ends where the contrast falls below this share of the ink's."""
SPECK = 0.05
"""A part with less than this share of another part's score or edge strength is a speck beside it: neither
framed by it, nor ink of the same digit, nor reported as left out."""
LEVEL = 0.8
"""The ink's contrast is this quantile of the contrast of the ink's pixels."""
CLEAREST = 200.0
"""Contrast above this many times the noise does not raise the evidence further."""
EVERY = slice(None)
"""The index of all parts."""
SURE = 0.25
"""Minimum `Strokes.evidence` of plain strokes: seven times the minimum of a digit's."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The picture without its paper, estimated with one window size."""

    paper: Floats
    """The brightness of the paper, as `find_paper` returns it."""
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
    """The main part's score; 0 when nothing stands out."""

    @property
    def mask(self) -> Mask:
        """(h, w): all ink."""
        return np.asarray(self.parts.masks[0])

    @property
    def plain(self) -> bool:
        """Whether the main part is surely ink and reaches no edge of the picture."""
        return self.evidence >= SURE and not self.parts.border[self.main]

    @property
    def evidence(self) -> float:
        """How surely the main part is ink; high for sharp, long edges with contrast far above the noise."""
        clear = min(self.level / max(self.sight.noise, 1e-6), CLEAREST)
        return float(self.score / max(self.mask.shape) * clear**0.5)


def glance(view: Floats, small: bool) -> Strokes:
    """Return the ink at half the darkest contrast, if it is distinct from the paper: plain strokes.

    Args:
        view: (h, w), 0..255, dark ink on light paper.
        small: whether it is a drawing or a scan rather than a photo, and may be cropped close to its digit.
    """
    sight = _look(view, small)
    half = float(sight.contrast.max()) / 2
    if half < sight.faintest:
        return Strokes(sight, 0.0, components(np.zeros(view.shape, bool)), 0, 0.0)
    level = quantile(sight.contrast[sight.contrast > half], LEVEL)
    parts = components(sight.inked(level))
    scores = _scores(parts, parts.total(sight.slopes**2) / parts.peak(sight.contrast))
    main = _unframed(parts, scores)
    return Strokes(sight, level, parts, main, float(scores[main]))


def search(view: Floats, small: bool) -> Strokes:
    """Return the strokes of a view whatever lies around them; the arguments are those of `glance`.

    Ink may be much paler than the darkest thing on the picture. So the threshold is halved until it reaches
    the paper's noise, and the part that looks most like a digit's ink decides.
    """
    sight = _look(view, small)
    seed, score = _best(sight)
    level = quantile(sight.contrast[seed], LEVEL) if score else 0.0
    parts = components(sight.inked(level) & (score > 0))
    main = int(np.argmax(parts.total(seed.astype(np.float32)))) if score else 0
    return Strokes(sight, level, parts, main, score)


def _best(sight: Sight) -> tuple[Mask, float]:
    """Return the part most like a digit's ink, at its best threshold, and its score."""
    contrast = sight.contrast
    half = float(contrast.max()) / 2
    steps = int(np.log2(half / sight.faintest)) + 1 if half >= sight.faintest else 0
    if not steps:
        return np.zeros(contrast.shape, bool), 0.0
    thresholds = (half / 2 ** np.arange(steps)).astype(np.float32)
    parts = components(contrast > thresholds[:, None, None])
    scores = _scores(parts, parts.total(sight.slopes**2) / parts.peak(contrast))
    best, best_score = 0, 0.0
    for layer in range(steps):
        main = _unframed(parts, np.where(parts.layer == layer, scores, 0.0))
        inside = bool(framed(parts, main, best)) and scores[main] > SPECK * best_score
        if inside or scores[main] > best_score:
            best, best_score = main, float(scores[main])
    return parts.drawn(np.arange(len(parts)) == best, int(parts.layer[best])), best_score


def _look(view: Floats, small: bool) -> Sight:
    paper = find_paper(view, WINDOW * max(SIDE, min(view.shape)))
    contrast = contrast_to(paper, view)
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
        inside = framed(parts, EVERY, main) & (scores > SPECK * scores[main])
        if not inside.any():
            return main
        main = int(np.argmax(np.where(inside, scores, 0)))


def framed(parts: Components, inner: int | slice, frame: int | slice) -> Mask:
    """Return whether a part lies wholly inside a frame's box; sides on the picture's border are open.

    ``inner`` and ``frame`` are each a part's number, or `EVERY` for one entry for each part.
    """
    height, width = parts.masks.shape[1:]
    left, top, right, bottom = parts.left, parts.top, parts.right, parts.bottom
    area = parts.width * parts.height
    inside: Mask = np.asarray(area[inner] < area[frame])
    inside &= (left[frame] == 0) | (left[inner] > left[frame])
    inside &= (top[frame] == 0) | (top[inner] > top[frame])
    inside &= (right[frame] == width) | (right[inner] < right[frame])
    inside &= (bottom[frame] == height) | (bottom[inner] < bottom[frame])
    return inside
