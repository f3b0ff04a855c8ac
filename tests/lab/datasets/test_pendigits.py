"""Reading the published file of pen paths."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digitrec.lab.datasets.pendigits import parse

COORDINATES = st.integers(0, 500)
STROKES = st.lists(
    st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=9), min_size=1, max_size=4
)


def file(digits: list[tuple[int, int, list[list[tuple[int, int]]]]]) -> str:
    """Write the digits (label, writer, strokes with y upwards) in the file's form."""
    lines = [".INCLUDE dene.doc", ".LEXICON", '"0" "1"', ".HIERARCHY DIGIT"]
    for number, (label, writer, strokes) in enumerate(digits):
        lines += [f'.SEGMENT DIGIT 0-{len(strokes)} ? "{label}"', f".COMMENT  {label}  {writer} {number}"]
        for stroke in strokes:
            lines += [".PEN_DOWN", *(f" {x:4d} {y:4d} " for x, y in stroke), ".PEN_UP", ".DT 100", ""]
    return "\n".join(lines)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 44), STROKES), max_size=4))
def test_every_digit_comes_back_with_its_label_its_writer_and_its_strokes(digits) -> None:
    found = list(parse(file(digits)))
    assert [(one.label, one.writer) for one in found] == [(label, f"tr{who:03d}") for label, who, _ in digits]
    for one, (_, _, strokes) in zip(found, digits, strict=True):
        assert [len(stroke) for stroke in one.strokes] == [len(stroke) for stroke in strokes]
        points, as_written = np.concatenate(one.strokes), np.concatenate([np.array(s) for s in strokes])
        assert points.min() == 0
        scale = 100 / max(1, np.ptp(as_written, axis=0).max())
        assert np.allclose(np.diff(points, axis=0), scale * np.diff(as_written, axis=0) * (1, -1))


def test_y_grows_downwards() -> None:
    (digit,) = parse(file([(1, 7, [[(10, 90), (10, 40)]])]))
    assert (digit.label, digit.writer) == (1, "tr007")
    assert digit.strokes[0].tolist() == [[0, 0], [0, 100]]
