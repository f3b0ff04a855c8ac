"""Training the network: MNIST's 60,000 digits, changed anew in every epoch, to a model file with its card.

AdamW with one warm-up and a cosine down to nothing, smoothed labels, and a running average of the weights,
whose batch normalisation is measured again before use. What was made besides (`synthetic`) is learned with
the digits, then left out while finishing. A tenth of the digits is held back to watch by; the
10,000 test digits are looked at once, when all is done, for the card.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitrec.errors import NotInstalled
from digitrec.models import card, cnn, export, run, store, synthetic
from digitrec.models.augment import augment
from digitrec.models.confidence import fit_evidence, fit_temperature
from digitrec.models.data import NO_DIGIT, SHA256, Digits, mnist_test, mnist_train
from digitrec.models.run import Epoch, Progress, TrainConfig, TrainResult

if TYPE_CHECKING:
    import keras

__all__ = ["Epoch", "Progress", "TrainConfig", "TrainResult", "split", "train"]

Watcher = Callable[[Progress], object]

_WANTED = np.vstack([np.eye(10), np.full(10, 0.1)]).astype(np.float32)  # the last row is for NO_DIGIT
_PORTION = 100  # digits made between two words of progress


def train(
    config: TrainConfig,
    folder: Path,
    *,
    digits: Digits | None = None,
    resume: bool = False,
    on_progress: Watcher | None = None,
) -> TrainResult:
    """Train a network as `config` says and write it, its card and its history into `folder`.

    Uses a GPU where TensorFlow sees one.

    Args:
        config: what decides the outcome.
        folder: made when it is not there.
        digits: those to learn from; by default MNIST's 60,000.
        resume: go on after the last finished epoch of a run in `folder` that was stopped.
        on_progress: told after every step.

    Raises:
        NotInstalled: the `train` extra is missing.
        DataError: MNIST cannot be had.
        ModelError: `resume` finds no run, or one with other settings.
        ValueError: there are fewer digits than one batch.
    """
    digits = mnist_train() if digits is None else digits
    learned, held_back = split(digits, config.validation)
    if len(learned) < config.batch:
        raise ValueError(f"{len(learned)} digits to learn from are fewer than one batch of {config.batch}")
    if resume:
        run.check(folder, config)
    else:
        run.begin(folder, config)
    made = _made(learned, config, folder / run.MADE, on_progress)
    senseless = int((made.labels == NO_DIGIT).sum())
    counts = {"learned": len(learned), "made": len(made) - senseless, "no digit": senseless}
    counts["held back"] = len(held_back)
    own, learned = learned, learned + made
    steps = len(learned) // config.batch
    optimizer = _optimizer(config, config.learning_rate, steps * config.epochs)
    network, averaged = _built(config, optimizer), _built(config)
    history: list[Epoch] = []
    if resume:
        network, history = run.stopped(folder, steps)
    typical = _lesson(learned, config, config.epochs)[: 30 * config.batch]
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(_lesson, learned, config, len(history))
        while len(history) < config.epochs:
            lesson = coming.result()
            coming = ahead.submit(_lesson, learned, config, len(history) + 1)
            started = time.monotonic()
            learning = _learn(network, lesson, config, history, on_progress)
            _average(network, averaged, typical, config.batch)
            history.append(_watched(averaged, held_back, learning, started, history))
            run.keep(network, history, folder)
        coming.cancel()
    _average(network, averaged, typical, config.batch)
    if config.finishing:
        _finish(averaged, own, held_back, typical, config, history, on_progress)
        run.write(history, folder)
    return _ship(averaged, config, history, counts, held_back, folder)


def split(digits: Digits, share: float) -> tuple[Digits, Digits]:
    """Part the digits into those to learn from and the `share` (0..1) held back; always in the same way."""
    order = np.random.default_rng(0).permutation(len(digits))
    held = round(share * len(digits))
    return digits[order[held:]], digits[order[:held]]


def _made(learned: Digits, config: TrainConfig, file: Path, on_progress: Watcher | None) -> Digits:
    """The digits that are made for this run; kept in `file`, since each takes 10 to 20 ms."""
    if file.is_file():
        with np.load(file) as kept:
            return Digits(kept["images"], kept["labels"])
    made = learned[:0]
    started = time.monotonic()
    wanted = round(config.made * len(learned)) // _PORTION * _PORTION
    for count in range(_PORTION, wanted + 1, _PORTION):
        made += synthetic.make(learned, _PORTION, [config.seed, count])
        if on_progress is not None:
            done = count / wanted
            on_progress(Progress(done, 0, 0.0, (time.monotonic() - started) * (1 / done - 1), None))
    np.savez_compressed(file, images=made.images, labels=made.labels)
    return made


def _optimizer(config: TrainConfig, highest: float, total: int) -> Any:
    """AdamW with its learning rate over `total` steps, keeping the running average of the weights."""
    keras = load_keras()
    rising = round(config.warm_up * total)
    rate = keras.optimizers.schedules.CosineDecay(
        highest / 100, total - rising, warmup_target=highest, warmup_steps=rising
    )
    return keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        beta_2=0.99,
        use_ema=True,
        ema_momentum=1 - 1 / max(1, config.averaging * total),
    )


def _lesson(digits: Digits, config: TrainConfig, epoch: int) -> Digits:
    """The digits of one epoch, counted from 0: each changed, in a new order."""
    rng = np.random.default_rng([config.seed, epoch])
    order = rng.permutation(len(digits))
    return Digits(augment(digits.images[order], rng, config.augmentation), digits.labels[order])


def _learn(
    network: keras.Model,
    lesson: Digits,
    config: TrainConfig,
    history: list[Epoch],
    on_progress: Watcher | None,
) -> tuple[float, float]:
    """Take every step of one epoch; return its mean loss and accuracy."""
    images, labels = _tensors(lesson)
    steps = len(lesson) // config.batch
    started = time.monotonic()
    past = sum(epoch.seconds for epoch in history)
    last = history[-1] if history else None
    sums = np.zeros(2)
    for step in range(steps):
        part = slice(step * config.batch, (step + 1) * config.batch)
        sums += network.train_on_batch(images[part], labels[part])
        if on_progress is not None:
            done = (len(history) + (step + 1) / steps) / (config.epochs + config.finishing)
            left = (past + time.monotonic() - started) * (1 / done - 1)
            on_progress(Progress(done, len(history) + 1, sums[0] / (step + 1), left, last))
    return float(sums[0] / steps), float(sums[1] / steps)


def _watched(
    averaged: keras.Model,
    held_back: Digits,
    learning: tuple[float, float],
    started: float,
    history: list[Epoch],
) -> Epoch:
    """The row of the epoch that ends now."""
    loss, accuracy = averaged.evaluate(*_tensors(held_back), verbose=0)
    return Epoch(len(history) + 1, *learning, loss, accuracy, time.monotonic() - started)


def _average(network: keras.Model, averaged: keras.Model, typical: Digits, batch: int) -> None:
    """Give `averaged` the running average of the weights; batch normalisation is measured on `typical`."""
    now = network.get_weights()
    network.optimizer.finalize_variable_values(network.trainable_variables)
    averaged.set_weights(network.get_weights())
    network.set_weights(now)
    _measure(averaged, typical, batch)


def _measure(averaged: keras.Model, typical: Digits, batch: int) -> None:
    """Measure the batch normalisation of `averaged` on `typical`."""
    images, _ = _tensors(typical)
    for start in range(0, len(images), batch):
        averaged(images[start : start + batch], training=True)


def _finish(
    averaged: keras.Model,
    own: Digits,
    held_back: Digits,
    typical: Digits,
    config: TrainConfig,
    history: list[Epoch],
    on_progress: Watcher | None,
) -> None:
    """Let `averaged` go on with its `own` digits, then keep the mean of its weights before and after.

    The mean is nearly as good on those digits, and loses little of what was learned from the others: Mitchell
    Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
    """
    before = averaged.get_weights()
    total = len(own) // config.batch * config.finishing
    network = _built(config, _optimizer(config, config.finishing_rate, total))
    network.set_weights(before)
    for _ in range(config.finishing):
        started = time.monotonic()
        learning = _learn(network, _lesson(own, config, len(history) + 1), config, history, on_progress)
        _average(network, averaged, typical, config.batch)
        after = averaged.get_weights()
        averaged.set_weights([(one + other) / 2 for one, other in zip(before, after, strict=True)])
        _measure(averaged, typical, config.batch)
        history.append(_watched(averaged, held_back, learning, started, history))


def _ship(
    network: keras.Model,
    config: TrainConfig,
    history: list[Epoch],
    counts: dict[str, int],
    held_back: Digits,
    folder: Path,
) -> TrainResult:
    """Write the files; their temperature and the figures on their card come from the file that is shipped."""
    bare = export.to_litert(network)
    litert_file = folder / f"{config.name}.tflite"
    litert_file.write_bytes(export.described(bare, export.description(config.name, {})))
    read = store.load(litert_file).probabilities
    chances = read(held_back.images)
    temperature = fit_temperature(chances, held_back.labels)
    evidence = fit_evidence(chances, temperature)
    test = mnist_test()
    correct = int((read(test.images).argmax(axis=1) == test.labels).sum())
    watched = float((chances.argmax(axis=1) == held_back.labels).mean())
    facts: dict[str, Any] = {
        "architecture": cnn.describe(config.widths),
        "parameters": network.count_params(),
        "kilobytes": len(bare) / 1000,
        "digits": counts,
        "validation_accuracy": watched,
        "temperature": temperature,
        "evidence": evidence,
        "test": card.measured(correct, len(test)),
        "training_seconds": sum(epoch.seconds for epoch in history),
        "settings": asdict(config),
        "data_sha256": SHA256,
        "environment": card.environment(),
    }
    about = export.description(config.name, facts, temperature=temperature, evidence=evidence)
    litert_file.write_bytes(export.described(bare, about))
    keras_file = folder / f"{config.name}.keras"
    export.save_keras(network, keras_file, about)
    card_file = folder / f"{config.name}.md"
    card_file.write_text(card.markdown(config.name, facts), encoding="utf-8")
    return TrainResult(litert_file, keras_file, card_file, tuple(history), correct, len(test))


def _built(config: TrainConfig, optimizer: Any = "adam") -> keras.Model:
    """The untrained network, ready to be trained or measured."""
    network = cnn.build(config.widths, seed=config.seed)
    loss = load_keras().losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing)
    network.compile(optimizer, loss, metrics=["accuracy"])
    return network


def _tensors(digits: Digits) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Images (N, 28, 28, 1) in 0..1 and the wanted answers (N, 10): one-hot, or undecided for no digit."""
    images = np.divide(digits.images[..., None], 255, dtype=np.float32)
    return images, _WANTED[digits.labels]


def load_keras() -> Any:
    """Keras, imported now.

    Raises:
        NotInstalled: the `train` extra is missing.
    """
    try:
        import keras
    except ImportError as error:
        raise NotInstalled("training needs TensorFlow: pip install 'digitrec[train]'") from error
    return keras
