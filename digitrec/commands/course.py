"""``digitrec course``."""

from __future__ import annotations

import shlex
from importlib import import_module
from pathlib import Path

import click

from digitrec.commands import options, sources
from digitrec.commands.files import Input

QUICK = 2000
"""Digits that the quick form learns from."""
EXPECTED = {"mnist-train": 97, "mnist-test": 90}
"""Per cent of the test digits that a network should read, by what it learned from."""


@click.command(context_settings={"show_default": True})
@click.option(
    "--arch", default="tutorial-cnn", metavar="NAME",
    help="Network to train, as for `digitrec train`.",
)  # fmt: skip
@options.whole("--epochs", "Number of epochs.", default=5, metavar=None)
@options.sources("--data", help="Training digits, as for `digitrec train`.", default="mnist-train")
@click.option(
    "--picture", type=Input(exists=True), metavar="FILE",
    help="Picture to read at the end.  [default: a digit of the test set]",
)  # fmt: skip
@options.flag("--quick", help=f"Train on {QUICK:,} digits that come with digitrec; about a minute.")
@options.out_folder("digitrec-course", "Folder for all results.")
def course(arch: str, epochs: int, data: str, picture: Path | None, quick: bool, out: Path) -> None:
    """Run the whole course: explore, train, evaluate, predict.

    Each step is a command, printed before it runs; docs/tutorial.md explains them. The folder gets
    pictures of the data, the model with its curves, its evaluation and the picture that was read. Needs
    the extras `train`, `stats` and `plots`.

    \b
    Examples:
      digitrec course --quick
      digitrec course --arch complex-cnn --epochs 15 --picture 7.png --out all
      digitrec predict 7.png --model digitrec-course/model.keras
    """
    if picture is not None and out.resolve() in picture.resolve().parents:
        raise click.UsageError(f"--picture {picture} is in --out; name one elsewhere.")
    out.mkdir(parents=True, exist_ok=True)
    data = "mnist-test" if quick else data
    model = ("--model", str(out / "model.keras"))
    seen = ("--limit", "500") if quick else ()
    pace = ("--limit", str(QUICK), "--batch", "32", "--limit-test", "1000") if quick else ()
    measured = ("--limit", "1000") if quick else ()
    training = ("--arch", arch, "--epochs", str(epochs), "--data", data, *pace, "--out", model[1])
    evaluation = ("--data", "mnist-test", *measured, *model, "--out", str(out / "evaluation"))
    expected = f"; expect more than {EXPECTED[data]} % of the test digits" if data in EXPECTED else ""
    _run(1, "Look at the data", "explore", data, *seen, "--out", str(out / "data"))
    _run(2, f"Train{expected}", "train", *training)
    _run(3, "Evaluate, and look at the mistakes", "evaluate", *evaluation)
    _run(4, "Predict", "predict", str(picture or _digit(out / "digit.png")), *model)


def _run(number: int, title: str, name: str, *words: str) -> None:
    """Print and run one command; if it fails, end the course with its exit code."""
    click.echo(f"\n{number}. {title}\n$ {shlex.join(['digitrec', name, *words])}")
    command: click.Command = getattr(import_module(f"digitrec.commands.{name}"), name)
    if code := command.main(list(words), prog_name=f"digitrec {name}", standalone_mode=False):
        click.get_current_context().exit(code)


def _digit(path: Path) -> Path:
    """Write a digit of the test set as a picture, dark on light as on paper, and return its path."""
    from PIL import Image

    from digitrec.comparison.datasets.mnist import mnist_test

    digit = Image.fromarray(255 - mnist_test().images[0]).resize((280, 280), Image.Resampling.BICUBIC)
    sources.save(digit, path)
    return path
