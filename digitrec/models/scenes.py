"""Ordinary pictures of a digit with something else in them: what looking at a picture has to cope with.

A card on a dark table, a pen beside the digit, a bracket, a box; and writing that is to be refused: crossed
out, half outside the picture, printed signs. Everything is drawn here, with a seed; the digits are MNIST's,
printed ones, and those of our own hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from digitrec.models import printed, props, strokes
from digitrec.models.data import Digits
from digitrec.models.nondigits import shown
from digitrec.models.paper import Floats, clouds, paper
from digitrec.models.photo import ink_on_paper, photograph, random_look
from digitrec.models.photo import write as put_ink
from digitrec.models.props import Box
from digitrec.models.redraw import cut_out, enlarge, rewrite

Pixels = NDArray[np.uint8]
Made = tuple[Pixels, Pixels]
"""A picture, RGB, and of the same size the ink, high, of the digit alone."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, and what is wanted of it."""

    pixels: Pixels = field(repr=False, compare=False)
    """uint8, (height, width, 3)."""
    kind: str
    """One of `READ` or `REFUSED`."""
    label: int | None
    """The digit that is to be read, 0..9; None: no digit is to be named."""
    box: Box | None
    """Where that digit's ink is: left, top, right, bottom in pixels; None where none is to be named."""
    reasons: tuple[str, ...] = ()
    """Any of these says rightly why no digit is named; empty where one is."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Where the digits come from; what is learned and what is measured have nothing in common."""

    digits: Digits
    """Digits of MNIST's form."""
    fonts: tuple[str, ...] = (printed.OWN,)
    """Fonts, as for `printed.write`; at least one."""
    own: float = 0.15
    """The share of digits that our own hand draws, 0..1."""

    def digit(self, rng: np.random.Generator, height: int) -> tuple[int, Pixels]:
        """A digit and its ink, cut out, about `height` pixels high."""
        drawn = rng.random()
        if drawn < self.own:
            label = int(rng.integers(10))
            return label, cut_out(
                strokes.draw(label, rng, round(1.4 * height), rng.uniform(0.03, 0.1)), height
            )
        if drawn < self.own + 0.25:
            label = int(rng.integers(10))
            return label, printed.write(str(label), self.font(rng), height)
        at, side = int(rng.integers(len(self.digits))), round(1.4 * height)
        small, label = self.digits.images[at], int(self.digits.labels[at])
        if rng.random() < 0.3:
            return label, cut_out(
                rewrite(small, strokes.any_pen(rng, rng.uniform(0.03, 0.1)), side, rng), height
            )
        return label, cut_out(enlarge(small, side), height)

    def font(self, rng: np.random.Generator) -> str:
        """Any of the fonts."""
        return self.fonts[rng.integers(len(self.fonts))]


def scenes(kind: str, writer: Writer, n: int, seed: int) -> Iterator[Scene]:
    """`n` pictures of one kind; the one at a place does not depend on how many are asked for."""
    for number in range(n):
        yield scene(kind, writer, np.random.default_rng((seed, number, *kind.encode())))


def scene(kind: str, writer: Writer, rng: np.random.Generator) -> Scene:
    """One picture of the kind, one of `READ` or `REFUSED`."""
    if kind in REFUSED:
        make_other, reasons = REFUSED[kind]
        return Scene(make_other(writer, rng), kind, None, None, reasons)
    height = int(rng.integers(60, 180))
    label, ink = writer.digit(rng, height) if kind != "seven segments" else _segments(rng, height)
    pixels, own = READ[kind](ink, rng)
    return Scene(pixels, kind, label, _box(own))


def _segments(rng: np.random.Generator, height: int) -> tuple[int, Pixels]:
    label = int(rng.integers(10))
    return label, printed.seven_segments(label, rng, height)


