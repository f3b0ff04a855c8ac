"""``digitrec demo``, ``explore`` and ``course``: first steps."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import click
from PIL import Image
from rich.text import Text

from digitrec.commands import options, sources
from digitrec.commands.progress import quiet_bar, quietly, terminal
from digitrec.errors.text import printable
from digitrec.lab.training.zoo import find
from digitrec.providers.base import is_installed, not_installed
from digitrec.recognise import predict_many
from digitrec.report import predictions

PICTURES = Path(__file__).parent / "pictures"
"""Copies of some samples, which the wheel contains; SOURCES.md beside them names their sources."""
WIDTH = 24
"""Width of a picture on the terminal, in columns."""
NEXT = """
Try next:
  digitrec predict PHOTO.jpg                              your own picture
  digitrec explain PHOTO.jpg                              how it was read, step by step (extra: plots)
  digitrec predict PHOTO.jpg --provider google --emulate  ask a cloud without an account (extra: google)
  digitrec serve                                          a page to draw on (extra: web)
"""


@click.command()
def demo() -> None:
    """Read five pictures that come with digitrec.

    A colour terminal shows the pictures. Four hold a digit; the fifth holds a letter, which is refused.

    \b
    Example:
      digitrec demo
    """
    files = sorted(PICTURES.glob("*.jpg"), key=lambda file: (file.stem == "letter", file.stem))
    with quietly():
        found = zip(predict_many(files), files, strict=True)
        # the installation folder does not matter
        outcomes = [replace(one, image=replace(one.image, source=file.name)) for one, file in found]
    if sys.stdout.isatty():
        _show(files, sys.stdout)
    predictions.write(outcomes, "table", names=[file.name for file in files])
    click.echo(NEXT, nl=False)


def _show(files: list[Path], out: IO[str]) -> None:
    """Draw the pictures side by side, as many as fit, if the terminal supports colours and half blocks."""
    console = terminal(out)
    if console.color_system is None or not console.encoding.startswith("utf"):
        return
    fitting = max(1, min(len(files), (console.width + 1) // (WIDTH + 1)))
    drawn = [_drawn(Image.open(file)) for file in files[:fitting]]
    for lines in zip(*drawn, strict=True):
        console.print(Text(" ").join(lines), no_wrap=True, overflow="crop")


def _drawn(picture: Image.Image) -> list[Text]:
    """Return a picture as `WIDTH` columns and half as many lines; each character shows two pixels."""
    small = picture.convert("RGB").resize((WIDTH, WIDTH), Image.Resampling.BOX)
    colours = [[f"rgb{small.getpixel((x, y))}".replace(" ", "") for x in range(WIDTH)] for y in range(WIDTH)]
    return [
        Text.assemble(*(("▀", f"{above} on {below}") for above, below in zip(*rows, strict=True)))
        for rows in zip(colours[::2], colours[1::2], strict=True)
    ]


@click.command(context_settings={"show_default": True})
@options.labelled("[DATA]", default="mnist-test")
@options.whole("--limit", "Use N digits, keeping the mix of digits.", least=3, default=10_000)
@options.out_folder("digitrec-exploration")
def explore(data: str, limit: int, out: Path) -> None:
    """Show what is in a data set before training on it.

    DATA is mnist-test (the default, 10,000 digits that come with digitrec), mnist-train, or labelled
    pictures as for `digitrec benchmark`. It writes pictures: samples, classes, mean and spread,
    pixel values, outliers, and a map by similarity. Needs the extras `stats` and `plots`.

    \b
    Examples:
      digitrec explore
      digitrec explore mnist-train --limit 20000
      digitrec explore my-digits/ --out looked
    """
    from digitrec.lab.datasets.digits import read_digits
    from digitrec.lab.evaluation.explore import explore as look
    from digitrec.models import store
    from digitrec.report import exploration
    from digitrec.report.plots import save

    with quiet_bar("exploring") as bar:
        bar.at(0.0, "reading")
        digits = read_digits(data, limit)
        bar.at(0.05, f"{len(digits):,} digits asked about")
        chances = store.load().probabilities(digits.images)
        bar.at(0.1, f"{len(digits):,} digits compared with each other")
        seen = look(digits, printable(Path(data).resolve().stem), chances)
        bar.at(0.8, "drawing")
        for draw in exploration.PICTURES:
            click.echo(save(draw(seen), out / f"{draw.__name__}.png"))
            bar.at(0.9, draw.__name__)


QUICK = 2000
"""Number of training digits of ``--quick``; half as many are tested, a quarter is looked at."""
EXPECTED = {"mnist-train": 97, "mnist-test": 90}
"""Percentage of the test digits that a network should read, by its training data."""


@click.command(context_settings={"show_default": True})
@click.option(
    "--arch", default="tutorial-cnn", metavar="NAME", help="Network to train, as for `digitrec train`."
)
@options.whole("--epochs", "Number of epochs.", default=5, metavar=None)
@options.sources("--data", help="Training digits, as for `digitrec train`.  [default: mnist-train]")
@options.file("--picture", "Picture to read at the end.  [default: a digit of the test set]", exists=True)
@options.flag("--quick", help=f"Train on {QUICK:,} digits that come with digitrec; about a minute.")
@options.out_folder("digitrec-course", "Folder for all results.")
def course(arch: str, epochs: int, data: str | None, picture: Path | None, quick: bool, out: Path) -> None:
    """Run the whole course: explore, train, evaluate, predict.

    Each step is a command, printed before it runs; docs/tutorial.md explains them. The folder gets
    pictures of the data, the model with its curves, its evaluation and the picture that was read. Needs
    the extra `train`.

    \b
    Examples:
      digitrec course --quick
      digitrec course --arch complex-cnn --epochs 15 --picture 7.png --out all
      digitrec predict 7.png --model digitrec-course/model.keras
    """
    if picture is not None and out.resolve() in picture.resolve().parents:
        raise click.UsageError(f"--picture {picture} is in --out; name one elsewhere.")
    if quick and data is not None:
        raise click.UsageError("--quick excludes --data.")
    if data == "mnist-test":
        raise click.UsageError(
            "--data mnist-test: the course tests on these; with --quick it learns from some."
        )
    if find(arch).family == "scikit-learn":
        raise click.UsageError(f"--arch {arch}: the course trains a network; use `digitrec train` for it.")
    if not is_installed("keras"):
        raise not_installed("The course", "train")
    out.mkdir(parents=True, exist_ok=True)
    data = data or ("mnist-test" if quick else "mnist-train")
    model = ("--model", str(out / "model.keras"))
    seen = ("--limit", str(QUICK // 4)) if quick else ()
    pace = ("--limit", str(QUICK), "--batch", "32", "--limit-test", str(QUICK // 2)) if quick else ()
    measured = ("--limit", str(QUICK // 2)) if quick else ()
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
    root = click.get_current_context().find_root()
    command = cast(click.Group, root.command).get_command(root, name)
    assert command is not None
    # `main` would turn an interruption, and a reader that stops, into exit code 1.
    with command.make_context(f"digitrec {name}", list(words)) as inner:
        command.invoke(inner)


def _digit(path: Path) -> Path:
    """Write a digit of the test set as a picture, dark on light as on paper, and return its path."""
    from digitrec.comparison.datasets.mnist import mnist_test

    digit = Image.fromarray(255 - mnist_test().images[0]).resize((280, 280), Image.Resampling.BICUBIC)
    sources.save(digit, path)
    return path
