"""Draw pictures for the judge to learn from: digits with all kinds of things around them, and other writing.

Only digits and fonts of the training sets are used.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting import things
from digitrec.lab.handwriting.changes import CHANGES
from digitrec.lab.handwriting.clipart import an_object
from digitrec.lab.handwriting.holding import hand
from digitrec.lab.handwriting.nondigits import any_kind, beside, larger, pages, printed_word, shown
from digitrec.lab.handwriting.photo import clouds, ink_on_paper, paper, perhaps_on_paper, photograph, put_ink
from digitrec.lab.handwriting.scenes import (
    GLOWS,
    REFUSED,
    WANTED,
    Scene,
    large,
    on_a_table,
    page_of,
    scene,
    unruled,
)
from digitrec.lab.handwriting.strokes import any_pen, by_share, log_uniform, one_of, put, rotation, smooth
from digitrec.lab.handwriting.writer import (
    Writer,
    box_of,
    cut_out,
    font_to_learn,
    in_font,
    rewrite,
    seven_segments,
)
from digitrec.lab.reading.compose import Composer, unstretched
from digitrec.lab.reading.hands import Hand

Picture = tuple[Pixels, int | None]
"""A picture, and the digit on it; None: there is no single digit."""
BRACKETS = ("()", "()", "[]", "{}", "<>")
"""Pairs of brackets around a digit, with which it is still a single digit."""
SIGNS = "--==++#%$&@*/abdeghkmnrtvwxyABDEFHKMNPRTX"
"""Signs and letters beside a digit, with which it is no longer a single digit."""


_AROUND = np.linspace(0, 2 * np.pi, 41)
_RING = np.stack([np.cos(_AROUND), np.sin(_AROUND)], axis=1)
"""A circle of radius 1: the angles of its points, and x and y."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The digits, fonts and cells that the pictures are made of."""

    writer: Writer
    ones: Writer
    """Writes mostly ones, which are easily taken for a thing, a bracket or a part of one."""
    cells: Sequence[tuple[Path, int]]
    """Files of scanned cells, and their digits."""
    hands: Sequence[Hand]
    """Hands that write numbers."""
    objects: Sequence[Image.Image]
    """Real objects, cut out of their background."""


def _scene(of: Sources, rng: np.random.Generator, kinds: tuple[str, ...] = tuple(WANTED)) -> Picture:
    one = scene(one_of(rng, kinds), of.writer, rng)
    return one.pixels, one.label


def _drawn(of: Sources, rng: np.random.Generator) -> Picture:
    """Draw a digit with any pen, mostly on a screen."""
    at = rng.integers(len(of.writer.digits))
    ink = larger(of.writer.digits.images[at], rng)
    pixels = one_of(rng, (shown(ink, rng), ink, 255 - ink, 255 - ink))
    return pixels, int(of.writer.digits.labels[at])


def _cell(of: Sources, rng: np.random.Generator) -> Picture:
    file, label = one_of(rng, of.cells)
    return np.asarray(Image.open(file).convert("RGB")), label


def _changed(of: Sources, rng: np.random.Generator) -> Picture:
    """Change a digit on paper, a cell or a scene in one or two ways that keep the digit."""
    pixels, label = one_of(rng, (_cell, _tight, _scene))(of, rng)
    for kind in rng.choice(list(CHANGES), rng.integers(1, 3), replace=False):
        pixels = np.asarray(CHANGES[str(kind)](Image.fromarray(pixels)))
    return pixels, label


def _tight(of: Sources, rng: np.random.Generator) -> Picture:
    """Crop a digit on paper so that it touches some edges, or lose up to a twelfth of it outside."""
    one, most = scene("plain paper", of.writer, rng), one_of(rng, (0.6, 1.2, 2.0))
    box, size = np.array(one.box), max(one.box[2] - one.box[0], one.box[3] - one.box[1])
    loose = np.where(rng.random(4) < 0.5, rng.uniform(-0.08, 0.05, 4), rng.uniform(0, most, 4)) * size
    return _cropped(one.pixels, box, loose), one.label


def _cropped(pixels: Pixels, box: NDArray[np.int64], loose: NDArray[np.floating]) -> Pixels:
    """Return a box of a picture, with that many pixels more or less on each side, at least 4x4."""
    ends = np.clip(box + loose * (-1, -1, 1, 1), 0, pixels.shape[1::-1] * 2).astype(int)
    ends[2:] = np.maximum(ends[2:], ends[:2] + 4)  # a 1 is narrow
    return pixels[ends[1] : ends[3], ends[0] : ends[2]]


