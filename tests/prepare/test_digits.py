"""Digits that leave the picture, and digits that only touch its edges."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.prepare.digits import cut_off

PAGE = np.zeros((60, 80), bool)


def inked(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    page = PAGE.copy()
    page[top:bottom, left:right] = True
    return page


@pytest.mark.parametrize("turns", range(4))
def test_a_digit_is_cut_off_on_any_side_and_in_any_corner(turns: int) -> None:
    assert cut_off(np.rot90(inked(0, 20, 30, 45), turns))
    assert cut_off(np.rot90(inked(0, 20, 0, 15), turns))
    assert not cut_off(np.rot90(inked(1, 20, 30, 45), turns))


def test_what_was_cropped_close_to_its_ink_is_whole() -> None:
    assert not cut_off(inked(0, 60, 30, 45))
    assert not cut_off(inked(0, 60, 0, 80))
    assert not cut_off(inked(0, 60, 0, 45))  # a square crop of a narrow digit
    assert not cut_off(inked(0, 57, 30, 45))  # its foot is paler than the rest
    assert not cut_off(inked(0, 46, 30, 45))  # it just touches an edge
    assert not cut_off(PAGE)
