"""Keras networks by name, from (N, 28, 28, 1) to (N, 10) probabilities.

`digitrec_cnn` is digitrec's own; `tutorial_cnn` is the network of a well-known tutorial, layer by layer; the
other plain networks are ours. The small ResNet learns MNIST on a CPU in minutes: K. He et al., Deep Residual
Learning for Image Recognition, CVPR 2016 (section 4.2, on small pictures). EfficientNetB0 comes from
`keras.applications`: M. Tan and Q. V. Le, EfficientNet, ICML 2019.
"""

from collections.abc import Sequence
from typing import Any, Literal

from digitrec.lab.training.backend import keras

layers = keras.layers


def tutorial_cnn() -> keras.Model:
    """Return the tutorial's network: two convolutions, two poolings, three dropouts, 225,034 parameters."""
    return _sequential("tutorial-cnn", [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        *_dense_end(128, 0.5),
    ])  # fmt: skip


def convolutional(*, filters: int, depth: int, kernel: int, dense: int, dropout: float) -> keras.Model:
    """Return a plain CNN with all settings that `tune` searches over.

    Args:
        filters: channels of the first convolution; each further convolution has twice as many.
        depth: number of convolutions, each followed by a pooling that halves the image, 1..4.
        kernel: pixels along each side of a convolution.
        dense: units of the dense layer before the last.
        dropout: share of the dense layer's units that are dropped during training, 0..1.
    """
    stages = []
    for stage in range(depth):
        conv = layers.Conv2D(filters * 2**stage, kernel, padding="same", use_bias=False)
        stages += [*_normalised(conv), layers.MaxPooling2D(2)]
    return _sequential("convolutional", [*stages, *_dense_end(dense, dropout)])


def complex_cnn() -> keras.Model:
    """Return our large network: five normalised convolutions in three stages, then a dense layer."""
    stages = []
    for width, repeats in ((32, 2), (64, 2), (128, 1)):
        for _ in range(repeats):
            stages += _normalised(layers.Conv2D(width, 3, padding="same", use_bias=False))
        stages += [layers.MaxPooling2D(2), layers.Dropout(0.2)]
    return _sequential("complex-cnn", [*stages, *_dense_end(256, 0.4)])


def mlp() -> keras.Model:
    """Return our network without convolutions: two dense layers over the 784 pixels."""
    hidden = []
    for width in (512, 256):
        hidden += [*_normalised(layers.Dense(width, use_bias=False)), layers.Dropout(0.3)]
    return _sequential("mlp", [layers.Flatten(), *hidden])