def _small(of: Sources, rng: np.random.Generator) -> Picture:
    """Write one or two small digits on a large page, which may be punched."""
    height, side = round(log_uniform(rng, 14, 90)), rng.integers(300, 1200)
    digit, ink = of.writer.digit(rng, height)
    label = None if rng.random() < 0.25 else digit
    if label is None:
        ink = beside(ink, of.writer.digit(rng, height)[1], float(rng.uniform(0, 2)), rng)
    around = side / height / 2
    page = shown(page_of(ink, rng, 0.2 * around, around), rng)
    return _punched(page, height, rng) if rng.random() < 0.4 else page, label


def _punched(page: Pixels, height: int, rng: np.random.Generator) -> Pixels:
    """Punch two to four holes near an edge of a page, of about a digit's height, and often fold the page."""
    side = int(rng.integers(4))
    sheet = Image.fromarray(np.rot90(page, side))
    pen, radius = ImageDraw.Draw(sheet), height * log_uniform(rng, 0.2, 0.7)
    x, shade = radius * rng.uniform(1.2, 4), rng.normal(0, 0.15, 2) * radius
    below, rim = (tuple(int(tone + one) for one in rng.normal(0, 8, 3)) for tone in rng.uniform(20, 200, 2))
    first, last = sheet.height * rng.uniform((0.05, 0.6), (0.4, 0.95))
    for y in np.linspace(first, last, int(rng.integers(2, 5))):
        for (right, down), colour in ((shade, rim), ((0, 0), below)):
            pen.circle((x + right, y + down), radius, colour)
    if rng.random() < 0.4:
        y = sheet.height * rng.uniform(0.2, 0.8, 2).mean()
        ends = [(0, y), (sheet.width, y + height * rng.normal(0, 0.3))]
        pen.line(ends, rim, max(1, round(height * rng.uniform(0, 0.06))))
    return np.rot90(np.asarray(sheet.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1)))), -side)


def _mounted(of: Sources, rng: np.random.Generator) -> Picture:
    """Paste a picture on a page or a slide, or between bars, or two beside each other."""
    kinds = (_scene, _scene, _cell, _tight, _beside_a_thing)
    pixels, label = one_of(rng, kinds)(of, rng)
    loose = np.rint(max(pixels.shape) * rng.uniform(0.02, 0.6, (2, 2))).astype(int)
    loose[int(rng.integers(2))] *= int(rng.random() < 0.7)
    both = pixels.astype(np.int16)
    if rng.random() < 0.4:
        both, label = _beside_another(pixels, one_of(rng, kinds)(of, rng)[0], rng), None
    height, width = both.shape[:2] + loose.sum(axis=1)
    page = ink_on_paper(np.zeros((height, width), np.uint8), rng, unruled(rng)).copy()
    if rng.random() < 0.5:
        page[:] = one_of(rng, ([0], [255], [255], rng.integers(0, 256, 3).tolist(), [rng.integers(0, 256)]))
    place = page[loose[0, 0] : height - loose[0, 1], loose[1, 0] : width - loose[1, 1]]
    np.copyto(place, both, "unsafe", where=both >= 0)
    return page, label


