"""Generate ordinary pictures of a digit with something beside or around it, and writing to refuse.

Examples are a card on a dark table, a pen beside the digit, a bracket or a box; digits that are crossed out
or half outside the picture; and printed signs. All pictures are drawn here from a seed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from PIL import Image

from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting import photo, things
from digitrec.lab.handwriting.nondigits import shown
from digitrec.lab.handwriting.photo import Floats, Look, clouds, ink_on_paper, paper, photograph, put_ink
from digitrec.lab.handwriting.strokes import Stroke, any_pen, one_of
from digitrec.lab.handwriting.writer import Box, Writer, box_of, cut_out, in_font, rewrite, seven_segments

Made = tuple[Pixels, Pixels]
"""An RGB picture, and a mask of the same size with only the ink of its subject, ink high."""


def page_of(ink: Pixels, rng: np.random.Generator, least: float = 0.3, most: float = 1.2) -> Pixels:
    """Put the ink on an empty field, with margins of `least` to `most` of its height."""
    top, bottom, left, right = np.rint(len(ink) * rng.uniform(least, most, 4)).astype(int)
    return np.pad(ink, ((top, bottom), (left, right)))


def unruled(rng: np.random.Generator) -> Look:
    """Return a random look on unruled paper without shadow."""
    return replace(photo.random_look(rng), ruling="plain", shadow=0.0)


def _plain(ink: Pixels, rng: np.random.Generator) -> Made:
    page = page_of(ink, rng)
    return ink_on_paper(page, rng, unruled(rng)), page


def _shadow(ink: Pixels, rng: np.random.Generator) -> Made:
    """Cast the sharp edge of a shadow across the picture."""
    page, (depth, softness) = page_of(ink, rng), rng.uniform((0.3, 0.01), (0.6, 0.06))
    return ink_on_paper(page, rng, replace(unruled(rng), shadow=depth, softness=softness)), page


def _ruled(ink: Pixels, rng: np.random.Generator) -> Made:
    """Write on lines 0.8 to 2 of the digit's heights apart, or on squares of a quarter to two heights."""
    page = page_of(ink, rng, 0.4, 1.0)
    ruling: photo.Ruling = "squares" if rng.random() < 0.5 else "lines"
    period = len(ink) * rng.uniform(0.25 if ruling == "squares" else 0.8, 2) / min(page.shape)
    strength = rng.uniform(0.2, 0.6)
    look = replace(unruled(rng), ruling=ruling, period=period, print_strength=strength)
    return ink_on_paper(page, rng, look), page


def _blurred(ink: Pixels, rng: np.random.Generator) -> Made:
    """Blur as out of focus, with a standard deviation of 2 to 6 % of the digit's height."""
    page = page_of(ink, rng)
    return ink_on_paper(page, rng, replace(unruled(rng), blur=rng.uniform(0.02, 0.06) * len(ink))), page


def _card(ink: Pixels, rng: np.random.Generator) -> Made:
    """Draw a light card on a dark table, usually rotated by up to 20 degrees."""
    return on_a_table(page_of(ink, rng, 0.25, 0.9), len(ink), rng)


def on_a_table(page: Pixels, height: int, rng: np.random.Generator, printed: Pixels | None = None) -> Made:
    """Lay a page on a dark table, of which up to 1.2 digits' heights are seen, usually a little rotated.

    ``printed``: print of another colour on the page, (H, W).
    """
    look = unruled(rng)
    sheet = paper(rng, *page.shape, look=look)
    if printed is not None:
        sheet = put_ink(sheet, printed, rng, unruled(rng))
    turn = rng.uniform(-20, 20) if rng.random() < 0.7 else 0.0
    flat = np.dstack([put_ink(sheet, page, rng, look), np.ones(page.shape), page / 255])
    sheets = map(Image.fromarray, np.moveaxis(flat.astype(np.float32), 2, 0))
    turned = (one.rotate(turn, Image.Resampling.BICUBIC, expand=True) for one in sheets)
    layers = np.dstack([np.asarray(one) for one in turned])
    layers = np.pad(layers, (*np.rint(height * rng.uniform(0.05, 1.2, (2, 2))).astype(int), (0, 0)))
    cover, own = np.moveaxis(np.clip(layers[:, :, 3:], 0, 1), 2, 0)
    surface = things.lay(things.table(rng, *own.shape), layers[:, :, :3], cover, 0.4)
    return photograph(surface, rng, look), np.asarray(255 * own, np.uint8)


