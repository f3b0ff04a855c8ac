"""``digitrec benchmark``, ``calibrate`` and ``evaluate``."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import click
import numpy as np

from digitrec.answer import Outcome
from digitrec.bulk.job import Summary
from digitrec.commands import cost, options
from digitrec.commands.engines import Asking, asking_by_policy, asking_options, own_model
from digitrec.commands.process import tell
from digitrec.commands.progress import bar, quietly
from digitrec.commands.sources import report_engines
from digitrec.comparison.datasets.loader import Sample, limited, read_numbers, read_samples
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.comparison.numbers import numbers_asked
from digitrec.engine import Engine
from digitrec.errors import DataError
from digitrec.errors.text import percent, printable
from digitrec.image import atomic
from digitrec.lab.datasets.digits import Keys, keys_of, unlearned
from digitrec.models import store
from digitrec.recognise import calibration
from digitrec.report.rows import aligned


def _samples(source: str, limit: int | None, model: Path | None) -> list[Sample]:
    """Return `read_samples` without the pictures that the training of `model` recorded as learned.

    Report on stderr the number of omitted pictures, or that the record is missing.

    Raises:
        DataError: as `read_samples`, or every picture was learned.
    """
    samples = read_samples(source)
    left = unlearned(samples, _learned_by(model))
    if samples and not left:
        raise DataError(f"{source}: {model} has learned every picture of it; use other pictures")
    if len(left) < len(samples):
        tell(f"{source}: left out {len(samples) - len(left):,} that {model} has learned")
    return limited(left, limit)


def _learned_by(model: Path | None) -> Keys | None:
    if model is None:
        return None
    from digitrec.lab.training.run import learned_by  # imports SciPy

    with quietly():  # it may load the model
        return learned_by(model)


def _refuse_table(model: Path | None) -> Keys | None:
    """Refuse a model that was trained on MNIST's test digits; return the keys of all its training pictures.

    These digits make up most of the table.

    Raises:
        DataError: the model was trained on these digits.
    """
    learned = _learned_by(model)
    count = 0 if learned is None else int(np.isin(keys_of(mnist_test().images), learned).sum())
    if count:
        raise DataError(
            f"{model}: has learned {count:,} of MNIST's test digits, the largest part of the table; "
            "choose pictures with --data"
        )
    return learned


@click.command()
@options.labelled()
@options.providers("Engines to ask, separated by commas.", default="local")
@options.labelled_limit
@options.output("table", "markdown", "json")
@options.html("Also write the report as a self-contained page.")
@options.lenient
@options.flag("--numbers", help="Read whole numbers; labels.csv has the columns file,text.")
@options.digits
@click.option(
    "--target", type=options.Number(0, 1, min_open=True, max_open=True), metavar="SHARE",
    help="Recommend the cheapest combination of these engines that reaches this accuracy, such as 0.995.",
)  # fmt: skip
@options.usd("--budget", help="Limit of the recommendation's cost for 1,000 pictures.")
@options.dry_run
@asking_by_policy
def benchmark(
    data: str,
    limit: int | None,
    output: Literal["table", "markdown", "json"],
    html: Path | None,
    target: float | None,
    budget: float | None,
    asking: Asking,
) -> None:
    """Measure engines on labelled pictures, with statistics.

    DATA is a folder with labels.csv (columns file,label; label none for no digit) or with sub-folders 0 to
    9, an IDX pair, an .npz file with x and y or images and labels, or mnist-test (a folder of that name
    has precedence). After Ctrl-C the same command continues with the paid answers in the ledger. A policy
    (--fallback, --consensus) is scored beside its engines. The exit code is not 0 if an engine failed on
    every picture.

    With --numbers, labels.csv has the columns file,text and optionally group (text none for no number; a
    line for each number of a sheet). Intervals and tests keep the pictures of a group, such as a book,
    together.

    --target tries each engine, each pair as a fallback and each vote, chooses the cheapest that
    reaches the target on half of the pictures, and measures it on the other half. It reaches the target if
    the lower end of its 95% interval does.

    \b
    Examples:
      digitrec benchmark samples --provider local,tesseract,rapidocr
      digitrec benchmark mnist-test --limit 500 --html report.html
      digitrec benchmark photos/ --provider tesseract --prepare plain,enlarged,repeated
      digitrec benchmark photos/ --provider local --fallback rapidocr --below 0.95
      digitrec benchmark cheques/ --provider rapidocr,google --numbers
      digitrec benchmark photos/ --provider local,google,aws --target 0.995 --max-cost 3
    """
    from digitrec.comparison.benchmark import benchmark as measure
    from digitrec.report.benchmark import write

    if html is not None:
        from digitrec.report.benchmark_page import benchmark_page  # report a missing extra before asking

    if budget is not None and target is None:
        raise click.UsageError("--budget needs --target.")
    names = asking.names()
    how, numbers = asking.how(), asking.numbers
    samples: Sequence[Sample]
    if numbers:
        samples, how = read_numbers(data, limit), {"ask": numbers_asked(**how)}
    else:
        samples = _samples(data, limit, asking.model_file(names))
    with asking.columns(names) as engines:
        if asking.dry_run:
            asked = [engine.for_numbers if numbers else engine for engine in engines.values()]
            cost.say([sample.image for sample in samples], asked, output)
            return
        policy = asking.policy(list(engines.values()))
        with _watched(len(samples) * len(engines)) as arrived:
            found = measure(
                samples, engines, data=data, policies=[] if policy is None else [policy], target=target,
                budget=budget, settings=asking.settings(), arrived=arrived, **how,
            )  # fmt: skip
    if html is not None:  # before the output, whose reader may be gone
        atomic.write(html, benchmark_page(found))
    write(found, output)
    report_engines(found.outcomes)


@contextmanager
def _watched(total: int) -> Iterator[Callable[[Outcome], None]]:
    """Show a bar that counts outcomes, their known cost and the failures among them."""
    done = Summary()
    with bar("reading") as shown:

        def arrived(outcome: Outcome) -> None:
            done.count(outcome)
            remark = f"known cost ${done.cost_usd:.2f}, {done.failures.total()} failed"
            shown.at(done.images / total, f"{done.images} of {total}, {remark}")

        yield arrived


@click.command()
@options.labelled()
@click.option(
    "-p", "--provider", default="local", show_default=True, metavar="NAME", help="Engine to calibrate."
)
@options.labelled_limit
@asking_options
def calibrate(data: str, provider: str, limit: int | None, asking: Asking) -> None:
    """Learn how often an engine is right at a given confidence.

    Later predictions of this engine, with the same preparation and model version, get `calibrated`: the
    probability that the digit is right. DATA is as for `digitrec benchmark`; it should look like your
    pictures and include some that the engine misreads.

    \b
    Examples:
      digitrec calibrate photos/
      digitrec calibrate photos/ --provider google --max-cost 1
    """
    from digitrec.comparison.benchmark.measure import measure

    samples = _samples(data, limit, asking.model_file([provider]))
    with asking.engines([provider]) as (engine,), _watched(len(samples)) as arrived:
        measured = measure(samples, engine, data, arrived=arrived)
    report_engines({provider: measured.outcomes})
    said, labels = [answer for answer, _ in measured.answered], [label for _, label in measured.answered]
    fitted = calibration.fit(said, labels, data)
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


@click.command(context_settings={"show_default": True})
@own_model
@options.sources(
    "--data", "sources", multiple=True,
    help="Labelled pictures, as for `digitrec benchmark`; repeatable.  [default: the whole table]",
)  # fmt: skip
@options.choice(
    "--table", "digits", "scenes", "changes", "corruptions", "refused", "numbers", multiple=True,
    help="Measure only this table, and keep the others of an accuracy.md in the folder; repeatable.",
)  # fmt: skip
@options.seed("Seed of the generated pictures; repeatable.  [default: five from the commit]", multiple=True)
@options.whole("--limit", "Use N of each set, keeping the mix of digits.")
@options.out_folder("digitrec-evaluation")
def evaluate(
    asking: Asking,
    sources: Sequence[str],
    table: Sequence[str],
    seed: Sequence[int],
    limit: int | None,
    out: Path,
) -> None:
    """Measure the accuracy of a model, and show its mistakes.

    With --data it reports loss, accuracy with its 95 % interval and a table of digits, and draws the
    confusion matrix, predictions, misread digits and reliability. Without --data it writes the whole
    accuracy table (accuracy.md) for the sets in $DIGITREC_DATA. A refusal or failure counts as wrong. With
    --model, its training pictures and whole numbers are left out. Needs the extras `stats` and `plots`.

    \b
    Examples:
      digitrec evaluate --data mnist-test --limit 1000
      digitrec evaluate --data photos/ --model mnist_cnn_model.h5
      digitrec evaluate --out docs
    """
    stems = [Path(source).resolve().stem for source in sources]
    if twice := [stem for stem in stems if stems.count(stem) > 1]:
        raise click.UsageError(f"two sets would both write {twice[0]}-confusion.png; give one at a time.")
    if sources and (table or seed):
        raise click.UsageError("--table and --seed exclude --data.")
    model = asking.model_file(["local"])
    if model is not None and "numbers" in table:
        raise click.UsageError(f"--table numbers: the model {model} reads single digits.")
    with asking.engines(["local"]) as (engine,):
        report_engines({source: _one(source, engine, limit, model, out) for source in sources})
        if not sources:
            _table(engine, table, seed, limit, out, model)


def _one(source: str, engine: Engine, limit: int | None, model: Path | None, out: Path) -> Sequence[Outcome]:
    from digitrec.comparison.benchmark.measure import is_right, measure
    from digitrec.comparison.benchmark.measures import share_of
    from digitrec.report.evaluation import PICTURES, classification
    from digitrec.report.plots import save

    samples = _samples(source, limit, model)
    name = printable(Path(source).resolve().stem)
    with _watched(len(samples)) as arrived:
        found = measure(samples, engine, name, arrived=arrived)
    right = share_of([is_right(*pair) for pair in found.pairs], [sample.group for sample in samples])
    loss = "unknown" if found.loss is None else f"{found.loss:.4f}"
    if (known := len(found.chances)) < found.named.n:
        loss += f" (of {known:,} with probabilities)"
    click.echo(
        f"{name}: accuracy {percent(right.share, 2)} ({right.hits:,} of {right.n:,}, 95 % interval "
        f"{right.interval(2)}), loss {loss}, {found.card.refused_wrongly} refused wrongly, "
        f"{found.card.failed} failed"
    )
    if any(sample.label is not None for sample in samples):
        click.echo("\n".join(["", *aligned(classification(found)), ""]))
    for draw in PICTURES:
        click.echo(save(draw(found), out / f"{name}-{draw.__name__}.png"))
    return found.outcomes


def _table(
    engine: Engine, tables: Sequence[str], seeds: Sequence[int], limit: int | None, out: Path,
    model: Path | None,
) -> None:  # fmt: skip
    from digitrec.lab.evaluation.accuracy import Measured, fresh_seeds, measured, sets
    from digitrec.lab.evaluation.numbers import measure_numbers
    from digitrec.report import evaluation

    page, learned = out / "accuracy.md", _refuse_table(model)
    seeds = list(dict.fromkeys(seeds)) or fresh_seeds(store.load().version)
    chosen = [one for one in sets(seeds, learned) if not tables or one.group in tables]
    found: list[Measured] = []
    with bar("measuring") as shown:
        for one in chosen:
            shown.at(len(found) / len(chosen), one.name)
            if (result := measured(engine, one, limit, learned)) is None:
                tell(f"{one.name} is left out: the model has learned every picture of it")
            else:
                found.append(result)
        asked = model is None if not tables else evaluation.WHOLE_NUMBERS in tables
        numbers = list(measure_numbers(engine, limit)) if asked else []
    rows = list(evaluation.tables(found, numbers, seeds, limit))
    before = page.read_text("utf-8") if tables and page.exists() else ""
    parts = evaluation.sections(rows, before)
    heading = evaluation.heading(parts, found, before)
    out.mkdir(parents=True, exist_ok=True)
    atomic.write(page, evaluation.markdown(heading, parts))  # before the output, whose reader may be gone
    for table in rows:
        click.echo("\n".join([table.title, *aligned(table), ""]))
    click.echo(f"{heading}\n{page}")
