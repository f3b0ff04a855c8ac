"""The recipe of the number reader, from composing to the exported files, in small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from lab.reading.test_compose import people

from digitrec.lab import stocks
from digitrec.lab.reading import train
from digitrec.models.network import description_in
from digitrec.models.sequence import ALPHABET, BLANK, HEIGHT, LETTERS, SHIPPED, SequenceReader, read

pytestmark = [
    pytest.mark.usefixtures("eagerly"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
VIEWS = 64


def tiny(policy: str | None = None, whole: Any = train.network) -> Any:
    """Return a small network that reads ones: an untrained one might read nothing."""
    net = whole((4, 4, 6, 6, 8), policy)
    last = [layer for layer in net.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    last.bias.assign(20 * np.eye(BLANK + 1)[ALPHABET.index("1")])
    return net


def test_a_tiny_stock_becomes_two_files_that_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stocks, "EVERY", 2)
    monkeypatch.setattr(train, "network", tiny)
    monkeypatch.setattr(train, "people", lambda part: people())
    for name, value in {"STOCK": VIEWS, "HANDS": 4, "OTHER_HANDS": 3}.items():
        monkeypatch.setattr(train, name, value)
    train.compose(tmp_path, 2 * VIEWS)
    assert len(list(tmp_path.glob("*.npz"))) == 3
    train.learn(tmp_path, 2 * train.BATCH)
    train.learn(tmp_path, 3 * train.BATCH)  # continues after two steps
    out = tmp_path / "weights"
    out.mkdir()
    train.export(out, tmp_path, tmp_path)
    about = description_in((out / SHIPPED.name).read_bytes(), out / SHIPPED.name)
    assert about["card"]["steps"] == [3]
    for file in (SHIPPED, LETTERS):
        look = SequenceReader(out / file.name).look(np.full((HEIGHT, 64), 200, np.uint8))
        assert set(read([look]).text) == {"1"}
