"""Draw docs/images/rooms.svg from the code; ``--check`` fails when the picture is out of date.

Its rows are the packages in the order of setup.cfg, which import-linter keeps, each with the first sentence
of its docstring; a dot means that the row's package imports the column's package. All dots are right
of the diagonal, because no package imports one above it.
"""

import ast
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).parent / "images" / "rooms.svg"
GROUND = "errors"
"""Name of the lowest layer, which every package imports and which has no dots."""
LEFT, TOP, CELL, LETTERS = 720, 100, 24, 98
"""Width of the text, height of the column heads, side of a cell, in pixels; maximum letters of a purpose."""
HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">
<title>The packages of digitrec, from top to bottom, and what each imports</title>
<style>.name {{ font-size: 14px; font-weight: bold; fill: #124; }} .what {{ font-size: 12px; fill: #345; }}
.band {{ fill: #eef2f6; }} circle {{ fill: #1a6fb0; }} .self {{ fill: #c9d3dd; }}</style>
<rect width="{width}" height="{height}" fill="#fff"/>
"""


def layers() -> list[list[str]]:
    """Return the packages from top to bottom, as in the contract."""
    contracts = ConfigParser()
    contracts.read(ROOT / "setup.cfg", encoding="utf-8")
    rows = contracts["importlinter:contract:layers"]["layers"].split("\n")
    return [[room.strip() for room in re.split("[|:]", row)] for row in rows if row.strip()]


def purpose(room: str) -> str:
    """Return the first sentence of a package's docstring."""
    folder = ROOT / "digitrec" / room
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(told.split("\n\n")[0].split()).split(". ")[0].rstrip(".").replace("`", "")


def imports(rooms: list[str]) -> dict[str, set[str]]:
    """Return the packages that each package imports."""
    graph = grimp.build_graph("digitrec")
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for module in graph.modules - {"digitrec"}:
        room = module.split(".")[1]
        for imported in graph.find_modules_directly_imported_by(module) - {"digitrec"}:
            other = imported.split(".")[1]
            if room in found and other in found and other != room:
                found[room].add(other)
    return found


def svg() -> str:
    """Draw the whole picture."""
    rows = layers()
    rooms = [room for row in rows if GROUND not in row for room in row]
    ground = next(row for row in rows if GROUND in row)
    width, height = LEFT + CELL * len(rooms) + 10, TOP + CELL * (len(rooms) + len(ground) + 1)
    parts = [*bands(rows, width), *words([*rooms, *ground]), *columns(rooms), *dots(rooms)]
    return HEAD.format(width=width, height=height) + "\n".join(parts) + "\n</svg>\n"


def bands(rows: list[list[str]], width: int) -> Iterator[str]:
    """Draw a shade behind every second layer."""
    done = 0
    for number, row in enumerate(rows):
        if number % 2:
            yield f'<rect class="band" y="{TOP + CELL * done}" width="{width}" height="{CELL * len(row)}"/>'
        done += len(row)


def words(rooms: list[str]) -> Iterator[str]:
    """Write the name and the purpose of each package."""
    for number, room in enumerate(rooms):
        y = TOP + CELL * number + 17
        yield f'<text class="name" x="10" y="{y}">{room}</text>'
        yield f'<text class="what" x="125" y="{y}">{escape(shortened(purpose(room)))}</text>'


def shortened(told: str) -> str:
    """Cut a text at a word, to at most this many letters."""
    return told if len(told) <= LETTERS else told[: LETTERS - 4].rpartition(" ")[0] + " ..."


def columns(rooms: list[str]) -> Iterator[str]:
    """Write the names over the columns, upright."""
    for number, room in enumerate(rooms):
        x = LEFT + CELL * number + 17
        yield f'<text class="what" transform="translate({x} {TOP - 8}) rotate(-90)">{room}</text>'


def dots(rooms: list[str]) -> Iterator[str]:
    """Draw a dot for each import, a pale one for the package itself."""
    imported = imports(rooms)
    for row, room in enumerate(rooms):
        for column, other in enumerate(rooms):
            if room == other or other in imported[room]:
                x, y = LEFT + CELL * column + CELL // 2, TOP + CELL * row + CELL // 2
                kind = ' class="self"' if room == other else ""
                yield f'<circle{kind} cx="{x}" cy="{y}" r="{4 if kind else 6}"/>'


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PICTURE.write_text(svg(), encoding="utf-8")
    elif PICTURE.read_text(encoding="utf-8") != svg():
        sys.exit("docs/images/rooms.svg is out of date: run docs/make_architecture.py")
