"""``digitrec batch``."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from types import FrameType
from typing import IO, Any

import click

from digitrec import __version__
from digitrec.bulk import inputs, job
from digitrec.bulk.job import Job, Written
from digitrec.bulk.run import FOR_ALL, Task, spread, write
from digitrec.bulk.summary import Summary
from digitrec.bulk.workers import cores, keep_memory
from digitrec.commands import options, values
from digitrec.commands.engines import Asking, asking_by_policy
from digitrec.commands.files import Input, Output, named_as_file, refuse_inputs
from digitrec.commands.progress import bar
from digitrec.commands.sources import say_skipped, table_paths
from digitrec.errors import DataError
from digitrec.errors.text import count, printable
from digitrec.image import atomic
from digitrec.image.folders import Skipped
from digitrec.providers import registry
from digitrec.providers.base import FREE
from digitrec.recognise.readers import Reader

PARTS = 8
"""Parts for each worker, at least, where there are enough images, so that all end at about the same time."""
SHOWN = 10
"""Failures that are printed."""

Items = Callable[[Skipped, IO[bytes] | None], Iterable[inputs.Item]]
"""Finds the pictures, one after the other; counts what it skips; unpacks compressed tars into the file."""


@contextmanager
def _reader(asking: Asking, names: Sequence[str], run: str | None = None) -> Iterator[Reader]:
    """Yield what reads the pictures, with the budget of a run; None: of one of its own."""
    with asking.engines(names, run) as engines:
        yield asking.policy(engines) or engines[0]


@click.command()
@click.argument(
    "images", nargs=-1, type=Input(path_type=str), metavar="INPUT...", shell_complete=values.image
)
@click.option(
    "-o", "--output", "out", type=Output(), required=True, metavar="OUT",
    help="Output: a .jsonl or .csv file, or a folder of parts.",
)  # fmt: skip
@options.choice("--format", "jsonl", "csv", help="Format of the parts in a folder.  [default: jsonl]")
@options.flag("--resume", help="Continue an interrupted run.")
@options.whole("--workers", "Processes for local engines.  [default: one for each core]")
@options.whole("--part", "Images in a part, the unit of --resume.  [default: 32 to 1000]")
@click.option("--summary", type=Output(".json"), metavar="FILE", help="Also write the summary, as JSON.")
@click.option(
    "--errors", type=Output(folder=False), metavar="FILE",
    help="Write a line for each failed picture: its path and the reason.",
)  # fmt: skip
@click.option(
    "--paths-from", metavar="COLUMN",
    help="Read a table (CSV, also with ; or tabs) with paths in this column.",
)  # fmt: skip
@options.flag("--hidden", help="Also read hidden files (names with a leading dot) in folders and archives.")
@options.one_or_several
@options.numbers
@options.digits
@options.reading
@asking_by_policy
def batch(
    images: tuple[str, ...],
    out: Path,
    format: job.Format | None,
    resume: bool,
    workers: int | None,
    part: int | None,
    summary: Path | None,
    errors: Path | None,
    paths_from: str | None,
    hidden: bool,
    numbers: bool,
    digits: tuple[int, int] | None,
    how: options.How,
    asking: Asking,
) -> None:
    """Read any number of pictures into files; continue after an interruption with --resume.

    INPUT is a file, a folder, a pattern such as "scans/**/*.png", a .tar or .zip, or - for a list of paths
    on standard input. OUT gets one row for each picture, in input order, as from `predict`; the row of an
    unreadable picture has its error. Local engines run in several processes, clouds in one, within their
    rate limit and --max-cost; no answer is bought twice.
    With --numbers each number is a row of CSV and each picture a line of JSON, as from `read`.

    \b
    Examples:
      digitrec batch scans/ -o answers.jsonl
      find . -name "*.png" | digitrec batch - -o answers/
      digitrec batch scans/ -o answers.jsonl --resume
      digitrec batch forms.zip -o numbers.csv --numbers
      digitrec batch scans/ -o answers.jsonl -p google --max-cost 20
    """
    names = asking.names(together=True)
    for name in names:
        registry.provider_class(name)  # an unknown one is an error also where there is nothing to read
    ways = asking.for_numbers(how, numbers, digits)
    given = _settings(names, ways, asking)
    if images:
        arguments = [inputs.named(name) for name in images]
        given |= {"input": arguments, "paths-from": paths_from, "hidden": hidden}
    given |= {name: value for name, value in (("part", part), ("format", format)) if value is not None}
    find = partial(_items, images, paths_from, hidden)
    is_list = bool(images) and (paths_from is not None or images == ("-",))
    form, folder = _target(out, format)
    if not resume and (out.is_file() or job.begun(folder)):
        raise click.UsageError(f"{out} exists already: continue it with --resume, or choose another name.")
    with _terminable():
        if resume and out.is_file() and not job.begun(folder):
            planned, written = job.finished(out)
            total = written.summary
            _check(out, planned, given, find if is_list else None)
            _report_failures(written.failures, total, errors)
            click.echo(f"digitrec: {out} is complete: {total.words()}", err=True)
        else:
            processes = workers or cores()
            with job.held(folder):
                if (before := job.planned(folder)) is not None:
                    _check(folder, before, given, find if is_list else None)
                planned = before or _plan(folder, form, given, find, processes)
                done = planned.done()
                if len(done) < planned.count:
                    planned.check()
                opener = partial(_reader, asking, names)
                processes = processes if _are_free(names) else 1
                total = _watched(planned, done, _written(planned, done, opener, ways, processes), errors)
                (folder / job.UNPACKED).unlink(missing_ok=True)
                if out != folder:
                    planned.complete(out, total)
        if out != folder:
            job.remove(folder)
    if summary is not None:
        atomic.write(summary, json.dumps(total.as_dict(), indent=1) + "\n")
    if total.failures:
        raise SystemExit(1)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP stop the run as Ctrl-C does, unless they are ignored or handled already."""

    def terminate(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)  # the second ends the program at once
        click.echo("digitrec: terminated", err=True)
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handled = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, terminate)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


