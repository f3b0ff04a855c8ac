"""What all pictures share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from digitrec.report.plots.style import COLOURS, line, save


def test_a_picture_is_saved_on_white_into_a_new_folder(tmp_path: Path) -> None:
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().plot([0, 1])
    path = save(figure, tmp_path / "new" / "one.png")
    picture = np.asarray(Image.open(path).convert("RGBA"))
    assert picture.shape[:2] == (120, 240)
    assert (picture[0, 0] == 255).all()


def test_ten_lines_are_told_apart_without_colour_alone() -> None:
    kinds = {(COLOURS[place % len(COLOURS)], str(line(place))) for place in range(10)}
    assert len(kinds) == 10
