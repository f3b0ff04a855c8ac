"""Reading a number from a strip: the search over the network's columns, and the shipped network."""

from collections import defaultdict
from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitrec.lab.handwriting.writer import OWN, in_font
from digitrec.models import sequence
from digitrec.models.sequence import ALPHABET, BLANK, HEIGHT, OTHER, WIDEST, SequenceReader, read, search

KINDS = (1, 7, 10, BLANK)
"""Classes that occur in the generated columns: "1", "7", "." and the blank."""


def columns(shares: list[list[float]]) -> np.ndarray:
    """Return columns of chances, (T, 15), in which only `KINDS` occur."""
    found = np.zeros((len(shares), BLANK + 1), np.float32)
    found[:, KINDS] = shares
    return found / found.sum(axis=1, keepdims=True)


def printed(text: str, height: int, margin: int) -> np.ndarray:
    """Return a strip with a text in print, this far from its upper left corner."""
    ink = 255 - np.pad(in_font(text, OWN, height), margin)[:HEIGHT]
    return np.pad(ink, ((0, HEIGHT - len(ink)), (0, 0)), constant_values=255)


def text_of(path: tuple[int, ...]) -> str:
    return "".join(ALPHABET[kind] for kind, _ in groupby(path) if kind != BLANK)


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_the_search_sums_the_chances_of_all_paths_to_each_text(shares: list[list[float]]) -> None:
    given = columns(shares)
    sums: dict[str, float] = defaultdict(float)
    for path in product(KINDS, repeat=len(given)):
        sums[text_of(path)] += float(np.prod([given[at, kind] for at, kind in enumerate(path)]))
    kept, sequence.BEAM = sequence.BEAM, 10_000
    try:
        found = search(given)
    finally:
        sequence.BEAM = kept
    assert {text: one.chance for text, one in found.items()} == pytest.approx(dict(sums), rel=1e-4)
    assert max(search(given).values(), key=lambda one: one.chance).chance <= max(sums.values()) * 1.0001


@given(st.integers(1, 3), st.integers(0, 2))
def test_only_numbers_of_the_expected_length_are_read(fewest: int, more: int) -> None:
    rng = np.random.default_rng(fewest)
    found = search(columns(rng.uniform(0.1, 1, (8, 4)).tolist()), (fewest, fewest + more))
    assert found
    assert all(fewest <= sum(map(str.isdigit, text)) <= fewest + more for text in found)


def test_a_letter_beside_the_digits_takes_its_chance_from_them() -> None:
    rows = columns([[0, 0, 0, 1], [0.9, 0, 0, 0.1], [0, 0, 0, 1]])
    rows[2] *= 0.3
    rows[2, OTHER] = 0.7
    (best,) = [one for one in search(rows).values() if one.text]
    assert (best.text, best.chance) == ("1", pytest.approx(0.27))


@pytest.mark.parametrize("sign", [0.995, 0.8])
def test_what_may_be_a_sign_beside_a_number_is_left_out_with_its_chance(sign: float) -> None:
    rows = columns([[0, 0, 0, 1], [0, 0, 0, 1], [0.9, 0, 0, 0.1], [0, 0, 0, 1], [0, 0, 0, 1]])
    for at in (0, 4):
        rows[at, [OTHER, 7, BLANK]] = sign, 1 - sign, 0
    one, both = read([np.stack([rows[:4]] * 2)]), read([np.stack([rows] * 2)])
    assert (one.text, both.text) == ("1", "1")
    assert one.chance == pytest.approx(0.9 * sign, abs=0.01)
    assert both.chance == pytest.approx(0.9 * sign**2, abs=0.01)
    assert one.rival == pytest.approx(max(0.9 * (1 - sign), 0.1 * sign), abs=0.01)


def test_a_letter_between_two_digits_is_not_left_out() -> None:
    rows = columns([[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]])
    rows[1, [OTHER, BLANK]] = 0.995, 0.005
    assert read([np.stack([rows] * 2)]).chance < 0.01


@pytest.mark.parametrize(("text", "inside", "bare"), [
    ("(47)", True, "47"), ("4:07", True, None), ("12/5", True, None), ("407", False, None),
])  # fmt: skip
def test_the_network_sees_signs_that_are_not_in_a_number(text: str, inside: bool, bare: str | None) -> None:
    look = SequenceReader().look(printed(text, 18, 4))
    whole, alone = read([look]), read([sequence.without_signs(look)])
    assert (whole.sign > 0.5) == inside
    if bare is not None:
        assert (alone.text, alone.sign < 0.5, alone.beside > 0.5) == (bare, True, True)
    else:
        assert alone.text == whole.text


