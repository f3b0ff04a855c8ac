"""`digitrec explore`."""

from pathlib import Path

import numpy as np
from PIL import Image
from terminal import run


def test_it_leaves_six_pictures(tmp_path: Path) -> None:
    pictures = run("explore", "--limit", "60", "--out", str(tmp_path), code=0).stdout.splitlines()
    assert len(pictures) == 6
    assert all(np.asarray(Image.open(path)).shape[1] > 500 for path in pictures)
