"""Tell the printed lines of a page from its letters, and where they divide marks of writing."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitrec.prepare import finder
from digitrec.prepare.components import Components, Ints, components
from digitrec.prepare.filters import Floats, Mask

Boxes = NDArray[np.float64]
"""(N, 4): left, top, right and bottom in pixels of the picture."""

LETTER, NARROW, WIDE, FILLED = 0.5, 0.1, 2.5, 0.15
"""Ink is a letter if at least this share of it is "other ink" to the network, its width is between these two
multiples of its height, and it fills at least this share of its box; else it is a rule or a frame."""
ALONE = 1.3
"""Ink with a mark that is lower than this many digits is no rule."""
MOST_LETTERS = 5_000
"""Maximum number of letters, because the links of all pairs are held in memory; the smallest are left out.
A page of text has fewer, noise or gravel may have 200,000."""
EVEN, CORNER = 0.4, 0.0015
"""The thinnest side of a frame has at least the first share of its thickest side's width, and each corner
holds at least the second share of the area of the frame's box."""
SIDE, IN_CORNER = 0.3, 0.4
"""From the frame's centre, as shares of its sides: a side's ink is nearer than the first share along the
side and farther across; a corner's ink is farther than the second both ways. Letters may lack corners."""
OPEN = 0.1
"""A frame that is open above covers at least this share of a digit's height."""
LONG, RULE = 2.0, 0.3
"""An upright run of ink is a rule if it is longer than this many digits are high and at least this share of
it is "other ink"."""
BASE, LOW_SIDE = 0.6, 0.3
"""Minimum share of a row's width that its base line covers, and the minimum height of a side on it, as a
share of the marks' height."""
RULED = 0.8
"""Minimum share of the height of two marks that a rule between them covers."""
PAPER = 0.1
"""If rules run through more than this share of the marks, they are those of squared paper."""


def letters_and_rules(
    look: finder.Look, parts: Components, marks: Iterable[tuple[int, finder.Mark]], tall: float
) -> tuple[Ints, Mask]:
    """Return the letters' boxes, (N, 4), and a mask of rules, (h, w), both on the network's input.

    Args:
        look: the network's output.
        parts: the parts of all ink.
        marks: the marks, each with the number of its part.
        tall: the height of a digit, in pixels of the network's input.
    """
    other = look.kinds[..., 2]
    is_letter = parts.total(other) > LETTER * parts.area
    is_letter &= (parts.width > NARROW * parts.height) & (parts.width < WIDE * parts.height)
    is_letter &= parts.area > FILLED * parts.width * parts.height
    is_frame = _are_frames(parts, other)
    letters = np.flatnonzero(is_letter & ~is_frame)
    smallest = letters[np.argsort(-parts.area[letters], kind="stable")[MOST_LETTERS:]]
    letters = np.setdiff1d(letters, smallest)
    places, owners = parts.boxes, []
    for own, mark in marks:
        letters = letters[(letters == own) | ~_surround(places[letters], mark.place)]
        owners.append(own)
    is_writing = np.isin(np.arange(len(parts)), np.concatenate([letters, smallest]))
    is_writing |= np.isin(np.arange(len(parts)), owners) & ~is_frame & (parts.height < ALONE * tall)
    return places[letters], (other > 0.5) & ~parts.drawn(is_writing)


def _are_frames(parts: Components, ink: Floats) -> Mask:
    """Return which parts have four straight sides and four corners, by their ``ink``, (h, w)."""
    y, x = np.divmod(parts.places, ink.shape[1])
    own, held = parts.labels, parts.inside(ink)
    x = (x + 0.5 - parts.left[own]) / parts.width[own] - 0.5
    y = (y + 0.5 - parts.top[own]) / parts.height[own] - 0.5
    sides, corners = [], []
    for sign in (-1, 1):
        for along, across, length in ((x, sign * y, parts.width), (y, sign * x, parts.height)):
            is_side = (np.abs(along) < SIDE) & (across > SIDE)
            sides.append(np.bincount(own, held * is_side, len(parts)) / length)
        for other in (-1, 1):
            is_corner = (sign * x > IN_CORNER) & (other * y > IN_CORNER)
            corners.append(np.bincount(own, held * is_corner, len(parts)))
    is_even = np.min(sides, axis=0) > EVEN * np.max(sides, axis=0)
    return np.asarray(is_even & (np.min(corners, axis=0) > CORNER * parts.width * parts.height))


def _surround(places: NDArray[np.intp], mark: Sequence[int]) -> Mask:
    """Return which boxes, (N, 4), begin before a mark, end after it, and share a part of its height."""
    left, top, right, bottom = places.T
    shared = np.minimum(bottom, mark[3]) - np.maximum(top, mark[1])
    return np.asarray((left < mark[0]) & (right > mark[2]) & (shared > OPEN * (mark[3] - mark[1])))


