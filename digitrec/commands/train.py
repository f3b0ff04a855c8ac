"""``digitrec train`` and ``digitrec tune``."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from digitrec.commands import options
from digitrec.commands.progress import quiet_bar, quietly
from digitrec.comparison.datasets.loader import read_samples
from digitrec.errors.text import aligned, count, percent
from digitrec.lab.datasets.digits import SUFFIXES, read_digits, run_folder
from digitrec.lab.training.zoo import find
from digitrec.models import store
from digitrec.providers.base import is_installed, not_installed

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from digitrec.lab.training.run import Epoch, Given

EXPECTED = 0.9
"""Expected accuracy on the test digits, 0..1; below it the command suggests changes."""
OF_ARCHITECTURES = ("loss", "scale", "pretrained", "freeze", "optimizer", "augment", "side")
"""Options for the architectures of `--arch`, which our own network does not take."""
OF_NETWORKS = (
    "epochs", "validation_split", "loss", "learning_rate", "batch", "optimizer", "augment", "start",
)  # fmt: skip
"""Options that scikit-learn's classifiers do not take."""


class Start(options.Input):
    """A model file to start from, or "digitrec" for the shipped network."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path of the file."""
        return store.SHIPPED if value == "digitrec" else Path(str(super().convert(value, param, ctx)))


@click.command(context_settings={"show_default": True})
@click.option(
    "--arch", type=options.Input(path_type=str), metavar="NAME",
    help="tutorial-cnn, simple-cnn, complex-cnn, mlp, resnet-small, efficientnet, knn, random-forest, svm, "
    "or the best.json of `digitrec tune`.  [default: our own, by its own recipe]",
)  # fmt: skip
@options.whole("--epochs", "Number of epochs.  [default: the recipe's]", metavar=None)
@click.option(
    "--validation-split", type=options.Number(0, 0.9), metavar="SHARE",
    help="Share of digits for validation.  [default: 0.1; 0.2 of your own digits]",
)  # fmt: skip
@options.choice(
    "--loss", "categorical", "sparse", default="categorical",
    help="Cross-entropy on one-hot or on integer labels.",
)  # fmt: skip
@options.choice(
    "--scale", "unit", "byte", "signed", "l2", default="unit",
    help="Pixels as 0..1, 0..255, -1..1, or Keras' normalize(axis=1); kept in the model file.",
)  # fmt: skip
@click.option("--learning-rate", type=options.POSITIVE, help="Peak learning rate.")
@click.option("--rate", type=options.POSITIVE, hidden=True, deprecated="Use --learning-rate.")
@options.whole("--batch", "Digits per step.  [default: 128; 32 for efficientnet]")
@options.choice(
    "--optimizer", "adam", "adamw", "rmsprop", "sgd",
    help="Keras' optimiser; sgd has Nesterov's momentum and, unless --learning-rate is given, ten times "
    "Adam's rate.  [default: adam; adamw for the recipe]",
)  # fmt: skip
@click.option(
    "--augment/--no-augment", default=None,
    help="Augment digits, anew in each epoch.  [default: by architecture]",
)  # fmt: skip
@options.seed("Random seed.", default=0)
@options.sources(
    "--data", "sources", multiple=True,
    help="Training digits, as for `digitrec explore`; repeatable.  [default: mnist-train, for the recipe "
    "also Swiss and Turkish writers]",
)  # fmt: skip
@options.whole("--limit", "Use N of each source, keeping the mix of digits.", least=10)
@options.sources(
    "--test", help="Test digits; training digits among them are left out.  [default: mnist-test]"
)
@options.whole("--limit-test", "Use N test digits.")
@click.option(
    "--start", type=Start(exists=True), metavar="digitrec|FILE",
    help="Without --arch, fine-tune digitrec's network, or a .tflite file of it, on your digits. With "
    "--arch, continue from this .keras or .h5 model.",
)  # fmt: skip
@options.flag("--pretrained", help="Start efficientnet from ImageNet weights, fetched once.")
@options.flag("--freeze", help="Train only the last layer; with --start or --pretrained.")
@options.whole(
    "--side", "Input size of efficientnet; smaller is faster.  [default: 224]", least=32, metavar="PIXELS"
)
@click.option(
    "--out", default=Path("digitrec-model"), type=options.Output(), metavar="PATH",
    help="Model file (.keras, .h5, .tflite, .skops) or folder; curves and logs go beside it.",
)  # fmt: skip
def train(arch: str | None, out: Path, **chosen: Any) -> None:
    """Train a model on MNIST or on your own handwriting.

    Without --arch it trains digitrec's own network by its recipe, else the named architecture. Needs the
    extra `train`, or `stats` for knn, random-forest and svm. MNIST comes from $DIGITREC_DATA/mnist or is
    fetched once. The recipe also uses Swiss and Turkish writers in $DIGITREC_DATA/world (docs/recipe.md)
    and fonts in $DIGITREC_DATA/fonts or fetched once; --data mnist-train uses neither. The model is
    tested on digits that it did not learn. Curves of accuracy and loss are drawn beside it.

    --start digitrec teaches the shipped network your own handwriting from dozens of pictures, in about eight
    minutes, and reports the accuracy before and after on a held-out fifth of them and on all other sets.

    \b
    Examples:
      DIGITREC_DATA=data digitrec train
      digitrec train --start digitrec --data my-digits/ --out mine.tflite
      digitrec train --arch tutorial-cnn --epochs 12 --out mnist_cnn_model.h5
      digitrec train --arch mlp --epochs 5 --loss sparse --validation-split 0.3 --scale l2 --out mlp.keras
      digitrec train --arch efficientnet --pretrained --freeze --side 96 --out efficient.keras
      digitrec train --start mnist_cnn_model.h5 --arch tutorial-cnn --data my-digits/ --out mine.keras
    """
    chosen["learning_rate"] = chosen["learning_rate"] or chosen["rate"]
    file = out if out.suffix in SUFFIXES else None
    if file is None and options.named_as_file(out):
        raise click.UsageError(
            f"--out {out}: name a {', '.join(SUFFIXES)} file, or a folder without an extension."
        )
    if not is_installed("keras") and (arch is None or find(arch).family == "keras"):
        raise not_installed("Training", "train")
    if arch is not None:
        _by_name(arch, file, out, chosen)
        return
    _refuse("for an architecture named with --arch", *OF_ARCHITECTURES)
    if chosen["start"] is not None:
        _fine_tune(file or out / "own-hand.tflite", chosen)
    else:
        _by_recipe(file or out / store.SHIPPED.name, chosen)