def _normalised(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layer with batch normalisation and ReLU."""
    return [layer, layers.BatchNormalization(momentum=0.9), layers.ReLU()]


def _dense_end(units: int, dropout: float) -> list[keras.layers.Layer]:
    """Return a dense layer with dropout over all maps."""
    return [layers.Flatten(), layers.Dense(units, activation="relu"), layers.Dropout(dropout)]


def _sequential(name: str, inner: list[keras.layers.Layer]) -> keras.Model:
    """Return a plain network from the image through the layers to the ten probabilities."""
    last = layers.Dense(10, activation="softmax")
    return keras.Sequential([keras.Input((28, 28, 1), name="image"), *inner, last], name=name)


def digitrec_cnn(
    widths: tuple[int, ...] = (24, 80, 192), *, seed: int = 0, normalised: bool = True
) -> keras.Model:
    """Return an untrained network from (N, 28, 28, 1), ink 1, paper 0, to (N, 10) probabilities.

    Each entry of `widths` is one stage of two convolutions with that many channels; the image is halved
    between stages. The same `seed` gives the same first weights. If not `normalised`, the network has biases
    instead of batch normalisation, as in a `.tflite` file, where the normalisation has become biases.
    """
    seeds = keras.random.SeedGenerator(seed)
    image = keras.Input((28, 28, 1), name="image")
    x = image
    for stage, width in enumerate(widths):
        if stage:
            x = layers.MaxPooling2D(name=f"halve_{stage}")(x)
        for half in "ab":
            name = f"{stage + 1}{half}"
            x = layers.Conv2D(
                width, 3, padding="same" if stage else "valid", use_bias=not normalised,
                kernel_initializer=keras.initializers.HeNormal(seeds), name=f"conv_{name}",
            )(x)  # fmt: skip
            if normalised:
                x = layers.BatchNormalization(momentum=0.9, name=f"norm_{name}")(x)
            x = layers.ReLU(name=f"relu_{name}")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(10, kernel_initializer=keras.initializers.GlorotUniform(seeds), name="logits")(x)
    return keras.Model(image, layers.Softmax(name="probabilities")(x), name="digitrec-cnn")


def together(networks: Sequence[keras.Model]) -> keras.Model:
    """Join several networks of `digitrec_cnn` into one that averages their scores; a single one is unchanged.

    Networks that differ only in their seeds err on different digits, so their mean makes fewer errors:
    Balaji Lakshminarayanan, Alexander Pritzel, Charles Blundell, "Simple and Scalable Predictive Uncertainty
    Estimation using Deep Ensembles", NeurIPS 2017.
    """
    if len(networks) == 1:
        return networks[0]
    image = keras.Input((28, 28, 1), name="image")
    scores = [
        keras.Model(one.input, one.get_layer("logits").output, name=f"network_{number}")(image)
        for number, one in enumerate(networks, 1)
    ]
    mean = layers.Average(name="mean_score")(scores)
    return keras.Model(image, layers.Softmax(name="probabilities")(mean), name="digitrec-cnn")


def describe(widths: tuple[int, ...], networks: int = 1, second: tuple[int, ...] = ()) -> str:
    """Describe the network, and any second one, in one line, for its card."""
    stages, others = (", ".join(f"2 x {width}" for width in each) for each in (widths, second))
    joined = "" if networks == 1 else f"the mean score of {networks} networks, each of "
    layers = "batch normalisation, ReLU, mean over the map, dense 10"
    also = f"; for pictures in MNIST's form also one of {others} channels, which learned nothing else"
    return f"{joined}3x3 convolutions ({stages} channels), {layers}" + also * bool(second)


def resnet_small() -> keras.Model:
    """Return ResNet-8, He et al.'s residual network for small pictures, with one block in each stage.

    A block is two normalised 3x3 convolutions and a shortcut, a 1x1 convolution if the width changes. The
    means of the last 64 maps determine the digit. 78,426 parameters.
    """
    image = keras.Input((28, 28, 1), name="image")
    x = layers.ReLU()(_convolved(image, 16))
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        x = _residual(x, width, stride)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, _probabilities(x), name="resnet-small")


def efficientnet(weights: Literal["imagenet"] | None = None, side: int = 224) -> keras.Model:
    """Return EfficientNetB0 with a layer for ten digits.

    Args:
        weights: "imagenet": Keras fetches them; None: random weights.
        side: side to which the digit is enlarged, in pixels, 32 or more; 224 as published.
    """
    body = keras.applications.EfficientNetB0(
        include_top=False, weights=weights, pooling="avg", input_shape=(side, side, 3)
    )
    image = keras.Input((28, 28, 1), name="image")
    x = layers.Resizing(side, side)(image)
    x = layers.Rescaling(255.0)(layers.Concatenate()([x, x, x]))
    return keras.Model(image, _probabilities(body(x)), name="efficientnet")


def thaw(network: keras.Model) -> None:
    """Make every layer trainable, whatever the network's file says.

    This is done for each layer: in a `Sequential` loaded from a file, `network.trainable = True` has no
    effect.
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
    """Return He et al.'s basic block."""
    inner = _convolved(layers.ReLU()(_convolved(x, width, stride=stride)), width)
    if stride != 1 or x.shape[-1] != width:
        x = _convolved(x, width, side=1, stride=stride)
    return layers.ReLU()(layers.Add()([x, inner]))


def _probabilities(x: Any) -> Any:
    return layers.Dense(10, activation="softmax", name="probabilities")(x)