def upright_rules(look: finder.Look, tall: float) -> Mask:
    """Return a mask of long upright rules, also where writing touches them, on the network's input."""
    ink = _widened(look.kinds[..., 0] < 0.5)
    apart = np.zeros((len(ink), 2 * ink.shape[1]), bool)
    apart[:, ::2] = ink  # each upright run is a part of its own
    runs, other = components(apart), np.repeat(look.kinds[..., 2], 2, axis=1)
    long = (runs.height > LONG * tall) & (runs.total(other) > RULE * runs.area)
    return runs.drawn(long)[:, ::2]


def cells_between(rules: Mask, places: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the marks in each box of a row, from left to right; none if there are fewer rules than sides.

    A slash divides a number, too, but has no sides of boxes beside it.
    """
    if _is_squared_paper(rules, places):
        return []
    order = np.argsort(places[:, 0])
    middles = places[order][:, [0, 2]].sum(axis=1) // 2
    sides = _rule_columns(rules, places)
    is_divided = [sides[left:right].any() for left, right in pairwise(middles)]
    cells = np.split(order, np.flatnonzero(is_divided) + 1)
    if len(cells) == 1:
        return []
    rules_there = np.count_nonzero(np.diff(sides, prepend=False) & sides)  # columns where one begins
    return cells if len(cells) < rules_there else []


def in_boxes(letters: Ints, rules: Mask, places: NDArray[np.intp]) -> Mask:
    """Return which letters stand in the boxes of a row of marks, (N,).

    Args:
        letters: the boxes of the letters, (N, 4), and
        places: those of the marks, both in pixels of the network's input.
        rules: the mask of the rules there.
    """
    first, *_, last = np.flatnonzero(_rule_columns(rules, places))
    left, top, right, bottom = letters.T
    inside = (first < left) & (right < last) & (bottom - top > 0.5 * np.median(places[:, 3] - places[:, 1]))
    middles = (places[:, 0] + places[:, 2]) / 2
    holds = ((left[:, None] < middles) & (middles < right[:, None])).any(axis=1)  # a piece of a box
    return np.asarray(inside & ~holds)


def _rule_columns(rules: Mask, places: NDArray[np.intp]) -> Mask:
    """Return in which columns the side of a box runs beside the marks, (w,); on a base line it may be low."""
    top, bottom = places[:, 1].min(), places[:, 3].max()
    wide = _widened(rules)
    is_side = wide[top:bottom].mean(axis=0) > RULED
    low = wide[(top + bottom) // 2 : bottom + (bottom - top) // 2]
    inside = low[:, places[:, 0].min() : places[:, 2].max()]
    if len(inside) and inside.mean(axis=1).max() > BASE:
        is_side |= low.sum(axis=0) > LOW_SIDE * (bottom - top)
    return np.asarray(is_side)


def ruled_off(rules: Mask, places: NDArray[np.intp], linked: Mask) -> Mask:
    """Return which linked marks have a rule between them that is not one of squared paper, (N, N)."""
    found = np.zeros(linked.shape, bool)
    if _is_squared_paper(rules, places):
        return found
    wide = _widened(rules)
    for one, two in np.argwhere(np.triu(linked, 1)).tolist():
        left, right = sorted((places[one][0] + places[one][2], places[two][0] + places[two][2]))
        top, bottom = min(places[one][1], places[two][1]), max(places[one][3], places[two][3])
        found[one, two] = found[two, one] = _holds_rule(wide[top:bottom, left // 2 : right // 2])
    return found


def _widened(ink: Mask) -> Mask:
    """Return a mask with each pixel's left and right neighbours, (h, w); rules may be slanted."""
    wide = ink.copy()
    wide[:, 1:-1] |= ink[:, :-2] | ink[:, 2:]
    return wide


def _is_squared_paper(rules: Mask, places: NDArray[np.intp]) -> bool:
    """Return whether rules run through some of the marks; in a table, the digits stand between the rules."""
    through = []
    for left, top, right, bottom in places.tolist():
        half, inset = (bottom - top) // 2, (right - left) // 7
        inside = rules[:, left + inset : right - inset]
        above, below = inside[max(0, top - half) : top], inside[bottom : bottom + half]
        through.append(_holds_rule(above) and _holds_rule(below))
    return bool(np.mean(through) > PAPER)


def _holds_rule(part: Mask) -> bool:
    """Return whether an upright rule runs through a part of the rules' mask, (h, w)."""
    return bool(part.size and (part.mean(axis=0) > RULED).any())
