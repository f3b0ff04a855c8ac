"""Copy figures from tables to the pages that quote them; ``--check`` fails if a page has other figures.

A figure stands between two comments, which a reader does not see: ``<!--right: letters-->58.30<!--/-->``. Its
name is a column and a row of a table in `TABLES`, or a line of the network's card. ``, 0`` after the name is
the number of decimals. Run this after `digitrec evaluate`, `digitrec train` or `digitrec models
compare`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLES = ("docs/preparations.md", "docs/benchmarks.md", "docs/accuracy.md", "docs/models.md")
CARD = "digitrec/models/weights/digitrec-cnn.md"
PAGES = ("README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")))
MARK = re.compile(r"(<!--([a-z][\w .-]*: [^<>]*?)(?:, (\d))?-->).*?<!--/-->", re.DOTALL)


def figures() -> dict[str, str]:
    """Return the figures of all tables and of the card, by name."""
    found: dict[str, str] = {}
    for page in TABLES:
        rows = [*of_tables((ROOT / page).read_text(encoding="utf-8"))]
        found |= dict(reversed(rows))  # the first of several equal names wins
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", (ROOT / CARD).read_text("utf-8"), re.MULTILINE)
    return found | {f"card: {what}": value for what, value in rows}


def of_tables(text: str) -> Iterator[tuple[str, str]]:
    """Yield the cells of a page's tables as ("column: row", cell), the row by its first cell."""
    head: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if head and cells and not set(line) <= set("|-: "):
            yield from ((f"{column}: {cells[0]}", cell) for column, cell in zip(head, cells, strict=True))
        head = head if head and cells else cells


def text_of(name: str, decimals: str, known: dict[str, str]) -> str:
    """Return the text for a name.

    Raises:
        KeyError: nothing has that name.
    """
    value = known[name]
    number = re.match(r"[\d,]+(?:\.\d+)?(?= ?%|$| )", value)
    if not number:
        return value
    return f"{float(number[0].replace(',', '')):.{decimals}f}" if decimals else number[0]


def filled(page: str, known: dict[str, str]) -> str:
    """Fill in every figure of a page."""
    return MARK.sub(lambda found: f"{found[1]}{text_of(found[2], found[3] or '', known)}<!--/-->", page)


def main(check: bool) -> None:
    """Write all pages; with --check only exit with 1 if a page would change."""
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
