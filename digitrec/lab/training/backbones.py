"""ResNet and EfficientNet, from (N, 28, 28, 1) to (N, 10) probabilities.

The small ResNet has the family's blocks at MNIST's own size, and learns MNIST on a CPU in minutes.
EfficientNetB0 is the published network of `keras.applications`, and takes an enlarged digit.

Sources: K. He et al., Deep Residual Learning for Image Recognition, CVPR 2016 (section 4.2 for small
pictures); M. Tan and Q. V. Le, EfficientNet, ICML 2019.
"""

from __future__ import annotations

from typing import Any, Literal

from digitrec.lab.training.backend import keras

layers = keras.layers

PUBLISHED_SIDE = 224
"""Side for which EfficientNetB0 was made, in pixels."""


def resnet_small() -> keras.Model:
    """ResNet-8: He et al.'s residual network for small pictures with one block in each of its three stages.

    A block is two normalised 3x3 convolutions and a way around them, by a 1x1 convolution where the width
    changes. The averages of the last 64 maps tell the digit. 78,426 parameters.
    """
    image = keras.Input((28, 28, 1), name="image")
    x = layers.ReLU()(_convolved(image, 16))
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        x = _residual(x, width, stride)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, _probabilities(x), name="resnet-small")


def efficientnet(weights: Literal["imagenet"] | None = None, side: int = PUBLISHED_SIDE) -> keras.Model:
    """EfficientNetB0 with a layer for ten digits.

    Args:
        weights: "imagenet": Keras fetches them; None: random ones.
        side: side to which the digit is enlarged, in pixels, 32 or more.
    """
    body = keras.applications.EfficientNetB0(
        include_top=False, weights=weights, pooling="avg", input_shape=(side, side, 3)
    )
    image = keras.Input((28, 28, 1), name="image")
    x = layers.Resizing(side, side)(image)
    x = layers.Rescaling(255.0)(layers.Concatenate()([x, x, x]))
    return keras.Model(image, _probabilities(body(x)), name="efficientnet")


def freeze(network: keras.Model) -> None:
    """Let only the last layer learn; normalisation keeps what it has measured, too."""
    for layer in network.layers[:-1]:
        layer.trainable = False


def thaw(network: keras.Model) -> None:
    """Let every layer learn again, whatever the network's file says.

    Layer by layer: in a `Sequential` loaded from a file, `network.trainable = True` reaches no layer.
    """
    for layer in network.layers:
        layer.trainable = True
        if hasattr(layer, "layers"):
            thaw(layer)


def _convolved(x: Any, width: int, *, side: int = 3, stride: int = 1) -> Any:
    """Return a convolution with batch normalisation."""
    x = layers.Conv2D(width, side, stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9)(x)


def _residual(x: Any, width: int, stride: int) -> Any:
    """He et al.'s basic block."""
    inner = _convolved(layers.ReLU()(_convolved(x, width, stride=stride)), width)
    if stride != 1 or x.shape[-1] != width:
        x = _convolved(x, width, side=1, stride=stride)
    return layers.ReLU()(layers.Add()([x, inner]))


def _probabilities(x: Any) -> Any:
    return layers.Dense(10, activation="softmax", name="probabilities")(x)
