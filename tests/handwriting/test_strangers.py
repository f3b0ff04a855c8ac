"""Writers held back, as sets to measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from digitrec.handwriting import strangers


def test_the_writers_held_back_are_sets_to_measure(world_folder: Path) -> None:
    assert [sample.label for sample in strangers.swiss_dev()] == [1, 3, 5]
    assert len(strangers.swiss_dev(2)) == 2
    (one,), (again,) = strangers.turkish_dev(), strangers.turkish_dev()
    assert one.label == 1
    assert np.array_equal(one.image, again.image) and np.asarray(one.image).max() == 255
