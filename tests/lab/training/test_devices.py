"""Where it computes: what is there is found, what is not is told with what there is."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf

from digitrec.errors import NotConfigured
from digitrec.lab.training import devices


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one", "other"])


@pytest.mark.usefixtures("two_cards")
@pytest.mark.parametrize(
    ("name", "found"),
    [("auto", "auto"), ("cpu", "cpu"), ("gpu", "gpu:0"), ("gpu:0", "gpu:0"), ("gpu:1", "gpu:1")],
)
def test_a_device_that_is_there_is_found(name: str, found: str) -> None:
    assert devices.find(name) == found


@pytest.mark.usefixtures("two_cards")
@pytest.mark.parametrize("name", ["gpu:2", "gpu:-1", "gpu:", "tpu", "", "CPU:0", "gpu:0x1"])
def test_one_that_is_not_is_told_with_those_that_are(name: str) -> None:
    with pytest.raises(NotConfigured, match=f"no device '{name}': TensorFlow sees cpu, gpu:0, gpu:1$"):
        devices.find(name)


def test_without_a_card_it_is_said_what_a_card_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert devices.find("auto") == "auto"
    with pytest.raises(NotConfigured, match="TensorFlow sees cpu; a graphics card is seen"):
        devices.find("gpu")


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_what_is_made_there_lies_there(name: str) -> None:
    with devices.on(name):
        network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    assert name == "auto" or devices.of(network) == "cpu"
