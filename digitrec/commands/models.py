"""``digitrec models``."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import click

from digitrec.commands import options
from digitrec.commands.progress import quiet_bar, quietly
from digitrec.commands.train import Start
from digitrec.errors.text import aligned, printable
from digitrec.image import atomic
from digitrec.models import store
from digitrec.providers.base import is_installed, not_installed, requires

FIELDS = {
    "form": "28x28 pixels, ink high",
    "scale": "pixels as 0..1 (unit), 0..255 (byte), -1..1 (signed) or columns of length 1 (l2)",
    "output": "probabilities (softmax), or scores before the softmax (logits)",
    "temperature": "scores are divided by it; above 1 lowers the confidence",
    "prepared": "temperature of pictures that digitrec had to prepare",
    "evidence": "a picture below it is refused as no digit",
    "doubt": "a picture read with less confidence is read again, shifted",
    "assumed": "whether the scale is only assumed",
}
"""Meaning of the fields of `ModelInput`."""


@click.group()
def models() -> None:
    """List, compare and export models.

    \b
    Example:
      digitrec models list
      digitrec models compare --quick
    """


@models.command(name="list")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@options.output("table", "json")
def list_models(files: Sequence[Path], output: Literal["table", "json"]) -> None:
    """Describe the shipped model and the models in other FILEs.

    \b
    Examples:
      digitrec models list
      digitrec models list runs/one/digitrec-cnn.tflite --output json
    """
    facts = [_facts(path) for path in (store.SHIPPED, *files)]
    if output == "json":
        click.echo(json.dumps(facts, indent=2))
        return
    for one in facts:
        click.echo(printable(f"{one['version']}  {one['kilobytes']} kB  {one['file']}"))
        click.echo(printable(f"  {_accuracy(one['card'])}"))
        rows = [("", key, str(value), FIELDS[key]) for key, value in one["input"].items()]
        click.echo("\n".join(aligned(rows)))


def _facts(path: Path) -> dict[str, Any]:
    with quietly():
        model = store.load(path)
    return {
        "name": model.name,
        "version": model.version,
        "file": str(path),
        "kilobytes": round(path.stat().st_size / 1000),
        "input": asdict(model.input),
        "card": dict(model.card),
    }


@models.command()
@click.argument("model", type=Start(exists=True), metavar="digitrec|FILE")
@click.argument("out", type=options.Output(".onnx", ".tflite", ".keras", ".h5"), metavar="OUT")
def export(model: Path, out: Path) -> None:
    """Write a network in another format: `.onnx`, `.tflite`, `.keras` or `.h5`.

    `digitrec` is the shipped network; FILE is `.keras` or `.h5`, or a `.tflite` of digitrec's own network.
    OUT is written only if it gives the same answers. A `.tflite` file loads without TensorFlow, in less
    than a second instead of several; the other formats lack digitrec's second network. The input of an
    `.onnx` file is "image", shaped as the network's, ink 1 and paper 0 unless its metadata says otherwise.
    Needs the extra `train`, for `.onnx` the extra `onnx`.

    \b
    Examples:
      digitrec models export mnist_cnn_model.h5 mnist_cnn_model.tflite
      digitrec models export digitrec digitrec-cnn.onnx
    """
    if not is_installed("keras"):
        raise not_installed("Exporting", "train")
    with quietly():
        from digitrec.lab.datasets.digits import keep_keys
        from digitrec.lab.training import convert
        from digitrec.lab.training.run import learned_by

        options.refuse_foreign_run(out, model)
        difference = convert.write(model, out)
        keep_keys(learned_by(model), out)  # `evaluate` leaves them out with the new file, too
    click.echo(f"{out}: {out.stat().st_size / 1000:,.0f} kB; answers differ by at most {difference:.1g}")


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.flag("--quick", help="Use few digits: a trial of under two minutes.")
@options.seed("Random seed.", default=0, show_default=True)
@options.out_folder("digitrec-models")
def compare(names: Sequence[str], quick: bool, seed: int, out: Path) -> None:
    """Train several kinds of models on the same digits, and compare them.

    NAMES are those of `digitrec train --arch`; by default complex-cnn, simple-cnn, mlp, knn, random-forest
    and svm. It writes models.md with accuracy, training time, prediction time, size and plots. The winner
    is the fastest model whose accuracy is not significantly below the best. All of MNIST takes half an
    hour to an hour on two cores. Needs the extra `train`.

    \b
    Examples:
      digitrec models compare --quick
      digitrec models compare tutorial-cnn complex-cnn --out compared
      digitrec predict 7.png --model compared/models/svm.skops
    """
    from digitrec.lab.datasets.digits import read_digits
    from digitrec.lab.training.zoo import COMPARED
    from digitrec.report import rows

    with requires("Comparing models", "train"):
        from digitrec.lab.training import compare as contest
        from digitrec.report.models import PICTURES, markdown, table, verdict
        from digitrec.report.plots import save

    names = names or COMPARED
    contest.chosen(names)  # a wrong name is reported before MNIST is downloaded
    source = "mnist-test" if quick else "mnist-train"
    digits = read_digits(source)
    test = digits[-contest.QUICK_TEST :] if quick else read_digits("mnist-test")
    digits = digits[: contest.QUICK_DIGITS] if quick else digits
    found: list[contest.Contestant] = []
    with quiet_bar("comparing") as bar:
        for one in contest.compare(
            names, digits, test, out / "models", seed=seed,
            sources={source: len(digits)}, tested_on="mnist-test",
            epochs=contest.QUICK_EPOCHS if quick else None, batch=contest.QUICK_BATCH if quick else None,
            on_progress=lambda name, done, _: bar.at((len(found) + done) / len(names), name),
        ):  # fmt: skip
            found.append(one)
    click.echo("\n".join(rows.aligned(table(found, len(digits)))))
    paths = {title: f"images/models-{draw.__name__}.png" for title, draw in PICTURES.items()}
    for title, path in paths.items():
        click.echo(save(PICTURES[title](found), out / path))
    click.echo(verdict(found))
    click.echo(atomic.write(out / "models.md", markdown(found, len(digits), paths)))


def _accuracy(card: dict[str, Any]) -> str:
    try:
        test = card["test"]
        low, high = test["interval"]
        parameters = f", {card['parameters']:,} parameters" if "parameters" in card else ""
        name = test.get("on", "mnist-test")
        on = "MNIST test" if name == "mnist-test" else name
        left_out = f" ({test['left_out']:,} learned digits excluded)" if test.get("left_out") else ""
        return f"{on}{left_out} {test['percent']} % (95 % interval {low} to {high}){parameters}"
    except (AttributeError, LookupError, TypeError, ValueError):  # a card that another program wrote
        return "the file does not state its accuracy"
