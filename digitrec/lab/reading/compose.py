"""Compose photographed numbers from single digits, as on cheques, on forms and in logbooks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from digitrec.image import ImageSource
from digitrec.image.pixels import Pixels
from digitrec.lab.datasets.world import people
from digitrec.lab.handwriting.photo import Floats, axes, jpeg, soft_noise
from digitrec.lab.handwriting.strokes import log_uniform, one_of, rotation
from digitrec.lab.handwriting.writer import cut_out, font_to_learn, in_font, moved, redrawn
from digitrec.lab.reading.hands import OF_PEOPLE, SIDE, UNLIKE, Hand, hands
from digitrec.models.sequence import HEIGHT

TALL = 56
"""Height of a digit on the page, px."""
MIDDLE = 1.5 * TALL
"""Height of a number's middle on the page, px."""


def rulings(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return base lines, sides of boxes and squares around a number, (H, W), px."""
    height, width = shape
    lines = Image.new("L", (width, height))
    pen = ImageDraw.Draw(lines)
    thick = max(1, round(rng.uniform(1, 4)))
    if rng.random() < 0.45:
        step = TALL * rng.uniform(0.9, 2)
        first = MIDDLE + TALL * rng.uniform(0.4, 0.75)
        for at in (first - step, first, first + step)[rng.integers(3) :]:
            pen.line((0, at, width, at + rng.normal(0, 2)), fill=255, width=thick)
    if rng.random() < 0.35:
        for at in (rng.uniform(0.8, 1.4) * TALL, width - rng.uniform(0.8, 1.5) * TALL):
            if rng.random() < 0.7:
                pen.line((at, 0, at + rng.normal(0, 3), height), fill=255, width=thick)
    if rng.random() < 0.12:
        step = TALL * rng.uniform(0.3, 0.9)
        for at in np.arange(rng.uniform(0, step), max(width, height), step):
            pen.line((at, 0, at, height), fill=255)
            pen.line((0, at, width, at), fill=255)
    return np.asarray(np.asarray(lines) * (rng.uniform(0.1, 0.75) / 255), np.float32)


def guilloche(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return fine wavy lines as on cheques, (H, W)."""
    total = np.zeros(shape, np.float32)
    for _ in range(rng.integers(1, 4)):
        (along, across), bend = axes(*shape, rng.uniform(0, np.pi)), rng.uniform(0, 8)
        wave = np.sin((across + bend * np.sin(along * rng.uniform(0.02, 0.2))) * rng.uniform(0.3, 1.5))
        total = np.maximum(total, np.clip(3 * wave - 2 + rng.uniform(0, 1.5), 0, 1))
    return np.asarray(total * rng.uniform(0.03, 0.22), np.float32)


def stamp(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return the ring of a rubber stamp over a number, (H, W)."""
    ring = Image.new("L", shape[::-1])
    at, r = rng.uniform(0, shape[1]), TALL * rng.uniform(0.6, 1.6)
    ImageDraw.Draw(ring).ellipse((at - r, MIDDLE - r, at + r, MIDDLE + r), outline=255, width=5)
    return np.asarray(np.asarray(ring) * (rng.uniform(0.15, 0.4) / 255), np.float32)


STRETCH = 1.3
"""Factor by which a view is widened: narrow digits would leave too few columns."""


def cut(page: Floats, ink: Floats, rng: np.random.Generator) -> Floats:
    """Return the part of the page with the number, cropped tightly or loosely.

    Args:
        page: (H, W), 0..1; the number's digits are between 0.9 and 2.1 times `TALL` from the top.
        ink: (H, W), 0..1, the number and parts of other lines.
        rng: the source of all random choices.
    """
    rows, columns = np.flatnonzero((ink > 0.3).any(axis=1)), np.flatnonzero((ink > 0.3).any(axis=0))
    middle = (rows > 0.9 * TALL) & (rows < 2.1 * TALL)
    rows = rows[middle] if middle.any() else rows
    high = rows[-1] + 1 - rows[0]
    loose = rng.gamma(1.3, 0.12, 2) - 0.06 if rng.random() < 0.7 else rng.uniform(0, 0.8, 2)
    top, bottom = rows[0] - loose[0] * high, rows[-1] + 1 + loose[1] * high
    before, after = ((rng.gamma(1.3, 0.2, 2) - 0.05) if rng.random() < 0.7 else rng.uniform(0, 1.5, 2)) * high
    left, right = columns[0] - before, columns[-1] + 1 + after
    left, top = max(0, round(left)), max(0, round(top))
    right, bottom = min(page.shape[1], round(right)), min(page.shape[0], round(bottom))
    return page[top:bottom, left:right]


def photograph(page: Floats, breadth: float, rng: np.random.Generator) -> Pixels:
    """Return a photo of the page, (H, W), 0..1, as a view, (HEIGHT, W'); thin pens are blurred less."""
    picture = Image.fromarray(np.asarray(np.clip(_lit(page, rng), 0, 1) * 255, np.uint8))
    if rng.random() < 0.6:
        most = min(3.0, 0.6 + 40 * breadth)
        picture = picture.filter(ImageFilter.GaussianBlur(log_uniform(rng, 0.4, most)))
    if rng.random() < 0.35:
        scale = rng.uniform(14, 32) / picture.height
        size = (max(8, round(picture.width * scale)), max(8, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.BOX)
    if rng.random() < 0.3:
        picture = Image.fromarray(jpeg(np.asarray(picture), int(rng.integers(20, 95))))
    width = max(8, round(picture.width * HEIGHT / picture.height * STRETCH))
    view = np.asarray(picture.resize((width, HEIGHT), Image.Resampling.BILINEAR, reducing_gap=2), np.float32)
    if rng.random() < 0.5:
        view = view + rng.standard_normal(view.shape) * np.exp(rng.uniform(0, np.log(12)))
    return np.asarray(np.clip(view, 0, 255), np.uint8)


def _lit(page: Floats, rng: np.random.Generator) -> Floats:
    """Return the page under uneven light, sometimes with another contrast, rarely as a negative."""
    turn = rng.uniform(0, 2 * np.pi)
    across, down = np.meshgrid(np.linspace(-1, 1, page.shape[1]), np.linspace(-1, 1, page.shape[0]))
    slope = 0.5 + 0.5 * (across * np.cos(turn) + down * np.sin(turn))
    page = page * (1 - rng.uniform(0, 0.4) * slope)
    if rng.random() < 0.3:
        page = np.clip(page, 0, 1) ** np.exp(rng.uniform(-0.6, 0.6))
    return 1 - page if rng.random() < 0.05 else page


HANDS = 60
"""Number of hands that write the numbers of one set."""
WIDEST = 256
"""Maximum width of a view, px."""
STRANGE, BARE = 0.18, 0.03
"""Shares of pictures with letters, signs or scrawls, and of pictures with only paper and its lines."""
MARKS = ("(", "", ")"), ("[", "", "]"), ("", ":", ""), ("", "/", ""), ("$", "", ""), ("#", "", "#")
"""Signs before, inside and after a number."""
_SIGNS = {sign for mark in MARKS for sign in mark if sign}
_LENGTHS = (0.1, 0.2, 0.22, 0.19, 0.14, 0.07, 0.04, 0.02, 0.02)
"""Shares of numbers with 1 to 9 digits."""


Labelled = tuple[ImageSource, str]
"""A picture of one number, and the number as written."""


def held_back(count: int, seed: int) -> Iterator[Labelled]:
    """Yield composed numbers by the held-out writers, `HEIGHT` pixels high and not stretched.

    Raises:
        DataError: their digits are missing or damaged.
    """
    composer = Composer(list(hands(people("held back"), HANDS, seed, OF_PEOPLE)), np.random.default_rng(seed))
    for _ in range(count):
        view, text = composer.number()
        yield unstretched(view), text


def unstretched(view: Pixels, scale: float = 1) -> Image.Image:
    """Return a view as wide as it was written, ``scale`` times as high."""
    size = max(4, round(scale * view.shape[1] / STRETCH)), round(scale * view.shape[0])
    return Image.fromarray(view).resize(size, Image.Resampling.BICUBIC)


class _Style:
    """How one number is written; lengths in pixels."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.gap = rng.normal(0.1, 0.1) * TALL
        """Space between digits; negative: they overlap."""
        self.slope = rng.normal(0, 0.04)
        """Slope of the base line."""
        self.uneven = abs(rng.normal(0, 0.08))
        """Deviation of the digits' heights, as a logarithm."""
        self.drop = abs(rng.normal(0, 0.04))
        """Deviation of their middles, as a share of `TALL`."""
        self.turn = rng.normal(0, 0.05)
        """Turn of all digits, radians."""
        self.slant = rng.normal(0, 0.15)
        self.wide = float(np.exp(rng.normal(0, 0.15)))
        """Width of a digit as a multiple of its own."""
        self.joins_zeros = rng.random() < 0.3
        """Whether the last zeros are small and joined."""
        self.small = rng.uniform(0.45, 0.85)
        """Height of such a zero, as a share of the digit's own."""
        self.lowered = rng.uniform(-0.5, 0.5)
        """How much lower its middle stands, as a share of the height that it lacks."""
        self.space = rng.uniform(0.2, 0.9) * TALL if rng.random() < 0.25 else 0.0
        """Space after a sign."""


@dataclass(frozen=True, slots=True, eq=False)
class Composer:
    """Draws numbers by many hands on many papers."""

    hands: Sequence[Hand]
    """Hands that write digits."""
    rng: np.random.Generator
    """The source of all random choices."""
    others: Sequence[Hand] = ()
    """Hands that write letters, signs or scrawls; empty: every picture shows a number."""
    marked: float = 0.0
    """Share of the numbers with `MARKS`."""
    lengths: Sequence[float] = _LENGTHS
    """Shares of numbers with 1, 2, ... digits."""

    def picture(self) -> tuple[Pixels, str]:
        """Return a view and its text, with "?" for each letter, sign or scrawl; "" for bare paper."""
        kind = self.rng.random()
        if not self.others or kind >= STRANGE + BARE:
            return self.number()
        if kind < BARE:
            return self._drawn(None)[0], ""
        view, text = self._drawn(self.others)
        return view, "".join("?" if character.isdigit() else character for character in text)

    def number(self) -> tuple[Pixels, str]:
        """Return a view of a number, grey, (HEIGHT, up to `WIDEST`), and its text.

        "?" in the text stands for a bracket, colon or slash, and with `others` for letters and signs before
        or after the number.
        """
        return self._drawn(self.hands)

    def _drawn(self, hands: Sequence[Hand] | None) -> tuple[Pixels, str]:
        """Return a view and its text, written by one of these hands; None: the paper stays bare."""
        while True:
            text = self._text()
            if hands is self.others and not set(text) & set(UNLIKE):
                continue
            hand = one_of(self.rng, hands or self.hands)
            if hands is self.hands and self.others and self.rng.random() < 0.1:
                units = "?" * int(self.rng.integers(1, 3))
                text = text + units if self.rng.random() < 0.5 else units + text
            if self.marked and hands is self.hands and self.rng.random() < self.marked:
                text = self._marked(text)
            ink = self._written(text, hand)
            if ink is None:
                continue
            page = self._on_paper(np.zeros_like(ink) if hands is None else ink, hand)
            view = photograph(cut(page, ink, self.rng), hand.breadth, self.rng)
            if hands is None:
                return view[:, :WIDEST], ""
            if view.shape[1] <= WIDEST and view.shape[1] // 4 >= 2 * len(text) - 1:
                return view, "".join("?" if character in _SIGNS else character for character in text)

    def _marked(self, text: str) -> str:
        """Return a number's text with signs around it, or with one or two between its digits."""
        before, inside, after = self.rng.choice(MARKS)
        places = [at for at in range(1, len(text)) if inside and text[at - 1 : at + 1].isdigit()]
        for at in sorted(self.rng.permutation(places)[: self.rng.integers(1, 3)].tolist(), reverse=True):
            text = f"{text[:at]}{inside}{text[at:]}"
        return f"{before}{text}{after}"

    def _text(self) -> str:
        rng = self.rng
        count = 1 + int(rng.choice(len(self.lengths), p=self.lengths))
        digits = "".join(map(str, rng.integers(0, 10, count)))
        if count > 1 and rng.random() < 0.25:
            digits = digits[: -(zeros := int(rng.integers(1, count)))] + "0" * zeros
        if rng.random() < 0.25:
            digits = "1" + digits[1:]
        if count > 1 and rng.random() < 0.05:
            digits = digits[0] * count
        sign = "-" if rng.random() < 0.04 else ""
        kind = rng.random()
        if count > 3 and kind < 0.3:
            digits = digits[:-3] + str(rng.choice([".", ",", ""])) + digits[-3:]
        elif count > 1 and kind < 0.4:
            at = int(rng.integers(1, count))
            digits = digits[:at] + str(rng.choice([".", ","])) + digits[at:]
        return sign + digits

    def _written(self, text: str, hand: Hand) -> Floats | None:
        """Return a number's ink, 0..1, on its page; None if it does not fit."""
        rng, x, y = self.rng, 1.5 * TALL, MIDDLE
        whole = np.zeros((3 * TALL, TALL * (len(text) + 4)), np.float32)
        style = _Style(rng)
        breadth = max(1.2, hand.breadth * TALL)
        zeros = len(text.rstrip("0")) if style.joins_zeros else len(text)
        for at, character in enumerate(text):
            tall, middle, gap = TALL * float(np.exp(rng.normal(0, style.uneven))), y, style.gap
            if joined := at >= zeros > 0:
                tall, middle = tall * style.small, y + style.lowered * (1 - style.small) * TALL
                gap = -0.05 * TALL
            is_sign = character in ".,-"
            shape = self._sign(character, breadth) if is_sign else self._shape(character, hand, tall, style)
            height, width = shape.shape
            top = round(middle + rng.normal(0, style.drop) * TALL - height / 2)
            left = round(x)
            if left + width > whole.shape[1] or top < 0 or top + height > whole.shape[0]:
                return None
            place = whole[top : top + height, left : left + width]
            np.maximum(place, shape, out=place)
            if joined and at > zeros and style.lowered < 0:
                _connect(whole, left, top + 0.15 * height, 0.3 * tall, breadth)
            step = width + (gap + rng.normal(0, 0.05) * TALL) * (0.5 if is_sign else 1)
            x, y = x + max(step, 0.35 * width), y + style.slope * step
            x += style.space if is_sign else 0
        return whole[:, : int(x + 1.5 * TALL)]

    def _shape(self, character: str, hand: Hand, tall: float, style: _Style) -> Floats:
        """Return a digit by this hand, a bracket, colon or slash, or for "?" another hand's letter, 0..1."""
        if character in _SIGNS:
            rng, font = self.rng, font_to_learn(self.rng)
            is_printed = character == ":" or rng.random() < 0.5
            ink = in_font(character, font, TALL) if is_printed else redrawn(character, font, rng)
            high = rng.uniform(0.4, 0.75) if character == ":" else rng.uniform(0.95, 1.5)
            return np.asarray(cut_out(ink, round(high * TALL)), np.float32) / np.float32(255)
        if character == "?":
            hand = one_of(self.rng, self.others)
            character = str(self.rng.choice(list(UNLIKE)))
        return self._digit(hand.ink(int(character), self.rng), tall, style.turn, style.slant, style.wide)

    def _on_paper(self, ink: Floats, hand: Hand) -> Floats:
        """Return the number on paper, grey, 0..1; add parts of neighbouring lines to the ink."""
        rng, shape = self.rng, (ink.shape[0], ink.shape[1])
        page = np.full(shape, 1 - min(0.6, rng.gamma(2, 0.07)), np.float32)
        page = page + soft_noise(rng, shape, 4, 20) * np.float32(rng.uniform(0, 0.08))
        if rng.random() < 0.25:
            page = page - guilloche(shape, rng)
        page = page - rulings(shape, rng)
        if rng.random() < 0.25:
            self._add_neighbours(ink, hand)
        if rng.random() < 0.06:
            page = page - stamp(shape, rng)
        page = np.clip(page, 0.05, 1)
        least = 0.5 if hand.breadth < 0.035 else 0.28  # thin and pale ink would be unreadable
        least = 0.18 if hand.breadth >= 0.05 and rng.random() < 0.15 else least
        dark = np.float32(page.mean() * (1 - rng.uniform(least, 0.95)))
        texture = 1 - np.clip(soft_noise(rng, shape, 20, 60) * np.float32(rng.uniform(0, 0.5)), 0, 0.7)
        return np.asarray(page + ink * texture * np.float32(rng.uniform(0.75, 1)) * (dark - page), np.float32)

    def _add_neighbours(self, ink: Floats, hand: Hand) -> None:
        """Add a digit of the line above and one of the line below."""
        for at in (-1.25, 1.25):
            other = self._digit(hand.ink(int(self.rng.integers(10)), self.rng), TALL, 0, 0, 1)
            top = round(MIDDLE + at * TALL * self.rng.uniform(0.95, 1.3) - other.shape[0] / 2)
            left = int(self.rng.integers(0, max(1, ink.shape[1] - other.shape[1])))
            part = ink[max(0, top) : max(0, top + len(other)), left : left + other.shape[1]]
            np.maximum(part, other[max(0, -top) : max(0, -top) + part.shape[0], : part.shape[1]], out=part)

    def _digit(self, ink: Pixels, tall: float, turn: float, slant: float, wide: float) -> Floats:
        """Return a digit's ink, 0..1, turned (radians), slanted and widened, cut off at its sides."""
        turn = turn + self.rng.normal(0, 0.04)
        forth = tall / SIDE * np.array([[wide, -slant], [0, 1]]) @ rotation(turn)
        height, width = ink.shape
        corners = forth @ (np.array([[-1, 1, 1, -1], [-1, -1, 1, 1]]) * [[width / 2], [height / 2]])
        size = np.ceil(np.ptp(corners, axis=1)).astype(int) + 2
        shape = (int(size[0]), int(size[1]))
        cover = moved(Image.fromarray(ink), forth, shape, size / 2, Image.Resampling.BILINEAR)
        return _cut_at_sides(np.asarray(cover), 0.3)

    def _sign(self, sign: str, breadth: float) -> Floats:
        """Return a point, comma or minus by the same pen, 0..1."""
        rng = self.rng
        page = Image.new("L", (TALL, round(1.5 * TALL)))
        pen, low, middle = ImageDraw.Draw(page), page.height / 2 + TALL * rng.uniform(0.36, 0.52), TALL / 2
        width = max(1, round(breadth))
        if sign == "-":
            half, at = TALL * rng.uniform(0.15, 0.35), page.height / 2 + rng.normal(0, 0.06) * TALL
            pen.line((middle - half, at, middle + half, at + rng.normal(0, 2)), fill=255, width=width)
        elif sign == ".":
            r = max(1.0, breadth * rng.uniform(0.5, 0.9))
            pen.ellipse((middle - r, low - r, middle + r, low + r), fill=255)
        else:
            long = TALL * rng.uniform(0.12, 0.3 if rng.random() < 0.7 else 0.7)
            low -= max(0.0, 0.5 * (long - 0.3 * TALL))
            end = (middle - long * rng.uniform(0, 0.5), low + 0.7 * long)
            pen.line((middle, low - 0.3 * long, *end), fill=255, width=width)
        blurred = page.filter(ImageFilter.GaussianBlur(0.6))
        return _cut_at_sides(np.asarray(blurred), 0.2)


def _connect(ink: Floats, x: float, y: float, half: float, breadth: float) -> None:
    """Draw a stroke of the given half length from one digit to the next into the ink; (x, y): its middle."""
    page = Image.fromarray(np.zeros(ink.shape, np.uint8))
    ends = (x - half, y, x, y + 0.2 * half, x + half, y - 0.1 * half)
    ImageDraw.Draw(page).line(ends, fill=255, width=max(1, round(breadth)), joint="curve")
    stroke = np.asarray(page.filter(ImageFilter.GaussianBlur(0.6)), np.float32)
    np.maximum(ink, stroke / np.float32(255), out=ink)


def _cut_at_sides(ink: Pixels, least: float) -> Floats:
    """Return ink as 0..1, from the first to the last column above `least`; if there is none, all columns."""
    values: Floats = ink.astype(np.float32) / np.float32(255)
    inked = np.flatnonzero(values.max(axis=0) > least)
    return values[:, inked[0] : inked[-1] + 1] if len(inked) else values
