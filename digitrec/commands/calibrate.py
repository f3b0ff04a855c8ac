"""``digitrec calibrate``."""

from __future__ import annotations

import click

from digitrec.commands import options, unlearned
from digitrec.commands.benchmark import watched
from digitrec.commands.engines import Asking, asking_options
from digitrec.recognise import calibration


@click.command()
@options.labelled()
@click.option(
    "-p", "--provider", default="local", show_default=True, metavar="NAME", help="Engine to calibrate.",
)  # fmt: skip
@options.labelled_limit
@asking_options
def calibrate(data: str, provider: str, limit: int | None, asking: Asking) -> None:
    """Fit on labelled pictures how often an engine is right at a given confidence.

    Later predictions of this engine, with the same preparation and model version, get `calibrated`: the
    probability that the digit is right. DATA is as for `digitrec benchmark`; it should look like your
    pictures and include some that the engine misreads.

    \b
    Examples:
      digitrec calibrate photos/
      digitrec calibrate photos/ --provider google --max-cost 1
    """
    from digitrec.comparison.benchmark.measure import measure
    from digitrec.recognise.calibration import fit

    samples = unlearned.read(data, limit, asking.model)
    with asking.engines([provider]) as (engine,), watched(len(samples)) as arrived:
        answered = measure(samples, engine, data, arrived=arrived).answered
    fitted = fit([answer for answer, _ in answered], [label for _, label in answered], data)
    for found in fitted:
        path = calibration.save(found)
        model = found.key.model_version or "of unknown version"
        emulated = ", emulated" if found.key.emulated else ""
        click.echo(
            f"{found.key.provider} ({found.key.preparation}, model {model}{emulated}): {found.right} of "
            f"{found.n} digits right; Brier score {found.brier_before:.4f} before, {found.brier_after:.4f} "
            f"after, on pictures not fitted on ({found.method}); kept in {path}"
        )
        if found.key.emulated:
            click.echo(f"It is for the emulator's answers only, and says nothing about {found.key.provider}.")
