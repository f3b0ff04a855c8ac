"""The finder's network: a small U-Net that labels each pixel, and judges the mark that a pixel belongs to."""

from __future__ import annotations

from typing import Any

from digitrec.lab.finding.scenes import WRITING

WIDTHS = (20, 36, 64, 96)
"""Channels at a half, a quarter, an eighth and a sixteenth of the picture's size."""
KINDS = 3
MAPS = 5
"""Maps at half size: the way to the middle of the mark (x, y), logits for other mark and digit, and one
for the share of its ink that is missing."""
REACH = 16.0
"""Pixels per unit of the way to the middle."""
GROUPS = 64
"""Most marks on a scene, plus one number for pixels without a mark."""


def network(widths: tuple[int, ...] = WIDTHS) -> Any:
    """Return a Keras model with two outputs of logits.

    Its input is pictures, (N, H, W, 3), 0..255, with sides that are multiples of 16. Its outputs are the
    kinds of pixels, (N, H, W, 3), and the maps of marks, (N, H/2, W/2, 5).
    """
    import keras
    from keras import layers

    def block(x: Any, channels: int, stride: int = 1) -> Any:
        x = layers.Conv2D(channels, 3, stride, "same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.98)(x))

    pictures = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 127.5, -1)(pictures)
    x = layers.Conv2D(widths[0], 4, 2, "same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.98)(x))
    kept = [x]
    for width in widths[1:]:
        x = block(block(x, width, 2), width)
        kept.append(x)
    around = layers.Conv2D(widths[-1], 1)(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = block(layers.Add()([x, around]), widths[-1])
    for finer in reversed(kept[:-1]):
        width = finer.shape[-1]
        x = layers.UpSampling2D()(layers.Conv2D(width, 1)(x))
        x = block(layers.Add()([x, finer]), width)
    x = block(x, 24)
    kinds = layers.Conv2DTranspose(KINDS, 2, 2, dtype="float32", name="kinds")(x)
    maps = layers.Conv2D(MAPS, 1, dtype="float32", name="maps")(x)
    return keras.Model(pictures, [kinds, maps])


def losses(outputs: Any, owners: Any, is_digit: Any, missing: Any) -> dict[str, Any]:
    """Return the terms of the loss.

    A mark is judged by the mean of the maps over its pixels.

    Args:
        outputs: those of the network, the kinds of pixels and the maps of marks.
        owners: (N, H, W) int32: 0 for paper, `GROUPS` for other ink, else the number of the mark.
        is_digit: (N, GROUPS) float32: 1 where the mark of that number is a digit.
        missing: (N, GROUPS) float32: the share of the mark's ink outside the picture.
    """
    import tensorflow

    tf: Any = tensorflow  # Keras' annotations reject most of the following code
    kinds, maps = outputs
    truth = tf.where(owners == 0, 0, tf.where(owners == GROUPS, 2, WRITING))
    weights = tf.gather(tf.constant([0.5, 2.0, 1.0]), truth)
    cross = tf.nn.sparse_softmax_cross_entropy_with_logits(truth, kinds)
    written = tf.cast(truth == WRITING, tf.float32)
    said = tf.nn.softmax(kinds)[..., WRITING]
    shared, both = tf.reduce_sum(said * written, (1, 2)), tf.reduce_sum(said + written, (1, 2))
    dice = 1 - (2 * shared + 30) / (both + 30)

    small = owners[:, ::2, ::2]
    mark = tf.where(small == GROUPS, 0, small)
    n, h, w = tf.shape(mark)[0], tf.shape(mark)[1], tf.shape(mark)[2]
    segment = tf.reshape(mark + GROUPS * tf.range(n)[:, None, None], [-1])
    count = n * GROUPS
    y, x = tf.meshgrid(tf.range(h, dtype=tf.float32), tf.range(w, dtype=tf.float32), indexing="ij")
    place = tf.reshape(tf.tile(2 * tf.stack([x, y], -1)[None], [n, 1, 1, 1]), [-1, 2])
    middle = tf.math.unsorted_segment_mean(place, segment, count)
    size = tf.math.unsorted_segment_sum(tf.ones_like(segment, tf.float32), segment, count)
    real = tf.cast((tf.range(count) % GROUPS > 0) & (size >= 3), tf.float32)
    on = tf.cast(segment % GROUPS > 0, tf.float32)
    flat = tf.reshape(maps, [-1, MAPS])
    way = tf.reduce_sum(tf.abs(flat[:, :2] - (tf.gather(middle, segment) - place) / REACH), -1)
    way = tf.reduce_sum(way * on) / (tf.reduce_sum(on) + 1)

    pooled = tf.math.unsorted_segment_mean(flat[:, 2:], segment, count)
    which = tf.cast(tf.reshape(is_digit, [-1]), tf.int32)
    named = tf.nn.sparse_softmax_cross_entropy_with_logits(which, pooled[:, :2])
    gone = tf.nn.sigmoid_cross_entropy_with_logits(tf.reshape(missing, [-1]), pooled[:, 2])
    marks = tf.reduce_sum(real) + 1
    return {
        "kinds": tf.reduce_sum(weights * cross) / tf.reduce_sum(weights),
        "dice": 0.5 * tf.reduce_mean(dice),
        "way": 0.3 * way,
        "digit": 0.5 * tf.reduce_sum(named * real) / marks,
        "missing": 0.5 * tf.reduce_sum(gone * real) / marks,
    }
