"""``digitrec predict``, ``read`` and ``explain``."""

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

import click

from digitrec.answer import Failure, Outcome, Prediction, Sheet, SheetOutcome
from digitrec.commands import cost, options, sources
from digitrec.commands.engines import Asking, asking_by_policy, own_model
from digitrec.commands.process import tell
from digitrec.commands.progress import quietly, tracked
from digitrec.engine import Engine
from digitrec.errors import ImageError
from digitrec.errors.text import printable
from digitrec.image import Box, DigitImage, ImageRef, Turned
from digitrec.image.files import name_of
from digitrec.image.pixels import NUMBERS_SIDE
from digitrec.prepare import prepare
from digitrec.recognise import read_stream, stream
from digitrec.recognise.forms import load_form, read_forms, upright
from digitrec.report import predictions


@click.command()
@sources.given
@options.one_or_several
@options.output(*get_args(predictions.Format))
@options.reading
@options.saved("--save-prepared", "Save the engine's input as a picture; for several images, name a folder.")
@options.dry_run
@asking_by_policy
def predict(
    given: sources.Given, output: predictions.Format, save_prepared: Path | None, asking: Asking
) -> None:
    """Read the digit on each picture, with a confidence.

    IMAGE is a file, a folder, a pattern such as "scans/*.png", or - for standard input. Each picture
    has one row, in input order. "No digit here" is an answer with a reason. An unreadable picture is
    reported on stderr and in the exit code; the others are answered.

    \b
    Examples:
      digitrec predict photo.jpg
      digitrec predict scans/ --output csv > answers.csv
      digitrec predict - < 7.png
      digitrec predict scan.pdf --frames all
      digitrec predict scans/ --at-least 0.9
      digitrec predict 7.png --provider google --emulate
      digitrec predict scans/ --fallback google,aws --below 0.95
      digitrec predict 7.png --provider local,tesseract,rapidocr --consensus 2
    """
    images = given.sources()
    turned = [Turned(image, asking.rotate) for image in images]
    reasons = given.reasons()
    saved = sources.picture_files("--save-prepared", images, save_prepared)
    with asking.engines(asking.names(together=True)) as engines:
        if asking.dry_run:
            cost.say(turned, engines, output, asking.consensus or 1)
            return
        if save_prepared is not None:
            _save_prepared(turned, saved, engines[0])
        found = stream(images, asking.policy(engines) or engines[0], **asking.how())
        outcomes = tracked(_suggested(reasons.watched(found)), len(images))
        predictions.write(outcomes, output, names=map(str, images))
    reasons.check(len(images))


