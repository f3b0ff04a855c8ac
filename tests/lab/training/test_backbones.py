"""ResNet, VGG and EfficientNet: the blocks of the small ones, the input of the published ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest

from digitrec.lab.training import backbones

BACKBONES = [
    (backbones.resnet, "resnet", "resnet50v2", keras.applications.resnet_v2),
    (backbones.vgg, "vgg", "vgg16", keras.applications.vgg16),
    (backbones.efficientnet, "efficientnet", "efficientnetb0", keras.applications.efficientnet),
]


@pytest.mark.parametrize(("build", "name", "body", "published"), BACKBONES)
def test_a_backbone_sees_the_digit_as_its_authors_prepared_their_pictures(
    build: Callable[[], keras.Model], name: str, body: str, published: ModuleType
) -> None:
    network = build()
    assert network.name == name and network.input_shape == (None, 28, 28, 1)
    assert network.get_layer(body).input_shape == (None, 224, 224, 3)
    (scaling,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Rescaling))
    assert [layer.name for layer in network.layers[-2:]] == [body, "probabilities"]
    last = network.layers[-1]
    assert (last.units, last.activation.__name__, network.output.shape) == (10, "softmax", (None, 10))
    shades = np.broadcast_to(np.reshape([0.0, 0.25, 1.0], (3, 1, 1, 1)), (3, 28, 28, 1))
    seen = np.asarray(keras.Model(network.input, scaling.output)(shades))
    grey = np.broadcast_to(255 * shades[:, :1, :1], (3, 224, 224, 3)).astype(np.float32)
    np.testing.assert_allclose(seen, published.preprocess_input(grey.copy()), atol=1e-3)


def test_efficientnet_gets_the_input_of_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras adds a layer of factors where it fetches that file itself; here they are in the scaling."""
    made = {}

    def build(**options: object) -> keras.Model:
        made.update(options)
        image = keras.Input((32, 32, 3))
        return keras.Model(image, keras.layers.GlobalAveragePooling2D()(image), name="body")

    monkeypatch.setattr(keras.applications, "EfficientNetB0", build)
    network = backbones.efficientnet(tmp_path / "notop.h5", side=32)
    assert made["weights"] == str(tmp_path / "notop.h5") and made["input_shape"] == (32, 32, 3)
    shades = np.broadcast_to(np.reshape([0.0, 0.25, 1.0], (3, 1, 1, 1)), (3, 28, 28, 1))
    (scaling,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Rescaling))
    scaled = np.asarray(keras.Model(network.input, scaling.output)(shades))[:, 0, 0] / 255
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    inside = (scaled - mean) / np.sqrt(deviation)  # what the body makes of it, by the file's own variances
    np.testing.assert_allclose(inside, (shades[:, 0, 0] - mean) / deviation, atol=1e-5)
