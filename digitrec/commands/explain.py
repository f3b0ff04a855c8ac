"""``digitrec explain``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digitrec.commands import options, sources
from digitrec.commands.engines import local_engine
from digitrec.errors import ImageError
from digitrec.text import percent, printable

if TYPE_CHECKING:
    from digitrec.evaluation.explain import Explanation


@click.command(context_settings={"show_default": True})
@sources.given
@options.model
@options.model_scale
@click.option(
    "--out", default=Path("digitrec-explanation"), type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER", help="Where the pictures go, one for each image.",
)  # fmt: skip
@click.option("--inside", is_flag=True, help="Also draw the feature maps of each layer of the network.")
def explain(
    given: sources.Given, model: Path | None, model_scale: str | None, out: Path, inside: bool
) -> None:
    """Show why: each step, what spoke for the digit, the runner-up.

    For each image a picture: as it was read, each step of its preparation, which ink spoke for the digit
    (found by hiding it piece by piece), and the ten probabilities; the same in words on the terminal. The
    pictures need the extra `plots`. With --inside a second one, NAME-inside.png, shows what each layer of the
    network found in the 28x28 pixels, and where: of our own network, or any in a `.tflite` file. IMAGE is
    named as for `digitrec predict`.

    \b
    Examples:
      digitrec explain photo.jpg
      digitrec explain scans/ --out why
      digitrec explain 7.png --inside
      digitrec explain 7.png --model mnist_cnn_model.h5
    """
    if inside and model is not None and model.suffix != ".tflite":
        raise click.UsageError("--inside looks into .tflite files; train or export the model as one.")
    images, firsts, failed = given.sources(), given.note(), False
    from digitrec.evaluation.explain import explain as why
    from digitrec.plots.explanation import explanation
    from digitrec.plots.style import save

    with local_engine(model, model_scale) as engine:
        for number, image in enumerate(images, 1):
            try:
                found = why(image, engine, inside=inside)
            except ImageError as error:
                click.echo(f"digitrec: {printable(str(error))}", err=True)
                failed = True
                continue
            firsts.tell(found.prediction.image)
            stem = Path(found.prediction.image.source).stem
            name = stem if len(images) == 1 else f"{number:03d}-{stem}"
            path = save(explanation(found), out / f"{name}.png")
            click.echo("\n".join([*_lines(found), printable(f"  picture: {path}")]))
            _draw_inside(found, out / f"{name}-inside.png")
    firsts.sum_up()
    if failed:
        raise SystemExit(1)


def _draw_inside(found: Explanation, path: Path) -> None:
    """One picture for each reading, that of a picture as it stands under a name of its own."""
    from digitrec.plots.explanation import feature_maps
    from digitrec.plots.style import save

    for number, look in enumerate(found.inside):
        if not look.stages:
            click.echo("  inside: this network has no feature maps, only numbers")
            return
        at = save(feature_maps(look), path if number == 0 else path.with_stem(f"{path.stem}-whole"))
        click.echo(printable(f"  inside, {look.name}: {at}"))


def _lines(found: Explanation) -> Iterator[str]:
    from digitrec.plots.explanation import headline
    from digitrec.report.predictions import BARS

    yield printable(f"{found.prediction.image.source}: {headline(found)}")
    yield f"  steps: {', '.join(name for name, _ in found.steps)}"
    if found.where:
        yield f"  what spoke for it most: {', '.join(found.where)}"
    for digit, chance in enumerate(found.prediction.probabilities or ()):
        yield f"  {digit}  {percent(chance, 2):>7}  {BARS[-1] * round(40 * chance)}".rstrip()
