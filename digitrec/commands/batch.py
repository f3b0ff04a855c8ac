"""``digitrec batch``."""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import click

from digitrec import atomic, config
from digitrec.bulk import inputs, job, parts, run, workers
from digitrec.bulk.cluster import Cluster, cluster
from digitrec.bulk.job import Job
from digitrec.bulk.reading import How, Stopped
from digitrec.bulk.summary import Summary
from digitrec.commands import manifest, options, policies, values
from digitrec.commands.engines import Asking, asking_options
from digitrec.commands.files import Input, Output, OutputFile, named_as_file, refuse_inputs
from digitrec.commands.progress import Bar
from digitrec.engine import Options
from digitrec.errors import DataError, NotConfigured
from digitrec.image.folders import Skipped
from digitrec.providers import registry
from digitrec.providers.base import FREE
from digitrec.recognise import Rotation
from digitrec.recognise.readers import Reader
from digitrec.text import count, printable
from digitrec.version import __version__

PARTS_A_WORKER = 8
"""So many parts for each worker, at least, where there are enough images: else one waits for another."""


@dataclass(frozen=True, slots=True)
class Openable:
    """What opens the reader in each process."""

    asking: Asking
    rule: policies.Rule
    names: tuple[str, ...]
    theirs: Options | None = None
    version: str = __version__

    def __call__(self) -> Reader:
        """The reader, which stays open until its process ends or reads for another run.

        Raises:
            NotConfigured: another digitrec is installed here than where the command runs.
        """
        if self.version != __version__:
            raise NotConfigured(
                f"a worker has digitrec {__version__}, this is {self.version}; install the same everywhere"
            )
        warnings.filterwarnings("ignore", module=r"PIL\.")  # the process is there for us
        _KEPT.close()
        engines = _KEPT.enter_context(self.asking.engines(self.names, theirs=self.theirs))
        return self.rule.policy(engines) or engines[0]


_KEPT = ExitStack()


@click.command()
@click.argument(
    "images", nargs=-1, type=Input(path_type=str), metavar="INPUT...", shell_complete=values.image
)
@click.option(
    "-o", "--output", "out", type=Output(), required=True, metavar="OUT",
    help="Where the rows go: a file .jsonl, .csv or .parquet (extra `batch`), else a folder of parts.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", "parquet"]), default=None,
              help="How parts in a folder are written.  [default: jsonl]")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the run that was stopped there.")
@click.option("--workers", "processes", type=click.IntRange(min=1), metavar="N",
              help="Processes for engines on this machine.  [default: one for each core]")  # fmt: skip
@click.option("--scheduler", metavar="ADDRESS",
              help="Let a Dask cluster read, such as tcp://10.0.0.7:8786 (extra `batch`).")  # fmt: skip
@click.option("--part", type=click.IntRange(min=1), metavar="N",
              help="Images in a part, read again where it was cut off.  [default: 32 to 1000]")  # fmt: skip
