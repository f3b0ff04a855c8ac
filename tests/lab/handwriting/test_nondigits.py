"""Pictures that must be refused: without learned letters, and with the documented gaps."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.lab.handwriting import nondigits, strokes
from digitrec.lab.handwriting.nondigits import DIGIT_WIDTH, pairs, scribbles
from digitrec.lab.handwriting.shapes import LEARNED, PLAIN


def test_scribbles_are_written_with_no_letter_that_networks_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    write = strokes.write
    monkeypatch.setattr(strokes, "write", lambda shapes, *how: shown.extend(shapes) or write(shapes, *how))
    monkeypatch.setattr(nondigits, "shown", lambda ink, rng: ink)
    assert len(list(scribbles(60, 0))) == 60
    assert len(shown) > 20 and not {PLAIN[letter] for letter in LEARNED} & set(shown)


def test_pairs_are_as_far_apart_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nondigits, "shown", lambda ink, rng: ink)
    made = list(pairs(60, 5))
    gaps = [pair.gap for pair in made]
    assert 1 < gaps.count(0.0) < 16 and 0.8 < max(gaps) <= 1 and len(set(gaps)) > 40
    for pair in made:
        ink = pair.pixels > 127
        columns, height = np.flatnonzero(ink.any(axis=0)), np.ptp(np.flatnonzero(ink.any(axis=1))) + 1
        clear = np.diff(columns).max() - 1  # slanted digits overlap in their columns and are still apart
        assert clear <= pair.gap * DIGIT_WIDTH * height + 1.5
