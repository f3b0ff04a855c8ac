"""Any picture gives a Prediction or an ImageError."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import digitrec
from digitrec.errors import ImageError

SIDES = st.integers(1, 80) | st.sampled_from([1, 2, 28, 400])
KINDS = st.sampled_from([np.uint8, np.uint16, np.int32, np.float32, np.float64, np.bool_])


@st.composite
def blots(draw: st.DrawFn) -> np.ndarray:
    """Rectangles of any brightness on any ground, one over the other: pages, strokes, frames."""
    height, width = draw(SIDES), draw(SIDES)
    shape = draw(st.sampled_from([(height, width), (height, width, 3)]))
    page = np.full(shape, draw(st.integers(0, 255)), dtype=np.uint8)
    for _ in range(draw(st.integers(0, 6))):
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        bottom, right = draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width))
        page[top:bottom, left:right] = draw(st.integers(0, 255))
    return page


shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=30)
anything = blots() | KINDS.flatmap(lambda kind: arrays.arrays(kind, shapes))


@settings(max_examples=60)
@given(picture=anything)
def test_any_array_is_read_refused_or_called_no_picture(picture: np.ndarray) -> None:
    try:
        read = digitrec.predict(picture)
    except TypeError:
        assert picture.ndim > 3 or picture.shape[-1] > 4  # several pictures
        return
    except ImageError as error:
        assert "\n" not in str(error)
        return
    assert (read.digit is None) == (read.reason is not None)
    assert read.digit in (None, *range(10))
    assert read.confidence is None or 0 <= read.confidence <= 1
    assert read.calibrated is None or 0 <= read.calibrated <= 1
    if read.probabilities is not None:
        assert len(read.probabilities) == 10 and abs(sum(read.probabilities) - 1) < 1e-3
    json.dumps(read.as_dict(), allow_nan=False)
