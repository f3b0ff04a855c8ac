"""``digitrec predict``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import get_args

import click

from digitrec.answer import Outcome, Prediction
from digitrec.commands import cost, options, sources
from digitrec.commands.engines import Asking, asking_by_policy
from digitrec.commands.files import Output
from digitrec.commands.progress import tracked
from digitrec.engine import Engine
from digitrec.errors import ImageError
from digitrec.image import DigitImage
from digitrec.prepare import prepare
from digitrec.recognise import stream
from digitrec.report import predictions


@click.command()
@sources.given
@options.one_or_several
@options.output(*get_args(predictions.Format))
@options.reading
@click.option(
    "--save-prepared", type=Output(), metavar="FILE",
    help="Save the engine's input as a picture; for several images, name a folder.",
)  # fmt: skip
@options.dry_run
@asking_by_policy
def predict(
    given: sources.Given,
    output: predictions.Format,
    how: options.How,
    save_prepared: Path | None,
    asking: Asking,
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
    reasons = given.reasons()
    saved = sources.picture_files("--save-prepared", images, save_prepared)
    with asking.engines(asking.names(together=True)) as engines:
        if asking.dry_run:
            cost.say(images, engines, output)
            return
        if save_prepared is not None:
            _save_prepared(images, saved, engines[0])
        found = stream(images, asking.policy(engines) or engines[0], **how)
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
        click.echo("digitrec: to read whole numbers, use `digitrec read`", err=True)


def _save_prepared(images: Sequence[sources.Source], files: Sequence[Path], engine: Engine) -> None:
    if len(files) > 1:
        files[0].parent.mkdir(parents=True, exist_ok=True)
    for image, file in zip(images, files, strict=True):
        with suppress(ImageError):  # reported when the picture is read
            sources.save(prepare(DigitImage.open(image), engine.provider.wants).picture(), file)
