"""Train our own network on MNIST's 60,000 digits, changed in every epoch; write a model file with its card.

The model consists of several networks that differ only in their seeds and are trained separately; their
scores are averaged. The learning rate rises once and falls along a cosine, labels are smoothed, and the
weights are a running average, for which batch normalisation is measured again. Generated pictures are used
together with MNIST's digits, but not in the finishing epochs. A tenth of the digits is held out for
validation; the 10,000 test digits are used only once, at the end, for the card.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.answer import SURE
from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits
from digitrec.errors import DataError
from digitrec.image import atomic
from digitrec.lab import stocks
from digitrec.lab.datasets.digits import keep_keys
from digitrec.lab.handwriting.augment import augment
from digitrec.lab.training import card, material
from digitrec.lab.training.backend import keras
from digitrec.lab.training.confidence import fit_evidence, fit_modest, fit_temperature
from digitrec.lab.training.epochs import Loop
from digitrec.lab.training.networks import describe, digitrec_cnn, together
from digitrec.lab.training.run import Epoch, Given, TrainConfig, TrainResult, Watcher, split, unwatched
from digitrec.models import store
from digitrec.models.network import LiteRt

Tensors = tuple[NDArray[np.float32], NDArray[np.float32]]

WANTED = np.vstack([np.eye(10), np.full(10, 0.1)]).astype(np.float32)
"""The target for each label, (11, 10): one-hot, or all equal for `NO_DIGIT`."""


@dataclass(frozen=True, slots=True)
class Material:
    """The training data of a network."""

    config: TrainConfig
    own: Digits
    """Digits used in every epoch."""
    abroad: Digits
    """Digits of which each epoch uses a part, finishing epochs included."""
    made: Digits
    """Digits used in every epoch except the finishing epochs."""

    def epoch(self, number: int) -> Digits:
        """Return an epoch's augmented digits in a new order; those after `config.epochs` are finishing."""
        config, finishing = self.config, number > self.config.epochs
        rng = np.random.default_rng([config.seed, number])
        some = self.abroad[rng.permutation(len(self.abroad))[: self._seen(finishing)]]
        digits = self.own + some if finishing else self.own + some + self.made
        changes = config.augmentation
        if finishing:
            changes = changes.gentler(config.finishing_changes)
        order = rng.permutation(len(digits))
        return Digits(augment(digits.images[order], rng, changes), digits.labels[order])

    def batches(self, first: int, last: int) -> Iterator[Tensors]:
        """Yield the batches of these epochs; augment the next epoch while the current one is learned."""
        size = self.config.batch
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self.epoch, first)
            for number in range(first, last + 1):
                images, wanted = tensors(coming.result())
                if number < last:
                    coming = ahead.submit(self.epoch, number + 1)
                for start in range(0, len(images) - size + 1, size):
                    yield images[start : start + size], wanted[start : start + size]

    def steps(self, *, finishing: bool = False) -> int:
        """Return the number of batches in one epoch."""
        made = 0 if finishing else len(self.made)
        return (len(self.own) + self._seen(finishing) + made) // self.config.batch

    def _seen(self, finishing: bool) -> int:
        """Return the number of digits of `world` in an epoch."""
        share = self.config.finishing_seen if finishing else self.config.seen
        return round(share * len(self.abroad))