def _refuse(why: str, *names: str) -> None:
    """Reject options that have no meaning in this call.

    Raises:
        click.UsageError: such an option is given.
    """
    source = click.get_current_context().get_parameter_source
    if given := [name for name in names if source(name) is not ParameterSource.DEFAULT]:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise click.UsageError(f"{named}: {why}.")


def _write_only(model: Path, endings: Sequence[str], *beside: Path) -> None:
    """Check the ending of a model file, its run folder, and that no output is also an input.

    Raises:
        click.UsageError: the ending is wrong, the folder is another model's, or an output is also an input.
    """
    if model.suffix not in endings:
        raise click.UsageError(f"--out {model}: this model is written as {', '.join(endings)}.")
    options.refuse_foreign_run(model)
    options.refuse_outputs("--out", [model, run_folder(model), *beside])


def _settings(chosen: dict[str, Any], *more: str) -> dict[str, Any]:
    """Return the given settings of a training run; the others keep their defaults."""
    named = {name: chosen[name] for name in ("epochs", "learning_rate", "batch", "seed", *more)}
    named["validation"] = chosen["validation_split"]
    return {name: value for name, value in named.items() if value is not None}


def _given(chosen: dict[str, Any]) -> Given:
    """Return the digits to learn from, and to test with."""
    from digitrec.lab.training.run import given

    learned = chosen["sources"] or ["mnist-train"]
    parts = [read_digits(source, chosen["limit"], single=True) for source in learned]
    numbers: Counter[str] = Counter()  # two folders may have the same name
    for source, part in zip(learned, parts, strict=True):
        numbers[_name(source)] += len(part)
    test = chosen["test"] or "mnist-test"
    return given(
        reduce(add, parts), numbers, read_digits(test), _name(test), chosen["limit_test"], chosen["start"]
    )


def _name(source: str) -> str:
    """Return a source's name for a model card: without its folders."""
    return Path(source).resolve().name


def _fine_tune(out: Path, chosen: dict[str, Any]) -> None:
    """Fine-tune our own network on the user's handwriting, and print gains and losses."""
    _refuse("for an architecture named with --arch", "test")
    _write_only(out, [".tflite"])
    sources = chosen["sources"]
    if not sources:
        raise click.UsageError("--start without --arch learns your digits: name your pictures with --data.")
    if chosen["start"].suffix != ".tflite":
        raise click.UsageError(f"--start {chosen['start']}: name a .tflite file, or add --arch.")
    from digitrec.lab.training import run

    samples = [sample for source in sources for sample in read_samples(source, chosen["limit"])]
    config = run.FineTuneConfig(**_settings(chosen))
    with quiet_bar("training") as bar:
        from digitrec.lab.training.finetune import HEADER, fine_tune, verdict

        done = fine_tune(
            config, out, samples, source=" and ".join(map(_name, sources)), start=chosen["start"],
            limit_test=chosen["limit_test"], on_progress=bar.at,
        )  # fmt: skip
    table = aligned([HEADER, *(one.row for one in done.changes)], (1, 2, 4, 5))
    click.echo("\n".join([*table, verdict(done.changes)]))
    click.echo(f"learned {count(done.learned, 'picture')} in {done.seconds:.0f} s, measuring included")
    click.echo(f"model: {done.file}")