def _beside_another(one: Pixels, other: Pixels, rng: np.random.Generator) -> NDArray[np.int16]:
    """Put two RGB pictures of about the same size beside or below each other, with -1 between them."""
    axis, gap = int(rng.integers(2)), 0 if rng.random() < 0.4 else max(one.shape) * rng.uniform(0, 0.4)
    side = one.shape[1 - axis]
    scale = side / other.shape[1 - axis] * rng.uniform(0.8, 1)
    size = [max(1, round(n * scale)) for n in other.shape[1::-1]]
    small = np.asarray(Image.fromarray(other).resize(size, Image.Resampling.BOX))
    spare, before = side - small.shape[1 - axis], [(0, 0)] * 3
    before[1 - axis], before[axis] = (spare // 2, spare - spare // 2), (round(gap), 0)
    return np.concatenate([one, np.pad(small.astype(np.int16), before, constant_values=-1)], axis)


def _on_paper(of: Sources, rng: np.random.Generator) -> tuple[Scene, Image.Image, tuple[int, ...], int]:
    """Write a digit on plain paper; return the scene, a copy to draw on, the ink's colour and its height."""
    one = scene("plain paper", one_of(rng, (of.writer, of.writer, of.ones)), rng)
    left, top, right, bottom = one.box
    ink = one.pixels[top:bottom, left:right].min(axis=(0, 1))
    return one, Image.fromarray(one.pixels), tuple(ink.tolist()), bottom - top


def _beside_a_thing(of: Sources, rng: np.random.Generator, thing: things.Thing = things.stick) -> Picture:
    """Lay things beside a digit on paper, which often has room for them or ends near the digit."""
    label: int | None
    writer = one_of(rng, (of.writer, of.writer, of.ones))
    if rng.random() < 0.35:
        label, ink = writer.digit(rng, int(rng.integers(40, 150)))
        page = page_of(ink, rng, 0.3, 2.5)
        pixels, box = ink_on_paper(page, rng), box_of(page)
    else:
        one = scene(one_of(rng, ("plain paper", "ruled paper", "edge of a shadow")), writer, rng)
        pixels, box, label = one.pixels, one.box, one.label
    pixels = things.beside(thing, pixels, box, rng)
    if rng.random() < 0.3:
        loose = max(box[2] - box[0], box[3] - box[1]) * rng.uniform(0.1, 1.5, 4)
        pixels = _cropped(pixels, np.array(box), np.rint(loose))
    return pixels, label


def _beside_an_object(of: Sources, rng: np.random.Generator) -> Picture:
    return _beside_a_thing(of, rng, partial(an_object, of.objects))


def _alone(of: Sources, rng: np.random.Generator) -> Picture:
    """Write a digit with a pen, often a thin one, and leave room around it."""
    digit, label = _often_a_one(of, rng)
    height, pen = round(log_uniform(rng, 30, 180)), any_pen(rng, log_uniform(rng, 0.012, 0.1))
    ink = cut_out(rewrite(digit, pen, round(1.4 * height), rng), height)
    return shown(page_of(ink, rng, 0.1, log_uniform(rng, 0.2, 3)), rng), label


def _stretched(of: Sources, rng: np.random.Generator) -> Picture:
    """Stretch a digit to a breadth of 35 to 100 % of its height; most are small or black and white."""
    digit, label = _often_a_one(of, rng)
    ink = cut_out(rewrite(digit, any_pen(rng, log_uniform(rng, 0.03, 0.2)), 140, rng))
    high = round(log_uniform(rng, 14, 120))
    size = round(high * rng.uniform(0.35, 1)), high
    strength = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX), np.float32)
    if rng.random() < 0.6:
        rough = rng.normal(0, rng.uniform(0, 60), strength.shape)
        strength = 255.0 * (strength + rough > rng.uniform(60, 180))
    margins = np.rint(high * rng.uniform(0, one_of(rng, (0.1, 0.5)), (2, 2)))
    page = np.pad(strength.astype(np.uint8), margins.astype(int))
    return one_of(rng, (page, 255 - page, shown(page, rng))), label


def _often_a_one(of: Sources, rng: np.random.Generator) -> Picture:
    """Return a digit in MNIST's form; half are a 1."""
    digits = one_of(rng, (of.writer, of.ones)).digits
    at = int(rng.integers(len(digits)))
    return digits.images[at], int(digits.labels[at])


def _on_a_display(of: Sources, rng: np.random.Generator) -> Picture:
    """Show a digit of bars in the window of a meter, mostly with a trace of the bars that are not lit."""
    trace = rng.uniform(0.02, 0.2) if rng.random() < 0.6 else 0.0
    label, ink = seven_segments(rng, round(log_uniform(rng, 30, 200)), trace, 0.12)
    page = page_of(ink, rng, 0.08, 0.6)
    sides = np.rint(len(ink) * rng.uniform(0, one_of(rng, (0.05, 0.5, 1.5)), (2, 2))).astype(int)
    look = replace(unruled(rng), strength=rng.uniform(0.75, 1), grain=0.0)
    window = np.full((*page.shape, 3), rng.uniform(0.02, 0.12), np.float32)
    if rng.random() < 0.5:
        look = replace(look, ink=one_of(rng, GLOWS), exposure=1.0)
    else:  # a liquid crystal display
        window += np.float32(rng.uniform(0.35, 0.75)) * np.array([0.97, 1, rng.uniform(0.75, 1)], np.float32)
    window = put_ink(window, page, rng, look)
    frame = int(len(ink) * log_uniform(rng, 0.01, 0.08)) if rng.random() < 0.6 else 0
    window = _edged(window, [(frame, frame)] * 2, things.material(rng))
    return photograph(_edged(window, sides, things.material(rng)), rng, look), label


