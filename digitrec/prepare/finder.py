"""Find every digit on a picture with a small network; `digitrec.lab.finding` trains it.

The network says what each pixel is (paper, writing, or other ink such as a ruling) and points from each
pixel of writing to the middle of its mark. Pixels that point to the same place are one mark.
"""

import itertools
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.image import Box
from digitrec.image.boxes import holds
from digitrec.models.network import FOLDER, Runner, runner
from digitrec.prepare.closeup import FINE, FRINGE
from digitrec.prepare.components import Box as Place
from digitrec.prepare.components import Ints, box_of, components, longer_side, on_picture
from digitrec.prepare.filters import Floats, Mask, grow, quantile, resize, smooth
from digitrec.prepare.form import PALE

WEIGHTS = FOLDER / "digitrec-finder.tflite"
"""The trained network that the package contains."""
SIDE = 160
"""Longer side of the network's input, for the smallest overview and for each close-up, in pixels."""
OVERVIEWS = (SIDE, 320, 640, 1280)
"""Longer sides of the network's input at which the whole picture is searched, in turn, until marks show."""
BARE = 640
"""Longer side of the network's input from which a picture without any writing ends the search."""
SEEN = 8
"""Minimum longer side of the marks that end the search, in pixels of the network's input."""
CLOSER = 3.0
"""Side of a close-up, as a multiple of the mark's longer side."""
TILE, OVERLAP = 512, 64
"""Longest side of one input of the network, in pixels, and how far such tiles of a larger one overlap."""
MOST_THREADS = min(4, os.cpu_count() or 1)
"""Number of threads that compute an input with a side longer than `SIDE`."""
MOST = 500
"""Maximum number of close-ups of one picture."""
STEP = 16
"""The sides of the network's input are multiples of this, in pixels."""
REACH = 16.0
"""Factor from the offsets that the network returns to pixels."""
CLEAR = 40
"""Minimum longer side of a mark that needs no close-up, in pixels of the network's input."""
LEAST = 8
"""Minimum area of a mark, in pixels of the network's input."""
GATHERED = 0.02
"""Minimum density of the pixels that point to a mark's middle, as a share of the densest place's."""
MARGIN = 0.12
"""Margin around a mark in which its ink may fade out, as a share of the mark's longer side."""


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """One mark on a picture that may be a digit."""

    box: Place
    """The mark's box in whole pixels of the picture."""
    mask: Floats
    """(h, w): how much ink each place of the box holds, 0..1, without all other ink."""
    chance: float
    """The chance that it is a digit rather than a letter, sign or scrawl, 0..1."""
    missing: float
    """The share of its ink that lies outside the picture, 0..1, as the network estimates it."""
    views: Sequence["Mark"]
    """The mark in each view that showed it."""

    @property
    def whole(self) -> Box:
        """The box around it and all connected other ink: to the network, half a bracket may be a frame."""
        left, top, right, bottom = zip(*(one.look.on_picture(one.whole) for one in self.views), strict=True)
        return min(left), min(top), max(right), max(bottom)


def find(picture: Image.Image, least: float = 0.5, most: int | None = None) -> list[Ink]:
    """Find the digits on a picture of any size; search for the small ones again in close-ups.

    Args:
        picture: the picture, of mode L or RGB.
        least: minimum chance that a mark is a digit, 0..1; 0 returns all marks.
        most: maximum number of marks, of which the largest are kept; None: all.

    Returns:
        The marks in the order of their boxes' top edges.
    """
    found = sorted(_overview(picture), key=lambda one: -np.count_nonzero(one.mask))[:most]
    small = [one for one in found if longer_side(one.place) < CLEAR]
    kept = [ink_of(picture, one) for one in found if longer_side(one.place) >= CLEAR]
    for _ in range(MOST):
        if not small:
            break
        target = small.pop(0)
        look = look_at(picture, _around(target.box, picture.size), SIDE)
        closer = [one for one in marks_in(look) if not one.is_cut(picture.size)]
        if not any(_shared(one.box, target.box) for one in closer):
            closer.append(target)
        small = [one for one in small if not any(_shared(one.box, other.box) for other in closer)]
        new = [one for one in closer if not any(_shared(one.box, other.box) for other in kept)]
        kept += [ink_of(picture, one, *([target] if _shared(one.box, target.box) else [])) for one in new]
    likely = [one for one in kept if one.chance >= least]
    return sorted(likely, key=lambda one: (one.box[1], one.box[0]))


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The network's output for one part of a picture."""

    view: Box
    kinds: Floats
    """(h, w, 3): how likely each pixel is paper, writing and other ink, 0..1."""
    maps: Floats
    """(h/2, w/2, 5): offset to the middle (x, y), logits of "other mark", "digit" and "missing ink"."""

    def on_picture(self, box: Box) -> Box:
        """Return a box of the network's input in pixels of the picture."""
        left, top, right, bottom = self.view
        x, y = (right - left) / self.kinds.shape[1], (bottom - top) / self.kinds.shape[0]
        return left + x * box[0], top + y * box[1], left + x * box[2], top + y * box[3]


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """One mark in the network's output."""

    look: Look
    place: Place
    """The mark's box in pixels of the network's input."""
    box: Box
    """The mark's box in pixels of the picture."""
    mask: Mask
    """(h, w): the mark's pixels inside its box."""
    chance: float
    missing: float
    attached: float = 0.0
    """The share of other ink in the connected ink that contains the mark, 0..1; only `lines` measures it."""

    @property
    def ink(self) -> Floats:
        """(h, w): how likely each pixel of the box belongs to this mark, 0..1."""
        left, top, right, bottom = self.place
        return np.asarray(self.look.kinds[top:bottom, left:right, 1] * self.mask)

    @property
    def whole(self) -> Place:
        """The box around the mark and all other ink that is connected with it, as for `place`."""
        left, top, right, bottom = self.place
        ink = self.look.kinds[..., 2] > 0.5
        ink[top:bottom, left:right] |= self.mask
        parts = components(ink)
        owner = parts.drawn(1 + np.arange(len(parts)))
        return box_of(np.isin(owner, owner[top:bottom, left:right][self.mask])) or self.place

    def is_cut(self, size: tuple[int, int]) -> bool:
        """Return whether an edge of the view cuts the mark; the edges of the picture do not count."""
        height, width = self.look.kinds.shape[:2]
        sides = zip(self.place, (0, 0, width, height), self.look.view, (0, 0, *size), strict=True)
        return any(own == edge and seen != end for own, edge, seen, end in sides)


