"""``digitrec train``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitrec.commands import options, trials, values
from digitrec.commands.files import Data, Input, Output, named_as_file, refuse_outputs
from digitrec.commands.finetune import Start, fine_tune, settled
from digitrec.commands.progress import quiet_bar, quietly
from digitrec.errors.text import percent

if TYPE_CHECKING:
    from digitrec.comparison.datasets.mnist import Digits
    from digitrec.lab.training.run import Epoch, Progress, Watcher

RECIPE = "our own, by its own recipe"
SUFFIXES = (".keras", ".h5", ".tflite", ".skops")
"""What the name of a model file may end in; a name without an ending is a folder's."""
OF_NETWORKS = ("batch", "optimizer", "augment", "device")
"""Options that say nothing to scikit-learn's classifiers."""


@click.command(context_settings={"show_default": True})
@click.option(
    "--arch", type=Input(path_type=str), metavar="NAME", shell_complete=values.architecture,
    help="tutorial-cnn, simple-cnn, complex-cnn, mlp, resnet-small, vgg-small, efficientnet-small, knn, "
    "random-forest, svm, resnet, vgg, efficientnet, or "
    f"the best.json of `digitrec tune`.  [default: {RECIPE}]",
)  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=1), help="Number of epochs.  [default: the recipe's]")
@click.option(
    "--validation-split", type=options.Number(0, 0.9), metavar="SHARE",
    help="Share of digits for validation.  [default: 0.1; 0.2 of your own hand]",
)  # fmt: skip
@click.option(
    "--loss", type=click.Choice(["categorical", "sparse"]), default="categorical",
    help="Cross-entropy on one-hot or on integer labels.",
)  # fmt: skip
@click.option(
    "--scale", type=click.Choice(["unit", "byte", "l2"]), default="unit",
    help="Pixels as 0..1, 0..255, or Keras' normalize(axis=1); kept in the model file.",
)  # fmt: skip
@click.option("--learning-rate", type=options.Number(min=0, min_open=True), help="Peak learning rate.")
@click.option("--rate", type=options.Number(min=0, min_open=True), hidden=True,
              deprecated="Use --learning-rate.")  # fmt: skip
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="N",
    help="Digits per step.  [default: 128; 32 for a backbone]",
)
@click.option(
    "--optimizer", type=click.Choice(["adam", "adamw", "rmsprop", "sgd"]),
    help="Keras' optimiser; sgd has Nesterov's momentum and, unless --learning-rate is given, ten times "
    "Adam's rate.  [default: adam; adamw for the recipe]",
)  # fmt: skip
@click.option(
    "--augment/--no-augment", default=None,
    help="Augment digits, anew in each epoch.  [default: by architecture]",
)  # fmt: skip
@click.option("--seed", default=0, help="Random seed of weights, order and augmentation.")
@click.option(
    "--data", "sources", type=Data(), multiple=True, metavar="SOURCE", shell_complete=values.digits,
    help="Training digits, as for `digitrec explore`; repeatable.  [default: mnist-train, for the recipe "
    "also Swiss and Turkish writers]",
)  # fmt: skip
@click.option(
    "--limit",
    type=click.IntRange(min=10),
    metavar="N",
    help="Only N of each source, all digits in proportion.",
)
@click.option(
    "--test", type=Data(), metavar="SOURCE", shell_complete=values.digits,
    help="Test digits; training digits among them are left out.  [default: mnist-test]",
)  # fmt: skip
@click.option("--limit-test", type=click.IntRange(min=1), metavar="N", help="Only N test digits.")
@click.option(
    "--start", type=Start(), metavar="digitrec|FILE",
    help="Without --arch, learn your own hand from digitrec's network, or a .tflite file of it. With "
    "--arch, continue from this .keras or .h5 model; for resnet, vgg and efficientnet also from published "
    "weights without the top (.h5).",
)  # fmt: skip
@click.option(
    "--pretrained", is_flag=True,
    help="Start from ImageNet weights, fetched once: resnet, vgg, efficientnet.",
)  # fmt: skip
@click.option("--freeze", is_flag=True, help="Train only the last layer; with --start or --pretrained.")
@click.option(
    "--side", type=click.IntRange(min=32), metavar="PIXELS",
    help="Input size of resnet, vgg and efficientnet; smaller is faster.  [default: 224]",
)  # fmt: skip
@click.option(
    "--device", metavar="NAME",
    help="TensorFlow device: auto, cpu, gpu, or gpu:1 for the second.  [default: auto]",
)  # fmt: skip
@click.option(
    "--out", default=Path("digitrec-model"), type=Output(), metavar="PATH",
    help="Model file (.keras, .h5, .tflite, .skops) or folder; curves and logs go beside it.",
)  # fmt: skip
@click.option(
    "--folds", type=click.IntRange(min=2, max=20), metavar="K",
    help="With --arch: K-fold cross-validation; writes no model.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue after the last finished epoch.")