def _by_recipe(file: Path, chosen: dict[str, Any]) -> None:
    """Train digitrec's own network, under the name of the file."""
    from digitrec.lab.training.run import TrainConfig

    settings = _settings(chosen) | {"name": file.stem}
    if chosen["sources"] or chosen["limit"] is not None:
        settings |= {"world": 0, "fonts": False}
    config = TrainConfig(**settings)
    _write_only(file, [".tflite"], file.with_suffix(".md"))
    what = _given(chosen)
    with quiet_bar("training") as bar:
        from digitrec.lab.training.train import train as run  # imports TensorFlow, which logs

        result = run(config, file.parent, what, on_progress=bar.at)
    click.echo(f"{result.test_correct:,} of {len(what.test):,} test digits are right")
    click.echo(f"model: {result.litert_file}\ncard:  {result.card_file}")
    for number, history in enumerate(result.histories, 1):
        _draw(history, f"{config.name}-{number}", file.parent)


def _by_name(arch: str, file: Path | None, out: Path, chosen: dict[str, Any]) -> None:
    """Train an architecture of the zoo; its file in the folder `out` is called like the architecture."""
    from digitrec.lab.training import fit, run

    config = run.FitConfig(arch, **_settings(chosen, *OF_ARCHITECTURES))
    kind = find(arch)
    file = file or out / f"{Path(arch).stem}{fit.SUFFIXES[kind.family][0]}"
    if kind.family == "scikit-learn":
        _refuse(f"for networks, which {arch} is not", *OF_NETWORKS)
    _write_only(file, fit.SUFFIXES[kind.family], file.with_name(f"{file.stem}-curves.png"))
    if chosen["start"] is not None and chosen["start"].suffix not in fit.SUFFIXES["keras"][:2]:
        raise click.UsageError(f"--start {chosen['start']}: with --arch, name a .keras or .h5 file.")
    try:
        with quietly():
            fit.check(kind, config, chosen["start"])
            store.load()  # LiteRT prints a line with its first network
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    what = _given(chosen)
    with quiet_bar("training") as bar:
        result = fit.fit(config, file, what, start=chosen["start"], on_progress=bar.at)
    left_out = f"; {what.left_out:,} learned digits excluded" if what.left_out else ""
    click.echo(
        f"test accuracy {percent(result.test_correct / len(what.test), 2)} ({result.test_correct:,} of "
        f"{len(what.test):,} digits of {what.tested_on}{left_out}), test loss {result.test_loss:.4f}, "
        f"{result.seconds:.0f} s\nmodel: {result.file}"
    )
    if result.test_correct < EXPECTED * len(what.test):
        steps = "" if kind.family == "scikit-learn" else ", more --epochs or a smaller --batch"
        click.echo(
            f"less than the {percent(EXPECTED, 0)} to expect of digits like MNIST's: try more digits{steps}"
        )
    _draw(result.history, file.stem, file.parent)


def _draw(history: Sequence[Epoch], name: str, folder: Path) -> None:
    """Draw the curves, if there is a history."""
    if not history:
        return
    from digitrec.report.models import learning_curves
    from digitrec.report.plots import save

    click.echo(f"curves: {save(learning_curves(history, name), folder / f'{name}-curves.png')}")


@click.command(context_settings={"show_default": True})
@options.whole("--trials", "Trials to run now.", default=20)
@options.whole("--epochs", "Epochs of each trial.", default=4, metavar=None)
@options.sources("--data", help="As for `digitrec explore`.", default="mnist-train")
@options.whole("--limit", "Use N digits, keeping the mix of digits.", least=50, default=6000)
@options.seed("Random seed.", default=0)
@options.out_folder("digitrec-tuning", "Folder of the study and the winner.")
def tune(trials: int, epochs: int, data: str, limit: int, seed: int, out: Path) -> None:
    """Search for the best settings of a CNN, resumable.

    Optuna varies filters, layers, kernel, dense units, dropout, learning rate and batch, and stops a trial
    that is worse than half of the others. After an interruption the same command continues the study.
    Needs the extra `tune`.

    \b
    Examples:
      digitrec tune --trials 30
      digitrec tune --trials 5 --data mnist-test --limit 2000
      digitrec train --arch digitrec-tuning/best.json --out tuned.keras
    """
    if not is_installed("optuna"):
        raise not_installed("Tuning", "tune")
    digits = read_digits(data, limit)
    over: list[FrozenTrial] = []
    with quiet_bar("tuning") as bar:
        from digitrec.lab.training import tune as search  # imports TensorFlow, which logs

        def show(trial: FrozenTrial) -> None:
            over.append(trial)
            read = "" if trial.value is None else f", {percent(trial.value, 2)}"
            bar.at(len(over) / trials, f"trial {len(over)} of {trials} {trial.state.name.lower()}{read}")

        study = search.tune(digits, out, trials=trials, epochs=epochs, seed=seed, on_trial=show)
    finished = sum(trial.state.name in {"COMPLETE", "PRUNED"} for trial in study.trials)
    click.echo(f"best of {finished} trials: {percent(study.best_value, 2)} of the held-out digits")
    click.echo("  " + ", ".join(f"{name} {value:.3g}" for name, value in study.best_params.items()))
    best = shlex.quote(str(out / search.BEST))
    click.echo(f"train it: digitrec train --arch {best} --out tuned.keras")