def _overview(picture: Image.Image) -> list[Mark]:
    """Return all marks on a picture, at the lowest resolution that shows them clearly and undistorted."""
    found: list[Mark] = []
    for side in OVERVIEWS:
        is_stretched = side * min(picture.size) < 3 * STEP * max(picture.size)
        if is_stretched and side < min(max(picture.size), OVERVIEWS[-1]):
            continue  # from afar a column of numbers looks like a thick 1
        look = look_at(picture, (0, 0, *picture.size), side)
        found = list(marks_in(look))
        large = bool(found) and min(longer_side(one.place) for one in found) >= SEEN
        bare = side >= BARE and np.count_nonzero(look.kinds[..., 0] < 0.5) < LEAST
        if large or bare or side >= max(picture.size):
            break
    return found


def _around(box: Box, size: tuple[int, int]) -> Box:
    """Return the square around a box, `CLOSER` times as long and moved into the picture."""
    sides = []
    length = CLOSER * max(box[2] - box[0], box[3] - box[1])
    for low, high, most in zip(box[:2], box[2:], size, strict=True):
        start = min(max((low + high - length) / 2, 0), max(most - length, 0))
        sides.append((start, min(start + length, most)))
    (left, right), (top, bottom) = sides
    return left, top, right, bottom


def _shared(one: Box, other: Box) -> bool:
    """Return whether one of two boxes contains the middle of the other."""
    return holds(one, other) or holds(other, one)


def look_at(picture: Image.Image, view: Box, side: int) -> Look:
    """Run the network on a part of a picture, scaled to this longer side in pixels."""
    left, top, right, bottom = view
    zoom = side / max(right - left, bottom - top)
    width, height = (max(3 * STEP, STEP * round(zoom * n / STEP)) for n in (right - left, bottom - top))
    how = Image.Resampling.BILINEAR if zoom < 1 else Image.Resampling.BICUBIC
    scaled = picture.resize((width, height), how, view, reducing_gap=3.0).convert("RGB")
    return Look(view, *_kinds_and_maps(np.asarray(scaled)))