def _edged(window: NDArray[np.float32], sides: Any, colour: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put a margin of a colour around a window, (H, W, 3)."""
    inside = np.pad(np.ones(window.shape[:2], bool), sides)
    wider = np.pad(window, (*sides, (0, 0)))
    return np.where(inside[:, :, None], wider, np.clip(colour, 0, 1)).astype(np.float32)


def _beside_a_sign(of: Sources, rng: np.random.Generator) -> Picture:
    """Draw a minus, an equals sign or a plus before or after a digit on paper, by hand."""
    one, picture, ink, height = _on_paper(of, rng)
    left, top, right, bottom = one.box
    half, down = height * log_uniform(rng, 0.08, 0.3), np.array([0, height * rng.uniform(0.06, 0.12)])
    gap = half + height * rng.uniform(0.06, 0.5)
    middle = (left - gap, right + gap)[rng.integers(2)], (top + bottom) / 2 + height * rng.normal(0, 0.08)
    if not half < middle[0] < picture.width - half:
        return one.pixels, one.label
    level = np.array([(-half, 0), (half, 0)])
    minus, equals, plus = [level], [level - down, level + down], [level, level[:, ::-1]]
    for stroke in one_of(rng, (minus, minus, equals, plus)):
        ends = middle + stroke + rng.normal(0, 0.08 * half, (2, 2))
        width = max(1, round(height * log_uniform(rng, 0.03, 0.1)))
        ImageDraw.Draw(picture).line(list(map(tuple, ends)), ink, width)
    return np.asarray(picture), None


def _in_brackets(of: Sources, rng: np.random.Generator) -> Picture:
    """Draw a bracket before or after a digit on paper by hand, or both: round, square, curly or angular."""
    one, picture, ink, height = _on_paper(of, rng)
    left, top, right, bottom = one.box
    down, sides = np.linspace(-1, 1, 25), rng.integers(1, 4)
    far = np.abs(down)
    bows = 1 - down**2, far < 0.95, 0.4 * (far < 0.9) + 0.6 * (far < 0.1), 1 - far
    bow = bows[rng.choice(4, p=(0.55, 0.2, 0.1, 0.15))]
    half, depth = height * log_uniform(rng, 0.4, 1), height * log_uniform(rng, 0.08, 0.3)
    gap, width = height * log_uniform(rng, 0.05, 0.6), max(1, round(height * log_uniform(rng, 0.02, 0.1)))
    for side, edge, away in ((1, left, -1), (2, right, 1)):
        y = (top + bottom) / 2 + height * rng.normal(0, 0.08) + half * rng.uniform(0.85, 1.15) * down
        x = edge + away * (gap + depth * bow) + half * rng.normal(0, 0.06) * down
        x = x + height * 0.01 * rng.normal(0, 1, 25).cumsum()
        if sides & side and width < x.min() and x.max() < picture.width - width:
            ImageDraw.Draw(picture).line(list(zip(x, y, strict=True)), ink, width, "curve")
    return np.asarray(picture), one.label


def _beside_print(of: Sources, rng: np.random.Generator) -> Picture:
    """Print brackets beside a digit on paper, or signs and letters, which make it no single digit."""
    one, picture, ink, height = _on_paper(of, rng)
    left, top, right, bottom = one.box
    font = ImageFont.truetype(font_to_learn(rng), height * rng.uniform(0.9, 1.6))
    pen = ImageDraw.Draw(picture)
    is_bracket, sides, label = rng.random() < 0.65, rng.integers(1, 4), one.label
    signs = list(one_of(rng, BRACKETS)) if is_bracket else rng.choice(list(SIGNS), 2).tolist()
    middle = (top + bottom) / 2 + height * rng.normal(0, 0.08)
    for side, sign, anchor, edge, away in ((1, signs[0], "rm", left, -1), (2, signs[1], "lm", right, 1)):
        at = edge + away * height * rng.uniform(0.08, 0.45)
        if sides & side and 0 < at + away * 0.6 * font.getlength(sign) < picture.width:
            pen.text((at, middle), sign, ink, font, anchor)
            label = label if is_bracket else None
    return np.asarray(picture), label


def _large(of: Sources, rng: np.random.Generator) -> Picture:
    one = large(of.writer, rng)
    return one.pixels, one.label


def _page(of: Sources, rng: np.random.Generator) -> Picture:
    return next(pages(1, int(rng.integers(2**31)))).pixels, None


def _pair(of: Sources, rng: np.random.Generator) -> Picture:
    """Write two digits; a third of the pairs get a 1, because a 1 looks like a bracket or a pen."""
    height = int(rng.integers(70, 150))
    inks = [of.writer.digit(rng, round(height * rng.uniform(0.9, 1.1)))[1] for _ in range(2)]
    if rng.random() < 0.33:
        digits = (of.writer.digit(rng, height) for _ in itertools.count())
        inks[rng.integers(2)] = next(ink for label, ink in digits if label == 1)
    lower = ((round(height * rng.uniform(0, 0.6)) * int(rng.random() < 0.3), 0), (0, 0))
    left, right = inks[0], np.pad(inks[1], lower)
    return shown(beside(left, right, float(rng.uniform(0, 2)), rng), rng), None


def _number(of: Sources, rng: np.random.Generator) -> Picture:
    """Write a number of one to four digits as in a logbook, small or enlarged."""
    view, text = Composer(of.hands, rng, lengths=(0.5, 0.3, 0.12, 0.08)).number()
    picture = unstretched(view, log_uniform(rng, 1, 4) if rng.random() < 0.5 else 1)
    return np.asarray(picture), int(text) if len(text) == 1 else None


def _reduced(of: Sources, rng: np.random.Generator) -> Picture:
    """Reduce another picture to 8 to 48 pixels, often to a square or to black and white."""
    pixels, label = one_of(rng, (*[_tight] * 6, _senseless, _page, _pair, _number, _form))(of, rng)
    shape = np.array(pixels.shape[1::-1]) if rng.random() < 0.4 else np.ones(2)
    size = np.rint(log_uniform(rng, 8, 48) / shape.min() * shape).astype(int)
    small = np.asarray(Image.fromarray(pixels).convert("L").resize(size.tolist(), Image.Resampling.BOX))
    if rng.random() < 0.4:
        small = np.where(small > (int(small.min()) + int(small.max())) // 2, 255, 0).astype(np.uint8)
    return small, label


def _senseless(of: Sources, rng: np.random.Generator) -> Picture:
    ink = any_kind(of.writer, rng)
    return perhaps_on_paper(larger(ink, rng) if min(ink.shape) <= 28 else ink, rng), None


def _doodle(of: Sources, rng: np.random.Generator) -> Picture:
    """Draw what people draw beside their work: an arrow, a heart, a box, a tick, a cross, a face or a sun."""
    x, y = _RING.T
    heart = np.stack([y**3, -0.8 * x + 0.35 * np.cos(2 * _AROUND)], axis=1)
    box = [np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])]
    arrow = [np.array([(-1, 0), (1, 0)]), np.array([(0.4, -0.5), (1, 0), (0.4, 0.5)])]
    tick, cross = [np.array([(-0.6, 0), (-0.2, 0.6), (0.9, -0.9)])], [box[0][:3:2], box[0][1:4:2]]
    face = [_RING, 0.55 * _RING[2:19], *(0.12 * _RING + (side, -0.3) for side in (-0.35, 0.35))]
    sun = [0.5 * _RING, *(np.outer((0.7, 1), _RING[at]) for at in range(0, 40, 5))]
    paths = one_of(rng, (arrow, arrow, [heart], box, box, tick, cross, face, sun, box + tick, box + cross))
    turn = rng.normal(0, 0.15) if paths is not arrow else rng.uniform(0, 2 * np.pi)
    lean = rotation(turn) * rng.uniform(0.7, 1.2, 2)
    hand = [path @ lean + rng.normal(0, 0.04, path.shape) / (1 + (len(path) > 9)) for path in paths]
    return shown(put(hand, any_pen(rng), rng, int(rng.integers(80, 200))), rng), None


def _object(of: Sources, rng: np.random.Generator) -> Picture:
    """Lay a thing on a page or a table: a key, scissors, a clip, a leaf, a button, a cable or a hair."""
    eye = rng.uniform(0.3, 0.5, 2)
    loose = rng.normal(0, 1, (int(rng.integers(5, 12)), 2)).cumsum(axis=0)
    teeth = [np.array([(x, 0), (x, rng.uniform(0.1, 0.3))]) for x in rng.uniform(0.4, 1, rng.integers(1, 5))]
    key = [_RING * eye - (eye[0], 0), np.array([(0, 0), (1, 0)]), *teeth]
    half = [_RING * eye - (1, 0.6), np.array([(-1 + eye[0], -0.6), (1, rng.uniform(0, 0.3))])]
    edge = np.stack([_AROUND / np.pi - 1, 0.4 * np.sin(_AROUND / 2)], axis=1)
    turn = np.array([(0.8, -0.25), (-0.8, -0.25), (-0.8, 0.25), (1, 0.25), (1, -0.45), (-0.5, -0.45)])
    scissors, leaf = [*half, *(path * (1, -1) for path in half)], [edge, edge * (1, -1), edge * (1, 0)]
    button = [_RING, *(_RING * 0.12 + at for at in rng.uniform(-0.4, 0.4, (4, 2)))]
    kinds = key, key, scissors, leaf, button, [smooth(turn)], [smooth(loose)], [smooth(loose)], [loose]
    lean = rotation(rng.uniform(0, 2 * np.pi)) * rng.uniform(0.6, 1.2, 2)
    side, pen = int(rng.integers(60, 250)), any_pen(rng, log_uniform(rng, 0.006, 0.12))
    ink = put([path @ lean for path in one_of(rng, kinds)], pen, rng, side)
    cover = np.asarray(page_of(ink, rng, 0.1, 1.5) / 255, np.float32)
    look, (height, width) = unruled(rng), cover.shape
    surface = paper(rng, height, width, look=look) if rng.random() < 0.6 else things.table(rng, height, width)
    shine = 1 + 0.4 * clouds(rng, height, width, (6, 6))[:, :, None]
    thing = np.clip(things.material(rng) * shine, 0, 1)
    return photograph(things.lay(surface, thing, cover, rng.uniform(0, 0.6)), rng, look), None


def _real_object(of: Sources, rng: np.random.Generator) -> Picture:
    """Lay a real object on a page or a table."""
    look, (height, width) = unruled(rng), rng.integers(80, 320, 2).tolist()
    surface = paper(rng, height, width, look=look) if rng.random() < 0.7 else things.table(rng, height, width)
    thing, cover = an_object(of.objects, rng, height, width, 0.25 * min(height, width))
    return photograph(things.lay(surface, thing, cover, rng.uniform(0, 0.6)), rng, look), None


def _blot(of: Sources, rng: np.random.Generator) -> Picture:
    """Blot ink, or move a pen round or back and forth, as people fill in a circle or strike something out."""
    side, is_blot = int(rng.integers(80, 200)), rng.random() < 0.3
    at = np.linspace(0, 2 * np.pi * (1 if is_blot else rng.uniform(3, 10)), 300)
    wide = rng.uniform(0.3, 1) if is_blot or rng.random() < 0.6 else 0
    moving = 0 if is_blot or (wide and rng.random() < 0.5) else rng.uniform(0.05, 0.3)
    path = np.stack([wide * np.cos(at) + moving * at, np.sin(at)], axis=1)
    path *= 1 + log_uniform(rng, 0.002, 0.03) * rng.normal(0, 1, (300, 1)).cumsum(axis=0)
    if not (moving or is_blot):
        path *= np.linspace(1, rng.uniform(0, 0.9), 300)[:, None]
    if rng.random() < 0.5:
        path = path[:, ::-1]
    if not is_blot:
        return shown(put([path], any_pen(rng), rng, side), rng), None
    blot = Image.new("L", (side, side))
    ImageDraw.Draw(blot).polygon(list(map(tuple, side * (0.5 + rng.uniform(0.15, 0.4) * path))), 255)
    return shown(np.asarray(blot), rng), None


def _form(of: Sources, rng: np.random.Generator) -> Picture:
    """Cut a cell out of a table, mostly with its lines and a little of its neighbours; half are empty.

    A line may be as thin and pale as a hair, or the table's border, at which the other lines end.
    """
    label = None
    side, dark, tilt = round(log_uniform(rng, 90, 300)), rng.integers(80, 256, 2), rng.normal(0, 0.05)
    table, is_border = Image.new("L", (3 * side, 3 * side)), rng.random((2, 2)) < 0.2
    widths = np.rint(side * np.exp(rng.uniform(np.log(0.01), np.log(0.1), (2, 2)))).astype(int)
    for at, upright in np.ndindex(2, 2):
        corners = side * np.arange(1, 3) + (-0.5, 0.5) * widths[1 - upright]
        reach = np.where(is_border[1 - upright], corners, (0, 3 * side))
        off = (tilt * (1 - 2 * upright) + rng.normal(0, 0.02)) * (reach - 1.5 * side)
        ends = np.stack([reach, side * (at + 1) + off], axis=1)[:, :: 1 - 2 * upright]
        if rng.random() < 0.9:
            tone = int(dark[0] * (rng.uniform(0.1, 1) if rng.random() < 0.4 else 1))
            ImageDraw.Draw(table).line(ends.ravel().tolist(), tone, max(1, int(widths[upright, at])))
    for place in np.ndindex(3, 3):
        if rng.random() < 0.5:
            digit, ink = of.writer.digit(rng, round(side * rng.uniform(0.35, 0.8)))
            middle = side * (np.array(place) + rng.normal(0.5, 0.05, 2)) - np.array(ink.shape[::-1]) / 2
            table.paste(int(dark[1]), (int(middle[0]), int(middle[1])), Image.fromarray(ink))
            label = digit if place == (1, 1) else label
    loose = side * (rng.uniform(-0.08, 0.25) + rng.normal(0, 0.03, 4))
    cell = table.crop(tuple((np.array([1, 1, 2, 2]) * side + loose * (-1, -1, 1, 1)).astype(int)))
    picture = Image.fromarray(perhaps_on_paper(np.asarray(cell), rng))
    smaller = rng.uniform(1, min(picture.size) / 40) if rng.random() < 0.4 else 1
    return np.asarray(picture.resize([round(n / smaller) for n in picture.size], Image.Resampling.BOX)), label


def _row(of: Sources, rng: np.random.Generator) -> Picture:
    printed, written, label = _boxes(of, rng)
    return perhaps_on_paper(np.maximum(printed, written), rng), label


def _sheet(of: Sources, rng: np.random.Generator) -> Picture:
    """Photograph a form with words and lines around its boxes, askew on a table, or a part of it."""
    *layers, label = _boxes(of, rng, 0.25)
    height = min(layers[0].shape)
    loose = np.rint(height * rng.uniform(0.2, 1.2, (2, 2))).astype(int)
    printed, written = (np.pad(one, loose) for one in layers)
    for at in rng.uniform(0, 1, (int(rng.integers(6)), 2)):
        high = max(6, round(height * rng.uniform(0.15, 0.4)))
        name = printed_word(int(rng.integers(2, 12)), font_to_learn(rng), high, rng)
        if rng.random() < 0.4:  # a line to write on
            thick = 1 + height // 50
            name = np.pad(name, ((0, thick), (0, int(height * rng.uniform(1, 6)))))
            name[-thick:, -name.shape[1] // 2 :] = 255
        top, left = (at * np.subtract(printed.shape, len(name))).astype(int)
        place = slice(top, top + len(name)), slice(left, left + name.shape[1])
        free = printed[place]
        if not (free.any() or written[place].any()):
            free[:] = name[: len(free), : free.shape[1]]
    photo = map(Image.fromarray, on_a_table(written, height, rng, printed))
    corners = np.array([(0, 0), (0, 1), (1, 1), (1, 0)])
    askew = corners + rng.uniform(0, 0.09, (4, 2)) * (1 - 2 * corners)
    seen, ink = (
        one.transform(one.size, Image.Transform.QUAD, (askew * one.size).ravel(), Image.Resampling.BICUBIC)
        for one in photo
    )
    whole = np.array([0, 0, *seen.size])
    nearer = rng.uniform(0, 0.95, 4) * int(rng.random() < 0.6)
    part = whole + nearer * (np.array(ink.getbbox() or whole) - whole)
    return np.asarray(seen.crop(tuple(part.astype(int).tolist()))), label


def _boxes(of: Sources, rng: np.random.Generator, many: float = 0.6) -> tuple[Pixels, Pixels, int | None]:
    """Write digits, few letters or only one digit in rows or columns of boxes, or far apart without boxes.

    Return printed and written ink, (H, W), and the label. ``many`` is the share of rows that are mostly
    filled.
    """
    grid = int(rng.integers(1, 9)), 1 if rng.random() < 0.8 else int(rng.integers(2, 5))
    places = np.indices(grid if rng.random() < 0.8 else grid[::-1]).reshape(2, -1).T
    side = round(log_uniform(rng, 24, 110))
    places *= np.rint(side * np.where(rng.random(2) < 0.4, 1, rng.uniform(1, 1.6, 2))).astype(int)
    printed, written = (Image.new("L", tuple((places[-1] + side).tolist())) for _ in range(2))
    filled = rng.random(len(places)) < (0.9 * (rng.random() < many))
    filled[rng.integers(len(places))] |= rng.random() < 0.8
    tone, width = int(rng.integers(80, 256)), max(1, round(side * log_uniform(rng, 0.01, 0.06)))
    has_boxes, digits = rng.random() < 0.7, []
    high = 1 if rng.random() < 0.7 else rng.uniform(0.15, 0.5)  # else only a base with low sides
    for corner, is_filled in zip(places, filled, strict=True):
        if has_boxes:
            (left, top), (right, bottom) = corner, corner + side - 1
            top += round(side * (1 - high))
            outline = [(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]
            ImageDraw.Draw(printed).line(outline[: 5 if high == 1 else 4], tone, width)
        if is_filled:
            height = round(side * rng.uniform(0.45, 0.8))
            digit, ink = of.writer.digit(rng, height)
            if rng.random() < 0.1:
                digit, ink = -1, in_font(str(rng.choice(list(SIGNS))), font_to_learn(rng), height)
            place = corner + (side - np.array(ink.shape[::-1])) / 2 + side * rng.normal(0, 0.04, 2)
            written.paste(255, tuple(place.astype(int).tolist()), Image.fromarray(ink))
            digits.append(digit)
    around = np.rint(side * rng.uniform(0.05, 0.9, (2, 2))).astype(int)
    label = digits[0] if len(digits) == 1 and digits[0] >= 0 else None
    return np.pad(np.asarray(printed), around), np.pad(np.asarray(written), around), label


def _scattered(of: Sources, rng: np.random.Generator) -> Picture:
    """Write up to four digits of about the same size anywhere on a page, often at its edges."""
    height, digits = int(rng.integers(30, 130)), []
    page = np.zeros(np.rint(height * rng.uniform(1.4, 4.5, 2)).astype(int), np.uint8)
    for _ in range(rng.choice((1, 2, 3, 4), p=(0.15, 0.55, 0.2, 0.1))):
        digit, ink = of.writer.digit(rng, round(height * rng.uniform(0.7, 1.3)))
        loose = np.maximum(np.subtract(page.shape, ink.shape), 0)
        top, left = (loose * rng.uniform(-0.1, 1.1, 2).clip(0, 1)).astype(int)
        place = page[top : top + ink.shape[0], left : left + ink.shape[1]]
        if place.shape == ink.shape and not place.any():
            place[:] = ink
            digits.append(digit)
    pixels = shown(page, rng) if rng.random() < 0.5 else ink_on_paper(page, rng)
    return pixels, digits[0] if len(digits) == 1 else None


def _list(of: Sources, rng: np.random.Generator) -> Picture:
    """Write or print a list or a table of short numbers or words, with little paper around it."""
    height, font, kind = round(log_uniform(rng, 12, 36)), font_to_learn(rng), rng.random()
    rows, columns = (round(log_uniform(rng, *ends)) for ends in ((2, 25), (0.6, 5)))

    def entry() -> Pixels:
        length = int(rng.integers(1, 5))
        if kind < 0.3:
            return printed_word(length + 1, font, height, rng)
        if kind < 0.6:
            return in_font("".join(map(str, rng.integers(0, 10, length))), font, height)
        inks = [of.writer.digit(rng, height)[1] for _ in range(length)]
        high = max(map(len, inks))
        return np.hstack([np.pad(one, ((high - len(one), 0), (0, 1 + height // 8))) for one in inks])

    entries = [entry() for _ in range(rows * columns)]
    down = max(map(len, entries)) * rng.uniform(1.05, 2)
    right = max(ink.shape[1] for ink in entries) + height * rng.uniform(0.3, 2)
    page = np.zeros((round(down * rows), round(right * columns)), np.uint8)
    for place, ink in zip(np.ndindex(rows, columns), entries, strict=True):
        top, left = np.multiply(place, (down, right)).astype(int)
        page[top : top + len(ink), left : left + ink.shape[1]] = ink
    page = np.pad(page, np.rint(height * rng.uniform(0.1, 1.5, (2, 2))).astype(int))
    page = np.rot90(page) if rng.random() < 0.1 else page
    return 255 - page if rng.random() < 0.3 else shown(page, rng), None


KINDS: dict[Callable[[Sources, np.random.Generator], Picture], float] = {
    _scene: 0.03, _drawn: 0.03, _changed: 0.05, _beside_a_thing: 0.06, _beside_print: 0.06,
    _in_brackets: 0.03, _beside_a_sign: 0.03, _tight: 0.05, _cell: 0.02, _small: 0.03, _large: 0.02,
    _mounted: 0.02, _sheet: 0.05, partial(_scene, kinds=tuple(REFUSED)): 0.04, _page: 0.01, _pair: 0.03,
    _scattered: 0.02, _number: 0.01, _reduced: 0.07, _blot: 0.01, _senseless: 0.01, _form: 0.02, _row: 0.01,
    _list: 0.02, _doodle: 0.01, _object: 0.03, _real_object: 0.05,
    _on_a_display: 0.01, partial(_beside_a_thing, thing=things.tick): 0.02,
    _beside_an_object: 0.05, _alone: 0.02, _stretched: 0.01, partial(_beside_a_thing, thing=hand): 0.07,
}  # fmt: skip
"""The kinds of pictures, and the share of each."""


def picture(of: Sources, rng: np.random.Generator) -> Picture:
    """Draw a picture of a random kind."""
    pixels, label = by_share(rng, KINDS)(of, rng)
    return np.ascontiguousarray(pixels), label
