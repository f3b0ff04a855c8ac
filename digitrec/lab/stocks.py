"""Share code between recipes: stocks of pictures, a training loop, weights from files and from trainings."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.errors.text import percent
from digitrec.image import atomic
from digitrec.models.inside import Inside
from digitrec.models.store import to_litert

log = logging.getLogger(__name__)

Stock = dict[str, NDArray[Any]]
"""Arrays of equal length by name: the content of a file."""
HELD = "held"
"""Name of the stock that is measured and never used for training."""
Batch = tuple[Any, ...]
"""Pictures, and the other arguments of the losses."""
Losses = Callable[..., dict[str, Any]]
EVERY = 500
"""Number of steps between two checkpoints."""


def main(steps: Mapping[str, Callable[..., None]]) -> None:
    """Take one step of a recipe, as on the command line: its name, then its folders and counts."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if len(sys.argv) < 3 or sys.argv[1] not in steps:
        sys.exit(f"give a step ({', '.join(steps)}), then its arguments, as in the module's docstring")
    step, *words = sys.argv[1:]
    steps[step](*(int(word) if word.isdigit() else Path(word) for word in words))


def fill(folder: Path, count: int, make: Callable[[int], Stock]) -> None:
    """Write the missing stocks, drawn by ``make`` from a number: 0 is `HELD`, 1 to `count` are the others."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate([HELD, *(f"{at:03}" for at in range(count))]):
        file = folder / f"{name}.npz"
        if file.exists():
            continue
        started = time.perf_counter()
        with atomic.replacing(file) as unfinished, unfinished.open("wb") as opened:
            np.savez(opened, **make(number))  # type: ignore[arg-type]
        log.info("%s: %.0f s", name, time.perf_counter() - started)


def held(folder: Path, count: int) -> Stock:
    """Return the first ``count`` rows of the stock for measuring."""
    with np.load(folder / f"{HELD}.npz") as stock:
        return {key: stock[key][:count] for key in stock.files}


def pairs(folder: Path, rng: np.random.Generator) -> Iterator[Stock]:
    """Yield the content of two numbered files at a time, in random order, without end.

    Wait while there are fewer than two files, because drawing may not have finished.
    """
    while True:
        files = sorted(folder.glob("[0-9]*.npz"))
        if len(files) < 2:
            time.sleep(20)
            continue
        for first, second in zip(*[iter(rng.permutation(np.array(files, object)))] * 2, strict=False):
            with np.load(first) as one, np.load(second) as other:
                yield {key: np.concatenate([one[key], other[key]]) for key in one.files}


def held_batches(folder: Path, count: int, size: int, batch: Callable[..., Batch]) -> list[Batch]:
    """Return the first ``count`` held-out rows in batches, made by ``batch`` as in `batches`."""
    stock = held(folder, count)
    rows = len(next(iter(stock.values())))
    return [batch(stock, slice(at, at + size)) for at in range(0, rows, size)]


def batches(
    folder: Path, size: int, batch: Callable[..., Batch], varied: Callable[..., Any], rng: np.random.Generator
) -> Iterator[Batch]:
    """Yield batches of ``size`` rows in random order, varied, each from two stocks, without end.

    ``batch`` makes a batch of a stock and the chosen rows; ``varied`` changes its pictures at random.
    """
    for stock in pairs(folder, rng):
        order = rng.permutation(len(next(iter(stock.values()))))
        for at in range(0, len(order) - size + 1, size):
            pictures, *truth = batch(stock, order[at : at + size])
            yield varied(pictures, rng), *truth


def write_card(weights: Path, recipe: str, purpose: str, rows: Mapping[str, str]) -> None:
    """Write a card beside the weights: one sentence of purpose, and a table of their figures."""
    table = "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    card = (
        f"# {weights.stem}\n\n"
        f"Written by `python -m {recipe}`, which also measured its figures; do not edit.\n"
        f"{purpose}\n\n| | |\n|---|---|\n{table}"
    )
    atomic.write(weights.with_suffix(".md"), card)


def figures_of(chance: NDArray[np.float32], right: NDArray[np.bool_]) -> dict[str, str]:
    """Return the figures of a judge for its card, from the chances of held-out cases and which are right."""
    sure = chance >= 0.95
    return {
        "held back": f"{len(right):,} of them, {percent(float(right.mean()))} right",
        "accuracy at 50 %": percent(float(((chance >= 0.5) == right).mean())),
        "mean distance of the chance from the truth": percent(float(np.abs(chance - right).mean())),
        "wrong among those of 95 % and more": percent(float((sure & ~right).sum() / max(sure.sum(), 1))),
    }


def block(
    x: Any, channels: int, size: Any = 3, stride: int = 1, padding: str = "same", policy: str | None = None,
    normalised: bool = True,
) -> Any:  # fmt: skip
    """Add a convolution, its normalisation, if any, and ReLU; `policy` is the layers' dtype policy."""
    from keras import layers

    x = layers.Conv2D(channels, size, stride, padding, use_bias=not normalised, dtype=policy)(x)
    x = layers.BatchNormalization(momentum=0.98, dtype=policy)(x) if normalised else x
    return layers.ReLU(dtype=policy)(x)


