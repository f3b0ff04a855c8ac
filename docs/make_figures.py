"""Writes into the pages the figures that stand elsewhere; ``--check`` fails where a page has others.

A figure stands between two comments, which a reader does not see: ``<!--right: letters-->58.30<!--/-->``. Its
name is a column and a row of the tables in docs/accuracy.md and docs/models.md, a line of the network's card,
or a figure that a script of bench/ kept in bench/results/. With ``, 0`` behind it the name asks for so many
decimals. After `digitrec evaluate`, `digitrec train`, `digitrec models compare` or such a script: run this.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLES = ("docs/accuracy.md", "docs/models.md")
CARD = "digitrec/models/weights/digitrec-cnn.md"
PAGES = ("README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")))
MARK = re.compile(r"<!--([a-z][\w .-]*: [^<>]*?)(?:, (\d))?-->(.*?)<!--/-->", re.DOTALL)
WORKERS = 100
"""Of the cluster in the plan on paper."""
SPANS = ((365 * 86_400.0, "years"), (86_400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def figures() -> dict[str, str]:
    """Every figure that is kept somewhere, by its name."""
    found: dict[str, str] = {}
    for page in TABLES:
        found |= dict(of_tables((ROOT / page).read_text(encoding="utf-8")))
    for what, value in re.findall(
        r"^\| ([^|]+) \| ([^|]+) \|$", (ROOT / CARD).read_text("utf-8"), re.MULTILINE
    ):
        found[f"card: {what}"] = value
    for path in sorted((ROOT / "bench" / "results").glob("*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        found[f"measured: {path.stem}"] = kept["measured"]
        found |= {f"{path.stem}: {what}": f"{figure:.10g}" for what, figure in kept["figures"].items()}
    return found


def of_tables(text: str) -> Iterator[tuple[str, str]]:
    """The cells of a page's tables as ("column: row", cell), the row by its first cell."""
    head: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if head and cells and not set(line) <= set("|-: "):
            yield from ((f"{column}: {cells[0]}", cell) for column, cell in zip(head, cells, strict=True))
        head = head if head and cells else cells


def text_of(name: str, decimals: str, known: dict[str, str], page: str) -> str:
    """What stands for a name.

    Raises:
        KeyError: nothing has that name.
    """
    if name.startswith("plan: "):
        return "\n\n" + plan(page) + "\n\n"
    value = known[name]
    number = re.match(r"[\d,]+(?:\.\d+)?(?= ?%|$| )", value)
    if name.startswith("measured: ") or not number:
        return value
    return f"{float(number[0].replace(',', '')):.{decimals}f}" if decimals else number[0]


def plan(page: str) -> str:
    """The table of docs/batch.md: how long a million pictures take, by the rates that its text names."""
    named = re.search(r"one core\s+reads ([\d,]+) PNG digits, or ([\d,]+) photos", page)
    assert named, "docs/batch.md no longer says what one core reads"
    digits, photos = (float(rate.replace(",", "")) for rate in named.groups())
    rows = ["| | a million | 100 million | 10,000 million | what limits |", "|---|---:|---:|---:|---|"]
    files = f"{float(f'{WORKERS * digits:.2g}'):,.0f} small files a second"
    for what, rate, limit in (
        ("digits, 2 cores", 2 * digits, "cores"),
        (f"digits, {WORKERS} workers", WORKERS * digits,
         f"the shared folder: it has to open {files}, or use tars"),
        ("photos, 2 cores", 2 * photos, "cores"),
        (f"photos, {WORKERS} workers", WORKERS * photos,
         f"cores; at 200 kB each also {WORKERS * photos * 2e5 / 1e9:.1f} GB a second of reading"),
    ):  # fmt: skip
        rows.append(
            f"| {what} | " + " | ".join(span(count / rate) for count in (1e6, 1e8, 1e10)) + f" | {limit} |"
        )
    return "\n".join([*rows, *of_clouds()])


def of_clouds() -> Iterator[str]:
    """The rows of the clouds, by the rates and prices that digitrec begins with."""
    google, aws, azure = (
        getattr(import_module(f"digitrec.providers.{module}"), name)
        for module, name in (("google", "Google"), ("aws", "Aws"), ("azure", "Azure"))
    )
    all_of_google = google.rate * google.batch
    for what, rate, usd, limit in (
        (f"`google`, {google.rate:g} requests of {google.batch} a second", all_of_google, google.price.usd,
         "the money, then what the account may ask"),
        (f"`aws`, {aws.rate:g} a second", aws.rate, aws.price.usd,
         "the same; with a higher quota, `[rates]` in the configuration"),
        (f"`azure`, {azure.rate:g} a second", azure.rate, None, "the same; its price is your contract's"),
        ("`google` for 5 %, after local", 20 * all_of_google, google.price.usd / 20, "the money"),
    ):  # fmt: skip
        more = " more" if "after local" in what else ""
        cells = [
            span(count / rate) + more + ("" if usd is None else f", {money(count * usd)}")
            for count in (1e6, 1e8, 1e10)
        ]
        yield f"| {what} | {' | '.join(cells)} | {limit} |"


def span(seconds: float) -> str:
    """A time in two figures."""
    length, unit = next(((length, unit) for length, unit in SPANS if seconds >= length), SPANS[-1])
    return f"{float(f'{seconds / length:.2g}'):g} {unit}"


def money(usd: float) -> str:
    """US dollars."""
    return f"${usd / 1e6:g} million" if usd >= 1e6 else f"${usd:,.0f}"


def filled(page: str, known: dict[str, str]) -> str:
    """A page with every figure as it is now."""
    return MARK.sub(
        lambda found: found[0].replace(
            f"-->{found[3]}<!--/-->", f"-->{text_of(found[1], found[2] or '', known, page)}<!--/-->"
        ),
        page,
    )


def main(check: bool) -> None:
    """Write all pages, or exit with 1 where one would be another."""
    known = figures()
    for name in PAGES:
        page = (ROOT / name).read_text(encoding="utf-8")
        wanted = filled(page, known)
        if check and wanted != page:
            sys.exit(f"{name} has figures of another day: run python docs/make_figures.py")
        if wanted != page:
            (ROOT / name).write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main(check="--check" in sys.argv)