def learn(this: Loop, material: Material, held_back: Digits) -> keras.Model:
    """Train on the `material` and return the network."""
    config = material.config
    averaged = _built(config)
    typical, _ = tensors(material.epoch(config.epochs)[: 30 * config.batch])
    watched = tensors(held_back)

    def learn_epochs(first: int, epochs: int, rate: float, before: list[Any] | None = None) -> None:
        """Learn from some epochs; measure the averaged weights after each.

        With ``before``, continue from these weights, and measure their mean with the averaged weights.
        """

        def measure(_: int, logs: dict[str, float]) -> None:
            with stocks.averaged(network, network.optimizer):
                weights = network.get_weights()
            if before is not None:
                weights = [(one + other) / 2 for one, other in zip(before, weights, strict=True)]
            averaged.set_weights(weights)
            for start in range(0, len(typical), config.batch):  # measures batch normalisation again
                averaged(typical[start : start + config.batch], training=True)
            logs["val_loss"], logs["val_accuracy"] = averaged.evaluate(*watched, verbose=0)

        steps = material.steps(finishing=before is not None)
        network = _built(config, _optimizer(config, rate, steps * epochs))
        if before is not None:
            network.set_weights(before)
        measuring = keras.callbacks.LambdaCallback(on_epoch_end=measure)
        batches = material.batches(first, first + epochs - 1)
        this.fit(network, batches, steps, epochs, callbacks=[measuring])

    learn_epochs(0, config.epochs, config.learning_rate)
    if config.finishing:
        # Continue without generated pictures, then take the mean of the weights before and after. The
        # mean is nearly as good on MNIST's digits and keeps most of what the other pictures taught:
        # Mitchell Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
        learn_epochs(config.epochs + 1, config.finishing, config.finishing_rate, averaged.get_weights())
    return averaged


def cosine(highest: float, total: int, warm_up: float) -> Any:
    """Return a learning rate that rises over a share of `total` steps, and falls along a cosine to 0."""
    rising = round(warm_up * total)
    return keras.optimizers.schedules.CosineDecay(
        highest / 100, total - rising, warmup_target=highest, warmup_steps=rising
    )


def _optimizer(config: TrainConfig, highest: float, total: int) -> Any:
    """Return AdamW with its learning rate over `total` steps and the running average of the weights."""
    return keras.optimizers.AdamW(
        cosine(highest, total, config.warm_up), weight_decay=config.weight_decay, beta_2=0.99, use_ema=True,
        ema_momentum=1 - 1 / max(1, config.averaging * total),
    )  # fmt: skip


def _built(config: TrainConfig, optimizer: Any = "adam") -> keras.Model:
    """Return the untrained network, compiled."""
    network = digitrec_cnn(config.widths, seed=config.seed)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing)
    network.compile(optimizer, loss, metrics=[DigitAccuracy("accuracy")])
    return network


class DigitAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]
    """The share of the pictures with a digit that the network reads correctly."""

    def update_state(self, wanted: Any, chances: Any, sample_weight: Any = None) -> Any:
        """Count a batch, without its pictures of `NO_DIGIT`; ``sample_weight`` has no effect."""
        return super().update_state(wanted, chances, keras.ops.max(wanted, axis=-1) > 0.5)


def tensors(digits: Digits) -> Tensors:
    """Return images (N, 28, 28, 1) in 0..1 and targets (N, 10)."""
    return np.divide(digits.images[..., None], 255, dtype=np.float32), WANTED[digits.labels]