def _target(out: Path, form: job.Format | None) -> tuple[job.Format, Path]:
    """Return the format, and the folder of the parts: OUT itself, or one beside the file."""
    by_name = None if out.is_dir() else job.FORMATS.get(out.suffix.lower())
    if by_name is None:
        if out.is_file() or named_as_file(out):
            raise click.UsageError(
                f"{out} is not a .jsonl or .csv file; name one, or a folder without an extension."
            )
        return form or "jsonl", out
    if form not in (None, by_name):
        raise click.UsageError(f"{out} is {by_name} by its name, not {form}.")
    return by_name, out.with_name(out.name + ".parts")


def _settings(names: list[str], how: Mapping[str, Any], asking: Asking) -> dict[str, Any]:
    """Return the options that decide what the rows are, besides the inputs."""
    own = ("fallback", "below", "consensus", "model_scale", "prepare", "emulate")
    return {
        "from": str(Path.cwd()), "digitrec": __version__, "engines": names, **how,
        **{name: getattr(asking, name) for name in own}, "model": asking.model and str(asking.model),
        "numbers": "digits" in how, "digits": list(how.get("digits") or ()),
    }  # fmt: skip


def _plan(folder: Path, form: job.Format, given: Mapping[str, Any], find: Items, processes: int) -> Job:
    """Plan a run for a number of worker processes.

    Raises:
        click.UsageError: no input is given.
        DataError: there is no image, or an input cannot be read.
    """
    if "input" not in given:
        raise click.UsageError("no INPUT is given, and there is no run to resume.")
    skipped = Skipped()
    try:
        return job.begin(
            folder, lambda store: _only_read(find(skipped, store)), form, given,
            part=given.get("part"), parts=PARTS * processes,
        )  # fmt: skip
    finally:
        say_skipped(skipped)