def test_likely_signs_on_each_side_become_blank_and_those_between_the_digits_stay() -> None:
    one, seven, point, blank = np.eye(4).tolist()
    first = columns([one, blank, blank, seven, point, one, seven, blank, blank, one])
    look = np.stack([first, first])
    assert np.array_equal(sequence.without_signs(look), look)
    look[1, [0, 4, 6], OTHER] = 0.9, 0.8, 0.4
    assert np.array_equal(sequence.without_signs(look), look), "it may be a 1"
    look[1, 0, OTHER] = 0.98
    found = sequence.without_signs(look)
    assert found[0, 0, BLANK] == 1 and np.array_equal(found[0, 1:], first[1:])
    look[1, [0, 9], OTHER] = 0.9, 0.7
    found = sequence.without_signs(look)
    assert np.array_equal(found[0, 1:9], first[1:9]) and np.array_equal(found[1], look[1])
    assert (found[0, [0, 9], BLANK] == 1).all() and found[0, [0, 9], :BLANK].max() == 0
    whole, alone = read([look]), read([found])
    assert (whole.text, whole.sign, whole.beside) == ("17.171", pytest.approx(0.9), 0)
    assert (alone.text, alone.sign, alone.beside) == ("7.17", pytest.approx(0.8), pytest.approx(0.9))


def test_what_is_beside_a_known_sign_is_no_bracket() -> None:
    first = columns([[0, 0, 0, 1], [0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]])
    first[0, [OTHER, BLANK]] = 0.99, 0.01
    second = first.copy()
    second[4, [1, OTHER]] = 0.3, 0.7  # "$71", whose 1 looks like a bracket
    assert read([sequence.without_signs(np.stack([first, second]))]).text == "71"


@pytest.mark.parametrize(("doubt", "text"), [(0.2, "17"), (0.0, "7")])
def test_what_the_first_output_doubts_to_be_another_sign_may_be_a_digit(doubt: float, text: str) -> None:
    first = columns([[doubt, 0, 0, 0.1], [0, 0, 0, 1], [0, 1, 0, 0]])
    first[0, [1, OTHER, BLANK]] = doubt, 0.9 - doubt, 0.1
    second = columns([[0.9, 0, 0, 0.1], [0, 0, 0, 1], [0, 1, 0, 0]])
    assert read([np.stack([first, second])]).text == text


def test_each_character_has_its_place_and_chance() -> None:
    rows = [[0, 0, 0, 1], [0.9, 0, 0, 0.1], [0, 0, 0, 1], [0, 0.8, 0, 0.2]]
    best = max(search(columns(rows)).values(), key=lambda one: one.chance)
    assert best.text == "17"
    assert best.places == (0.25, 0.75)
    assert best.chances == pytest.approx((0.9, 0.8))


@pytest.mark.parametrize("shape", [(HEIGHT + 1, 40), (HEIGHT, 0), (HEIGHT, WIDEST + 1)])
def test_a_strip_of_another_size_is_rejected(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=str(shape[1])):
        SequenceReader().look(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("width", [1, 31, 32, 33, 100, WIDEST])
def test_strips_of_any_width_have_a_column_for_each_four_pixels(width: int) -> None:
    found = SequenceReader().look(np.full((HEIGHT, width), 200, np.uint8))
    assert found.shape == (2, -(-width // 4), BLANK + 1)
    assert found.sum(axis=2) == pytest.approx(1, abs=1e-4)
    assert found.min() >= 0 and found.max() <= 1


def test_the_chance_of_a_number_is_the_mean_over_the_looks() -> None:
    reader = SequenceReader()
    clear = reader.look(printed("407", 22, 5))
    alone, both = read([clear]), read([reader.look(np.full((HEIGHT, 96), 255, np.uint8)), clear])
    assert (alone.text, alone.look) == ("407", 0)
    assert (both.text, both.look) == ("407", 1)
    assert both.chance == pytest.approx(alone.chance / 2, rel=0.01)


def test_each_look_has_its_share_of_letters() -> None:
    clear, mixed = columns([[0, 0, 0, 1], [1, 0, 0, 0]]), columns([[0, 0, 0, 1], [1, 0, 0, 0]])
    mixed[1] *= 0.25
    mixed[1, OTHER] = 0.75
    looks = [np.stack([one] * 2) for one in (clear, mixed)]
    assert read(looks[:1]).letters == (0,)
    assert read(looks).letters == pytest.approx((0, 0.75))


def test_the_network_sees_letters() -> None:
    assert read([SequenceReader().look(printed("total", 22, 5))]).chance < 0.1
