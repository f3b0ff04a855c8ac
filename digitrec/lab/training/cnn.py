"""The network: six 3x3 convolutions in three stages, batch normalisation, the mean over the last map.

As built by default it has 554,594 parameters and takes 31 million multiplications a digit; two such, joined,
are what is shipped. Two choices keep it small: the first stage does not pad (MNIST's border of four pixels
holds no ink, so nothing is lost), and the mean over the last map replaces the usual dense layer, which would
hold most of the parameters and overfit first.
"""

from __future__ import annotations

from collections.abc import Sequence

from digitrec.lab.training.backend import keras

layers = keras.layers


def build(widths: tuple[int, ...] = (24, 80, 192), *, seed: int = 0, normalised: bool = True) -> keras.Model:
    """Return an untrained network from (N, 28, 28, 1), ink 1, paper 0, to (N, 10) probabilities.

    Each entry of `widths` is one stage of two convolutions with that many channels; the image is halved
    between stages. The same `seed` gives the same first weights. Not `normalised`, it has biases in place of
    the batch normalisation, as in a `.tflite` file, in which the one has become the other.
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
    """Several of `build`'s networks as one, whose scores are the mean of theirs; one stays as it is.

    Networks that differ in nothing but their seeds err on different digits, so that their mean errs on fewer:
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


def describe(widths: tuple[int, ...], networks: int = 1) -> str:
    """Describe the network in one line, for its card."""
    stages = ", ".join(f"2 x {width}" for width in widths)
    joined = "" if networks == 1 else f"the mean score of {networks} networks, each of "
    layers = "batch normalisation, ReLU, mean over the map, dense 10"
    return f"{joined}3x3 convolutions ({stages} channels), {layers}"