def _check(place: Path, planned: Job, given: Mapping[str, Any], find: Items | None) -> None:
    """Check that a run has the settings that are given, and with ``find`` the same pictures.

    Raises:
        DataError: it has others; the message names them.
    """
    theirs = {**planned.settings, "part": planned.part, "format": planned.form}
    other = [f"{name}: {_short(theirs.get(name))}, not {_short(value)}"
             for name, value in given.items() if value != theirs.get(name)]  # fmt: skip
    if not other and find is not None and job.digest(find(Skipped(), None)) != planned.plan:
        other = ["another list"]
    if other:
        raise DataError(
            f"{place}: the run there has other settings ({'; '.join(other)}); give the same, or another OUT"
        )


def _items(
    images: tuple[str, ...], paths_from: str | None, hidden: bool, skipped: Skipped, store: IO[bytes] | None
) -> Iterable[inputs.Item]:
    if paths_from is not None:
        rows = (table_paths(name, paths_from) for name in images)
        return map(inputs.named, chain.from_iterable(rows))
    if images == ("-",):
        return map(inputs.named, inputs.listed(sys.stdin.buffer))
    return inputs.expand(images, skipped, hidden=hidden, store=store)


def _only_read(items: Iterable[inputs.Item]) -> Iterator[inputs.Item]:
    """Yield the pictures, after checking for each that the command does not write to it."""
    for item in items:
        if isinstance(item, str):
            refuse_inputs([item])
        yield item


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _written(
    planned: Job, done: Container[int], opener: Callable[..., Any], how: Mapping[str, Any], processes: int
) -> Generator[tuple[Task, Written], None, None]:
    """Read the parts that are not done, in worker processes if there are several."""
    tasks = (
        Task(number, images, how, planned.form, planned.file(number))
        for number, images in planned.undone(done)
    )
    if processes > 1 and planned.count > 1:
        yield from spread(tasks, opener, min(processes, planned.count))
        return
    keep_memory()
    with opener(run=planned.run) as reader:
        for task in tasks:
            yield task, write(task, reader)


def _are_free(names: Iterable[str]) -> bool:
    return all(registry.provider_class(name).price == FREE for name in names)


def _watched(
    planned: Job,
    done: Mapping[int, Summary],
    written: Generator[tuple[Task, Written], None, None],
    errors_file: Path | None,
) -> Summary:
    """Return the summary of all parts; show progress meanwhile, and the result at the end."""
    total = Summary()
    for summary in done.values():
        total.add(summary)
    start, before = time.monotonic(), total.images
    with bar("reading") as shown, closing(written):
        try:
            for task, part in written:
                planned.finish(task.number, part)
                total.add(part.summary)
                rate = (total.images - before) / (time.monotonic() - start)
                shown.at(total.images / planned.images, f"{total.words()}, {rate:,.0f} a second")
        except (*FOR_ALL, KeyboardInterrupt, SystemExit):
            left = count(planned.images - total.images, "image")
            click.echo(f"digitrec: stopped with {left} left; continue with --resume", err=True)
            raise
    _report_failures(planned.failures(), total, errors_file)
    click.echo(f"digitrec: {total.words()}, in {time.monotonic() - start:.1f} s", err=True)
    return total


def _report_failures(failures: Iterable[str], total: Summary, file: Path | None) -> None:
    """Print the first failures, and write all of them to the file, if there is one."""
    failed = total.failures.total()
    waiting = iter(failures if failed else ())
    shown = list(islice(waiting, SHOWN))
    for line in shown:
        click.echo(f"digitrec: {line}", err=True)
    if failed > SHOWN:
        where = "--errors FILE writes all" if file is None else f"all are in {printable(str(file))}"
        click.echo(f"digitrec: {count(failed - SHOWN, 'more failure')}; {where}", err=True)
    if file is not None:
        with atomic.replacing(file) as unfinished, unfinished.open("w", encoding="utf-8") as out:
            out.writelines(line + "\n" for line in chain(shown, waiting))
