"""Real objects, cut out of their background."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitrec.errors import DataError
from digitrec.lab.handwriting.clipart import an_object, objects


def test_objects_are_cropped_and_some_are_held_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITREC_DATA", str(tmp_path))
    with pytest.raises(DataError, match="openclipart"):
        objects("learned")
    for kind in ("tools", "signs_and_symbols"):
        for at in range(16):
            file = tmp_path / f"openclipart/usr/png/{kind}/deeper/{at}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            page = Image.new("RGBA", (100, 80))
            page.paste((at, 0, 0, 255), (20, 10, 70, 30) if at else (0, 0, 100, 80))
            page.paste((0, 0, 0, 0), (30, 15, 50, 25))
            page.save(file)
    learned, held_back = objects("learned"), objects("held back")
    assert {one.size for one in (*learned, *held_back)} == {(50, 20)}
    assert [len(learned), len(held_back)] == [14, 1]  # one fills its picture: it is a photo, no object


def test_an_object_is_long_or_of_any_colour_but_the_same_again() -> None:
    pictures = [Image.new("RGBA", (60, 20), "red"), Image.new("RGBA", (40, 40), "blue")]
    for seed in range(8):
        (colours, cover), again = (
            an_object(pictures, np.random.default_rng(seed), 90, 120, 30) for _ in "ab"
        )
        assert colours.shape == (90, 120, 3) and cover.shape == (90, 120)
        assert np.array_equal(cover, again[1]) and colours.min() >= 0 and cover.max() <= 1
