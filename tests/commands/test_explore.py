"""`digitrec explore`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from terminal import run


def test_it_leaves_six_pictures_and_one_page(tmp_path: Path) -> None:
    done = run("explore", "--limit", "60", "--out", str(tmp_path), code=0)
    *pictures, page = done.stdout.splitlines()
    assert len(pictures) == 6
    assert all(np.asarray(Image.open(path)).shape[1] > 500 for path in pictures)
    text = Path(page).read_text(encoding="utf-8")
    assert text.count("<svg") == 6 and "A look at mnist-test" in text
    assert 'src="http' not in text and "url(http" not in text
