"""Draw training scenes: pictures with the mark of each pixel.

This code is independent of the scenes that `evaluate` measures (`lab/handwriting`), so a network that learns
this generator's flaws gains nothing there.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from digitrec.image import Box
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.photo import jpeg, soft_noise
from digitrec.lab.handwriting.strokes import by_share, log_uniform, one_of, rotation
from digitrec.lab.handwriting.writer import font_to_learn, moved

Floats = NDArray[np.floating[Any]]
SIDE = 160
"""Side of a scene, in pixels."""
GROUPS = 64
"""The number of other ink: rulings, frames, small print and objects. A scene has fewer digits, letters and
signs."""


class Group(NamedTuple):
    """One mark: a digit, letter or sign."""

    digit: bool
    missing: float
    """Share of its ink outside the picture, 0..1."""


@dataclass(eq=False)
class Scene:
    """An unfinished picture and its labels."""

    pixels: Floats
    """(SIDE, SIDE, 3), 0..1."""
    owners: Pixels = field(default_factory=lambda: np.zeros((SIDE, SIDE), np.uint8))
    """The number of each pixel's mark, from 1; 0 for paper, `GROUPS` for other ink."""
    groups: list[Group] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    """Left, top, right and bottom of each mark, in pixels, including the part outside the picture."""
    grain: Floats | float = 1.0
    """How much of the ink the paper takes, (SIDE, SIDE), 0..1: pencil and chalk leave gaps."""

    @property
    def written(self) -> NDArray[np.bool_]:
        """(SIDE, SIDE): which pixels belong to a mark."""
        return (self.owners > 0) & (self.owners < GROUPS)

    def lay(self, cover: Floats, colour: Floats, owner: int = GROUPS) -> None:
        """Blend a colour into the pixels by their cover, (SIDE, SIDE), 0..1, and label the covered pixels."""
        self.pixels += (cover * self.grain)[..., None] * (colour - self.pixels)
        on = cover > 0.3 * min(1.0, max(0.15, float(cover.max())))
        self.owners[on] = owner


