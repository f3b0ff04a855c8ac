"""Which preparation serves which engine, on digits that nobody trained on; writes docs/preparations.md.

DIGITREC_DATA names the folder that holds photos-dev/ and sets/canvas-dev.npz; what is not there is left
out. Takes the better part of an hour, for Tesseract is a process per picture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from figures import measured

from digitrec.benchmark import Benchmark, Scorecard, benchmark
from digitrec.datasets.loader import Sample, read_samples
from digitrec.engine import Engine
from digitrec.prepare import PREPARATIONS
from digitrec.prepare.encode import spec_for
from digitrec.providers.registry import open_provider
from digitrec.report.table import markdown_row
from digitrec.report.words import percent

PAGE = Path(__file__).parents[1] / "docs" / "preparations.md"
ENGINES = ("tesseract", "rapidocr")
MNIST_DIGITS = 500
OPENING = """# Which preparation serves which engine

General text recognition often passes over a lone character. What is sent can be the whole picture
(`plain`), the digit cut out and enlarged on white (`enlarged`), or that three times in a row
(`repeated`); `--prepare` chooses. Share read rightly, with its 95% interval; after the slash, wrong
answers and refusals. No emulated engine is here: an emulator says nothing about a vendor.
"""


def data() -> Iterator[tuple[str, list[Sample]]]:
    """The labelled sets that are there, by the names they shall have."""
    folder = Path(os.environ.get("DIGITREC_DATA", "no-such-folder"))
    if (folder / "photos-dev").is_dir():
        yield "329 phone photos of digits on paper", read_samples(folder / "photos-dev")
    if (folder / "sets" / "canvas-dev.npz").is_file():
        yield "300 digits drawn on screens", read_samples(folder / "sets" / "canvas-dev.npz")
    yield f"the first {MNIST_DIGITS} MNIST test digits", read_samples("mnist-test")[:MNIST_DIGITS]


def engines() -> dict[str, Engine]:
    """Our CNN, and every other engine once for each preparation."""
    columns = {"local": Engine(open_provider("local"))}
    for name in ENGINES:
        for preparation in PREPARATIONS:
            provider = open_provider(name)
            provider.wants = spec_for(provider.wants, preparation)
            columns[f"{name}/{preparation}"] = Engine(provider)
    return columns


def section(found: Benchmark) -> Iterator[str]:
    """The table of one set, and the differences between preparations that are more than chance."""
    cards = {card.engine: card for card in found.cards}
    yield f"\n## {found.data[0].upper()}{found.data[1:]}\n\n"
    yield markdown_row("engine", *PREPARATIONS)
    yield markdown_row("---", *["---"] * len(PREPARATIONS))
    local = cards["local"]
    yield markdown_row(f"local {version(local)}", f"{cell(local)} (its own)", "", "")
    for name in ENGINES:
        row = [cards[f"{name}/{preparation}"] for preparation in PREPARATIONS]
        yield markdown_row(f"{name} {version(row[0])}", *map(cell, row))
    yield "\n"
    for pair in found.pairs:
        one, other = pair.first.partition("/")[0], pair.second.partition("/")[0]
        if one == other and pair.better is not None:
            worse = pair.second if pair.better == pair.first else pair.first
            yield f"- {pair.better} is better than {worse} (McNemar, corrected p = {pair.p_corrected:.2g}).\n"


def cell(card: Scorecard) -> str:
    """Accuracy, interval, wrong answers and refusals."""
    low, high = percent(card.accuracy.low), percent(card.accuracy.high)
    refused = card.refused_wrongly + card.refused_rightly
    return f"{percent(card.accuracy.share)} ({low} to {high}) / {card.wrong}, {refused}"


def version(card: Scorecard) -> str:
    """Which model answered."""
    return ", ".join(card.model_versions)


def main() -> None:
    """Measure every set, and write the page anew after each."""
    columns = engines()
    parts = [OPENING, f"\n{measured()}, on 2 cores shared with other work.\n"]
    for name, samples in data():
        parts += section(benchmark(samples, columns, data=name))
        PAGE.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