@click.option(
    "--summary",
    "summary_file",
    type=OutputFile(".json"),
    metavar="FILE",
    help="Also write the summary there, as JSON.",
)
@click.option(
    "--paths-from", metavar="COLUMN",
    help="INPUT is a table (CSV, also with ; or tabs, or .parquet) with a picture's path in this column.",
)  # fmt: skip
@click.option("--hidden", is_flag=True, help="In folders and archives, also read what begins with a dot.")
@click.option(
    "-p", "--provider", "providers", callback=options.names, metavar="NAME",
    shell_complete=values.providers,
    help="Which engine to ask, several with --consensus; `digitrec providers` lists them.  [default: local]",
)  # fmt: skip
@options.lenient
@options.at_least
@options.rotate
@policies.policy
@asking_options
def batch(
    images: tuple[str, ...],
    out: Path,
    form: parts.Format | None,
    resume: bool,
    processes: int | None,
    scheduler: str | None,
    part: int | None,
    summary_file: Path | None,
    paths_from: str | None,
    hidden: bool,
    providers: list[str],
    lenient: bool,
    at_least: float,
    rotate: Rotation,
    rule: policies.Rule,
    asking: Asking,
) -> None:
    """Read any number of pictures into files; stopped or killed, --resume goes on.

    INPUT is a file, a folder, a pattern such as "scans/**/*.png", a .tar or .zip, or - for a list of paths
    on standard input. OUT has one row for each picture, in the order given, as `predict` writes it; a
    picture that cannot be read is a row with its error. Engines on this machine read in several processes;
    a cloud is asked from one, within its rate limit and --max-cost, and what it answered is never paid
    again. With --scheduler the workers of a Dask cluster read; INPUT and OUT must be where they can reach
    them, and this command keeps rate limit and budget for all.

    \b
    Examples:
      digitrec batch scans/ -o answers.jsonl
      digitrec batch scans.tar -o answers.csv --workers 2
      find . -name "*.png" | digitrec batch - -o answers/
      digitrec batch scans/ -o answers.jsonl --resume
      digitrec batch scans/ -o answers.jsonl -p google --max-cost 20
      digitrec batch /shared/scans/ -o /shared/answers --scheduler tcp://10.0.0.7:8786
    """
    if scheduler is not None and processes is not None:
        raise click.UsageError("--workers is for this machine; a cluster has the workers that it has.")
    form, folder = _target(out, form)
    names = rule.names(providers or [config.load().provider], together=True)
    how = How(lenient, at_least, rotate)
    settings = _settings(images, names, how, rule, asking)
    if not resume and (out.is_file() or job.begun(folder)):
        raise click.UsageError(f"{out} is there already: go on with it by --resume, or give another name.")
    if resume and out.is_file() and not folder.exists():
        job.remove(folder)  # what a kill while it was removed left
        click.echo(f"digitrec: {out} is complete", err=True)
        return
    connected = nullcontext() if scheduler is None else cluster(scheduler)
    with job.held(folder), connected as found:
        planned = job.planned(folder)
        count_of = processes or workers.cores() if found is None else found.crew.count()
        if planned is None:
            if not images:
                raise click.UsageError("no INPUT is given, and no run was planned there to go on with.")
            planned = _plan(folder, images, paths_from, hidden, form, part, count_of, settings)
        elif planned.settings != settings | ({} if images else {"input": planned.settings["input"]}):
            raise DataError(f"{folder}: the run there has other settings; give the same, or another OUT")
        before = planned.done()
        if found is None:
            readings = _readings(planned, names, how, rule, asking, count_of)
        else:
            readings = _by_cluster(planned, names, how, rule, asking, found)
        total = _watched(planned, before, readings)
        job.clear_store(folder)
        if out != folder:
            parts.join(planned.files(), planned.form, out)
    if out != folder:
        job.remove(folder)
    if summary_file is not None:
        atomic.write(summary_file, json.dumps(total.as_dict(), indent=1) + "\n")
    if total.failures:
        raise SystemExit(1)


def _target(out: Path, form: parts.Format | None) -> tuple[parts.Format, Path]:
    """The format, and the folder of the parts: OUT itself, or one beside the file."""
    by_name = None if out.is_dir() else parts.FORMATS.get(out.suffix.lower())
    if by_name is None:
        if out.is_file() or named_as_file(out):
            raise click.UsageError(f"{out} does not end in .jsonl, .csv or .parquet; a folder has no ending.")
        return parts.checked(form or "jsonl"), out
    if form not in (None, by_name):
        raise click.UsageError(f"{out} is {by_name} by its name, not {form}.")
    return parts.checked(by_name), out.with_name(out.name + ".parts")


def _settings(
    images: tuple[str, ...], names: list[str], how: How, rule: policies.Rule, asking: Asking
) -> dict[str, Any]:
    """All that decides what the rows are; a run can only go on with the same."""
    values = {
        "input": list(images), "from": str(Path.cwd()), "digitrec": __version__, "engines": names,
        "lenient": how.lenient, "at_least": how.at_least, "rotate": how.rotate,
        "fallback": rule.fallback, "below": rule.below, "consensus": rule.consensus,
        "model": asking.model and str(asking.model), "model scale": asking.model_scale,
        "prepare": asking.prepare, "emulate": asking.emulate,
    }  # fmt: skip
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain


