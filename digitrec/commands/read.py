"""``digitrec read``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import click

from digitrec.answer.prediction import Failure
from digitrec.answer.sheet import Sheet, SheetOutcome
from digitrec.commands import cost, options, sources
from digitrec.commands.engines import Asking, Rule, asking_options, policy
from digitrec.commands.files import Input, Output
from digitrec.commands.progress import tracked
from digitrec.commands.reasons import Reasons, exit_code_of
from digitrec.engine import config
from digitrec.errors import ImageError
from digitrec.image import Box, DigitImage, Turned, atomic
from digitrec.image.shrinking import NUMBERS_SIDE
from digitrec.recognise.forms import load_form, read_forms
from digitrec.recognise.reading import read_stream
from digitrec.report import sheets
from digitrec.report.predictions import Format


def _region(ctx: click.Context, param: click.Parameter, value: str | None) -> Box | None:
    """Return left, top, right and bottom: of "x,y,width,height"."""
    if value is None:
        return None
    with suppress(ValueError):
        left, top, width, height = map(float, value.split(","))
        if min(left, top) >= 0 and min(width, height) > 0:
            return left, top, left + width, top + height
    said = f"{value!r} is not x,y,width,height: numbers >= 0, and a width and height > 0."
    raise click.BadParameter(said, ctx, param)


@click.command()
@sources.given
@options.one_or_several
@options.output(*get_args(Format))
@options.digits
@click.option(
    "--region", callback=_region, metavar="X,Y,W,H",
    help="Part to read, in pixels of the picture, or in shares of its sides if none is above 1.",
)  # fmt: skip
@click.option(
    "--fields", type=Input(exists=True), metavar="FILE",
    help="JSON file that names the fields of a form: one number for each name.",
)  # fmt: skip
@options.reading
@click.option(
    "--save-overlay", type=Output(), metavar="FILE",
    help="Save the picture with its numbers drawn over it; for several pictures, name a folder.",
)  # fmt: skip
@options.dry_run
@policy
@asking_options
def read(
    given: sources.Given,
    providers: list[str],
    output: Format,
    digits: tuple[int, int] | None,
    region: Box | None,
    fields: Path | None,
    how: dict[str, Any],
    save_overlay: Path | None,
    dry_run: bool,
    rule: Rule,
    asking: Asking,
) -> None:
    """Read the numbers on each picture: amounts, meter readings, columns of results.

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
    names = rule.names(providers or [config.load().provider], together=True)
    if fields is not None and len(names) > 1:
        raise click.UsageError("--fields asks one engine: leave --fallback and --consensus out.")
    asking.check_plain()
    rotate = how["rotate"]
    if fields is not None and (region is not None or rotate == "auto"):
        raise click.UsageError("--fields excludes --region and --rotate auto.")
    form = None if fields is None else load_form(fields)
    overlays = sources.picture_files("--save-overlay", images, save_overlay)
    failures: list[Failure] = []
    with asking.engines(names, dry_run=dry_run) as engines:
        if dry_run:
            asked = [engine.for_numbers for engine in engines]
            turn = 0 if rotate == "auto" else rotate
            cost.say([Turned(image, turn, region) for image in images], asked, output)
            return
        how["digits"] = digits
        try:
            if form is not None:
                found = read_forms(images, form, engines[0], **how)
            else:
                found = read_stream(images, rule.policy(engines) or engines[0], region=region, **how)
        except ValueError as error:
            raise click.UsageError(f"{error}.") from error
        outcomes = _watched(found, images, overlays, failures, given.reasons())
        sheets.write(tracked(outcomes, len(images)), output)
    if failures:
        raise SystemExit(exit_code_of(failures, len(images)))


def _watched(
    outcomes: Iterator[SheetOutcome],
    images: Sequence[sources.Source],
    overlays: Sequence[Path],
    failures: list[Failure],
    reasons: Reasons,
) -> Iterator[SheetOutcome]:
    """Yield the outcomes; save the overlays, report failures on stderr and keep them for the exit code."""
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome, Failure):
            failures.append(outcome)
            reasons.failure(outcome)
        elif overlays:
            _save_overlay(images[place], outcome, overlays[place])
        reasons.read(outcome.image)
        yield outcome
    reasons.sum_up()


def _save_overlay(image: sources.Source, sheet: Sheet, file: Path) -> None:
    with suppress(ImageError):  # it was read a moment ago
        opened = DigitImage.open(Turned(image, sheet.turned), enough=NUMBERS_SIDE)
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic.replacing(file) as unfinished:
            sheets.overlay(opened, sheet).save(unfinished)
