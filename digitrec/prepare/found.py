"""The result of a search for ink on a picture: ink, paper and digits."""

from dataclasses import dataclass, replace
from typing import Literal

from PIL import Image

from digitrec.image import Findings, Place, Polarity
from digitrec.prepare.components import Box, box_of, on_picture
from digitrec.prepare.filters import Floats, Mask
from digitrec.prepare.projection import Projection

Reason = Literal["more than one digit", "cut off", "texture", "blank"]
"""Why the rules refuse a picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """The result of `find_ink`."""

    picture: Image.Image
    """The picture that was searched."""
    projection: Projection
    """The projection to one channel in which the ink was found."""
    reason: Reason | None
    """None: one digit."""
    boxes: tuple[Box, ...]
    """The box of each digit, from left to right, in pixels of the picture; none when blank."""
    within: Box
    """The part of the picture that was searched: the whole picture, or the card on it."""
    paper: Floats
    """The brightness of the paper on that part, as `find_paper` returns it."""
    mask: Mask
    """The ink of the digit (of the largest, if there are several) on that part, reduced."""
    parts: int
    """Number of connected parts of that ink."""
    shrink: int
    """Number of the picture's pixels along each side of one pixel of the mask."""
    level: float
    """Contrast of the digit's ink, 0..1."""
    noise: float
    """Standard deviation of the paper's contrast."""
    fine: Floats | None
    """The digit's ink alone, 0..1, as `cut_out` gives it; None when nothing is inked."""
    left_out: tuple[Box, ...] = ()
    """Other ink as dark as the digit's that may be writing, in pixels of the picture."""
    plain: bool = False
    """Whether the quick search was enough: clear strokes that reach no edge of the picture."""

    @property
    def findings(self) -> Findings:
        """The ink's findings as a Prediction reports them."""
        return Findings(self.reason, len(self.boxes), self.boxes, self.polarity, left_out=self.left_out)

    @property
    def polarity(self) -> Polarity:
        """Whether the ink is darker or lighter than the paper."""
        return self.projection.polarity

    @property
    def box(self) -> Box | None:
        """The box of the digit (of the largest, if there are several); None when nothing is inked."""
        found = box_of(self.mask)
        return None if found is None else self.full_size(found)

    def full_size(self, box: Box) -> Box:
        """Scale a box of the mask to pixels of the picture."""
        left, top, right, bottom = (side * self.shrink for side in box)
        x, y, end_x, end_y = self.within
        size = min(end_x, self.picture.width), min(end_y, self.picture.height)
        return on_picture((left + x, top + y, right + x, bottom + y), size)


def told(findings: Findings, place: Place) -> Findings:
    """Return the findings with `left_out` in pixels of the user's picture; ``place`` is the searched part."""
    boxes = tuple(on_picture(place.box(box), place.size) for box in findings.left_out)
    return replace(findings, left_out=boxes)