def _bracket(ink: Pixels, rng: np.random.Generator) -> Made:
    """Draw a bracket on the right of the digit, sometimes on both sides: "3)", "(3)"."""
    page = page_of(ink, rng, 0.95, 1.4)
    left, top, right, bottom = box_of(page)
    height, breadth = round(len(ink) * rng.uniform(1.0, 1.4)), rng.uniform(0.03, 0.08)
    y, whole = (top + bottom - height) // 2, page.copy()
    for closing in (True, False)[: 1 + int(rng.random() < 0.25)]:
        other, gap = things.bracket(rng, height, breadth, closing), round(len(ink) * rng.uniform(0.1, 0.35))
        x = right + gap if closing else left - gap - other.shape[1]
        whole[y : y + height, x : x + other.shape[1]] = other
    return shown(whole, rng), page


def _underlined(ink: Pixels, rng: np.random.Generator) -> Made:
    """Draw one or two lines under the digit, at least 6 % of its height away."""
    page = page_of(ink, rng, 0.5, 1.2)
    left, _, right, bottom = box_of(page)
    height, y = len(ink), float(bottom)
    breadth = height * rng.uniform(0.03, 0.1)
    reach = height * rng.uniform(0.05, 0.4, 2)
    lines = []
    for _ in range(1 + int(rng.random() < 0.2)):
        y += height * rng.uniform(0.06, 0.2) + breadth / 2
        lines.append(things.line(rng, np.array([[left - reach[0], y], [right + reach[1], y]])))
        y += breadth / 2
    return shown(things.drawn(page, lines, breadth, rng), rng), page


def _boxed(ink: Pixels, rng: np.random.Generator) -> Made:
    """Draw a box as on a form; a third of the time its lines reach the picture's edges."""
    page = page_of(ink, rng, 0.35, 1.0)
    left, top, right, bottom = box_of(page)
    (above, before), (below, after) = len(ink) * rng.uniform(0.1, 0.3, (2, 2))
    left, top, right, bottom = left - before, top - above, right + after, bottom + below
    beyond = float(max(page.shape)) if rng.random() < 0.33 else 0.0
    level = [np.array([[left - beyond, y], [right + beyond, y]]) for y in (top, bottom)]
    upright = [np.array([[x, top - beyond], [x, bottom + beyond]]) for x in (left, right)]
    skew = rng.normal(0, 0.006, (4, 2, 2)) * (right - left)
    lines = list(np.array(level + upright) + skew)
    return shown(things.drawn(page, lines, len(ink) * rng.uniform(0.012, 0.06), rng), rng), page


def _ringed(ink: Pixels, rng: np.random.Generator) -> Made:
    """Draw a ring around the digit by hand; it does not quite close, or overlaps itself."""
    page = page_of(ink, rng, 0.6, 1.2)
    left, top, right, bottom = box_of(page)
    radius = np.hypot(right - left, bottom - top) / 2 + len(ink) * rng.uniform(0.08, 0.2)
    radii = radius * rng.uniform(1, 1.1, 2)
    turns = np.linspace(0, rng.uniform(1.97, 2.15) * np.pi, 60) + rng.uniform(0, 2 * np.pi)
    wobble = 1 + 0.03 * np.sin(2 * turns + rng.uniform(0, 6)) + 0.02 * np.sin(3 * turns)
    round_it = radii * np.stack([wobble * np.cos(turns), wobble * np.sin(turns)], axis=1)
    path = np.array([left + right, top + bottom]) / 2 + round_it
    return shown(things.drawn(page, [path], len(ink) * rng.uniform(0.02, 0.07), rng), rng), page


def _beside(thing: Callable[..., tuple[Floats, Floats]], ink: Pixels, rng: np.random.Generator) -> Made:
    """Lay a thing of `things` on the page."""
    page = page_of(ink, rng, 0.4, 1.5)
    look = unruled(rng)
    sheet = put_ink(paper(rng, *page.shape, look=replace(look, crumple=0.0)), page, rng, look)
    surface = things.lay(sheet, *thing(rng, *page.shape, box_of(page)), 0.3)
    return photograph(surface, rng, look), page


def _lit(ink: Pixels, rng: np.random.Generator) -> Made:
    """Show the digit on a display: dark bars on grey, or half of the time bright bars on black."""
    page = page_of(ink, rng, 0.3, 0.9)
    if rng.random() < 0.5:
        return shown(page, rng), page
    glow = one_of(rng, GLOWS)
    look = replace(unruled(rng), exposure=1.0, strength=1.0, grain=0.0, ink=glow)
    dark = np.full((*page.shape, 3), rng.uniform(0.02, 0.12), np.float32)
    return photograph(put_ink(dark, page, rng, look), rng, look), page