def weights_in(content: bytes) -> list[NDArray[Any]]:
    """Return the kernel and the bias of each layer that a LiteRT file's first output needs, in order.

    Normalisations are included in them.
    """
    return [array for one in Inside(content).weights() for array in one]


def between(
    before: Sequence[NDArray[Any]], after: Sequence[NDArray[Any]], share: float
) -> list[NDArray[Any]]:
    """Return weights a share, 0..1, of the way from those before a training to those after it.

    They keep more of what was learned before: M. Wortsman and others, Robust fine-tuning of zero-shot models,
    CVPR 2022.
    """
    return [(1 - share) * one + share * other for one, other in zip(before, after, strict=True)]


@contextmanager
def averaged(net: Any, optimizer: Any) -> Iterator[None]:
    """Use the moving average of a network's weights, which its optimizer keeps, during the block."""
    kept = [variable.numpy() for variable in net.trainable_variables]
    optimizer.finalize_variable_values(net.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(net.trainable_variables, kept, strict=True):
            variable.assign(value)


def figures(net: Any, held: Iterable[Batch], losses: Losses) -> dict[str, float]:
    """Return the mean of each of a network's losses over the held-out batches."""
    rows = [losses(net(pictures, training=False), *truth) for pictures, *truth in held]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def mean(runs: Sequence["Run"]) -> list[NDArray[Any]]:
    """Return the mean of the averaged weights of several trainings of one network."""
    share = 1 / len(runs)
    return [sum(share * one for one in each) for each in zip(*[run.weights for run in runs], strict=True)]


class Run:
    """A network in training; it continues from the folder's latest checkpoint, if there is one."""

    def __init__(
        self, folder: Path, net: Any, steps: int = 1, *,
        rate: float = 2e-3, last: float = 0.01, warmup: int = 300, decay: float = 0.02, clip: float = 2.0,
        momentum: float = 0.998,
    ) -> None:  # fmt: skip
        """Prepare AdamW with a cosine schedule and a moving average of the weights.

        Args:
            folder: folder of the stocks and the checkpoints.
            net: the Keras network.
            steps: number of steps of the schedule; any number if nothing is learned.
            rate: highest learning rate, reached after ``warmup`` steps.
            last: final learning rate as a share of the first, 1e-4.
            warmup: number of steps until the highest learning rate.
            decay: weight decay.
            clip: maximum norm of a gradient.
            momentum: momentum of the moving average, 0..1.
        """
        import keras
        import tensorflow

        tf: Any = tensorflow
        schedule = keras.optimizers.schedules.CosineDecay(
            1e-4, steps, last, warmup_target=rate, warmup_steps=warmup
        )
        self.net, self._steps = net, steps
        self.optimizer = keras.optimizers.AdamW(
            schedule, weight_decay=decay, clipnorm=clip, use_ema=True, ema_momentum=momentum
        )
        self.optimizer.build(net.trainable_variables)
        checkpoint = tf.train.Checkpoint(net=net, optimizer=self.optimizer)
        self._checkpoints = tf.train.CheckpointManager(checkpoint, str(folder / "checkpoints"), 2)
        checkpoint.restore(self._checkpoints.latest_checkpoint).expect_partial()

    @property
    def done(self) -> int:
        """Number of finished steps."""
        return int(self.optimizer.iterations)

    def exported(self, net: Any = None) -> bytes:
        """Return the LiteRT file of the network, or of one around its layers, with the averaged weights."""
        with averaged(self.net, self.optimizer):
            return to_litert(net or self.net)

    @property
    def weights(self) -> list[NDArray[Any]]:
        """The network's weights, with the average of those that were trained."""
        with averaged(self.net, self.optimizer):
            return list(self.net.get_weights())

    def figures(self, held: Iterable[Batch], losses: Losses) -> dict[str, float]:
        """Return `figures` of the averaged weights."""
        with averaged(self.net, self.optimizer):
            return figures(self.net, held, losses)

    def learn(self, batches: Iterable[Batch], losses: Losses, held: Sequence[Batch]) -> None:
        """Train until all steps are done; save a checkpoint and log the losses every `EVERY` steps.

        Args:
            batches: a batch for each remaining step.
            losses: returns the terms of the loss by name, from the network's output and the rest of a batch.
            held: batches that are never used for training.
        """
        import tensorflow

        tf: Any = tensorflow

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
        def step(pictures: Any, *truth: Any) -> dict[str, Any]:
            with tf.GradientTape() as tape:
                terms = losses(self.net(pictures, training=True), *truth)
                loss = tf.add_n(list(terms.values()))
            gradients = tape.gradient(loss, self.net.trainable_variables)
            self.optimizer.apply(gradients, self.net.trainable_variables)
            return terms

        means: dict[str, float] = {}
        started, first = time.perf_counter(), self.done
        for batch in batches:
            if self.done >= self._steps:
                break
            for name, value in step(*batch).items():
                means[name] = 0.98 * means.get(name, float(value)) + 0.02 * float(value)
            if self.done % EVERY == 0:
                self._checkpoints.save()
                pace = (time.perf_counter() - started) / (self.done - first)
                of_held = self.figures(held, losses).items()
                every = means | {f"held {name}": value for name, value in of_held}
                figures = {name: round(value, 4) for name, value in every.items()}
                log.info("%d: %s, %.0f min left", self.done, figures, (self._steps - self.done) * pace / 60)
        self._checkpoints.save()
