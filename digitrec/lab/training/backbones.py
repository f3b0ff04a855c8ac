"""ResNet, VGG and EfficientNet, from (N, 28, 28, 1) to (N, 10) probabilities: small ones and the published.

The small ones have each family's blocks at MNIST's own size, and few enough of them to learn MNIST on a CPU
in minutes. The published ones, from `keras.applications`, take an enlargement of the digit,
from random weights or from a file.

Sources: K. He et al., Deep Residual Learning for Image Recognition, CVPR 2016 (section 4.2 for small
pictures); K. Simonyan and A. Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition,
ICLR 2015; M. Tan and Q. V. Le, EfficientNet, ICML 2019 (table 1), its blocks after M. Sandler et al.,
MobileNetV2, CVPR 2018, and J. Hu et al., Squeeze-and-Excitation Networks, CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import keras
from keras import layers

PUBLISHED_SIDE = 224
"""Pixels along each side for which the published ones were made."""
MEANS, DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, 0..1."""
Weights = Path | Literal["imagenet"] | None
LAST = "probabilities"
"""Name of the layer for ten digits."""


def resnet_small() -> keras.Model:
    """ResNet-8: He et al.'s residual network for small pictures with one block in each of its three stages.

    A block is two normalised 3x3 convolutions and a way around them, by a 1x1 convolution where the width
    changes. The averages of the last 64 maps tell the digit. 78,426 parameters.
    """
    image = _image()
    x = _convolved(image, 16)
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        x = _residual(x, width, stride)
    return _ending("resnet-small", image, layers.GlobalAveragePooling2D()(x))


def vgg_small() -> keras.Model:
    """VGG's pairs of 3x3 convolutions, a pooling after each pair, then a dense layer; 147,610 parameters.

    The convolutions are normalised, as VGG's are wherever it is trained today.
    """
    image = x = _image()
    for width in (16, 32, 64):
        x = _convolved(_convolved(x, width), width)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return _ending("vgg-small", image, layers.Dropout(0.4)(x))


def efficientnet_small() -> keras.Model:
    """EfficientNet's inverted bottlenecks with squeeze and excitation, four of them; 51,380 parameters.

    Three of its stages: 3x3 and twice 5x5, widths 16, 24 and 40, expanded four times, from 14x14 on.
    """
    image = _image()
    x = _convolved(image, 16, stride=2, activation="swish")
    for width, side, stride in ((24, 3, 1), (24, 3, 1), (40, 5, 2), (40, 5, 1)):
        x = _bottleneck(x, width, side, stride)
    x = _convolved(x, 128, side=1, activation="swish")
    x = layers.GlobalAveragePooling2D()(x)
    return _ending("efficientnet-small", image, layers.Dropout(0.2)(x))


def resnet(weights: Weights = None, side: int = PUBLISHED_SIDE) -> keras.Model:
    """ResNet50V2 with a layer for ten digits.

    Args:
        weights: a file of weights without the top, as Keras publishes them; "imagenet": Keras fetches them;
            None: random ones.
        side: pixels along each side to which the digit is enlarged, 32 or more.
    """
    return _published("resnet", keras.applications.ResNet50V2, weights, side, scale=2.0, offset=-1.0)


def vgg(weights: Weights = None, side: int = PUBLISHED_SIDE) -> keras.Model:
    """VGG16 with a layer for ten digits; `weights` and `side` as for `resnet`."""
    means = (-103.939, -116.779, -123.68)  # of ImageNet's blue, green and red, as VGG's authors subtract them
    return _published("vgg", keras.applications.VGG16, weights, side, scale=255.0, offset=means)


def efficientnet(weights: Weights = None, side: int = PUBLISHED_SIDE) -> keras.Model:
    """EfficientNetB0 with a layer for ten digits; `weights` and `side` as for `resnet`.

    In its published file the pixels are divided by the square root of ImageNet's deviation. Keras divides
    them by that once more where it fetches the file itself, but not where it is given the file; so we do.
    """
    scale, offset = [255.0] * 3, [0.0] * 3
    if isinstance(weights, Path):
        once_more = [deviation**-0.5 for deviation in DEVIATIONS]
        scale = [255 * factor for factor in once_more]
        offset = [255 * mean * (1 - factor) for mean, factor in zip(MEANS, once_more, strict=True)]
    build = keras.applications.EfficientNetB0
    return _published("efficientnet", build, weights, side, scale=scale, offset=offset)


def freeze(network: keras.Model) -> None:
    """Let only the last layer learn; normalisation keeps what it has measured, too."""
    for layer in network.layers[:-1]:
        layer.trainable = False


def thaw(network: keras.Model) -> None:
    """Let every layer learn again, whatever the file says that it is of.

    Layer by layer: in a `Sequential` loaded from a file, `network.trainable = True` reaches no layer.
    """
    for layer in network.layers:
        layer.trainable = True
        if hasattr(layer, "layers"):
            thaw(layer)


def _published(
    name: str,
    build: Callable[..., keras.Model],
    weights: Weights,
    side: int,
    *,
    scale: float | Sequence[float],
    offset: float | Sequence[float],
) -> keras.Model:
    """Return the published network between an enlargement of the digit and a layer for ten classes."""
    body = build(
        include_top=False, weights=None if weights is None else str(weights), pooling="avg",
        input_shape=(side, side, 3),
    )  # fmt: skip
    image = _image()
    x = layers.Resizing(side, side)(image)
    x = layers.Concatenate()([x, x, x])
    return _ending(name, image, body(layers.Rescaling(scale, offset)(x)))


def _image() -> Any:
    return keras.Input((28, 28, 1), name="image")


def _convolved(x: Any, width: int, *, side: int = 3, stride: int = 1, activation: str | None = "relu") -> Any:
    """Return a convolution with batch normalisation."""
    x = layers.Conv2D(width, side, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return x if activation is None else layers.Activation(activation)(x)


def _residual(x: Any, width: int, stride: int) -> Any:
    """He et al.'s basic block."""
    inner = _convolved(_convolved(x, width, stride=stride), width, activation=None)
    if stride != 1 or x.shape[-1] != width:
        x = _convolved(x, width, side=1, stride=stride, activation=None)
    return layers.Activation("relu")(layers.Add()([x, inner]))


def _bottleneck(x: Any, width: int, side: int, stride: int) -> Any:
    """Tan and Le's block: wider, each map by itself, weighed, narrower; and around it, where it fits."""
    wide = 4 * x.shape[-1]
    inner = _convolved(x, wide, side=1, activation="swish")
    inner = layers.DepthwiseConv2D(side, stride, padding="same", use_bias=False)(inner)
    inner = layers.Activation("swish")(layers.BatchNormalization(momentum=0.9)(inner))
    weighed = layers.GlobalAveragePooling2D(keepdims=True)(inner)
    weighed = layers.Conv2D(x.shape[-1] // 4, 1, activation="swish")(weighed)
    weighed = layers.Conv2D(wide, 1, activation="sigmoid")(weighed)
    inner = _convolved(layers.Multiply()([inner, weighed]), width, side=1, activation=None)
    return layers.Add()([x, inner]) if inner.shape == x.shape else inner


def _ending(name: str, image: Any, x: Any) -> keras.Model:
    """Join a layer for ten digits to the layers before it."""
    return keras.Model(image, layers.Dense(10, activation="softmax", name=LAST)(x), name=name)