def _chalk(ink: Pixels, rng: np.random.Generator) -> Made:
    """Write with chalk on a wiped board."""
    page = page_of(ink, rng)
    look = replace(unruled(rng), ink=(0.9, 0.9, 0.86), strength=0.85, grain=float(rng.uniform(0, 0.35)))
    height, width = page.shape
    wiped = 1 + 0.3 * clouds(rng, height, width, (2, 5))
    wiped = wiped + 0.06 * clouds(rng, height, width, (height / 3, width / 3))
    board = np.asarray((0.14, 0.2, 0.17) if rng.random() < 0.5 else (0.14, 0.14, 0.15), np.float32)
    return photograph(put_ink(wiped[:, :, None] * board, page, rng, look), rng, look), page


GLOWS = ((1.0, 0.25, 0.15), (0.3, 1.0, 0.4), (0.4, 0.8, 1.0), (1.0, 0.75, 0.2))

READ: dict[str, Callable[[Pixels, np.random.Generator], Made]] = {
    "plain paper": _plain,
    "card on a dark table": _card,
    "blurred by 2 to 6 %": _blurred,
    "bracket beside it": _bracket,
    "pen beside it": partial(_beside, things.barrel),
    "finger beside it": partial(_beside, things.finger),
    "seven segments": _lit,
    "underlined": _underlined,
    "in a box": _boxed,
    "in a ring": _ringed,
    "edge of a shadow": _shadow,
    "ruled paper": _ruled,
    "chalk on a board": _chalk,
}
"""Scenes with a digit to read: functions from the digit's ink, cropped, to a picture. Plain paper is for
comparison."""


def _cropped(ink: Pixels, rng: np.random.Generator) -> Made:
    """Crop to the digit's box; each side is up to 6 % of its height outside, or 2 % inside the box."""
    page = page_of(ink, rng, 0.3, 0.8)
    pixels = ink_on_paper(page, rng, unruled(rng))
    left, top, right, bottom = box_of(page)
    before, above, after, below = np.rint(len(ink) * rng.uniform(-0.02, 0.06, 4)).astype(int)
    part = slice(top - above, bottom + below), slice(left - before, right + after)
    return pixels[part], page[part]


def _barred(ink: Pixels, rng: np.random.Generator) -> Made:
    """Draw a bar, 3 to 12 % of the digit's height, along at least one edge, like a cell's printed frame."""
    page = page_of(ink, rng, 0.3, 0.6)
    whole = page.copy()
    sides = rng.random(4) < 0.5
    sides[rng.integers(4)] = True
    for side in np.flatnonzero(sides).tolist():
        breadth = round(len(ink) * rng.uniform(0.03, 0.12))
        np.rot90(whole, side)[:breadth] = 255
    return ink_on_paper(whole, rng, unruled(rng)), page


def _squared(ink: Pixels, rng: np.random.Generator) -> Made:
    """Stretch to a small square as form readers do, half of the time to one bit a pixel, either polarity."""
    side = int(rng.choice((16, 20, 32)))
    small = np.asarray(Image.fromarray(ink).resize((side, side), Image.Resampling.BOX, box_of(ink)))
    if rng.random() < 0.5:
        small = np.where(small > 100, 255, 0).astype(np.uint8)
    seen = small if rng.random() < 0.5 else 255 - small
    return np.repeat(seen[:, :, None], 3, axis=2), np.where(small > 100, 255, 0).astype(np.uint8)


WANTED = {
    **READ,
    "cropped to the digit": _cropped,
    "bars along the edges": _barred,
    "stretched to a square": _squared,
}
"""All scenes with a digit to read, as in `READ`; only the judge learns from the last three."""

SIGNS = (*"$@%&#?+=*^~", *"AHKMRWX", "+-", "?!", "No", "kg")
"""Printed signs unlike any digit; networks also learn some of the single letters written by hand."""
SIGNED = ("-{}", "+{}", "={}", "{}%", "${}", "#{}", "{}?", "{}+", "{}*", "@{}", "{}&")
"""Printed signs beside a digit, which make it something else."""


def _crossed_out(writer: Writer, height: int, rng: np.random.Generator) -> Made:
    """Cross a digit out: two lines across, long lines along it, or a line back and forth."""
    label, ink = writer.digit(rng, height)
    page = page_of(ink, rng, 0.5, 1.0)
    left, top, right, bottom = box_of(page)
    size, beyond = np.array([right - left, bottom - top]), rng.uniform(0.25, 0.45) * height
    way = (_cross, _along, _to_and_fro)[rng.choice(3, p=(0.4, 0.3, 0.3))]
    middle = np.array([left + right, top + bottom]) / 2
    lines = [middle + path for path in way(size / 2, beyond, label, rng)]
    crossed = things.drawn(page, lines, height * rng.uniform(0.03, 0.09), rng)
    return shown(crossed, rng), crossed


