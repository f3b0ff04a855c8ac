"""The recipe of the number reader, from composing to the exported files, in small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from lab.reading.test_compose import people
from PIL import Image

from digitrec.image import DigitImage
from digitrec.lab import stocks
from digitrec.lab.reading import train
from digitrec.lab.reading.compose import Composer, Labelled
from digitrec.lab.reading.hands import hands
from digitrec.models.network import description_in
from digitrec.models.sequence import ALPHABET, BLANK, LETTERS, SHIPPED, SequenceReader
from digitrec.prepare import prepare
from digitrec.providers.local_numbers import LocalNumbers
from digitrec.providers.registry import open_provider

pytestmark = [
    pytest.mark.usefixtures("eagerly"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
VIEWS = 64


def numbers(count: int, seed: int) -> Iterator[Labelled]:
    """Yield eight composed numbers, however many are asked for."""
    composer = Composer(list(hands(people(), 3, seed)), np.random.default_rng(seed))
    for _ in range(8):
        view, text = composer.number()
        yield Labelled(Image.fromarray(view), text)


def tiny(policy: str | None = None, whole: Any = train.network) -> Any:
    """Return a small network that reads ones: an untrained one might read nothing to calibrate."""
    net = whole((4, 4, 6, 6, 8), policy)
    last = [layer for layer in net.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    last.bias.assign(20 * np.eye(BLANK + 1)[ALPHABET.index("1")])
    return net


def test_a_tiny_stock_becomes_two_files_that_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stocks, "EVERY", 2)
    monkeypatch.setattr(train, "held_back", numbers)
    monkeypatch.setattr(train, "network", tiny)
    monkeypatch.setattr(train, "people", lambda part: people())
    for name, value in {"STOCK": VIEWS, "HANDS": 4, "OTHER_HANDS": 3}.items():
        monkeypatch.setattr(train, name, value)
    train.main("compose", str(tmp_path), str(2 * VIEWS))
    assert len(list(tmp_path.glob("*.npz"))) == 3
    train.main("learn", str(tmp_path), str(2 * train.BATCH))
    train.main("learn", str(tmp_path), str(3 * train.BATCH))  # continues after two steps
    out = tmp_path / "weights"
    out.mkdir()
    train.main("export", str(out), str(tmp_path), str(tmp_path))
    about = description_in((out / SHIPPED.name).read_bytes(), out / SHIPPED.name)
    assert about["card"]["steps"] == [3]
    chances = about["calibration"]["chances"]
    assert chances == sorted(chances) and 0 < chances[0] <= chances[-1] < 1
    readers = SequenceReader(out / SHIPPED.name), SequenceReader(out / LETTERS.name)
    reader = LocalNumbers(open_provider("local"), readers)
    (one, *_) = numbers(1, 0)
    (found,) = reader.read(prepare(DigitImage.open(one.image), reader.wants), timeout=1.0).candidates
    assert set(found.text) == {"1"}
