"""``digitrec course``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click

from digitrec.commands import values
from digitrec.commands.files import Data, Input, OutputFolder

MODEL, PICTURE, QUICK = "model.keras", "digit.png", 500
"""The model and the picture that are left in the folder; digits that the quick form learns."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the course: what it is for, and the command that does it, without "digitrec"."""

    title: str
    command: tuple[str, ...]


@click.command(context_settings={"show_default": True})
@click.option(
    "--arch", default="tutorial-cnn", metavar="NAME", shell_complete=values.architecture,
    help="What is trained, as for `digitrec train`; a network.",
)  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=1), default=5, help="Times that every digit is seen.")
@click.option(
    "--data", type=Data(), default="mnist-train", metavar="SOURCE", shell_complete=values.digits,
    help="Digits to learn from, named as for `digitrec train`.",
)  # fmt: skip
@click.option(
    "--picture", type=Input(exists=True), metavar="FILE",
    help="What is read in the end.  [default: a digit of the test set]",
)  # fmt: skip
@click.option("--quick", is_flag=True, help=f"On {QUICK} digits that come with digitrec, in about a minute.")
@click.option(
    "--out", default=Path("digitrec-course"), type=OutputFolder(),
    metavar="FOLDER", help="Where everything goes.",
)  # fmt: skip
def course(arch: str, epochs: int, data: str, picture: Path | None, quick: bool, out: Path) -> None:
    """Go the whole way at once: look at the data, train, evaluate, predict.

    Each step is a command of its own, printed before it is run; docs/tutorial.md tells what they do. In the
    folder are then the pictures of the data, the model with its curves, the pictures of its evaluation and
    the picture that was read. Needs the extras `train`, `stats` and `plots`.

    \b
    Examples:
      digitrec course --quick
      digitrec course --arch complex-cnn --epochs 15 --picture 7.png --out all
      digitrec predict 7.png --model digitrec-course/model.keras
    """
    out.mkdir(parents=True, exist_ok=True)
    for number, step in enumerate(steps(arch, epochs, data, picture, out, quick=quick), 1):
        click.echo(f"\n{number}. {step.title}\n$ digitrec {shlex.join(step.command)}")
        name, *words = step.command
        command: click.Command = getattr(import_module(f"digitrec.commands.{name}"), name)
        if code := command.main(words, prog_name=f"digitrec {name}", standalone_mode=False):
            click.get_current_context().exit(code)


def steps(
    arch: str, epochs: int, data: str, picture: Path | None, out: Path, *, quick: bool = False
) -> Iterator[Step]:
    """The steps in their order.

    Args:
        arch: what is trained, a name in `zoo.ZOO` of a network.
        epochs: times that every digit is seen.
        data: digits to learn from; with `quick` the test digits that come with digitrec.
        picture: what is read in the end; None: a digit of the test set, written into `out`.
        out: the folder of everything.
        quick: learn from `QUICK` digits and measure with 1,000 others.
    """
    few = ("--limit", str(QUICK)) if quick else ()
    data = "mnist-test" if quick else data
    model = str(out / MODEL)
    yield Step("Look at the data", ("explore", data, *few, "--out", str(out / "data")))
    measured = ("--limit-test", "1000") if quick else ()
    yield Step(
        "Train",
        ("train", "--arch", arch, "--epochs", str(epochs), "--data", data, *few, *measured, "--out", model),
    )
    few = ("--limit", "1000") if quick else ()
    evaluation = str(out / "evaluation")
    yield Step(
        "Evaluate, and look at the mistakes",
        ("evaluate", "--data", "mnist-test", *few, "--model", model, "--out", evaluation),
    )
    shown = _digit(out / PICTURE) if picture is None else picture
    yield Step("Predict", ("predict", str(shown), "--model", model))


def _digit(path: Path) -> Path:
    """A digit of the test set as a picture, dark on light as on paper."""
    from PIL import Image

    from digitrec.datasets.mnist import mnist_test

    digit = Image.fromarray(255 - mnist_test().images[0]).resize((280, 280), Image.Resampling.BICUBIC)
    digit.save(path)
    return path
