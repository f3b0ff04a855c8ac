"""Keras networks by name, from (N, 28, 28, 1) to (N, 10) probabilities: one published, others of our design.

`tutorial_cnn` is the network of a well-known tutorial, layer for layer. The plain ones are our own. Those
after published families are in `digitrec.lab.training.backbones`.
"""

from __future__ import annotations

from digitrec.lab.training.backend import keras

layers = keras.layers


def tutorial_cnn() -> keras.Model:
    """Two convolutions, two poolings, three dropouts, 225,034 parameters: exactly as published."""
    return _sequential("tutorial-cnn", [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def simple_cnn() -> keras.Model:
    """Our small one: two wide-eyed convolutions and one dense layer."""
    return convolutional(filters=24, depth=2, kernel=5, dense=128, dropout=0.4)


def convolutional(*, filters: int, depth: int, kernel: int, dense: int, dropout: float) -> keras.Model:
    """Return a plain CNN with everything that `tune` searches over.

    Args:
        filters: channels of the first convolution; each further one has twice as many.
        depth: convolutions, each followed by a pooling that halves the image, 1..4.
        kernel: pixels along each side of a convolution.
        dense: units of the dense layer before the last.
        dropout: share of the dense layer that is silenced while learning, 0..1.
    """
    stages = []
    for stage in range(depth):
        conv = layers.Conv2D(filters * 2**stage, kernel, padding="same", use_bias=False)
        stages += [*_normalised(conv), layers.MaxPooling2D(2)]
    return _sequential("convolutional", [
        *stages,
        layers.Flatten(),
        layers.Dense(dense, activation="relu"),
        layers.Dropout(dropout),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def complex_cnn() -> keras.Model:
    """Our large one: five normalised convolutions in three stages, then a dense layer."""
    stages = []
    for width, repeats in ((32, 2), (64, 2), (128, 1)):
        for _ in range(repeats):
            stages += _normalised(layers.Conv2D(width, 3, padding="same", use_bias=False))
        stages += [layers.MaxPooling2D(2), layers.Dropout(0.2)]
    return _sequential("complex-cnn", [
        *stages,
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.4),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def mlp() -> keras.Model:
    """Ours without convolutions: two dense layers over the 784 pixels."""
    hidden = []
    for width in (512, 256):
        hidden += [*_normalised(layers.Dense(width, use_bias=False)), layers.Dropout(0.3)]
    return _sequential("mlp", [layers.Flatten(), *hidden, layers.Dense(10, activation="softmax")])


def _normalised(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layer with batch normalisation and ReLU."""
    return [layer, layers.BatchNormalization(momentum=0.9), layers.ReLU()]


def _sequential(name: str, inner: list[keras.layers.Layer]) -> keras.Model:
    return keras.Sequential([keras.Input((28, 28, 1), name="image"), *inner], name=name)
