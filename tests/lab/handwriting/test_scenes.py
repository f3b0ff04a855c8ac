"""The scenes: fixed by the seed, and each with in it what it says."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from PIL import Image

from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.lab.handwriting import printed, scenery
from digitrec.lab.handwriting.cells import CELLS
from digitrec.lab.handwriting.printed import OWN, fonts_to_learn
from digitrec.lab.handwriting.scenery import READ
from digitrec.lab.handwriting.scenes import KINDS, Scene, scenes
from digitrec.lab.handwriting.spoiled import REFUSED, SIGNED, SIGNS
from digitrec.lab.handwriting.writer import Writer

WRITER = Writer(mnist_test()[:200])


def made(kind: str, n: int = 8, seed: int = 3) -> list[Scene]:
    return list(scenes(kind, WRITER, n, seed))


def part(one: Scene) -> np.ndarray:
    """What lies within the scene's box, as grey levels."""
    left, top, right, bottom = one.box
    return one.pixels[top:bottom, left:right].mean(axis=2)


def rest(one: Scene) -> np.ndarray:
    """Everything outside the box, as grey levels."""
    left, top, right, bottom = one.box
    free = np.ones(one.pixels.shape[:2], bool)
    free[top:bottom, left:right] = False
    return one.pixels.mean(axis=2)[free]


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_depends_on_the_seed_and_its_place_alone(kind: str) -> None:
    longer = list(islice(scenes(kind, WRITER, 100, 7), 3))
    for one, same in zip(scenes(kind, WRITER, 3, 7), longer, strict=True):
        np.testing.assert_array_equal(one.pixels, same.pixels)
        assert one == same
    other = next(scenes(kind, WRITER, 1, 8))
    assert other.pixels.shape != longer[0].pixels.shape or (other.pixels != longer[0].pixels).any()


@pytest.mark.parametrize("kind", KINDS)
def test_each_says_what_is_wanted_and_where(kind: str) -> None:
    for one in made(kind):
        assert (one.pixels.dtype, one.pixels.ndim, one.pixels.shape[2]) == (np.uint8, 3, 3)
        assert one.kind == kind
        assert (one.label is None) == (kind in REFUSED) == bool(one.reasons)
        height, width = one.pixels.shape[:2]
        assert 0 <= one.box[0] < one.box[2] <= width
        assert 0 <= one.box[1] < one.box[3] <= height
        assert part(one).std() > 3  # something is written there


def test_a_digit_keeps_its_label() -> None:
    digits = mnist_test()[:200]
    for label in (0, 4, 8):
        writer = Writer(Digits(digits.images, np.full(200, label, np.uint8)))
        rng = np.random.default_rng(1)
        given = [writer.digit(rng, 60)[0] for _ in range(40)]
        assert 22 < given.count(label) < 40  # three in four, the rest is printed, of any digit


def test_digits_are_as_high_as_is_wanted() -> None:
    rng, writer = np.random.default_rng(2), Writer(mnist_test()[:200], (OWN, *fonts_to_learn()), varied=0.5)
    heights = [len(writer.digit(rng, 100)[1]) for _ in range(60)]
    assert 85 < min(heights) <= max(heights) < 115


def test_writers_write_in_their_own_fonts_and_digits_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    used = set()
    monkeypatch.setattr(Writer, "font", lambda self, rng: used.update(self.fonts) or OWN)
    assert len(made("plain paper", 20)) == 20
    assert used == {OWN}
    assert OWN not in fonts_to_learn()
    assert len(fonts_to_learn()) > 10


def test_a_card_is_light_and_the_table_dark() -> None:
    for one in made("card on a dark table"):
        paper = np.median(part(one))
        edge = np.concatenate([one.pixels[0], one.pixels[-1], one.pixels[:, 0], one.pixels[:, -1]])
        assert np.median(edge.mean(axis=1)) < 0.75 * paper


@pytest.mark.parametrize(
    "kind",
    ["bracket beside it", "pen beside it", "finger beside it", "underlined", "in a box", "in a ring"],
)
def test_something_else_is_there_and_clear_of_the_digit(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn on even paper, all that departs from it beyond the digit's box is the other thing."""
    monkeypatch.setattr(scenery, "shown", lambda page, rng: np.repeat(255 - page[:, :, None], 3, axis=2))
    monkeypatch.setattr(scenery, "photograph", lambda scene, rng, look: (255 * scene).astype(np.uint8))
    monkeypatch.setattr(
        scenery, "paper", lambda rng, height, width, **_: np.ones((height, width, 3), np.float32)
    )
    for one in made(kind):
        assert (rest(one) < 200).sum() > 0.02 * (one.box[3] - one.box[1]) ** 2
        left, top, right, bottom = one.box
        left, top = max(left, 2), max(top, 2)
        around = np.array(Image.fromarray(one.pixels).convert("L"))[
            top - 2 : bottom + 2, left - 2 : right + 2
        ]
        assert np.median(np.concatenate([around[0], around[-1], around[:, 0], around[:, -1]])) > 150


def test_every_sign_can_be_printed() -> None:
    """A font prints the same box for all characters that it lacks; some print nothing, which is an error."""
    for font in (OWN, *fonts_to_learn()):
        shapes = {sign: printed.write(sign, font, 40) for sign in {*"".join((*SIGNS, *SIGNED))} - {*"{}"}}
        for sign, drawn in shapes.items():
            assert not [other for other in shapes if other != sign and np.array_equal(shapes[other], drawn)]


def test_every_kind_is_read_or_refused() -> None:
    assert (*READ, *CELLS, *REFUSED) == KINDS
    assert len(set(KINDS)) == len(KINDS)


def test_what_is_cropped_has_next_to_no_paper_around() -> None:
    for one in made("cropped to the digit", 20):
        height, width = one.pixels.shape[:2]
        left, top, right, bottom = one.box
        assert max(left, top, width - right, height - bottom) <= 0.07 * max(height, width)


def test_bars_lie_along_at_least_one_edge_and_clear_of_the_digit() -> None:
    for one in made("bars along the edges", 20):
        left, top, right, bottom = one.box
        grey = one.pixels.mean(axis=2)
        inside = np.median(grey[top:bottom, left:right].ravel())
        edges = (grey[:2], grey[-2:], grey[:, :2], grey[:, -2:])
        assert min(float(np.median(edge)) for edge in edges) < inside
        assert min(left, top) > 0


def test_a_square_is_filled_from_side_to_side() -> None:
    for one in made("stretched to a square", 20):
        side = one.pixels.shape[0]
        assert one.pixels.shape == (side, side, 3) and side <= 32
        left, top, right, bottom = one.box
        assert max(left, top, side - right, side - bottom) <= 2