def _plan(
    folder: Path,
    images: tuple[str, ...],
    paths_from: str | None,
    hidden: bool,
    form: parts.Format,
    part: int | None,
    processes: int,
    settings: dict[str, Any],
) -> Job:
    skipped = Skipped()
    with job.store(folder) as store:
        items = _only_read(_items(images, paths_from, skipped, hidden, store))
        planned = job.begin(folder, items, form, settings, part=part, parts=PARTS_A_WORKER * processes)
    if words := skipped.words():
        click.echo(f"digitrec: skipped {printable(', '.join(words))}", err=True)
    return planned


def _items(
    images: tuple[str, ...], paths_from: str | None, skipped: Skipped, hidden: bool, store: IO[bytes]
) -> Iterable[inputs.Item]:
    """What is to be read, found one after the other."""
    if paths_from is not None:
        tables = (_column(name, paths_from) for name in images)
        return (inputs.named(path) for table in tables for path in table)
    if images == ("-",):
        return map(inputs.named, inputs.listed(sys.stdin.buffer))
    return inputs.expand(images, skipped, hidden=hidden, store=store)


def _only_read(items: Iterable[inputs.Item]) -> Iterator[inputs.Item]:
    """The items, once it is known of each that the command does not write to it."""
    for item in items:
        if isinstance(item, str):
            refuse_inputs([item])
        yield item


def _column(table: str, name: str) -> Iterable[str]:
    return inputs.column(table, name) if table.endswith(".parquet") else manifest.stream(table, name)


def _readings(
    planned: Job, names: list[str], how: How, rule: policies.Rule, asking: Asking, processes: int
) -> Iterator[Summary]:
    """What came of each part, when it is done."""
    if _free(names) and processes > 1 and planned.count > 1:
        yield from run.spread(
            planned,
            Openable(asking, rule, tuple(names)),
            how,
            run.processes(min(processes, planned.count)),
        )
        return
    workers.keep_memory()
    with asking.engines(names, run=planned.run) as engines:
        yield from run.here(planned, rule.policy(engines) or engines[0], how)


def _free(names: list[str]) -> bool:
    return all(registry.provider_class(name).price == FREE for name in names)


def _by_cluster(
    planned: Job, names: list[str], how: How, rule: policies.Rule, asking: Asking, found: Cluster
) -> Iterator[Summary]:
    """The same, read by a Dask cluster; where money is spent, this process keeps count of it for all."""
    here = replace(planned, folder=planned.folder.absolute())
    kept = nullcontext() if _free(names) else asking.kept(planned.run, found.host)
    with kept as theirs:
        opener = Openable(asking.anywhere(), rule, tuple(names), theirs)
        yield from run.spread(here, opener, replace(how, folder=str(Path.cwd())), found.crew)


def _watched(planned: Job, total: Summary, readings: Iterator[Summary]) -> Summary:
    """All of them counted; how it goes is told meanwhile, and what came of it at the end."""
    start, before = time.monotonic(), total.images
    with Bar("reading") as bar, closing(readings):  # type: ignore[type-var]
        try:
            for summary in readings:
                total.add(summary)
                rate = (total.images - before) / (time.monotonic() - start)
                bar.at(total.images / planned.images, f"{total.words()}, {rate:,.0f} a second")
        except (Stopped, KeyboardInterrupt) as stopped:
            left = count(planned.images - total.images, "image")
            click.echo(f"digitrec: stopped with {left} left; go on with --resume", err=True)
            if isinstance(stopped, Stopped):
                raise stopped.why from None
            raise
    click.echo(f"digitrec: {total.words()}, in {time.monotonic() - start:.1f} s", err=True)
    return total