def _box(ink: Pixels) -> Box:
    rows, columns = (np.flatnonzero((ink > 127).any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _page(ink: Pixels, rng: np.random.Generator, least: float = 0.3, most: float = 1.2) -> Pixels:
    """The ink on an empty field, with margins of so much of its height."""
    top, bottom, left, right = np.rint(len(ink) * rng.uniform(least, most, 4)).astype(int)
    return np.pad(ink, ((top, bottom), (left, right)))


def _photo(page: Pixels, rng: np.random.Generator, **look: object) -> Pixels:
    """Photographed with any look but for what is given; no second shadow."""
    return ink_on_paper(page, rng, replace(random_look(rng), **{"shadow": 0.0} | look))  # type: ignore[arg-type]


def _plain(ink: Pixels, rng: np.random.Generator) -> Made:
    page = _page(ink, rng)
    return _photo(page, rng, ruling="plain"), page


def _shadow(ink: Pixels, rng: np.random.Generator) -> Made:
    """The sharp edge of a shadow across the picture."""
    page = _page(ink, rng)
    edge = {"shadow": float(rng.uniform(0.3, 0.6)), "softness": float(rng.uniform(0.01, 0.06))}
    return _photo(page, rng, ruling="plain", **edge), page


def _ruled(ink: Pixels, rng: np.random.Generator) -> Made:
    """Lines or squares, from a quarter of the digit's height apart to twice."""
    page = _page(ink, rng, 0.4, 1.0)
    ruling = "squares" if rng.random() < 0.5 else "lines"
    period = len(ink) * rng.uniform(0.25 if ruling == "squares" else 0.8, 2) / min(page.shape)
    return _photo(page, rng, ruling=ruling, period=period, print_strength=float(rng.uniform(0.2, 0.6))), page


def _blurred(ink: Pixels, rng: np.random.Generator) -> Made:
    """Out of focus: the blur's standard deviation is 2 to 6 % of the digit's height."""
    page = _page(ink, rng)
    return _photo(page, rng, ruling="plain", blur=float(rng.uniform(0.02, 0.06) * len(ink))), page


def _card(ink: Pixels, rng: np.random.Generator) -> Made:
    """A light card on a dark table, turned by up to 20 degrees."""
    page = _page(ink, rng, 0.25, 0.9)
    look = replace(random_look(rng), shadow=0.0)
    sheet = paper(rng, *page.shape, tint=look.tint, ruling="plain", crumple=look.crumple)
    turn = float(rng.uniform(-20, 20)) if rng.random() < 0.7 else 0.0
    layers = np.dstack(
        [put_ink(sheet, page, rng, look), page / np.float32(255), np.ones_like(sheet[:, :, 0])]
    )
    layers = np.dstack([props.turned(layers[:, :, at].astype(np.float32), turn) for at in range(5)])
    pads = np.rint(len(ink) * rng.uniform(0.05, 1.2, (2, 2))).astype(int)
    layers = np.pad(layers, (*pads, (0, 0)))
    surface = props.table(rng, *layers.shape[:2])
    surface = props.lay(surface, layers[:, :, :3], np.clip(layers[:, :, 4], 0, 1), 0.4)
    return photograph(surface, rng, look), np.asarray(255 * np.clip(layers[:, :, 3], 0, 1), np.uint8)


def _bracket(ink: Pixels, rng: np.random.Generator) -> Made:
    """A bracket to the right of it, now and then one on both sides: "3)", "(3)"."""
    height, breadth = round(len(ink) * rng.uniform(1.0, 1.4)), rng.uniform(0.03, 0.08)
    over = (height - len(ink)) // 2
    gaps = np.rint(len(ink) * rng.uniform(0.1, 0.35, 2)).astype(int)
    row = [np.pad(ink, ((over, height - len(ink) - over), (gaps[0], gaps[1])))]
    own = [row[0]]
    for closing in (True, False)[: 1 + int(rng.random() < 0.25)]:
        other = props.bracket(rng, height, breadth, closing)
        row = [*row, other] if closing else [other, *row]
        own = [*own, np.zeros_like(other)] if closing else [np.zeros_like(other), *own]
    margins = np.rint(len(ink) * rng.uniform(0.3, 1.0, (2, 2))).astype(int)
    page, alone = (np.pad(np.hstack(parts), margins) for parts in (row, own))
    return shown(page, rng), alone


def _underlined(ink: Pixels, rng: np.random.Generator) -> Made:
    """A line under it, now and then two, at least 6 % of its height away."""
    page = _page(ink, rng, 0.5, 1.2)
    left, _, right, bottom = _box(page)
    height, y = len(ink), float(bottom)
    breadth = height * rng.uniform(0.03, 0.1)
    reach = height * rng.uniform(0.05, 0.4, 2)
    lines = []
    for _ in range(1 + int(rng.random() < 0.2)):
        y += height * rng.uniform(0.06, 0.2) + breadth / 2
        lines.append(props.line(rng, np.array([[left - reach[0], y], [right + reach[1], y]])))
        y += breadth / 2
    return shown(props.drawn(page, lines, breadth, rng), rng), page


def _boxed(ink: Pixels, rng: np.random.Generator) -> Made:
    """In a box, as on a form; one time in three its lines go on to the picture's edges."""
    page = _page(ink, rng, 0.35, 1.0)
    left, top, right, bottom = _box(page)
    (above, before), (below, after) = len(ink) * rng.uniform(0.1, 0.3, (2, 2))
    corners = np.array([[left - before, top - above], [right + after, bottom + below]])
    beyond = float(max(page.shape)) if rng.random() < 0.33 else 0.0
    lines = props.frame(rng, corners, beyond)
    return shown(props.drawn(page, lines, len(ink) * rng.uniform(0.012, 0.06), rng), rng), page


def _ringed(ink: Pixels, rng: np.random.Generator) -> Made:
    """A ring around it, drawn by hand."""
    page = _page(ink, rng, 0.6, 1.2)
    left, top, right, bottom = _box(page)
    radii = (np.hypot(right - left, bottom - top) / 2 + len(ink) * rng.uniform(0.08, 0.2)) * rng.uniform(
        1, 1.1, 2
    )
    path = props.ring(rng, np.array([left + right, top + bottom]) / 2, radii)
    return shown(props.drawn(page, [path], len(ink) * rng.uniform(0.02, 0.07), rng), rng), page


def _beside(thing: Callable[..., tuple[Floats, Floats]]) -> Callable[[Pixels, np.random.Generator], Made]:
    """A scene with a thing of `props` on the page."""

    def made(ink: Pixels, rng: np.random.Generator) -> Made:
        page = _page(ink, rng, 0.4, 1.5)
        look = replace(random_look(rng), shadow=0.0)
        sheet = put_ink(paper(rng, *page.shape, tint=look.tint), page, rng, look)
        surface = props.lay(sheet, *thing(rng, *page.shape, _box(page)), 0.3)
        return photograph(surface, rng, look), page

    return made


def _lit(ink: Pixels, rng: np.random.Generator) -> Made:
    """On a display: dark bars on grey, or one time in two shining ones on black."""
    page = _page(ink, rng, 0.3, 0.9)
    if rng.random() < 0.5:
        return shown(page, rng), page
    glow = _GLOWS[rng.integers(len(_GLOWS))]
    look = replace(random_look(rng), shadow=0.0, exposure=1.0, strength=1.0, grain=0.0, ink=glow)
    dark = np.full((*page.shape, 3), rng.uniform(0.02, 0.12), np.float32)
    return photograph(put_ink(dark, page, rng, look), rng, look), page


def _chalk(ink: Pixels, rng: np.random.Generator) -> Made:
    """Chalk on a board that was wiped."""
    page = _page(ink, rng)
    look = replace(
        random_look(rng), shadow=0.0, ink=(0.9, 0.9, 0.86), strength=0.85, grain=float(rng.uniform(0, 0.35))
    )
    height, width = page.shape
    wiped = (
        1
        + 0.3 * clouds(rng, height, width, (2, 5))
        + 0.06 * clouds(rng, height, width, (height / 3, width / 3))
    )
    board = np.asarray((0.14, 0.2, 0.17) if rng.random() < 0.5 else (0.14, 0.14, 0.15), np.float32)
    return photograph(put_ink(wiped[:, :, None] * board, page, rng, look), rng, look), page


_GLOWS = ((1.0, 0.25, 0.15), (0.3, 1.0, 0.4), (0.4, 0.8, 1.0), (1.0, 0.75, 0.2))

READ: dict[str, Callable[[Pixels, np.random.Generator], Made]] = {
    "plain paper": _plain,
    "card on a dark table": _card,
    "blurred by 2 to 6 %": _blurred,
    "bracket beside it": _bracket,
    "pen beside it": _beside(props.barrel),
    "finger beside it": _beside(props.finger),
    "seven segments": _lit,
    "underlined": _underlined,
    "in a box": _boxed,
    "in a ring": _ringed,
    "edge of a shadow": _shadow,
    "ruled paper": _ruled,
    "chalk on a board": _chalk,
}
"""Scenes whose digit is to be read: from a digit's ink, cut out, to a picture; plain paper to compare."""
SIGNS = (*"$@%&#?+=*<>^~", *"AHKMNRWX", "+-", "?!", "No", "kg")
"""Printed signs that resemble no digit."""
SIGNED = ("-{}", "+{}", "={}", "{}%", "${}", "#{}", "{}?", "{}+", "{}*", "@{}", "{}&")
"""Printed signs beside a digit, with which it is something else."""


def _crossed_out(writer: Writer, rng: np.random.Generator) -> Pixels:
    """One line through it that goes well beyond it, or several, or to and fro."""
    label, ink = writer.digit(rng, int(rng.integers(60, 180)))
    page = _page(ink, rng, 0.5, 1.0)
    left, top, right, bottom = _box(page)
    size, breadth = np.array([right - left, bottom - top]), len(ink) * rng.uniform(0.03, 0.09)
    middle, over = np.array([left + right, top + bottom]) / 2, rng.uniform(0.25, 0.45) * len(ink)
    half = size / 2 + over
    way = rng.choice(["cross", "level", "hatched"], p=[0.4, 0.3, 0.3])
    if way == "cross":
        steep = np.array([0.7, 0.8]) * half
        ends = [np.array([-steep, steep]), np.array([steep * (1, -1), steep * (-1, 1)])]
    elif way == "level":  # one line alone might belong to a 7, or to a slashed 0
        count = 2 if label in (0, 7) or rng.random() < 0.4 else 1
        rise = rng.uniform(-0.25, 0.25) * half[1]
        ends = [
            np.array([[-half[0], y + rise], [half[0], y - rise]])
            for y in 0.2 * size[1] * (np.arange(count) - 0.3)
        ]
    else:
        x = np.linspace(-1, 1, int(rng.integers(5, 11))) * (half[0] - 0.1 * len(ink))
        ends = [np.stack([x, np.where(np.arange(len(x)) % 2, 0.45, -0.45) * size[1]], axis=1)]
    paths = [middle + (one if len(one) > 2 else props.line(rng, one)) for one in ends]
    return shown(props.drawn(page, paths, breadth, rng), rng)


def _cut_off(writer: Writer, rng: np.random.Generator) -> Pixels:
    """So near an edge of the picture that 40 to 60 % of the digit are outside."""
    _, ink = writer.digit(rng, int(rng.integers(60, 180)))
    page = _page(ink, rng)
    left, top, right, bottom = _box(page)
    share, side = rng.uniform(0.4, 0.6), int(rng.integers(2 if right - left < 0.4 * len(ink) else 4))
    across, down = round(share * (right - left)), round(share * (bottom - top))
    parts = (page[top + down :], page[: bottom - down], page[:, left + across :], page[:, : right - across])
    return shown(parts[side], rng)


def _sign(writer: Writer, rng: np.random.Generator) -> Pixels:
    text, size = str(rng.choice(SIGNS)), int(rng.integers(60, 180))
    return _printed(text, writer, size, rng)


def _signed(writer: Writer, rng: np.random.Generator) -> Pixels:
    text, size = str(rng.choice(SIGNED)).format(rng.integers(10)), int(rng.integers(60, 140))
    return _printed(text, writer, size, rng)


def _printed(text: str, writer: Writer, size: int, rng: np.random.Generator) -> Pixels:
    ink = printed.write(text, writer.font(rng), size)
    top, bottom, left, right = np.rint(size * rng.uniform(0.3, 1.2, 4)).astype(int)
    return shown(np.pad(ink, ((top, bottom), (left, right))), rng)


CROSSED_OUT, CUT_OFF, SIGN_BESIDE = "crossed out", "cut off", "a sign beside the digit"
_UNCLEAR = "not clearly a digit"
REFUSED: dict[str, tuple[Callable[[Writer, np.random.Generator], Pixels], tuple[str, ...]]] = {
    "crossed out": (_crossed_out, (CROSSED_OUT, _UNCLEAR)),
    "half outside the picture": (_cut_off, (CUT_OFF,)),
    "printed signs": (_sign, (_UNCLEAR, "more than one digit")),
    "a printed sign beside a digit": (_signed, (SIGN_BESIDE, "more than one digit")),
}
"""Scenes in which no digit is to be named, and the reasons that say so rightly."""