def _cross(half: Stroke, beyond: float, label: int, rng: np.random.Generator) -> list[Stroke]:
    reach = np.array([0.7, 0.8]) * (half + beyond)
    return [things.line(rng, np.stack([-reach * way, reach * way])) for way in ((1, 1), (1, -1))]


def _along(half: Stroke, beyond: float, label: int, rng: np.random.Generator) -> list[Stroke]:
    reach, rise = half[0] + beyond, rng.uniform(-0.25, 0.25) * (half[1] + beyond)
    both = label in (0, 7) or rng.random() < 0.4  # a single line could be part of a 7 or of a slashed 0
    heights = 0.4 * half[1] * (np.arange(2 if both else 1) - 0.3)
    return [things.line(rng, np.array([[-reach, y + rise], [reach, y - rise]])) for y in heights]


def _to_and_fro(half: Stroke, beyond: float, label: int, rng: np.random.Generator) -> list[Stroke]:
    turns = int(rng.integers(5, 11))
    x = np.linspace(-1, 1, turns) * (half[0] + 0.7 * beyond)
    return [np.stack([x, np.where(np.arange(turns) % 2, 0.9, -0.9) * half[1]], axis=1)]


def _cut_off(writer: Writer, height: int, rng: np.random.Generator) -> Made:
    """Place the digit so near an edge of the picture that 40 to 60 % of it is outside."""
    _, ink = writer.digit(rng, height)
    page = page_of(ink, rng)
    left, top, right, bottom = box_of(page)
    share, side = rng.uniform(0.4, 0.6), int(rng.integers(2 if right - left < 0.4 * height else 4))
    across, down = round(share * (right - left)), round(share * (bottom - top))
    parts = (page[top + down :], page[: bottom - down], page[:, left + across :], page[:, : right - across])
    return shown(parts[side], rng), parts[side]


def _printed(texts: tuple[str, ...], writer: Writer, height: int, rng: np.random.Generator) -> Made:
    """Print one of the texts; a digit takes the place of "{}"."""
    text = one_of(rng, texts)
    if "{}" in text:
        text = text.format(rng.integers(10))
    ink = in_font(text, writer.font(rng), height)
    page = np.pad(ink, np.rint(height * rng.uniform(0.3, 1.2, (2, 2))).astype(int))
    return shown(page, rng), page


REFUSED: dict[str, Callable[[Writer, int, np.random.Generator], Made]] = {
    "crossed out": _crossed_out,
    "half outside the picture": _cut_off,
    "printed signs": partial(_printed, SIGNS),
    "a printed sign beside a digit": partial(_printed, SIGNED),
}
"""Scenes in which no digit must be reported: functions from a height in px to a picture and all its ink."""
KINDS = (*WANTED, *REFUSED)
"""All kinds of scenes."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture with the expected answer."""

    pixels: Pixels = field(repr=False, compare=False)
    """uint8, (height, width, 3)."""
    kind: str
    """One of `KINDS`."""
    label: int | None
    """The digit to read, 0..9; None: no digit must be reported."""
    box: Box
    """Left, top, right and bottom of that digit, or of the writing to refuse, in pixels."""


def scenes(kind: str, writer: Writer, n: int, seed: int) -> Iterator[Scene]:
    """Yield `n` pictures of one of `KINDS`; a larger `n` only appends pictures."""
    for number in range(n):
        yield scene(kind, writer, np.random.default_rng((seed, number, *kind.encode())))


def scene(kind: str, writer: Writer, rng: np.random.Generator) -> Scene:
    """Draw one picture of one of `KINDS`, its digit 60 to 180 pixels high."""
    height = int(rng.integers(60, 180))
    if kind in REFUSED:
        pixels, ink = REFUSED[kind](writer, height, rng)
        return Scene(pixels, kind, None, box_of(ink))
    label, ink = seven_segments(rng, height) if kind == "seven segments" else writer.digit(rng, height)
    pixels, own = WANTED[kind](ink, rng)
    return Scene(pixels, kind, label, box_of(own))


def large(writer: Writer, rng: np.random.Generator) -> Scene:
    """Write a digit over most of the page with a thin pen or pencil, often a pale one."""
    at, height = int(rng.integers(len(writer.digits))), int(rng.integers(200, 500))
    pen = any_pen(rng, float(rng.uniform(0.006, 0.02)))
    ink = cut_out(rewrite(writer.digits.images[at], pen, round(1.4 * height), rng), height)
    look = replace(photo.random_look(rng), strength=float(rng.uniform(0.15, 0.7)), ruling="plain")
    page = page_of(ink, rng, 0.03, 0.3)
    return Scene(ink_on_paper(page, rng, look), "large", int(writer.digits.labels[at]), box_of(page))
