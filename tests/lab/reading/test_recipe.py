"""The recipe of the number reader, from composing to the exported files, in small."""

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from lab.reading.test_compose import people

from digitrec.lab import stocks
from digitrec.lab.reading import train
from digitrec.models.network import description_in, runner
from digitrec.models.sequence import ALPHABET, BLANK, HEIGHT, SequenceReader, read
from digitrec.models.store import to_litert

pytestmark = pytest.mark.usefixtures("eagerly")
VIEWS = 64


def tiny(policy: str | None = None, whole: Any = train.network) -> Any:
    """Return a small network that reads ones: an untrained one might read nothing."""
    net = whole((4, 4, 6, 6, 8), policy)
    last = [layer for layer in net.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    last.bias.assign(20 * np.eye(BLANK + 1)[ALPHABET.index("1")])
    return net


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a tiny composed stock for a tiny network."""
    monkeypatch.setattr(stocks, "EVERY", 2)
    monkeypatch.setattr(train, "network", tiny)
    monkeypatch.setattr(train, "people", lambda part: people())
    for name, value in {"STOCK": VIEWS, "HANDS": 4, "OTHER_HANDS": 3}.items():
        monkeypatch.setattr(train, name, value)
    train.compose(tmp_path, 2 * VIEWS)
    return tmp_path


def test_a_tiny_stock_becomes_a_file_that_reads(recipe: Path) -> None:
    assert len(list(recipe.glob("*.npz"))) == 3
    train.learn(recipe, 2 * train.BATCH)
    train.learn(recipe, 3 * train.BATCH)  # continues after two steps
    out = recipe / "reader.tflite"
    train.export(recipe, out)
    assert description_in(out.read_bytes(), out)["card"]["steps"] == 3
    final = recipe / "final.tflite"
    train.signs(recipe / "signs", 2 * VIEWS, 2 * train.BATCH, out, final)
    strip = np.full((HEIGHT, 64), 200, np.uint8)
    assert set(read([SequenceReader(final).look(strip)]).text) == {"1"}
    runners = (runner(file.read_bytes()) for file in (out, final))
    (alone,), (logits, doubts) = (it.run(strip[None, ..., None].astype(np.float32)) for it in runners)
    same = partial(np.allclose, rtol=1e-4, atol=1e-5)  # some processors round differently
    assert same(logits, alone) and not same(doubts, alone)
    both = map(stocks.weights_in, (out.read_bytes(), final.read_bytes()))
    assert all(map(same, *both))


def test_training_begins_with_the_network_in_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    strips = rng.integers(0, 255, (8, HEIGHT, 64, 1)).astype(np.float32)
    first, second = tiny(), tiny()
    for layer in first.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, len(part)) for part in layer.get_weights()])
    (tmp_path / "first.tflite").write_bytes(to_litert(first))
    train.begin_with(second, tmp_path / "first.tflite", [strips])
    wanted, found = np.asarray(first(strips)), np.asarray(second(strips))
    assert np.abs(found - wanted).max() < 0.05 * np.ptp(wanted, axis=(0, 1)).max()
    (dropout,) = [layer for layer in second.layers if isinstance(layer, keras.layers.SpatialDropout2D)]
    inside = keras.Model(second.inputs, dropout.input)  # the normalisations fit the strips
    training, reading = np.asarray(inside([strips], training=True)), np.asarray(inside([strips]))
    assert training == pytest.approx(reading, abs=0.05)
