"""The reader's network: convolutions over a number's picture, and a column of logits for each four pixels."""

from __future__ import annotations

from typing import Any

from digitrec.models.sequence import BLANK, HEIGHT

WIDTHS = (24, 48, 80, 112, 144)


def network(widths: tuple[int, ...] = WIDTHS, policy: str | None = None) -> Any:
    """Return a Keras model from pictures (N, 32, W, 1), 0..255, to logits (N, W / 4, 15).

    The classes are those of `digitrec.models.sequence`. A picture's mean is subtracted first, and its
    deviation divided out. `policy` is the layers' dtype policy; None: Keras' own.
    """
    import keras
    from keras import layers, ops

    def block(x: Any, channels: int, size: int | tuple[int, int] = 3, padding: str = "same") -> Any:
        x = layers.Conv2D(channels, size, padding=padding, use_bias=False, dtype=policy)(x)
        x = layers.BatchNormalization(momentum=0.98, dtype=policy)(x)
        return layers.ReLU(dtype=policy)(x)

    pictures = keras.Input((HEIGHT, None, 1))
    mean = ops.mean(pictures, axis=(1, 2), keepdims=True)
    spread = ops.sqrt(ops.mean(ops.square(pictures - mean), axis=(1, 2), keepdims=True))
    x = (pictures - mean) / (spread + 4)
    x = layers.MaxPooling2D(dtype=policy)(block(x, widths[0]))
    x = layers.MaxPooling2D(dtype=policy)(block(x, widths[1]))
    x = layers.MaxPooling2D((2, 1), dtype=policy)(block(block(x, widths[2]), widths[2]))
    x = block(block(x, widths[3]), widths[3])
    x = block(x, widths[4], (HEIGHT // 8, 1), "valid")
    for _ in range(3):
        x = x + block(x, widths[4], (1, 5))
    x = layers.Conv2D(BLANK + 1, 1, dtype="float32")(layers.SpatialDropout2D(0.1, dtype=policy)(x))
    return keras.Model(pictures, layers.Reshape((-1, BLANK + 1), dtype="float32")(x))
