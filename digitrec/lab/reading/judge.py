"""Teach the reader to tell numbers from letters, signs and scrawls, by what it already sees in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.lab.reading.train import BATCH, SEED, Stock, batch, views_of

EPOCHS = 25
HIDDEN = 48
"""Units between the features and the judgement."""


def with_judge(net: Any, numbers: Stock, others: Stock) -> Any:
    """Return the network with a second output, (N, 1): the logit that a picture shows a number.

    The judge takes the mean and the maximum of each feature over the columns; only its own weights learn.

    Args:
        net: the network that reads, (N, HEIGHT, W, 1) to (N, W / 4, 14).
        numbers: composed numbers.
        others: composed in the same way from letters, signs and scrawls.
    """
    import keras
    from keras import layers, ops

    columns = next(one for one in net.layers if isinstance(one, layers.SpatialDropout2D)).input
    pooled = ops.concatenate([ops.mean(columns, axis=(1, 2)), ops.max(columns, axis=(1, 2))], axis=1)
    features = keras.Model(net.input, pooled)
    x = np.concatenate([_features(features, numbers), _features(features, others)])
    y = np.repeat([1.0, 0.0], [len(numbers["texts"]), len(others["texts"])])
    keras.utils.set_random_seed(SEED)
    normalize = layers.Normalization()
    normalize.adapt(x)
    parts = [normalize, layers.Dropout(0.2), layers.Dense(HIDDEN, "relu"), layers.Dense(1)]
    head = keras.Sequential(parts)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    head.compile(keras.optimizers.AdamW(2e-3, weight_decay=0.01), loss)
    head.fit(x, y, batch_size=256, epochs=EPOCHS, verbose=0)
    return keras.Model(net.input, [net.output, head(pooled)])


def _features(network: Any, stock: Stock) -> NDArray[np.float32]:
    """Return the features of each view, (N, F), in their order."""
    found = np.empty((len(stock["widths"]), network.output.shape[1]), np.float32)
    order = np.argsort(stock["widths"])
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        pictures, _ = batch(list(views_of(stock, chosen)))
        found[chosen] = network(pictures, training=False)
    return found