def _suggested(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Yield the outcomes, and suggest `digitrec read` if a picture has several digits."""
    several = False
    for outcome in outcomes:
        yield outcome
        several |= isinstance(outcome, Prediction) and outcome.reason == "more than one digit"
    if several:
        tell("to read whole numbers, use `digitrec read`")


def _save_prepared(images: Sequence[Turned], files: Sequence[Path], engine: Engine) -> None:
    if len(files) > 1:
        files[0].parent.mkdir(parents=True, exist_ok=True)
    for image, file in zip(images, files, strict=True):
        with suppress(ImageError):  # reported when the picture is read
            sources.save(prepare(DigitImage.open(image), engine.wants).picture(), file)


def _region(value: str) -> Box:
    """Parse "x,y,width,height" to left, top, right and bottom."""
    with suppress(ValueError):
        left, top, width, height = sides = [float(side) for side in value.split(",")]
        right, bottom = round(left + width, 9), round(top + height, 9)
        is_inside = all(0 <= side < math.inf for side in sides) and min(width, height) > 0
        if is_inside and (max(sides) > 1 or max(right, bottom) <= 1):
            return left, top, right, bottom
    raise click.BadParameter(f"{value!r} is not x,y,width,height >= 0 of a part of the picture.")


@click.command()
@sources.given
@options.one_or_several
@options.output(*get_args(predictions.Format))
@options.digits
@click.option(
    "--region", type=_region, metavar="X,Y,W,H",
    help="Part to read, in pixels of the picture, or in shares of its sides if all are at most 1.",
)  # fmt: skip
@options.file("--fields", "JSON file that names the fields of a form: one number for each name.", exists=True)
@options.reading
@options.saved(
    "--save-overlay", "Save the picture with its numbers drawn over it; for several pictures, name a folder."
)
@options.dry_run
@asking_by_policy
def read(
    given: sources.Given,
    output: predictions.Format,
    region: Box | None,
    fields: Path | None,
    save_overlay: Path | None,
    asking: Asking,
) -> None:
    """Read the numbers on each picture: amounts, columns, forms.

    IMAGE is as for `digitrec predict`. Each number has its text, value, place on the page and confidence;
    a picture may have no number. A cloud gets the same request as from `digitrec predict`, so an answer is
    paid for once only.

    \b
    Examples:
      digitrec read form.jpg
      digitrec read form.jpg --provider rapidocr --save-overlay seen.png
      digitrec read meter.jpg --digits 5
      digitrec read cheque.jpg --region 0.6,0.3,0.35,0.2
      digitrec read forms/ --fields fields.json -o csv > forms.csv
      digitrec read form.jpg --fallback rapidocr,google --below 0.95
    """
    images = given.sources()
    reasons = given.reasons()
    names = asking.names(together=True)
    if fields is not None and (region is not None or len(names) > 1):
        raise click.UsageError("--fields excludes --region, --fallback and --consensus.")
    how = replace(asking, numbers=True).how()
    form = None if fields is None else load_form(fields)
    overlays = sources.picture_files("--save-overlay", images, save_overlay)
    with asking.engines(names) as engines:
        if asking.dry_run:
            turned = [Turned(image, how["rotate"], region) for image in images]
            asked = [engine.for_numbers for engine in engines]
            level = None if form is None else partial(upright, form=form)
            cost.say(turned, asked, output, asking.consensus or 1, sent=level)
            return
        if form is None:
            found = read_stream(images, asking.policy(engines) or engines[0], region=region, **how)
        else:
            found = read_forms(images, form, engines[0], **how)
        outcomes = reasons.watched(_overlaid(found, images, overlays))
        predictions.write_sheets(tracked(outcomes, len(images)), output)
    reasons.check(len(images))


def _overlaid(
    outcomes: Iterator[SheetOutcome], images: Sequence[sources.Source], overlays: Sequence[Path]
) -> Iterator[SheetOutcome]:
    """Yield the outcomes, and save the overlay of each picture that was read."""
    for place, outcome in enumerate(outcomes):
        yield outcome  # before its overlay, which may not be saved
        if overlays and isinstance(outcome, Sheet):
            if outcome.numbers and not any(number.box for number in outcome.numbers):
                tell(f"{outcome.provider} gives no boxes, so {overlays[place]} shows no numbers")
            with suppress(ImageError):  # it was read a moment ago
                opened = DigitImage.open(Turned(images[place], outcome.turned), enough=NUMBERS_SIDE)
                overlays[place].parent.mkdir(parents=True, exist_ok=True)
                sources.save(predictions.overlay(opened, outcome), overlays[place])


@click.command(context_settings={"show_default": True})
@sources.given
@own_model
@options.out_folder("digitrec-explanation")
def explain(given: sources.Given, asking: Asking, out: Path) -> None:
    """Show how a picture was read, step by step, and why.

    For each image it prints and draws the preparation, the ink that supports the digit (found by
    occlusion), class activation maps of the two likeliest digits, and the ten probabilities. IMAGE is as
    for `digitrec predict`. Needs the extra `plots`.

    \b
    Examples:
      digitrec explain photo.jpg
      digitrec explain scans/ --out why
      digitrec explain 7.png --model mnist_cnn_model.h5
    """
    from digitrec.recognise.explain import explain as why
    from digitrec.report.explanation import explanation, lines
    from digitrec.report.plots import save

    images = given.sources()
    names = sources.numbered(images) if len(images) > 1 else [f"{Path(name_of(images[0])).stem}.png"]
    files = [out / name for name in names]
    options.refuse_outputs("--out", files, map(sources.path_of, images))
    sys.dont_write_bytecode = True  # TensorFlow imports Python that it wrote into a temporary folder
    reasons = given.reasons()
    with asking.engines(["local"]) as (engine,):
        for image, file in zip(images, files, strict=True):
            try:
                with quietly():  # TensorFlow prints lines while it inspects a Keras file
                    found = why(image, engine)
            except ImageError as error:
                reasons.failure(Failure(ImageRef(name_of(image), None), "local", error))
                continue
            reasons.read(found.prediction.image)
            for line in lines(found):
                click.echo(printable(line))
            click.echo(printable(f"  picture: {save(explanation(found), file)}"))
    reasons.sum_up()
    reasons.check(len(images))
