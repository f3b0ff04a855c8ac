"""Train the weights that judge numbers: draw pictures, read them, learn which readings are right.

    python -m digitrec.lab.reading.judge draw FOLDER 120
    python -m digitrec.lab.reading.judge learn FOLDER

`draw` takes one core an hour and resumes where it stopped; `learn` takes ten minutes and writes the weights
that digitrec ships, with their card. Only hands, fonts and letters of the training sets are used.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.image import Box, DigitImage, atomic
from digitrec.image.boxes import shared
from digitrec.image.pixels import Pixels
from digitrec.lab import stocks
from digitrec.lab.datasets.world import people
from digitrec.lab.handwriting.nondigits import any_kind, beside, larger, pages, shown, word
from digitrec.lab.handwriting.photo import perhaps_on_paper
from digitrec.lab.handwriting.scenes import WANTED, large, scene
from digitrec.lab.handwriting.strokes import LEARNED, by_share, log_uniform
from digitrec.lab.handwriting.writer import Writer, cut_out, fonts_to_learn
from digitrec.lab.reading.compose import Composer, unstretched
from digitrec.lab.reading.tables import boxes, table
from digitrec.lab.reading.train import composer
from digitrec.models.committee import chances
from digitrec.models.sequence import digits_of
from digitrec.prepare import prepare
from digitrec.providers.local.lines import Line
from digitrec.providers.local.numbers import UNSURE, WEIGHTS, LocalNumbers, Page, Proposal, features

Truth = Sequence[tuple[str, Box | None]]
"""The digits and the box of each number on a picture; None: the whole picture shows the number."""
Labelled = tuple[Pixels, Truth]
SEED = 37
STOCK = 250
"""Number of pictures in a file."""
NETWORKS, HIDDEN, ALPHA = 10, 48, 0.4
"""Number of small networks whose mean is the judge, their hidden units, and their L2 penalty."""
WEIGHT = 3
"""Weight of a reading in training if its picture is of a kind `WITHOUT` a number; of all others it is 1."""
MARKED = 0.15
"""Share of composed numbers with `compose.MARKS`."""
DOUBTFUL = 0.9
"""Lines with a higher chance of their reading are not divided: `read` hardly ever divides one."""
SAME = 0.3
"""Minimum common area of two boxes that show the same number, as a share of their union."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The hands of one file of proposals."""

    writer: Writer
    composer: Composer


def _composed(of: Sources, rng: np.random.Generator) -> Labelled:
    """Compose a number, or letters, scrawls or bare paper, in any size; "12:30" is no number."""
    view, text = of.composer.picture() if rng.random() < 0.5 else of.composer.number()
    pixels = np.asarray(unstretched(view, log_uniform(rng, 0.8, 3)))
    number = text.strip("?")
    return pixels, [(number, None)] if number and "?" not in number else []


def _written(of: Sources, rng: np.random.Generator) -> Labelled:
    """Write two to five digits side by side on paper."""
    height = int(rng.integers(40, 130))
    first, ink = of.writer.digit(rng, height)
    text = str(first)
    for _ in range(int(rng.integers(1, 5))):
        label, other = of.writer.digit(rng, round(height * rng.uniform(0.9, 1.1)))
        ink, text = cut_out(beside(ink, other, float(rng.uniform(0, 0.4)), rng)), text + str(label)
    return shown(np.pad(ink, round(height * rng.uniform(0.1, 1))), rng), [(text, None)]


def _single(of: Sources, rng: np.random.Generator) -> Labelled:
    one = scene(str(rng.choice(list(WANTED))), of.writer, rng)
    return one.pixels, [(str(one.label), None)]


def _large(of: Sources, rng: np.random.Generator) -> Labelled:
    one = large(of.writer, rng)
    return one.pixels, [(str(one.label), None)]


def _word(of: Sources, rng: np.random.Generator) -> Labelled:
    return shown(word(LEARNED, of.writer.font(rng), rng), rng), []


def _senseless(of: Sources, rng: np.random.Generator) -> Labelled:
    ink = any_kind(of.writer, rng, pairs=False)
    return perhaps_on_paper(larger(ink, rng) if min(ink.shape) <= 28 else ink, rng), []


def _blank(of: Sources, rng: np.random.Generator) -> Labelled:
    return next(pages(1, int(rng.integers(2**31)))).pixels, []


def _table(of: Sources, rng: np.random.Generator) -> Labelled:
    return table(of.writer, rng)


def _field(of: Sources, rng: np.random.Generator) -> Labelled:
    """Cut a part out of a table, as around a field of a form."""
    pixels, numbers = table(of.writer, rng)
    sides = np.array(pixels.shape[:2])
    size = np.clip(sides * rng.uniform((0.1, 0.3), (0.5, 0.9)), 40, sides).astype(int)
    top, left = rng.integers(0, sides - size + 1).tolist()
    bottom, right = top + size[0], left + size[1]
    inside = [
        (text, (box[0] - left, box[1] - top, box[2] - left, box[3] - top))
        for text, box in numbers
        if left <= box[0] and top <= box[1] and box[2] <= right and box[3] <= bottom
    ]
    return pixels[top:bottom, left:right], inside


