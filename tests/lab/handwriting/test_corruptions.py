"""Canny's edge detector, by its definition; tests/lab/handwriting/test_generated.py has all corruptions."""

from __future__ import annotations

import numpy as np

from digitrec.lab.handwriting.corruptions import corrupt


def test_an_outline_begins_above_the_upper_threshold_and_goes_on_above_the_lower() -> None:
    square = np.zeros((1, 28, 28), np.uint8)
    square[:, 8:20, 8:20] = 255
    faint, strong = (np.minimum(square, level) for level in (12, 25))  # steepness about 0.13 and 0.27
    assert not corrupt(faint, "canny edges", 0).any() and corrupt(strong, "canny edges", 0).any()
    fading = np.zeros_like(square)
    fading[:, 8:20, 4:24] = np.linspace(60, 12, 20)
    assert (corrupt(fading, "canny edges", 0)[0, 5:11, 21] == 255).any()  # joined to its strong part