def _kinds_and_maps(pixels: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Run the network on (h, w, 3) pixels, in tiles: its memory grows with its input, 360 MB at 1,280 pixels.

    Where tiles overlap, each side of the middle comes from the tile that sees more around it.
    """
    height, width = pixels.shape[:2]
    network = _network(1 if max(height, width) <= SIDE else MOST_THREADS)
    kinds, maps = np.empty((height, width, 3), np.float32), np.empty((height // 2, width // 2, 5), np.float32)
    for top, left in itertools.product(_starts(height), _starts(width)):
        bottom, right = min(top + TILE, height), min(left + TILE, width)
        said, logits = network.run(pixels[None, top:bottom, left:right].astype(np.float32))
        y, x = (OVERLAP // 2 if start else 0 for start in (top, left))
        kinds[top + y : bottom, left + x : right] = _chances(logits[0])[y:, x:]
        maps[(top + y) // 2 : bottom // 2, (left + x) // 2 : right // 2] = said[0][y // 2 :, x // 2 :]
    return kinds, maps


def _starts(length: int) -> list[int]:
    """Return where tiles start along a side of this length, in pixels: multiples of `STEP`."""
    count = max(1, math.ceil((length - OVERLAP) / (TILE - OVERLAP)))
    return [STEP * round((length - TILE) * at / max(count - 1, 1) / STEP) for at in range(count)]


def _chances(logits: Floats) -> Floats:
    """Return the softmax over the last axis of (h, w, 3), plane by plane: NumPy is slow along that axis."""
    planes = np.moveaxis(logits, 2, 0).copy()
    planes -= planes.max(axis=0)
    np.exp(planes, out=planes)
    planes /= planes.sum(axis=0)
    return np.moveaxis(planes, 0, 2)


@cache
def _network(threads: int) -> Runner:
    return runner(WEIGHTS.read_bytes(), threads=threads)


def marks_in(look: Look) -> Iterator[Mark]:
    """Yield each mark: the pixels of writing that point to the same place."""
    writing = look.kinds[..., 1] > 0.5
    height, width = writing.shape
    y, x = np.nonzero(writing)
    if len(y) < LEAST:
        return
    said = look.maps[y // 2, x // 2]
    to_y = np.clip(np.rint(y + REACH * said[:, 1]), 0, height - 1).astype(np.intp)
    to_x = np.clip(np.rint(x + REACH * said[:, 0]), 0, width - 1).astype(np.intp)
    density = np.bincount(to_y * width + to_x, minlength=height * width).astype(np.float32)
    density = density.reshape(height, width)
    for _ in range(4):
        density = smooth(density)
    parts = components(density > GATHERED * density.max())
    owner = parts.drawn(np.arange(1, len(parts) + 1, dtype=np.int32))[to_y, to_x]
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(1, owner.max() + 2))
    for start, end in itertools.pairwise(starts.tolist()):
        if end - start >= LEAST:
            own = order[start:end]
            yield _mark(look, y[own], x[own], said[own].mean(axis=0))


def _mark(look: Look, y: Ints, x: Ints, said: Floats) -> Mark:
    left, top, right, bottom = place = int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1
    mask = np.zeros((bottom - top, right - left), bool)
    mask[y - top, x - left] = True
    chance, missing = _logistic(said[3] - said[2]), _logistic(said[4])
    return Mark(look, place, look.on_picture(place), mask, chance, missing)


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def ink_of(picture: Image.Image, mark: Mark, *from_afar: Mark) -> Ink:
    """Take a mark's ink from the picture's own pixels, by their contrast to the paper around it.

    ``from_afar`` is the same mark in a larger view, which may show more of the ink connected with it.
    """
    left, top, right, bottom = mark.place
    margin = max(3, round(MARGIN * longer_side(mark.place)))
    height, width = mark.look.kinds.shape[:2]
    start_x, start_y = max(0, left - margin), max(0, top - margin)
    place = start_x, start_y, min(width, right + margin), min(height, bottom + margin)
    view = mark.look.on_picture(place)
    zoom = FINE / max(view[2] - view[0], view[3] - view[1])
    size = max(4, round(zoom * (view[2] - view[0]))), max(4, round(zoom * (view[3] - view[1])))
    part = picture.resize(size, Image.Resampling.BOX, view).convert("RGB")
    pixels: Floats = np.asarray(part, np.float32) / np.float32(255)

    own = np.zeros((place[3] - place[1], place[2] - place[0]), bool)
    own[top - start_y : bottom - start_y, left - start_x : right - start_x] = mark.mask
    near = grow(own, 2)
    paper = mark.look.kinds[start_y : place[3], start_x : place[2], 0]
    paper = np.clip(2.5 * paper - 1.5, 0, 1) * ~grow(own, 1)
    contrast = _contrast(pixels, resize(paper, *size), resize(own.astype(np.float32), *size))
    mask = contrast * np.clip(1.5 * resize(near.astype(np.float32), *size), 0, 1)
    x, y, end_x, end_y = box_of(mask > PALE) or (0, 0, *size)
    zoom_x, zoom_y = (view[2] - view[0]) / size[0], (view[3] - view[1]) / size[1]
    box = on_picture(
        (view[0] + x * zoom_x, view[1] + y * zoom_y, view[0] + end_x * zoom_x, view[1] + end_y * zoom_y),
        picture.size,
    )
    return Ink(box, mask[y:end_y, x:end_x], mark.chance, mark.missing, (mark, *from_afar))


def _contrast(pixels: Floats, paper: Floats, own: Floats) -> Floats:
    """Return how far each pixel, (h, w, 3), departs from the paper towards the ink's colour, 0..1."""
    paper = paper + np.float32(1e-4)
    under = _spread(paper)
    away = np.stack([plane - _spread(plane * paper) / under for plane in np.moveaxis(pixels, 2, 0)], axis=2)
    core = own > min(0.5, 0.5 * float(own.max()))
    axis = away[core].mean(axis=0)
    length = float(axis @ axis)
    if length < 1e-6:
        return own
    contrast = away @ axis / length
    bare = contrast[paper > 0.5]
    noise = float(bare.std()) if bare.size > 30 else 0.0
    level = max(quantile(contrast[core], 0.8), 0.05)
    low = min(max(FRINGE * level, 2 * noise), 0.4 * level)
    return np.asarray(np.clip((contrast - low) / (level - low), 0, 1), np.float32)


def _spread(plane: Floats) -> Floats:
    """Blur over about an eighth of the longer side."""
    height, width = plane.shape
    small = resize(plane, max(2, width // 10), max(2, height // 10), how=Image.Resampling.BOX)
    return resize(smooth(smooth(smooth(small))), width, height)