def _boxes(of: Sources, rng: np.random.Generator) -> Labelled:
    return boxes(of.writer, rng)


KINDS: dict[Callable[[Sources, np.random.Generator], Labelled], float] = {
    _composed: 0.23, _written: 0.08, _single: 0.14, _large: 0.06, _word: 0.08, _senseless: 0.18, _blank: 0.02,
    _table: 0.12, _field: 0.03, _boxes: 0.06,
}  # fmt: skip
"""The kinds of pictures, and the share of each."""
WITHOUT = _word, _senseless, _blank
"""The kinds without a number; the judge learns most from tables, whose readings are many."""


def draw(folder: Path, count: int) -> None:
    """Write one file of proposals for measuring and ``count`` for training, from `STOCK` pictures each."""
    known = people("learned")
    writer = Writer(known.mnist, fonts_to_learn(), varied=0.3)
    stocks.fill(
        folder, count, lambda number: drawn(Sources(writer, composer(known, SEED, number, MARKED)), number)
    )


def drawn(of: Sources, number: int, count: int = STOCK) -> stocks.Stock:
    """Return the features of the readings of a file's pictures, whether each is right, and its weight."""
    reader = LocalNumbers()
    rows, right, weights = [], [], []
    for at in range(count):
        rng = np.random.default_rng((SEED, number, at))
        kind = by_share(rng, KINDS)
        pixels, numbers = kind(of, rng)
        prepared = prepare(DigitImage.open(np.ascontiguousarray(pixels)), reader.wants)
        page = Page.of(prepared.picture())
        for one in proposed(reader, page):
            if one.digits:
                rows.append(features(one))
                right.append(is_right(one, numbers))
                weights.append(WEIGHT if kind in WITHOUT else 1)
    return {"rows": np.array(rows, np.float32), "right": np.array(right), "weights": np.array(weights)}


def proposed(reader: LocalNumbers, page: Page) -> Iterator[Proposal]:
    """Yield the proposals for a page's lines, their parts, all lines together, and a single digit."""
    likely = []
    for line in page.lines:
        whole, *parts = with_parts(reader, page, line)
        if whole.digits and min(whole.reading.chance, line.chance) >= UNSURE:
            likely.append(whole)
        yield from (whole, *parts)
    if joined := page.whole():
        yield from reader.read_line(joined, joined.lines[0])
    if alone := reader.alone(page, likely):
        yield alone


def with_parts(
    reader: LocalNumbers, page: Page, line: Line, whole: Proposal | None = None
) -> Iterator[Proposal]:
    """Yield the proposals for a line, then those for its parts."""
    in_boxes = line.cells or (whole and whole.line.cells)
    one, *others = reader.read_line(page.limited(line) if in_boxes else page, line, whole)
    yield from (one, *others)
    if one.reading.chance < DOUBTFUL:
        for part in one.parts():
            yield from with_parts(reader, page, part, one)


def is_right(one: Proposal, numbers: Truth) -> bool:
    """Return whether a proposal has the digits of a number that stands there."""
    return any(
        one.digits == digits_of(text) and (box is None or shared(box, one.line.box) > SAME)
        for text, box in numbers
    )


def learn(folder: Path, weights: Path = WEIGHTS) -> None:
    """Train on all files; write the weights, and their card beside them."""
    from sklearn.neural_network import MLPClassifier

    rows, right, sample_weight = _stored(sorted(folder.glob("[0-9]*.npz")))
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    nets = [MLPClassifier((HIDDEN,), alpha=ALPHA, max_iter=100, random_state=at) for at in range(NETWORKS)]
    for net in nets:
        net.fit((rows - mean) / scale, right, sample_weight)  # it warns, but more rounds do not help
    made = {
        "mean": mean, "scale": scale,
        "first": np.stack([net.coefs_[0] for net in nets]),
        "hidden": np.stack([net.intercepts_[0] for net in nets]),
        "last": np.stack([net.coefs_[1][:, 0] for net in nets]),
        "out": np.array([net.intercepts_[1][0] for net in nets]),
    }  # fmt: skip
    with atomic.replacing(weights) as unfinished, unfinished.open("wb") as opened:
        np.savez_compressed(opened, **{name: one.astype(np.float32) for name, one in made.items()})
    held, truth, _ = _stored([folder / f"{stocks.HELD}.npz"])
    figures = {
        "networks": f"{NETWORKS}, of {HIDDEN} hidden units each; their mean",
        "input": f"{rows.shape[1]} features of a reading: `digitrec.providers.local.numbers.features`",
        "learned from": f"{len(rows):,} of them on generated pictures, seed {SEED}",
        **stocks.figures_of(chances(held, weights), truth),
    }
    purpose = "Estimates the chance that `local` read a number right."
    stocks.write_card(weights, "digitrec.lab.reading.judge", purpose, figures)


def _stored(files: Sequence[Path]) -> list[NDArray[Any]]:
    """Return the features in some stocks, (n, F), whether each row is right, and its weight, (n,)."""
    stored = [dict(np.load(file)) for file in files]
    return [np.concatenate([one[name] for one in stored]) for name in ("rows", "right", "weights")]


if __name__ == "__main__":
    stocks.main({"draw": draw, "learn": learn})