def train(arch: str | None, out: Path, sources: Sequence[str], limit: int | None, **options: Any) -> None:
    """Train a model on MNIST or on your own digits, and write it with its model card.

    Without --arch it trains digitrec's own network by its recipe (two networks in one file), else the
    named one. Needs the extra `train`, or `stats` for knn, random-forest and svm. MNIST comes from
    $DIGITREC_DATA/mnist or is fetched once. The recipe also uses digits of Swiss and Turkish writers in
    $DIGITREC_DATA/world (docs/recipe.md has the sources) and fonts in $DIGITREC_DATA/fonts or fetched
    once; --data mnist-train leaves both out. --resume continues an interrupted run, with more --epochs
    also a finished run of --arch. The model is tested on digits that it was not trained on. Curves of
    accuracy and loss are drawn beside it; `digitrec predict --model` reads it.

    --start digitrec teaches the shipped network your own hand from 50 to 500 pictures, in a minute or
    two. It also rehearses known digits, so that it forgets nothing, and is tested before and after on a
    held-back fifth of your pictures and all other sets at hand.

    \b
    Examples:
      DIGITREC_DATA=data digitrec train
      digitrec train --start digitrec --data my-digits/ --out mine.tflite
      digitrec train --data mnist-train
      digitrec train --arch tutorial-cnn --epochs 12 --out mnist_cnn_model.h5
      digitrec train --arch mlp --epochs 5 --loss sparse --validation-split 0.3 --scale l2 --out mlp.keras
      digitrec train --arch resnet-small --epochs 4 --out resnet.tflite
      digitrec train --arch efficientnet --pretrained --freeze --side 96 --device gpu --out efficient.keras
      digitrec train --arch svm --data mnist.npz --test mnist.npz --out svm.skops
      digitrec train --start mnist_cnn_model.h5 --arch tutorial-cnn --data my-digits/ --out mine.keras
      digitrec predict 7.png --model mine.keras
    """
    former = options.pop("rate")
    options["learning_rate"] = options["learning_rate"] or former
    file = _file(out)
    with _on(options["device"]):
        if arch is None and options["start"] is not None:
            _refuse(options, "test", "resume")
            model = file or out / "own-hand.tflite"
            _write_only(model, [".tflite"], model.with_suffix(".md"))
            fine_tune(model, sources, limit, options)
        elif arch is None:
            _by_recipe(file, out, sources, limit, options)
        else:
            _by_name(arch, file, out, sources, limit, options)


def _on(device: str | None) -> AbstractContextManager[Any]:
    """Where it computes; None: nobody has asked, so that TensorFlow need not be there."""
    if device is None:
        return nullcontext()
    from digitrec.lab.training import devices

    with quietly():
        found = devices.find(device)
    return devices.on(found)


def _refuse(options: dict[str, Any], *more: str) -> None:
    """Make sure that nothing is asked of our own network that only an architecture of the zoo can do.

    Raises:
        click.UsageError: something is.
    """
    usual = {
        "loss": "categorical", "scale": "unit", "pretrained": False, "freeze": False, "resume": False,
    }  # fmt: skip
    others = ("optimizer", "augment", "side", "folds")
    named = [name for name in usual if name != "resume"] + [*others, *more]
    asked = [f"--{name.replace('_', '-')}" for name in named if options[name] != usual.get(name)]
    if asked:
        raise click.UsageError(f"{', '.join(asked)}: for an architecture named with --arch.")


def _file(out: Path) -> Path | None:
    """The model file that is meant; None: a folder.

    Raises:
        click.UsageError: it is called like a file of another kind.
    """
    if out.suffix in SUFFIXES:
        return out
    if named_as_file(out):
        raise click.UsageError(
            f"--out {out}: name a {', '.join(SUFFIXES)} file, or a folder without an extension."
        )
    return None


def _write_only(model: Path, endings: Sequence[str], *beside: Path) -> None:
    """Make sure that a model can be written under this name, and that nothing written is read.

    Raises:
        click.UsageError: it cannot, or something is.
    """
    if model.suffix not in endings:
        raise click.UsageError(f"--out {model}: this model is written as {', '.join(endings)}.")
    refuse_outputs("--out", [model, *beside])


def _given(sources: Sequence[str], limit: int | None, options: dict[str, Any]) -> dict[str, Any]:
    """What `fit` and `train` are given of digits: to learn from, and to measure with."""
    from digitrec.lab.datasets.digits import read_digits

    given: dict[str, Any] = {"limit_test": options["limit_test"], "resume": options["resume"]}
    if options["test"] is not None:
        given |= {"test": read_digits(options["test"]), "tested_on": _name(options["test"])}
    if sources or limit is not None:
        given["digits"], given["sources"] = _learned(sources or ["mnist-train"], limit)
    return given


