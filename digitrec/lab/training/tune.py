"""Search for good settings of a plain CNN with Optuna; bad trials stop early, and SQLite keeps the study.

A stopped or killed study continues with the next trial if the same folder is given again.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import DataError, ModelError
from digitrec.errors.text import first_line
from digitrec.image import atomic
from digitrec.image.pixels import digest
from digitrec.lab.training import networks
from digitrec.lab.training.backend import keras
from digitrec.lab.training.run import split
from digitrec.models.network import scaled
from digitrec.providers.base import requires

with requires("Tuning", "tune"):
    import optuna
    from sqlalchemy import URL

STUDY, BEST = "study.db", "best.json"
"""Names of the files in a study's folder."""
NAME = "digitrec-cnn"
ATTEMPTS = 10
"""Maximum number of attempts to create a study: one fails while another process creates the same tables."""
VALIDATION = 0.2
"""Share of the digits on which trials are compared."""


def tune(
    digits: Digits,
    folder: Path,
    *,
    trials: int,
    epochs: int = 4,
    seed: int = 0,
    on_trial: Callable[[optuna.trial.FrozenTrial], None] = lambda _: None,
) -> optuna.Study:
    """Try settings; each trial trains on four fifths of the digits and is scored on the rest.

    A trial's value is its accuracy on the rest. After each trial the best settings are written to `BEST`.

    Args:
        digits: the digits for training and scoring; a few thousand are enough.
        folder: the study's folder; an existing study is continued.
        trials: number of trials to run now.
        epochs: number of epochs of each trial.
        seed: decides which settings are tried.
        on_trial: called after each trial.

    Raises:
        NotInstalled: the extra `tune` or `train` is missing.
        DataError: too few digits to hold out a fifth.
        ModelError: no trial was finished, or the folder holds another study.
    """
    folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # Ctrl-C is a warning, with a traceback
    url = URL.create("sqlite", database=str(folder / STUDY))  # escapes "?" and "%"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            study = optuna.create_study(
                study_name=NAME, storage=url.render_as_string(), direction="maximize", load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
            )  # fmt: skip
            break
        except Exception as error:  # SQLAlchemy raises various errors for another kind of database
            if attempt == ATTEMPTS:
                raise ModelError(f"{folder}: no study ({first_line(error)}); give another folder") from error
    about = {"digits": digest(digits.images) + digest(digits.labels), "epochs": epochs}
    if study.user_attrs.get("about", about) != about:
        raise ModelError(f"{folder}: holds a study of other digits or --epochs; give another folder")
    study.set_user_attr("about", about)
    # With the same seed, an earlier run's trials would be proposed again.
    study.sampler = optuna.samplers.TPESampler(seed=(seed + len(study.trials)) % 2**32)
    learned, held_back = split(digits, VALIDATION)
    if not len(held_back):
        raise DataError(f"{len(digits)} digits are too few to train and to validate; give more")

    def finished(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        if study.get_trials(states=[optuna.trial.TrialState.COMPLETE]):
            best = study.best_trial  # `digitrec train --arch` reads its settings
            made = best.user_attrs | {"held_back_accuracy": best.value}
            atomic.write(folder / BEST, json.dumps(made, indent=1))
        on_trial(trial)

    study.optimize(lambda trial: _accuracy(trial, learned, held_back, epochs), trials, callbacks=[finished])
    if not study.get_trials(states=[optuna.trial.TrialState.COMPLETE]):
        raise ModelError(f"{folder}: no trial finished; run more trials")
    return study


def _settings(trial: optuna.Trial) -> tuple[dict[str, Any], dict[str, Any]]:
    """Suggest the settings of the network and of its training."""
    network = {
        "filters": trial.suggest_categorical("filters", [8, 16, 24, 32]),
        "depth": trial.suggest_int("layers", 1, 3),
        "kernel": trial.suggest_categorical("kernel", [3, 5]),
        "dense": trial.suggest_categorical("dense", [64, 128, 256]),
        "dropout": round(trial.suggest_float("dropout", 0.0, 0.6), 3),
    }
    training = {
        "learning_rate": float(f"{trial.suggest_float('learning_rate', 1e-4, 1e-2, log=True):.3g}"),
        "batch": trial.suggest_categorical("batch", [32, 64, 128, 256]),
    }
    return network, training


def _accuracy(trial: optuna.Trial, learned: Digits, held_back: Digits, epochs: int) -> float:
    """Train with the trial's settings; stop if half of the other trials were better at that point."""
    network_of, training = _settings(trial)
    keras.utils.set_random_seed(trial.number)
    network = networks.convolutional(**network_of)
    rate = keras.optimizers.Adam(training["learning_rate"])
    network.compile(rate, "sparse_categorical_crossentropy", metrics=["accuracy"])
    images, watched = (scaled(part.images, "unit")[..., None] for part in (learned, held_back))

    def report(epoch: int, logs: dict[str, float]) -> None:
        trial.report(logs["val_accuracy"], epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    done = network.fit(
        images, learned.labels, batch_size=training["batch"], epochs=epochs, verbose=0,
        validation_data=(watched, held_back.labels), validation_batch_size=256,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report)],
    )  # fmt: skip
    trial.set_user_attr("network", network_of)
    trial.set_user_attr("training", training)
    return float(done.history["val_accuracy"][-1])
