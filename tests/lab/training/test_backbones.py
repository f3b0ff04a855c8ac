"""ResNet and EfficientNet: the input of the published one."""

from __future__ import annotations

import keras
import numpy as np

from digitrec.lab.training import backbones


def test_efficientnet_sees_the_digit_as_its_authors_prepared_their_pictures() -> None:
    network = backbones.efficientnet()
    assert network.input_shape == (None, 28, 28, 1)
    assert network.get_layer("efficientnetb0").input_shape == (None, 224, 224, 3)
    last = network.layers[-1]
    assert (last.units, last.activation.__name__, network.output.shape) == (10, "softmax", (None, 10))
    (scaling,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Rescaling))
    shades = np.broadcast_to(np.reshape([0.0, 0.25, 1.0], (3, 1, 1, 1)), (3, 28, 28, 1))
    seen = np.asarray(keras.Model(network.input, scaling.output)(shades))
    grey = np.broadcast_to(255 * shades[:, :1, :1], (3, 224, 224, 3)).astype(np.float32)
    expected = keras.applications.efficientnet.preprocess_input(grey.copy())
    np.testing.assert_allclose(seen, expected, atol=1e-3)
