"""Devices: available ones are found; the error for a missing one lists those available."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf

from digitrec.errors import NotConfigured
from digitrec.lab.training import devices


@pytest.mark.parametrize(("cards", "name", "found"), [
    (2, "auto", "auto"), (2, "cpu", "cpu"), (2, "gpu", "gpu:0"), (2, "gpu:0", "gpu:0"),
    (2, "gpu:1", "gpu:1"), (0, "auto", "auto"), (2, "gpu:2", None), (2, "gpu:-1", None), (2, "tpu", None),
    (2, "", None), (2, "gpu:0x1", None), (0, "gpu", None),
])  # fmt: skip
def test_a_device_is_found_or_refused_with_those_that_are_there(
    cards: int, name: str, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["card"] * cards)
    if found is not None:
        assert devices.find(name) == found
        return
    there = ", ".join(["cpu", *(f"gpu:{number}" for number in range(cards))])
    with pytest.raises(NotConfigured, match=f"'{name}'.*{there}"):
        devices.find(name)


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_what_is_made_there_lies_there(name: str) -> None:
    with devices.on(name):
        network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    assert name == "auto" or devices.of(network) == "cpu"
