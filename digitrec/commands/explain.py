"""``digitrec explain``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from digitrec.commands import options, sources
from digitrec.commands.engines import local_engine
from digitrec.commands.files import refuse_outputs
from digitrec.commands.progress import quiet_bar
from digitrec.commands.reasons import Reasons
from digitrec.errors import DataError, ImageError, NotInstalled
from digitrec.errors.text import count, percent, printable
from digitrec.image.files import name_of

if TYPE_CHECKING:
    from digitrec.engine import Engine
    from digitrec.lab.evaluation.nearest import Memory, Neighbour
    from digitrec.recognise.explain import Explanation

BESIDE = ("-inside", "-inside-whole", "-nearest")
"""What the names of the further pictures end in."""


@click.command(context_settings={"show_default": True})
@sources.given
@options.model
@options.model_scale
@options.out_folder("digitrec-explanation")
@click.option(
    "--inside", is_flag=True, help="Also draw the first layer's filters and each layer's feature maps."
)
@click.option(
    "--nearest",
    is_flag=True,
    help="Also draw the most similar training digits of MNIST.",
)
@click.option(
    "--map",
    "as_map",
    is_flag=True,
    help="Draw one picture instead: all images among similar test digits of MNIST.",
)
@options.output("text", "json")
def explain(
    given: sources.Given,
    model: Path | None,
    model_scale: str | None,
    out: Path,
    inside: bool,
    nearest: bool,
    as_map: bool,
    output: Literal["text", "json"],
) -> None:
    """Show how a picture was read, step by step, and why.

    For each image it draws the preparation's steps, the ink that supports the digit (found by occlusion),
    class activation maps of the digit and the runner-up, and the ten probabilities, and prints them.
    Pictures need the extra `plots`. IMAGE is as for `digitrec predict`.

    --inside also draws NAME-inside.png. --nearest draws NAME-nearest.png, by the input of the last layer;
    it takes MNIST's training set from DIGITREC_DATA or fetches it once (11 MB, extra `train`). --map
    draws map.png and needs the extra `stats`.

    \b
    Examples:
      digitrec explain photo.jpg
      digitrec explain scans/ --out why
      digitrec explain 7.png --inside --nearest
      digitrec explain my-digits/ --map
      digitrec explain 7.png --model mnist_cnn_model.h5 --output json
    """
    if inside and model is not None and model.suffix == ".skops":
        raise click.UsageError("--inside looks into networks; a .skops file holds none.")
    if as_map and (inside or nearest):
        raise click.UsageError("--map draws one picture of all images; leave out --inside and --nearest.")
    images = given.sources()
    files = [out / "map.png"] if as_map else _files(images, out)
    written = [file.with_stem(file.stem + more) for file in files for more in ("", *BESIDE)]
    refuse_outputs("--out", written, map(sources.path_of, images))
    with local_engine(model, model_scale) as engine:
        if as_map:
            done = _draw_map(images, _labels(given), engine, files[0], output)
        else:
            pictures = list(zip(images, files, strict=True))
            done = _explain_each(pictures, given.reasons(), engine, output, inside=inside, nearest=nearest)
    if not done:
        raise SystemExit(1)


def _files(images: Sequence[sources.Source], out: Path) -> list[Path]:
    """The picture that explains each image."""
    stems = [Path(name_of(image)).stem for image in images]
    if len(stems) == 1:
        return [out / f"{stems[0]}.png"]
    return [out / f"{number:03d}-{stem}.png" for number, stem in enumerate(stems, 1)]


def _explain_each(
    pictures: Sequence[tuple[sources.Source, Path]],
    reasons: Reasons,
    engine: Engine,
    output: str,
    *,
    inside: bool,
    nearest: bool,
) -> bool:
    """Draw for every image the picture beside it, and return whether all were explained in full."""
    from digitrec.recognise.explain import explain as why
    from digitrec.report.explanation import row

    rows = []
    memory = _training_digits(engine) if nearest else None
    whole = memory is not None or not nearest
    for image, file in pictures:
        try:
            found = why(image, engine, inside=inside)
        except ImageError as error:
            click.echo(f"digitrec: {printable(str(error))}", err=True)
            whole = False
            continue
        reasons.read(found.prediction.image)
        alike = None if memory is None else _alike(found, engine, memory)
        drawn = dict(_drawn(found, alike, memory, file))
        rows.append(row(found, alike, list(drawn.values())))
        if output == "text":
            click.echo("\n".join(_lines(found, alike)))
            for what, path in drawn.items():
                click.echo(printable(f"  {what}: {path}"))
            if found.inside and not found.inside[0].stages:
                click.echo("  inside: this network has no feature maps, only numbers")
    if output == "json":
        click.echo(json.dumps(rows))
    reasons.sum_up()
    return whole


def _alike(found: Explanation, engine: Engine, memory: Memory) -> list[Neighbour] | None:
    """Return the nearest training digits; None where the picture was refused before the network read it."""
    from digitrec.lab.evaluation.nearest import directions

    if not found.likeliest:
        return None
    return memory.nearest(directions(engine.provider, found.digit[None])[0])


def _drawn(
    found: Explanation, alike: Sequence[Neighbour] | None, memory: Memory | None, path: Path
) -> Iterator[tuple[str, Path]]:
    """Save the pictures; yield what each shows, and its path."""
    from digitrec.report.plots.explanation import explanation, feature_maps
    from digitrec.report.plots.likeness import reminders
    from digitrec.report.plots.style import save

    yield "picture", save(explanation(found), path)
    looks = [look for look in found.inside if look.stages]
    for look, ending in zip(looks, ("inside", "inside-whole"), strict=False):
        yield f"inside, {look.name}", save(feature_maps(look), path.with_stem(f"{path.stem}-{ending}"))
    if alike and memory is not None:
        sheet = reminders(found, alike, memory.digits)
        yield "nearest", save(sheet, path.with_stem(f"{path.stem}-nearest"))


def _lines(found: Explanation, alike: Sequence[Neighbour] | None) -> Iterator[str]:
    from digitrec.report.plots.explanation import headline
    from digitrec.report.predictions import BARS

    yield printable(f"{found.prediction.image.source}: {headline(found)}")
    yield f"  steps: {', '.join(name for name, _ in found.steps)}"
    if found.where:
        yield f"  what spoke for it most: {', '.join(found.where)}"
    if alike:
        labels = Counter(one.label for one in alike).most_common()
        told = ", ".join(f"{times} of {len(alike)} a {label}" for label, times in labels)
        yield f"  nearest training digits: {told}"
    for digit, chance in enumerate(found.prediction.probabilities or ()):
        yield f"  {digit}  {percent(chance, 2):>7}  {BARS[-1] * round(40 * chance)}".rstrip()


def _labels(given: sources.Given) -> dict[str, int | None]:
    """Return the labels of the pictures in labelled folders, by file name."""
    from digitrec.comparison.datasets.loader import read_samples

    labels = {}
    for name in given.images:
        if Path(name).is_dir():
            try:
                samples = read_samples(name)
            except DataError:  # a folder without labels
                continue
            labels.update({str(one.image): one.label for one in samples})
    return labels


def _training_digits(engine: Engine) -> Memory | None:
    """Return MNIST's training digits as the network embeds them; None, reported, if they are missing.

    Raises:
        ModelError: the network cannot place them.
    """
    from digitrec.lab.datasets.download import mnist_train
    from digitrec.lab.evaluation.nearest import memory

    try:
        digits = mnist_train()
    except (DataError, NotInstalled) as error:
        click.echo(printable(f"digitrec: the nearest training digits cannot be shown: {error}"), err=True)
        return None
    with quiet_bar("embedding MNIST, once for each network") as bar:
        return memory(
            engine.provider, digits, "mnist-train",
            lambda done, total: bar.at(done / total, f"{done:,} of {total:,} digits"),
        )  # fmt: skip


def _draw_map(
    images: Sequence[sources.Source],
    labels: Mapping[str, int | None],
    engine: Engine,
    file: Path,
    output: str,
) -> bool:
    """Draw a map of all the pictures and describe it; return False where some could not be read.

    Raises:
        DataError: there is no picture to draw.
        ModelError: the network cannot place them.
    """
    from digitrec.lab.evaluation.layout import layout, read
    from digitrec.report.explanation import layout_row
    from digitrec.report.plots.likeness import layout as drawn
    from digitrec.report.plots.style import save

    with quiet_bar("map") as bar:
        bar.at(0.0, "reading")
        found = read(images, engine, labels)
        bar.at(0.3, "laying out")
        laid = layout(found.own, engine)
        bar.at(0.9, "drawing")
        path = save(drawn(laid), file)
    for failure in found.failed:
        click.echo(printable(f"digitrec: {failure.error}"), err=True)
    if output == "json":
        click.echo(json.dumps(layout_row(found, laid, path)))
        return not found.failed
    words = f"{count(len(laid.own), 'picture')} among {len(laid.around):,} of MNIST's test digits: {path}"
    click.echo(printable(words))
    if len(laid.own) < len(found.own):
        click.echo(f"  drawn by lot from {len(found.own):,}")
    for one in found.refused:
        click.echo(printable(f"  left out: {one.image.source}: {one.reason}"))
    return not found.failed
