"""``digitrec batch``."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from digitrec import __version__
from digitrec.bulk import inputs, job
from digitrec.bulk.batch import Parts, read, spread
from digitrec.bulk.job import Job, Plan, Summary, Task
from digitrec.bulk.workers import Opener, cores, keep_memory
from digitrec.commands import options
from digitrec.commands.engines import Asking, asking_by_policy
from digitrec.commands.process import tell
from digitrec.commands.progress import bar
from digitrec.commands.sources import say_skipped
from digitrec.engine import config
from digitrec.engine.ledger import Ledger, spent
from digitrec.errors import FOR_ALL, DataError, LedgerError
from digitrec.errors.text import count, plain
from digitrec.image.files import Skipped
from digitrec.providers import registry
from digitrec.providers.base import FREE
from digitrec.recognise import calibration

SHOWN = 10
"""Maximum number of failures that are printed."""
LIST = ("-",)
"""The INPUT that stands for a list of paths on standard input."""


@click.command()
@click.argument("images", nargs=-1, type=options.Input(path_type=str), metavar="INPUT...")
@click.option(
    "-o", "--output", "out", type=options.Output(*job.FORMATS), required=True, metavar="OUT",
    help="Output: a .jsonl or .csv file.",
)  # fmt: skip
@options.flag("--resume", help="Continue an interrupted run.")
@options.whole("--workers", "Processes for local engines.  [default: one for each core]")
@options.one_or_several
@options.numbers
@options.digits
@options.reading
@asking_by_policy
def batch(images: tuple[str, ...], out: Path, resume: bool, workers: int | None, asking: Asking) -> None:
    """Read any number of pictures into a file; resumable.

    INPUT is a file, a folder, a pattern such as "scans/**/*.png", a .tar or .zip, or - for a list of paths
    on standard input. OUT gets one row for each picture, in input order, as from `predict`; the row of an
    unreadable picture has its error. Local engines run in several processes, clouds in one, within their
    rate limit and --max-cost; no answer is bought twice.
    With --numbers each number is a row of CSV and each picture a line of JSON, as from `read`.

    \b
    Examples:
      digitrec batch scans/ -o answers.jsonl
      find . -name "*.png" | digitrec batch - -o answers.csv
      digitrec batch scans/ -o answers.jsonl --resume
      digitrec batch forms.zip -o numbers.csv --numbers
      digitrec batch scans/ -o answers.jsonl -p google --max-cost 20
    """
    names = asking.names(together=True)
    is_free = {registry.price_of(name) for name in names} == {FREE}  # also rejects unknown names
    has_ledger = not (asking.no_ledger or asking.emulate) or asking.ledger is not None
    if asking.max_cost is not None and not (is_free or has_ledger):
        advice = "add --ledger FILE" if asking.emulate else "leave out --no-ledger"
        raise click.UsageError(f"without a ledger, --resume would spend --max-cost again: {advice}.")
    if len(images) > 1 and LIST[0] in images:
        raise click.UsageError("- is a list of inputs on standard input; give it alone.")
    how = asking.how()
    listed = inputs.listed(sys.stdin.buffer.read()) if images == LIST else []
    settings = config.load()
    ledger = asking.ledger or (settings.ledger_file if has_ledger and not is_free else None)
    given = _settings(names, how, replace(asking, ledger=ledger), settings.parameters)
    if images:
        given |= {"input": [inputs.named(name) for name in images]}
        given |= {"list": hashlib.sha256("\n".join(listed).encode("utf-8", "surrogateescape")).hexdigest()}
    with job.opened(out) as run:
        if not resume and (out.exists() or run.plan is not None):
            what = "exists already" if out.exists() else "has an interrupted batch"
            advice = "name another" if run.plan is None else "continue it with --resume, or name another"
            raise click.UsageError(f"{out} {what}: {advice}.")
        if run.plan is not None:
            _check(out, run.plan, given)
        elif out.exists():
            raise DataError(f"{out}: exists, but is not a resumable batch; choose another OUT")
        processes = (workers or cores()) if is_free else 1
        plan = run.plan or _plan(run, given, listed if images == LIST else images, processes)
        if plan.size is None:
            opener = partial(replace(asking, run=plan.run).reader, names)
            parts = _parts(run.undone(how), opener, processes if plan.images > plan.part else 1)
            total = _watched(run, plan.images, parts, _paid(ledger, plan.run))
        else:
            total = run.summary()
            tell(f"{out} is complete: {total.words()}")
    if total.failures:
        raise SystemExit(1)


def _settings(
    names: list[str], how: Mapping[str, Any], asking: Asking, parameters: Mapping[str, config.Parameters]
) -> dict[str, Any]:
    """Return the options that determine the rows, besides the inputs."""
    own = ("fallback", "below", "consensus", "model_scale", "prepare", "emulate", "no_ledger", "max_cost")
    model = asking.model_file(names)
    files = {"model": model, "ledger": asking.ledger, "replay": asking.replay, "record": asking.record}
    asked = [registry.provider_class(name) for name in names if name != "local" or asking.model is None]
    options = chain.from_iterable(getattr(one, "variables", {}).items() for one in asked)
    variables = {name for option, group in options if "key" not in option for name in group}
    calibrated = sorted(repr(one) for key, one in calibration.known().items() if key.provider in names)
    return {
        "from": str(Path.cwd()), "digitrec": __version__, "engines": names, **how,
        **{name: file and str(file) for name, file in files.items()},
        **{name: getattr(asking, name) for name in own},
        "content of model": model and hashlib.sha256(model.read_bytes()).hexdigest(),
        "environment": {name: os.environ[name] for name in sorted(variables) if os.environ.get(name)},
        "parameters": {name: repr(one) for name, one in parameters.items() if name in names},
        "calibrations": hashlib.sha256("".join(calibrated).encode()).hexdigest(),
        "numbers": "digits" in how, "digits": list(how.get("digits") or ()),
    }  # fmt: skip


def _check(out: Path, plan: Plan, given: Mapping[str, Any]) -> None:
    """Check that a run has the settings that are given; its budget may have another amount.

    Raises:
        DataError: the run has other settings; the message names them.
    """
    theirs = plan.settings
    other = "; ".join(f"{name}: {json.dumps(theirs.get(name))}, not {json.dumps(value)}"
                      for name, value in given.items() if value != theirs.get(name)
                      and (name != "max_cost" or value is None))  # fmt: skip
    if other:
        raise DataError(f"{out}: the run there has other settings ({other}); give the same, or another OUT")


def _plan(run: Job, given: Mapping[str, Any], paths: Sequence[str], processes: int) -> Plan:
    """Plan a run.

    Raises:
        click.UsageError: no input is given.
        DataError: there is no image, or an input cannot be read.
    """
    if "input" not in given:
        raise click.UsageError("no INPUT is given, and there is no run to resume.")
    skipped = Skipped()
    is_list = given["input"] == list(LIST)
    found = map(inputs.item, paths) if is_list else inputs.expand(paths, skipped)
    try:
        return run.begin(found, given, processes)
    finally:
        say_skipped(skipped)


def _parts(tasks: Iterable[Task], opener: Opener, processes: int) -> Parts:
    """Read the pictures of the tasks, in worker processes if there are several."""
    if processes > 1:
        yield from spread(tasks, opener, processes)
        return
    keep_memory()
    with opener() as reader:
        for task in tasks:
            yield task, read(task, reader)


def _paid(ledger: Path | None, run: str) -> float:
    """Return what a run has spent, in US dollars; an interruption leaves paid answers without rows."""
    if ledger is not None and ledger.exists():
        with suppress(LedgerError), closing(Ledger(ledger)) as opened:  # an engine that needs it reports it
            return spent(opened, run)
    return 0.0


def _watched(run: Job, images: int, parts: Parts, paid: float) -> Summary:
    """Store the parts, write OUT and return the summary of all rows; show progress, then the result."""
    total = run.summary()
    total.cost_usd = max(total.cost_usd, paid)
    start, before = time.monotonic(), total.images
    with bar("reading", done=before / images) as shown, closing(parts):
        try:
            for task, part in parts:
                run.finish(task, part)
                total.add(part.summary)
                rate = (total.images - before) / (time.monotonic() - start)
                shown.at(total.images / images, f"{total.words()}, {plain(rate, 2)} a second")
                if part.stopped_by is not None:
                    raise part.stopped_by
        except (*FOR_ALL, KeyboardInterrupt):
            left = count(images - total.images, "image")
            tell(f"stopped with {left} left; continue with --resume and the same options, or use another OUT")
            raise
    lines = list(islice(run.failures(), SHOWN))
    run.complete(total)  # before the messages, whose reader may be gone
    for line in lines:
        tell(line)
    failed = total.failures.total()
    if failed > SHOWN:
        tell(f"{count(failed - SHOWN, 'more failure')}, as their rows say")
    tell(f"{total.words()}, in {time.monotonic() - start:.1f} s")
    return total
