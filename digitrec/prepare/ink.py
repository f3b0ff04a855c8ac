"""Find the ink on a picture: polarity, paper, strokes, and how many digits the strokes look like."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageOps

from digitrec.image import Polarity
from digitrec.image.pixels import MOST_PIXELS
from digitrec.prepare.background import is_noise, lightness
from digitrec.prepare.closeup import cut_out
from digitrec.prepare.components import Box, on_picture
from digitrec.prepare.digits import Count, count
from digitrec.prepare.filters import Floats, edge_colour
from digitrec.prepare.form import DIGIT
from digitrec.prepare.found import Ink
from digitrec.prepare.projection import COLOUR_SIDE, Projection, find_projection, reduced
from digitrec.prepare.strokes import WINDOW, Strokes, glance, search

GLANCE_SIDE = 160
"""Longer side of the reduced picture for plain strokes, px."""
WORKING_SIDE = 320
"""Longer side of the reduced picture for strokes that are not plain, px: a thin pen is still a pixel wide."""
SMALL = 48
"""A picture with a shorter side of at most this many pixels is a drawing or a scan rather than a photo."""
PLAIN = 1.2
"""Minimum skew that decides the polarity; dark on light, it also excludes a card on a table."""


def find_ink(picture: Image.Image, known: tuple[Image.Image, int] | None = None) -> Ink:
    """Find the handwriting on a picture of mode L or RGB, dark on light or light on dark.

    A small copy shows plain strokes; others are searched on a larger copy. Unless it is plainly dark on
    light, a photo may show a light card on a dark table; then only the card is searched.
    ``known``: the result of `reduced` to `GLANCE_SIDE`, if the caller has it.
    """
    coarse, shrink = known or reduced(picture, GLANCE_SIDE)
    grey, small = np.asarray(coarse.convert("L"), np.float32), min(picture.size) <= SMALL
    light, skew = lightness(grey)
    likelier: Polarity = "light on dark" if light > 0 else "dark on light"
    rarer: Polarity = "dark on light" if light > 0 else "light on dark"
    plain = abs(skew) > PLAIN
    if not small and (not plain or likelier == "light on dark"):
        card = card_on(picture, grey)
        if card is not None:
            return _moved(find_ink(card[0]), card[1], picture)
    tiny, _ = reduced(coarse, COLOUR_SIDE)
    tried = [likelier] if plain or small else [likelier, rarer]
    channels = [find_projection(tiny, one, WINDOW * min(tiny.size)) for one in tried]
    glances = [(one, glance(one.view(coarse), small)) for one in channels]
    shown = [pair for pair in glances if pair[1].plain]
    if len(shown) == 1:  # a drawing has plain strokes in one polarity only
        ink = replace(_ink(picture, *shown[0], shrink, small), plain=True)
    else:
        closer, shrink = reduced(picture, WORKING_SIDE)
        ink = _ink(picture, channels[0], search(channels[0].view(closer), small), shrink, small)
    enough = min(picture.size) >= DIGIT  # fewer pixels of a thin stroke can look like noise
    noise = small and enough and ink.reason is None and is_noise(grey)
    return replace(ink, reason="texture") if noise else ink


def with_paper_around(picture: Image.Image) -> Ink:
    """Find the handwriting on a picture that its digit may fill, after adding a window of paper around it.

    A long and thin picture gets less paper: with a share of its length above it, it would fill gigabytes.
    """
    longest = max(picture.size)
    margin = round(min(WINDOW * longest, MOST_PIXELS / longest))
    ink = find_ink(ImageOps.expand(picture, margin, edge_colour(picture)))
    return _moved(ink, (-margin, -margin), picture)


def card_on(
    picture: Image.Image, grey: Floats | None = None, *, dark: bool = False
) -> tuple[Image.Image, tuple[int, int]] | None:
    """Return the light card on a darker table, and where its left top corner lies; None: there is no card.

    Args:
        picture: the picture.
        grey: the picture reduced to `GLANCE_SIDE`, if it is known.
        dark: search for a dark card on a lighter ground instead, such as a photo on a page.
    """
    from digitrec.prepare.cards import cut, find_card  # few pictures are dark enough for a card

    if grey is None:
        grey = np.asarray(reduced(picture, GLANCE_SIDE)[0].convert("L"), np.float32)
    card = find_card(255 - grey if dark else grey)
    if card is None:
        return None
    part, box = cut(picture, card)
    return part, box[:2]


def _moved(ink: Ink, corner: tuple[int, int], picture: Image.Image) -> Ink:
    """Move the result for a part of a picture, whose left top corner is ``corner``, to the whole picture."""
    left, top = corner
    within = (ink.within[0] + left, ink.within[1] + top, ink.within[2] + left, ink.within[3] + top)
    return replace(
        ink, picture=picture, boxes=shifted(ink.boxes, left, top, picture.size), within=within,
        left_out=shifted(ink.left_out, left, top, picture.size),
    )  # fmt: skip


def shifted(boxes: Sequence[Box], right: int, down: int, size: tuple[int, int]) -> tuple[Box, ...]:
    """Move boxes from a part of a picture to the whole picture."""
    by = np.array((right, down) * 2)
    return tuple(on_picture((by + box).tolist(), size) for box in boxes)


def _ink(picture: Image.Image, projection: Projection, strokes: Strokes, shrink: int, small: bool) -> Ink:
    """Return the ink of the strokes that were found in one channel of a reduced picture."""
    found = count(strokes, small) if strokes.score else Count("blank", (), strokes.mask, 0)
    sight = strokes.sight
    ink = Ink(
        picture, projection, found.reason, (), (0, 0, *picture.size), sight.paper, found.mask, found.parts,
        shrink, strokes.level, sight.noise, None,
    )  # fmt: skip
    if ink.box is None:
        return ink
    boxes, left_out = (tuple(map(ink.full_size, several)) for several in (found.boxes, found.left_out))
    return replace(ink, boxes=boxes, fine=cut_out(picture, ink), left_out=left_out)