class Painter:
    """Draws scenes from a bank of marks (`lab.finding.train.digits` and `others`)."""

    def __init__(self, digits: Sequence[Pixels], others: Sequence[Pixels], rng: np.random.Generator) -> None:
        self.digits, self.others, self.rng = digits, others, rng

    def scene(self) -> tuple[Pixels, Pixels, list[Group]]:
        """Return a picture, (SIDE, SIDE, 3), the owners of its pixels, (SIDE, SIDE), and its marks."""
        rng = self.rng
        dark = rng.random() < 0.12
        scene = Scene(self._surface(dark))
        ink = self._ink(scene, dark)
        if rng.random() < 0.04:
            gaps = rng.normal(rng.uniform(0.6, 0.9), rng.uniform(0.2, 0.7), (SIDE, SIDE))
            scene.grain = np.clip(gaps, 0, 1).astype(np.float32)
        if rng.random() < 0.3:
            self._ruling(scene, dark)
        if rng.random() < 0.1:
            self._specks(scene, self._other_ink(scene, ink))
        plans: dict[Callable[[Scene, Floats], object], float] = {
            partial(self._anywhere, least=0.06, most=0.9): 0.22, self._cell: 0.1, self._edge: 0.08,
            self._signed: 0.13, self._number: 0.1, self._sheet: 0.07, self._form: 0.12, self._boxes: 0.1,
            self._nothing: 0.08,
        }  # fmt: skip
        by_share(rng, plans)(scene, ink)
        if rng.random() < 0.15:
            self._thing(scene)
        return self._photo(scene), scene.owners, scene.groups

    def _cell(self, scene: Scene, ink: Floats) -> None:
        """Draw a digit that fills the picture, often with parts of a frame at the edges, as on a form."""
        rng = self.rng
        height = SIDE * rng.uniform(0.6, 1.0)
        centre = SIDE / 2 + rng.normal(0, 0.06, 2) * SIDE
        self._mark(scene, ink, height, *centre, touch=True)
        colour = self._other_ink(scene, ink)
        for edge in range(4):
            if rng.random() < 0.3:
                at, width = rng.uniform(-1, 0.05 * SIDE), self._log(1, 8)
                self._line(scene, edge % 2, at if edge < 2 else SIDE - at, width, colour)

    def _edge(self, scene: Scene, ink: Floats) -> None:
        """Draw a digit partly outside the picture, or close to its edge."""
        height, outside = SIDE * self._log(0.25, 1.1), self.rng.uniform(-0.05, 0.75)
        x, y = self.rng.uniform(0.3, 0.7, 2) * SIDE
        if self.rng.random() < 0.5:
            x = height * (0.35 - outside * 0.7)
        else:
            y = height * (0.5 - outside)
        x, y = (SIDE - at if self.rng.random() < 0.5 else at for at in (x, y))
        self._mark(scene, ink, height, x, y)

    def _signed(self, scene: Scene, ink: Floats) -> None:
        """Draw a digit with a bracket, sign, line, frame or ring next to it."""
        rng = self.rng
        height = self._anywhere(scene, ink, 0.2, 0.6)
        left, top, right, bottom = scene.boxes[-1]
        middle = (top + bottom) / 2
        colour = ink if rng.random() < 0.7 else self._other_ink(scene, ink)
        kind = rng.random()
        if kind < 0.45:
            for side in rng.permutation(2)[: 1 + int(rng.random() < 0.5)]:
                tall = height * rng.uniform(0.5, 1.5)
                away = (0.1 + rng.uniform(0.05, 0.5)) * height + 0.2 * tall
                x = (right + away) if side else (left - away)
                self._mark(scene, colour, tall, x, middle + rng.normal(0, 0.1) * height, digit=False)
        elif kind < 0.65:
            low = bottom + rng.uniform(0.05, 0.3) * height
            end = low + rng.normal(0, 0.04) * height
            points = [(left - 0.3 * height, low), (right + 0.3 * height, end)]
            self._stroke(scene, points, self._log(0.02, 0.1) * height, colour)
        else:
            before, above, after, below = rng.uniform(0.05, 0.4, 4) * height
            box = (left - before, top - above, right + after, bottom + below)
            self._frame(scene, box, self._log(0.01, 0.08) * height, colour, ring=kind > 0.85)

    def _number(self, scene: Scene, ink: Floats) -> None:
        """Draw a row of digits; some touch."""
        count = int(self.rng.integers(2, 8))
        height = SIDE * min(self._log(0.12, 0.6), 1.5 / count)
        x = height * 0.5 + self.rng.uniform(0, max(1, SIDE - 0.62 * height * count))
        self._row(scene, ink, height, x, self.rng.uniform(0.2, 0.8) * SIDE, count)

    def _sheet(self, scene: Scene, ink: Floats) -> None:
        """Draw rows and columns of numbers, with words and lines between them."""
        rng = self.rng
        height = SIDE * self._log(0.03, 0.16)
        step = height * rng.uniform(1.4, 3)
        if rng.random() < 0.6:
            colour = self._other_ink(scene, ink)
            for at in np.arange(rng.uniform(0, step), SIDE, step):
                self._line(scene, 1, at, self._log(0.7, 2), colour)
        for y in np.arange(step * 0.6, SIDE, step):
            x = rng.uniform(0, 0.3) * SIDE
            while x < SIDE and len(scene.groups) < 60:
                count = int(rng.integers(1, 5))
                if rng.random() < 0.75:
                    x = self._row(scene, ink, height, x, y, count)
                else:
                    self._words(scene, self._other_ink(scene, ink), height * 0.8, x, y)
                    x += height * 2.5
                x += height * rng.uniform(0.8, 4)

    def _form(self, scene: Scene, ink: Floats) -> None:
        """Draw the boxes of a form or table; some hold a number, some a word, many are empty."""
        rng = self.rng
        colour, width = self._other_ink(scene, ink), self._log(0.6, 5)
        if rng.random() < 0.3:  # the frame of the page
            before, after = rng.uniform(-4, 25, 2), SIDE - rng.uniform(-4, 25, 2)
            self._frame(scene, (*before, *after), self._log(0.7, 8), colour, ring=False)
        size, tall = np.array([self._log(0.7, 4), 1.0]) * SIDE * self._log(0.08, 0.9), rng.uniform(0.3, 1.0)
        step = size * (1 if rng.random() < 0.5 else rng.uniform(1.05, 2, 2))
        count = np.minimum(rng.integers(1, 6, 2), np.ceil(1.6 * SIDE / step)).astype(int)
        starts = self._starts(step, count, 0.6)
        self._frames(scene, starts, size, width, colour)
        for left, top in starts:
            x, y = left + size[0] * rng.uniform(0.05, 0.4), top + size[1] * rng.normal(0.5, 0.06)
            drawn, fits = rng.random(), max(1.0, size[0] / (0.7 * tall * size[1]))
            if drawn < 0.35 and len(scene.groups) < 56:
                self._row(scene, ink, tall * size[1], x, y, int(rng.integers(1, 2 + min(4, fits))))
            elif drawn < 0.5:
                self._words(scene, colour, min(size[1] * rng.uniform(0.2, 0.6), 40), x, y)

    def _boxes(self, scene: Scene, ink: Floats) -> None:
        """Draw rows of boxes with a digit in most of them, as for a date; some have no upper part."""
        rng = self.rng
        count = rng.integers((2, 1), (9, 4))
        size = np.array([rng.uniform(0.6, 1.1), 1.0]) * SIDE * min(self._log(0.12, 0.6), 1.6 / count[0])
        step = size * (1 if rng.random() < 0.5 else rng.uniform(1.05, 1.5), rng.uniform(1.1, 2))
        starts, least = self._starts(step, count, 0.25), rng.uniform(0.5, 1)
        above = 0.0 if rng.random() < 0.6 else rng.uniform(0.4, 0.85)
        width = max(0.6, float(size[1]) * self._log(0.01, 0.07))
        self._frames(scene, starts, size, width, self._other_ink(scene, ink), above)
        for left, top in starts:
            x, y = (left, top) + size * rng.normal(0.5, 0.07, 2)
            if rng.random() < least:
                digit = rng.random() < 0.92
                self._mark(scene, ink, size[1] * rng.uniform(0.5, 0.95), x, y, digit=digit, touch=True)

    def _starts(self, step: Floats, count: NDArray[np.integer[Any]], off: float) -> list[Floats]:
        """Return the upper left corners of columns and rows of boxes.

        Their middle is up to the share ``off`` of `SIDE` away from the picture's.
        """
        start = (0.5 + self.rng.uniform(-off, off, 2)) * SIDE - 0.5 * step * count
        return [start + step * at for at in np.ndindex(*count)]

    def _frames(
        self, scene: Scene, starts: Sequence[Floats], size: Floats, width: float, colour: Floats,
        above: float = 0.0,
    ) -> None:  # fmt: skip
        """Draw the sides of boxes, a few of them missing, slightly turned.

        ``above`` is the share of their height without sides; if it is more than 0, the upper side is missing.
        """
        page, turn = Image.new("L", (2 * SIDE, 2 * SIDE)), self.rng.normal(0, 0.02)
        pen = ImageDraw.Draw(page)
        shape = np.array([[1, above], [1, 1], [0, 1], [0, above], [1, above]])[: 4 if above else 5]
        for start in starts:
            corners = shape * size + start
            corners += turn * (corners[:, ::-1] - SIDE / 2) * (-1, 1) + self.rng.normal(0, 0.4, shape.shape)
            for ends in itertools.pairwise(2 * corners):
                if self.rng.random() < 0.96:
                    pen.line([tuple(end) for end in ends], 255, max(1, round(2 * width)))
        self._under(scene, page, colour)

    def _nothing(self, scene: Scene, ink: Floats) -> None:
        """Draw no digit, but bare paper, or letters, signs, words and scrawls."""
        for _ in range(self.rng.integers(0, 4)):
            self._anywhere(scene, ink, 0.08, 0.9, digit=False)
        for _ in range(self.rng.integers(0, 4) if self.rng.random() < 0.4 else 0):
            self._words(scene, ink, SIDE * self._log(0.03, 0.2), *self.rng.uniform(0, SIDE, 2))

    def _row(self, scene: Scene, ink: Floats, height: float, x: float, y: float, count: int) -> float:
        """Write a number and return its right end, in pixels."""
        gap, slope = self.rng.normal(0.1, 0.1), self.rng.normal(0, 0.05)
        for _ in range(count):
            tall = height * float(np.exp(self.rng.normal(0, 0.1)))
            self._mark(scene, ink, tall, x + 0.3 * height, y + self.rng.normal(0, 0.05) * height, touch=True)
            left, _, right, _ = scene.boxes[-1]
            wide = right - left
            x += wide + gap * height
            y += slope * wide
        return x

    def _anywhere(self, scene: Scene, ink: Floats, least: float, most: float, *, digit: bool = True) -> float:
        """Write a mark inside the picture, its height `least` to `most` of `SIDE`; return it in pixels."""
        height = SIDE * self._log(least, most)
        x = self.rng.uniform(0.36 * height, SIDE - 0.36 * height)
        y = self.rng.uniform(0.52 * height, SIDE - 0.52 * height)
        self._mark(scene, ink, height, x, y, digit=digit)
        return height

    def _mark(
        self, scene: Scene, ink: Floats, height: float, x: float, y: float, *,
        digit: bool = True, touch: bool = False,
    ) -> None:  # fmt: skip
        """Write a mark around a point; skip it if it would overlap another mark, unless it may touch."""
        bank = self.digits if digit else self.others
        mark = Image.fromarray(one_of(self.rng, bank))
        scale = height / max(mark.size)
        cover, total = self._moved(mark, scale, x, y)
        on = cover > 0.3
        if not on.any():
            scene.boxes.append((x - height / 3, y - height / 2, x + height / 3, y + height / 2))
            return
        half_x, half_y = mark.width * scale / 2, mark.height * scale / 2
        scene.boxes.append((x - half_x, y - half_y, x + half_x, y + half_y))
        if not touch and scene.written[on].any():
            return
        missing = float(np.clip(1 - float(cover.sum()) / max(total, 1e-3), 0, 1))
        scene.groups.append(Group(digit, missing))
        least, most = (0.7, 1) if self.rng.random() < 0.75 else (0.4, 0.7)
        scene.lay(cover * np.float32(self.rng.uniform(least, most)), ink, len(scene.groups))

    def _moved(self, mark: Image.Image, scale: float, x: float, y: float) -> tuple[Floats, float]:
        """Return a mark's cover, randomly turned, slanted and stretched, and its total ink, even outside."""
        turn, slant = self.rng.normal(0, 0.12), self.rng.normal(0, 0.12)
        wide = float(np.exp(self.rng.normal(0, 0.12)))
        forth = scale * rotation(turn) @ np.array([[wide, slant], [0, 1]])
        fine = 2 if scale < 0.6 else 1  # average small marks from larger ones, or thin strokes break
        drawn = moved(mark, forth * fine, (SIDE * fine, SIDE * fine), np.array([x, y]) * fine)
        cover = np.asarray(drawn.reduce(fine) if fine > 1 else drawn, np.float32) / 255
        if scale > 1.2:
            cover = np.clip((cover - 0.5) * scale + 0.5, 0, 1)
        total = float(np.asarray(mark, np.float32).sum()) / 255 * abs(float(np.linalg.det(forth)))
        return cover, total

    def _stroke(self, scene: Scene, points: Sequence[Sequence[float]], width: float, colour: Floats) -> None:
        page, thick = Image.new("L", (2 * SIDE, 2 * SIDE)), max(1, round(2 * width))
        ImageDraw.Draw(page).line([(2 * x, 2 * y) for x, y in points], 255, thick, joint="curve")
        self._under(scene, page, colour)

    def _under(self, scene: Scene, page: Image.Image, colour: Floats, strength: float = 1.0) -> None:
        """Draw the content of a page of twice the size; writing keeps its labels where it is crossed."""
        cover = np.asarray(page.reduce(2), np.float32) / 255 * np.float32(strength)
        own = scene.written
        owners = scene.owners[own]
        scene.lay(cover * self.rng.uniform(0.4, 1), colour)
        scene.owners[own] = owners

    def _line(self, scene: Scene, upright: int, at: float, width: float, colour: Floats) -> None:
        """Draw a nearly straight line across the picture."""
        off = at + self.rng.normal(0, 2)
        points = [(at, -5), (off, SIDE + 5)] if not upright else [(-5, at), (SIDE + 5, off)]
        self._stroke(scene, points, width, colour)

    def _frame(self, scene: Scene, box: Box, width: float, colour: Floats, ring: bool) -> None:
        left, top, right, bottom = box
        if ring:
            turns = np.linspace(0, 2 * np.pi * self.rng.uniform(0.95, 1.1), 40)
            spread = 1.2 * np.array([right - left, bottom - top]) / 2
            middle = ((left + right) / 2, (top + bottom) / 2)
            points = np.stack([np.cos(turns), np.sin(turns)], 1) * spread + middle
            points += self.rng.normal(0, 0.5, points.shape)
            self._stroke(scene, points.tolist(), width, colour)
            return
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        moved = [(x + self.rng.normal(0, 1), y + self.rng.normal(0, 1)) for x, y in corners]
        for first, second in itertools.pairwise(moved):
            if self.rng.random() < 0.9:
                self._stroke(scene, [first, second], width, colour)

    def _ruling(self, scene: Scene, dark: bool) -> None:
        step, width, turn = self._log(6, 70), self._log(0.4, 2), self.rng.normal(0, 0.03)
        page = Image.new("L", (2 * SIDE, 2 * SIDE))
        pen = ImageDraw.Draw(page)
        for upright in one_of(self.rng, ((False,), (True,), (False, True), (False, True))):
            for at in np.arange(self.rng.uniform(-step, 0), SIDE + step, step):
                ends = [(2 * at, -20), (2 * (at + turn * SIDE), 2 * SIDE + 20)]
                points = [point[:: 1 if not upright else -1] for point in ends]
                pen.line(points, fill=255, width=max(1, round(2 * width)))
        shade = self.rng.uniform(0.5, 1, 3) if dark else self.rng.uniform(0, 0.75, 3)
        strength = float(self.rng.uniform(0.2, 1))
        self._under(scene, page, shade.astype(np.float32), strength)

    def _specks(self, scene: Scene, colour: Floats) -> None:
        """Draw specks of recycled paper or dirt, the largest as large as small digits."""
        rng, page, largest = self.rng, Image.new("L", (2 * SIDE, 2 * SIDE)), self._log(10, 26)
        pen, lying = ImageDraw.Draw(page), self._log(0.4, 2.5)
        for _ in range(int(self._log(2, 30))):
            size = largest * rng.uniform(0.5, 1)
            steps = rng.normal(0, 0.35 * size, (rng.integers(2, 6), 2)) * (lying, 1)
            points = rng.uniform(0, 2 * SIDE, 2) + np.cumsum(steps, 0)
            width = max(1, round(size * rng.uniform(0.3, 0.9)))
            pen.line([tuple(point) for point in points], round(rng.uniform(100, 255)), width, joint="curve")
        self._under(scene, page, colour)

    def _words(self, scene: Scene, colour: Floats, height: float, x: float, y: float) -> None:
        font = ImageFont.truetype(font_to_learn(self.rng), max(4, 2 * height * 1.3))
        alphabet = "abcdefghijklmnoprstuvwxyzABCDEFGHKLMNPRSTUVW"
        text = "".join(alphabet[i] for i in self.rng.integers(0, len(alphabet), self.rng.integers(2, 9)))
        page = Image.new("L", (2 * SIDE, 2 * SIDE))
        ImageDraw.Draw(page).text((2 * x, 2 * y), text, fill=255, font=font, anchor="lm")
        self._under(scene, page, colour)

    def _thing(self, scene: Scene) -> None:
        """Draw a pen, finger, coin or bar that hides no writing."""
        rng = self.rng
        page = Image.new("L", (SIDE, SIDE))
        pen, kind = ImageDraw.Draw(page), rng.random()
        start, turn = rng.uniform(0, SIDE, 2), rng.uniform(0, 2 * np.pi)
        end = start + 2 * SIDE * np.array([np.cos(turn), np.sin(turn)])
        if kind < 0.5:
            width = int(self._log(4, 40))
            pen.line([tuple(start), tuple(end)], fill=255, width=width)
            pen.ellipse((*(start - width / 2), *(start + width / 2)), fill=255)
        elif kind < 0.7:
            pen.ellipse((*start, *(start + self._log(4, 60))), fill=255)
        else:
            thick, side = self._log(3, 60), rng.integers(4)
            far = SIDE - thick
            bars = (0, 0, SIDE, thick), (0, 0, thick, SIDE), (0, far, SIDE, SIDE), (far, 0, SIDE, SIDE)
            pen.rectangle(bars[side], fill=255)
        cover = np.asarray(page.filter(ImageFilter.GaussianBlur(0.6)), np.float32) / 255
        if not scene.written[cover > 0.2].any():
            any_colour = rng.random() < 0.6
            tint = rng.uniform(0, 1, 3) if any_colour else np.array([0.8, 0.6, 0.5]) * rng.uniform(0.5, 1.2)
            light = 0.8 + 0.2 * self._clouds(6)
            scene.lay(cover, np.clip(tint * light[..., None], 0, 1).astype(np.float32))

    def _surface(self, dark: bool) -> Floats:
        rng = self.rng
        level = rng.uniform(0.02, 0.35) if dark else 1 - rng.gamma(2, 0.08)
        tint = np.clip(level + rng.normal(0, 0.02 if rng.random() < 0.7 else 0.1, 3), 0.02, 1)
        page = np.broadcast_to(tint.astype(np.float32), (SIDE, SIDE, 3)).copy()
        if rng.random() < 0.35:
            return page
        rough = self._clouds(30) * rng.uniform(0, 0.08) + rng.normal(0, rng.uniform(0, 0.03), (SIDE, SIDE))
        if rng.random() < 0.12:  # wood, cloth, patterned paper
            wave = np.sin(np.arange(SIDE) * self._log(0.08, 1.5) + 3 * self._clouds(5))
            wave = wave * rng.uniform(0.03, 0.15)
            rough = rough + (wave if rng.random() < 0.5 else wave.T)
        if rng.random() < 0.1:
            folds = np.abs(self._clouds(7))
            rough = rough - rng.uniform(0.05, 0.25) * np.maximum(0.3 - folds, 0)
        return np.clip(page * (1 + rough[..., None]), 0, 1).astype(np.float32)

    def _ink(self, scene: Scene, dark: bool) -> Floats:
        rng = self.rng
        paper = scene.pixels.mean((0, 1))
        for _ in range(30):
            if dark:
                colour = rng.uniform(0.55, 1) + rng.normal(0, 0.05 if rng.random() < 0.6 else 0.3, 3)
            elif rng.random() < 0.5:
                colour = rng.uniform(0, 0.4) + rng.normal(0, 0.03, 3)
            else:
                colour = rng.uniform(0, 0.85, 3)
            colour = np.clip(colour, 0, 1)
            if abs(float((colour - paper) @ (0.3, 0.59, 0.11))) > 0.25:
                break
        return colour.astype(np.float32)

    def _other_ink(self, scene: Scene, ink: Floats) -> Floats:
        return ink if self.rng.random() < 0.4 else self._ink(scene, bool(scene.pixels.mean() < 0.45))

    def _photo(self, scene: Scene) -> Pixels:
        """Return the scene as a camera shows it: light, shadow, blur, noise, contrast and compression."""
        rng, page = self.rng, scene.pixels
        across, down = np.meshgrid(*[np.linspace(-1, 1, SIDE, dtype=np.float32)] * 2)
        if rng.random() < 0.6:
            turn = rng.uniform(0, 2 * np.pi)
            slope = across * np.cos(turn) + down * np.sin(turn)
            page = page * (1 - rng.uniform(0, 0.35) * (0.5 + 0.5 * slope))[..., None]
        if rng.random() < 0.25:
            turn, soft = rng.uniform(0, 2 * np.pi), self._log(0.01, 0.4)
            edge = across * np.cos(turn) + down * np.sin(turn) + 0.2 * self._clouds(4)
            edge = (edge - rng.uniform(-0.8, 0.8)) / soft
            page = page * (1 - rng.uniform(0.1, 0.6) / (1 + np.exp(-np.clip(4 * edge, -30, 30))))[..., None]
        if rng.random() < 0.4:
            page = page.mean(2, keepdims=True).repeat(3, 2)
        elif rng.random() < 0.4:
            page = page * rng.uniform(0.8, 1.1, 3)
        if rng.random() < 0.3:
            page = np.clip(page, 0, 1) ** self._log(0.5, 1.9)
        if rng.random() < 0.25:
            low = rng.uniform(0, 0.35)
            page = low + np.clip(page, 0, 1) * (rng.uniform(low + 0.3, 1) - low)
        if rng.random() < 0.06:
            page = 1 - page
        picture = Image.fromarray(np.asarray(np.clip(page, 0, 1) * 255, np.uint8))
        if rng.random() < 0.5:
            blur = self._log(0.3, 2.2 if rng.random() < 0.2 else 1.2)
            picture = picture.filter(ImageFilter.GaussianBlur(blur))
        if rng.random() < 0.2:  # enlarge a small picture
            tall = max([0.1] + [(box[3] - box[1]) / SIDE for box in scene.boxes[:1]])
            small = int(np.clip(rng.uniform(14, 50) / tall, 24, SIDE))
            picture = picture.resize((small, small), Image.Resampling.BOX)
            ways = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.NEAREST)
            picture = picture.resize((SIDE, SIDE), one_of(rng, ways))
        if rng.random() < 0.5:
            bands = 3 if rng.random() < 0.4 else 1
            noise = rng.standard_normal((SIDE, SIDE, bands), np.float32) * self._log(1, 16)
            noisy = np.clip(np.asarray(picture, np.float32) + noise, 0, 255)
            picture = Image.fromarray(noisy.astype(np.uint8))
        pixels = np.asarray(picture.convert("RGB"))
        return jpeg(pixels, int(rng.integers(25, 95))) if rng.random() < 0.3 else pixels

    def _clouds(self, most: int) -> Floats:
        return soft_noise(self.rng, (SIDE, SIDE), 2, most)

    def _log(self, low: float, high: float) -> float:
        return log_uniform(self.rng, low, high)
