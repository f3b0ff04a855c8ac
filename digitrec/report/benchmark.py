"""A benchmark as text for a terminal, Markdown or JSON; `benchmark_page` makes the page."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import IO, Literal

from digitrec.comparison.benchmark import Benchmark, conclusion
from digitrec.comparison.benchmark.run import KEPT
from digitrec.errors.text import count
from digitrec.report import words
from digitrec.report.benchmark_tables import confusion, leaderboard, splitting, tables
from digitrec.report.rows import csv_rows
from digitrec.report.table import aligned, markdown_table

Format = Literal["table", "markdown", "json", "jsonl", "csv"]
COLUMNS = ("source", "sha256", "label", "engine", *KEPT, "error")
"""The columns of CSV: the picture, what it shows, who was asked, and what was said."""


def write(benchmark: Benchmark, form: Format, out: IO[str] | None = None) -> None:
    """Write a benchmark.

    ``table`` is the leaderboard and what follows from it, ``markdown`` and ``json`` all there is to say;
    ``jsonl`` (an object for each picture) and ``csv`` (a row for each picture and engine) are the answers.
    """
    out = sys.stdout if out is None else out
    if form == "csv":
        _write_csv(benchmark, out)
        return
    lines = {"table": _text, "markdown": _markdown, "json": _json, "jsonl": _jsonl}[form]
    for line in lines(benchmark):
        out.write(line + "\n")


def _json(benchmark: Benchmark) -> Iterator[str]:
    yield json.dumps(benchmark.as_dict() | {"conclusion": conclusion(benchmark)}, indent=1, default=str)


def _jsonl(benchmark: Benchmark) -> Iterator[str]:
    for row in benchmark.answers():
        yield json.dumps(row, default=str)


def _write_csv(benchmark: Benchmark, out: IO[str]) -> None:
    write_row = csv_rows(out)
    write_row(COLUMNS)
    for row in benchmark.answers():
        for name, answer in row.pop("answers").items():
            cells = row | {"engine": name} | answer
            write_row(cells.get(column) for column in COLUMNS)


def _text(benchmark: Benchmark) -> Iterator[str]:
    yield from aligned(leaderboard(benchmark))
    yield ""
    yield from conclusion(benchmark)


def _markdown(benchmark: Benchmark) -> Iterator[str]:
    yield f"# {heading(benchmark)}\n"
    yield from (f"- {sentence}" for sentence in conclusion(benchmark))
    for table in (*tables(benchmark), *([splitting(benchmark)] if benchmark.splitting else [])):
        yield f"\n## {table.title}\n\n{table.note}\n\n{markdown_table(table)}"
    yield "\n## Confusion\n\nRows: what the picture shows. Columns: what was answered."
    for card in benchmark.cards:
        yield f"\n### {confusion(card).title}\n\n{markdown_table(confusion(card))}"
    yield "\n## How it was measured\n"
    yield from (f"- {name}: {value}" for name, value in provenance(benchmark).items())


def heading(benchmark: Benchmark) -> str:
    """Which engines on what."""
    engines = count(len(benchmark.cards), "engine")
    return f"{engines} on {count(len(benchmark.samples), 'picture')} of {benchmark.data}"


def provenance(benchmark: Benchmark) -> dict[str, str]:
    """What produced the figures: when, on what, with which models, settings and versions."""
    models = {
        f"{card.engine}": ", ".join([
            *card.model_versions,
            *(f"prepared: {name}" for name in card.preparations),
            *(f"asked at {place}" for place in card.endpoints),
            *(["emulated"] if card.emulated else []),
        ])
        for card in benchmark.cards
    }  # fmt: skip
    labelled = sum(label is not None for label in benchmark.labels)
    return {
        "date": benchmark.started,
        "pictures": f"{len(benchmark.samples)} of {benchmark.data}, {labelled} with a digit",
        "took": words.duration(benchmark.seconds),
        **benchmark.settings,
        **models,
        **benchmark.versions,
    }
