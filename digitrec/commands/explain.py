"""``digitrec explain``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digitrec.commands import options, sources
from digitrec.commands.engines import Asking, own_model
from digitrec.commands.progress import quietly
from digitrec.errors import ImageError
from digitrec.errors.text import percent, printable
from digitrec.image.files import name_of

if TYPE_CHECKING:
    from digitrec.recognise.explain import Explanation

BESIDE = ("-inside", "-inside-whole")
"""What the names of the further pictures end in."""


@click.command(context_settings={"show_default": True})
@sources.given
@own_model
@options.out_folder("digitrec-explanation")
@options.flag("--inside", help="Also draw the first layer's filters and each layer's feature maps.")
def explain(given: sources.Given, asking: Asking, out: Path, inside: bool) -> None:
    """Show how a picture was read, step by step, and why.

    For each image it prints and draws the preparation, the ink that supports the digit (found by
    occlusion), class activation maps of the two likeliest digits, and the ten probabilities. IMAGE is as
    for `digitrec predict`. Pictures need the extra `plots`.

    \b
    Examples:
      digitrec explain photo.jpg
      digitrec explain scans/ --out why
      digitrec explain 7.png --inside
      digitrec explain 7.png --model mnist_cnn_model.h5
    """
    from digitrec.recognise.explain import explain as why

    if inside and asking.model is not None and asking.model.suffix == ".skops":
        raise click.UsageError("--inside needs a neural network; a .skops file has none.")
    images = given.sources()
    files = _files(images, out)
    written = [file.with_stem(file.stem + more) for file in files for more in ("", *BESIDE)]
    options.refuse_outputs("--out", written, map(sources.path_of, images))
    sys.dont_write_bytecode = True  # TensorFlow imports Python that it wrote into a temporary folder
    reasons, failed = given.reasons(), False
    with asking.engines(["local"]) as (engine,):
        for image, file in zip(images, files, strict=True):
            try:
                with quietly():  # TensorFlow speaks while it looks into a Keras file
                    found = why(image, engine, inside=inside)
            except ImageError as error:
                click.echo(f"digitrec: {printable(str(error))}", err=True)
                failed = True
                continue
            reasons.read(found.prediction.image)
            for line in chain(_lines(found), _drawn(found, file)):
                click.echo(printable(line))
    reasons.sum_up()
    if failed:
        raise SystemExit(1)


def _files(images: Sequence[sources.Source], out: Path) -> list[Path]:
    """Return the output file for each image."""
    stems = [Path(name_of(image)).stem for image in images]
    if len(stems) == 1:
        return [out / f"{stems[0]}.png"]
    return [out / f"{number:03d}-{stem}.png" for number, stem in enumerate(stems, 1)]


def _drawn(found: Explanation, path: Path) -> Iterator[str]:
    """Save the pictures; yield a line for each with what it shows, and its path."""
    from digitrec.report.explanation import explanation, feature_maps
    from digitrec.report.plots import save

    yield f"  picture: {save(explanation(found), path)}"
    looks = [look for look in found.inside if look.stages]
    for look, ending in zip(looks, BESIDE, strict=False):
        yield f"  inside, {look.name}: {save(feature_maps(look), path.with_stem(path.stem + ending))}"
    if found.inside and not looks:
        yield "  inside: this network has no feature maps, only numbers"


def _lines(found: Explanation) -> Iterator[str]:
    from digitrec.report.explanation import headline

    yield f"{found.prediction.image.source}: {headline(found)}"
    yield f"  steps: {', '.join(name for name, _ in found.steps)}"
    if found.where:
        yield f"  what spoke for it most: {', '.join(found.where)}"
    for digit, chance in enumerate(found.prediction.probabilities or ()):
        yield f"  {digit}  {percent(chance, 2):>7}  {'█' * round(40 * chance)}".rstrip()
