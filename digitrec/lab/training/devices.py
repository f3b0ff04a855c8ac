"""Where TensorFlow computes: on the processor, or on one graphics card of several."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from digitrec.errors import NotConfigured
from digitrec.lab.training.loop import load_keras

if TYPE_CHECKING:
    import keras

AUTO, CPU, GPU = "auto", "cpu", "gpu"


def find(name: str) -> str:
    """Return an available device in the form that `on` takes.

    Args:
        name: "auto", TensorFlow's own choice (the first graphics card, else the processor); "cpu"; "gpu", the
            first graphics card; "gpu:1" the second and so on.

    Raises:
        NotConfigured: no device has that name; the message lists the devices.
        NotInstalled: TensorFlow is missing.
    """
    load_keras()
    import tensorflow as tf

    cards = [f"{GPU}:{number}" for number in range(len(tf.config.list_physical_devices("GPU")))]
    wanted = f"{GPU}:0" if name == GPU else name
    if wanted in (AUTO, CPU, *cards):
        return wanted
    hint = "" if cards else "; TensorFlow finds a graphics card once its driver and CUDA are installed"
    raise NotConfigured(f"no device {name!r}: TensorFlow sees {', '.join((CPU, *cards))}{hint}")


def on(device: str) -> AbstractContextManager[Any]:
    """Run the training of this thread on a device, given as by `find`."""
    return nullcontext() if device == AUTO else load_keras().device(device)


def of(network: keras.Model) -> str:
    """Where a network's weights lie, and so where it computes: "cpu" or "gpu:0" and so on."""
    place = str(network.weights[0].value.device).lower()
    return CPU if place.endswith("cpu:0") else place[place.rfind(GPU) :]