def _learned(sources: Sequence[str], limit: int | None) -> tuple[Digits, dict[str, int]]:
    """All digits to learn from, and how many are from each source."""
    from digitrec.lab.datasets.digits import read_digits

    parts = [(_name(source), read_digits(source, limit, part="train")) for source in sources]
    return reduce(add, [digits for _, digits in parts]), {name: len(digits) for name, digits in parts}


def _name(source: str) -> str:
    """What a source is called on a card: without the folders that it lies in."""
    return Path(source).resolve().name


def _by_recipe(
    file: Path | None, out: Path, sources: Sequence[str], limit: int | None, options: dict[str, Any]
) -> None:
    """digitrec's own network; a file that is named gets that name, and the others stand beside it."""
    _refuse(options)
    from digitrec.lab.training import export
    from digitrec.lab.training.run import TrainConfig
    from digitrec.lab.training.train import train as run

    config = TrainConfig(name=TrainConfig().name if file is None else file.stem, **settled(options))
    folder = out if file is None else file.parent
    beside = [folder / f"{config.name}{ending}" for ending in (".keras", ".tflite", ".md")]
    _write_only(file or beside[0], SUFFIXES[:-1], *beside)
    given = _given(sources, limit, options)
    epochs = config.epochs + config.finishing
    with _shown(epochs, config.networks) as show:
        result = run(config, folder, **given, on_progress=show)
    if file is not None and file.suffix == ".h5":
        export.as_h5(result.keras_file, file)
    click.echo(f"{result.test_correct:,} of {result.test_count:,} test digits read rightly")
    click.echo(f"model: {file or result.litert_file}\ncard:  {result.card_file}")
    for number, history in enumerate(result.histories, 1):
        _draw(history, f"{config.name}-{number}" if config.networks > 1 else config.name, folder)


def _by_name(
    arch: str,
    file: Path | None,
    out: Path,
    sources: Sequence[str],
    limit: int | None,
    options: dict[str, Any],
) -> None:
    """An architecture of the zoo; without a file's name it is called like the architecture, in `out`."""
    from digitrec.lab.training.fit import SUFFIXES as WRITTEN
    from digitrec.lab.training.fit import check, fit
    from digitrec.lab.training.run import FitConfig
    from digitrec.lab.training.zoo import find

    config = FitConfig(
        arch, optimizer=options["optimizer"] or "adam", augment=options["augment"], loss=options["loss"],
        scale=options["scale"], pretrained=options["pretrained"], freeze=options["freeze"],
        side=options["side"], **settled(options),
    )  # fmt: skip
    kind = find(arch)
    file = file or out / f"{Path(arch).stem}{WRITTEN[kind.family][0]}"
    if kind.family == "scikit-learn" and any(options[name] is not None for name in OF_NETWORKS):
        raise click.UsageError(f"--{', --'.join(OF_NETWORKS)} are for networks; {arch} is none.")
    _write_only(file, WRITTEN[kind.family], file.with_name(f"{file.stem}-curves.png"))
    if options["start"] is not None and options["start"].suffix not in WRITTEN["keras"][:2]:
        raise click.UsageError(f"--start {options['start']}: with --arch, name a .keras or .h5 file.")
    check(kind, config, options["start"], resume=options["resume"])
    if options["folds"] is not None:
        trials.check(options)
        trials.cross_validate(config, _learned(sources or ["mnist-train"], limit)[0], options["folds"])
        return
    given = _given(sources, limit, options)
    with _shown(config.epochs or kind.epochs) as show:
        result = fit(config, file, **given, start=options["start"], on_progress=show)
    share = result.test_correct / result.test_count
    left_out = f" but for {result.left_out:,} that it learned" if result.left_out else ""
    click.echo(
        f"test accuracy {percent(share, 2)} ({result.test_correct:,} of {result.test_count:,} of "
        f"{result.tested_on}{left_out}), test loss {result.test_loss:.4f}, {result.seconds:.0f} s\n"
        f"model: {result.file}"
    )
    _draw(result.history, file.stem, file.parent)


@contextmanager
def _shown(epochs: int, networks: int = 1) -> Iterator[Watcher]:
    """A bar with the network, the epoch, the loss and how well the digits held back are read."""
    with quiet_bar("training") as bar:

        def show(progress: Progress) -> None:
            last = progress.last
            seen = "" if last is None else f", held back {percent(last.validation_accuracy, 2)}"
            which = "" if networks == 1 else f"network {progress.network}/{networks}, "
            at = f"{which}epoch {progress.epoch}/{epochs}, loss {progress.loss:.3f}{seen}"
            bar.at(progress.done, at if progress.epoch else "making digits")

        yield show


def _draw(history: Sequence[Epoch], name: str, folder: Path) -> None:
    """The curves, where there is a history."""
    if not history:
        return
    from digitrec.report.plots.style import save
    from digitrec.report.plots.training import curves

    click.echo(f"curves: {save(curves(history, name), folder / f'{name}-curves.png')}")
