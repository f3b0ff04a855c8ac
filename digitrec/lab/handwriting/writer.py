"""Where the digits of scenes come from: MNIST, a printer, or our own hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digitrec.comparison.datasets.mnist import Digits
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting import printed, strokes
from digitrec.lab.handwriting.redraw import cut_out, enlarge, rewrite


@dataclass(frozen=True, slots=True)
class Writer:
    """Gives digits; those to be learned and those to be measured have neither digits nor fonts in common."""

    digits: Digits
    """Digits of MNIST's form."""
    fonts: tuple[str, ...] = (printed.OWN,)
    """Fonts, as for `printed.write`; at least one."""
    varied: float = 0.0
    """The share that our own hand draws, 0..0.5, and of the given digits that another pen draws again."""

    def digit(self, rng: np.random.Generator, height: int) -> tuple[int, Pixels]:
        """Return a digit and its ink, cropped, about `height` pixels high; a quarter are printed."""
        drawn, side = rng.random(), round(1.4 * height)
        label = int(rng.integers(10))
        if drawn < 0.25:
            return label, printed.write(str(label), self.font(rng), height)
        breadth = rng.uniform(0.03, 0.1)
        if drawn < 0.25 + self.varied:
            return label, cut_out(strokes.draw(label, rng, side, breadth), height)
        at = int(rng.integers(len(self.digits)))
        small, label = self.digits.images[at], int(self.digits.labels[at])
        again = rng.random() < self.varied
        ink = rewrite(small, strokes.any_pen(rng, breadth), side, rng) if again else enlarge(small, side)
        return label, cut_out(ink, height)

    def font(self, rng: np.random.Generator) -> str:
        """Any of the fonts."""
        return self.fonts[rng.integers(len(self.fonts))]