def train(config: TrainConfig, folder: Path, what: Given, on_progress: Watcher = unwatched) -> TrainResult:
    """Train the networks as `config` says; write them, joined, with card and histories into `folder`.

    Uses a GPU if TensorFlow finds one.

    Args:
        config: the settings of the training.
        folder: the output folder; it is created if it is missing.
        what: the training digits, besides those of `world`, and the test digits.
        on_progress: called after every step.

    Raises:
        NotInstalled: the `train` extra is missing.
        DataError: there are fewer digits than one batch, no digits are held out, or digits of `world` are
            unavailable.
    """
    learned, held_back = split(what.learned, config.validation)
    if len(learned) < config.batch:
        raise DataError(
            f"{len(learned)} digits to learn from, fewer than one batch of {config.batch}; give more, or "
            "name an architecture that learns from a few (--arch tutorial-cnn)"
        )
    if not len(held_back):
        raise DataError("the recipe needs held-out digits; give more digits, or a larger --validation-split")
    abroad = material.abroad(config, on_progress)
    networks: list[keras.Model] = []
    histories: list[tuple[Epoch, ...]] = []
    labels = learned.labels[:0]
    seeds = range(config.seed * config.networks, (config.seed + 1) * config.networks)
    configs = [replace(config, seed=seed) for seed in seeds]
    if config.second:
        configs.append(replace(config, widths=config.second, world=0, made=0, scenes=0))
    for number, own in enumerate(configs, 1):
        some = abroad if own.world else abroad[:0]
        made = material.made(learned + some, len(learned), own, on_progress)
        labels = np.append(labels, made.labels)
        epochs, part = config.epochs + config.finishing, folder / f"network-{number}"
        this = Loop(epochs, on_progress, part, number, len(configs))
        networks.append(learn(this, Material(own, learned, some, made), held_back))
        histories.append(tuple(this.history))
    senseless = int((labels == NO_DIGIT).sum())
    counts = {"learned": len(learned), "world": len(abroad)}
    counts |= {"made": len(labels) - senseless, "no digit": senseless, "held back": len(held_back)}
    apart = material.writers_held_back() if config.world else held_back
    counts["writers held back"] = len(apart) if config.world else 0
    file = folder / f"{config.name}.tflite"
    keep_keys(what.keys, file)
    facts = {
        "architecture": describe(config.widths, config.networks, config.second),
        "parameters": sum(network.count_params() for network in networks),
        "digits": counts,
        "learned_from": dict(what.sources),
        "training_seconds": sum(epoch.seconds for history in histories for epoch in history),
        "settings": asdict(config),
        "environment": card.environment(),
    }
    ours, others = networks[: config.networks], networks[config.networks :]
    second = LiteRt(store.to_litert(others[0]), file) if others else None
    save = card.saver(together(ours), file, second)
    correct = _ship(save, file, facts, (held_back, apart), what)
    return TrainResult(file, file.with_suffix(".md"), tuple(histories), correct)


def _ship(
    save: Callable[..., object], file: Path, facts: dict[str, Any], held_back: tuple[Digits, Digits],
    what: Given,
) -> int:  # fmt: skip
    """Write the file and its card; return the number of test digits that the file reads correctly.

    The temperatures and the figures on the card are measured with the shipped file. The first digits in
    `held_back` were already in MNIST's form; the second were converted to it.
    """
    save({})
    sureness = _fitted(store.load(file), *held_back)
    save({}, **sureness)
    model = store.load(file)
    correct = round(_right(model, what.test) * len(what.test))
    facts |= sureness | {
        "kilobytes": file.stat().st_size / 1000,
        "validation_accuracy": _right(model, held_back[0]),
        "writers_accuracy": _right(model, held_back[1], prepared=True),
        "test": what.measured(correct),
    }
    save(facts, **sureness)
    atomic.write(file.with_suffix(".md"), card.markdown(file.stem, facts))
    return correct


def _fitted(bare: store.Model, in_form: Digits, prepared: Digits) -> dict[str, Any]:
    """Fit temperatures and evidence on held-out digits, already in MNIST's form and converted to it.

    The temperatures are fitted on the first reading. The evidence uses the mean reading of a doubtful digit.
    """
    sureness: dict[str, Any] = {
        "temperature": fit_temperature(bare.probabilities(in_form.images), in_form.labels),
        "prepared": fit_modest(bare.probabilities(prepared.images, [True] * len(prepared)), prepared.labels),
        "doubt": SURE,
    }
    model = replace(bare, input=replace(bare.input, **sureness))
    chances = model.probabilities(in_form.images, [True] * len(in_form))
    return sureness | {"evidence": fit_evidence(chances)}


def _right(model: store.Model, digits: Digits, *, prepared: bool = False) -> float:
    """Return the accuracy on the digits, 0..1."""
    chances = model.probabilities(digits.images, [prepared] * len(digits))
    return float((chances.argmax(axis=1) == digits.labels).mean())
